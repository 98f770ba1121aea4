// SPDX-License-Identifier: Apache-2.0
import { describe } from "vitest";
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
