// SPDX-License-Identifier: Apache-2.0
// The tables in PostgreSQL. Texts are compared by their bytes, so that lists are in the same order as in SQLite.

import { BrokerError } from "../errors.ts";
import type { PostgresPool, Sql } from "./postgres-pool.ts";

const SCHEMA_VERSION = 2;
/** Of replicas that start at the same time one makes the tables. The number is ours: "adyton" in ASCII. */
const LOCK = "107083863355246";
const TABLES = `
CREATE TABLE entry (
  space text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, value bytea NOT NULL,
  PRIMARY KEY (space, key)
);
CREATE TABLE log (seq bigint PRIMARY KEY, leaf text NOT NULL);
CREATE TABLE log_node (level integer NOT NULL, place bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (level, place));
CREATE TABLE log_head (id integer PRIMARY KEY CHECK (id = 1), head text);
INSERT INTO log_head (id) VALUES (1);
CREATE UNLOGGED TABLE ephemeral (
  space text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, value bytea NOT NULL, expires bigint NOT NULL,
  PRIMARY KEY (space, key)
);
CREATE INDEX ephemeral_expires ON ephemeral (expires);
CREATE UNLOGGED TABLE counter (
  space text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, amount bigint NOT NULL, expires bigint NOT NULL,
  PRIMARY KEY (space, key)
);
CREATE INDEX counter_expires ON counter (expires);
CREATE FUNCTION log_only_grows() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN RAISE EXCEPTION ''the log only grows''; END';
CREATE TRIGGER log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON log EXECUTE FUNCTION log_only_grows();
CREATE TRIGGER log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON log_node EXECUTE FUNCTION log_only_grows();
CREATE TABLE version (version integer NOT NULL);
INSERT INTO version VALUES (${SCHEMA_VERSION});
`;

/** Makes what is missing. Rejects with `STORE_FAILED` or `STATE_INVALID`. */
export function prepareSchema(pool: PostgresPool): Promise<void> {
  const { schema } = pool;
  return pool.transact("open the store", async (sql) => {
    await sql`SELECT pg_advisory_xact_lock(${LOCK}::bigint)`;
    const [there] = await sql`SELECT to_regnamespace(${schema}) IS NOT NULL AS made,
      to_regclass(${`${schema}.version`}) IS NOT NULL AS filled`;
    if (there?.made !== true) await sql.script(`CREATE SCHEMA ${schema}`);
    if (there?.filled !== true) await sql.script(TABLES);
    else await checkVersion(sql, schema);
  });
}

async function checkVersion(sql: Sql, schema: string): Promise<void> {
  const [row] = await sql`SELECT version FROM version`;
  if (row?.version === SCHEMA_VERSION) return;
  throw new BrokerError(
    "STATE_INVALID",
    "misuse",
    `Cannot open the store: schema ${schema} is version ${row?.version}, expected ${SCHEMA_VERSION}`,
    { hint: "Open it with the release that wrote it, or begin with a new schema." },
  );
}
