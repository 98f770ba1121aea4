// SPDX-License-Identifier: Apache-2.0
import { describe } from "vitest";
import { hasPostgres, newSchema, runSql, useServer } from "../../test/postgres.ts";
import { describeStore } from "../../test/store-suite.ts";
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
});
