// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, vi } from "vitest";
import { describeEphemeral } from "../../test/ephemeral-suite.ts";
import { hasPostgres, newSchema, runSql, useServer } from "../../test/postgres.ts";
import { countingWriter, describeStore } from "../../test/store-suite.ts";
import { openPostgresStore } from "./postgres.ts";

describe.skipIf(!hasPostgres)("with a server", () => {
  const server = useServer();

  describeStore("PostgreSQL", async () => {
    const { url } = server();
    const schema = newSchema();
    return {
      open: (log) => openPostgresStore(url, log, { schema }),
      remove: () => runSql(url, schema, `DROP SCHEMA ${schema} CASCADE`),
      sql: (text) => runSql(url, schema, text),
    };
  });

  it("removes what has expired, once no clock can be so far behind", async () => {
    const { url } = server();
    const schema = newSchema();
    const store = await openPostgresStore(url, countingWriter, { schema });
    const at = (seconds: number): Date => new Date(Date.parse("2026-03-01T12:00:00Z") + seconds * 1000);
    await store.ephemeral.put("s", "a", new Uint8Array(0), at(10), at(0));
    await store.ephemeral.put("s", "b", new Uint8Array(0), at(20), at(0));
    await store.ephemeral.put("s", "c", new Uint8Array(0), at(1000), at(310));
    // Removing goes on beside: the table tells when it is done.
    const assertion =
      "DO $$ BEGIN ASSERT (SELECT string_agg(key, '' ORDER BY key) FROM ephemeral) = 'bc'; END $$";
    await vi.waitFor(() => runSql(url, schema, assertion), { timeout: 10_000 });
    expect(await store.ephemeral.get("s", "b", at(19))).toBeDefined();
    await store.close();
  });

  describeEphemeral("values in PostgreSQL", async () => {
    const { url } = server();
    const schema = newSchema();
    const store = await openPostgresStore(url, countingWriter, { schema });
    return {
      ephemeral: store.ephemeral,
      remove: async () => {
        await store.close();
        await runSql(url, schema, `DROP SCHEMA ${schema} CASCADE`);
      },
    };
  });
});
