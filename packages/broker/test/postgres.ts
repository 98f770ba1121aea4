// SPDX-License-Identifier: Apache-2.0
// One PostgreSQL server for the tests of a file, and a schema of its own for each test.

import { hasPostgres, startPostgres, type TestPostgres } from "@adyton/testing/postgres";
import postgres from "postgres";
import { afterAll, beforeAll } from "vitest";

export { hasPostgres };

if (!hasPostgres) console.warn("PostgreSQL was not found: tests that need it are skipped.");

/** To be called at the top of a file; the server is there in its tests. */
export function useServer(): () => TestPostgres {
  let server: TestPostgres | undefined;
  beforeAll(async () => {
    if (hasPostgres) server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.remove());
  return () => {
    if (server === undefined) throw new Error("the server is not started");
    return server;
  };
}

let schemas = 0;

export function newSchema(): string {
  schemas += 1;
  return `test_${schemas}`;
}

/** SQL beside the store, in the same schema. */
export async function runSql(url: string, schema: string, text: string): Promise<void> {
  const sql = postgres(url, {
    max: 1,
    fetch_types: false,
    connection: { search_path: schema },
    onnotice: () => undefined,
  });
  try {
    await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}
