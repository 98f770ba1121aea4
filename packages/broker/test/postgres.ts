// SPDX-License-Identifier: Apache-2.0
// One PostgreSQL server for the tests of a file, and a schema of its own for each test.

import { hasPostgres, startPostgres, type TestPostgres } from "@adyton/testing/postgres";
import pg from "pg";
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
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema}` });
  // Some of what is run ends all sessions.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
