// SPDX-License-Identifier: Apache-2.0
// The store on PostgreSQL, for several replicas. Writes that come while one is being committed are committed together
// after it. Each transaction first takes the row with the log's head, so the replicas' writes come one after the other:
// conditions hold, and the log has one order and no gap.

import { fromBase64, toBase64 } from "@adyton/core/bytes";
import type { Appended, LogEntry, LogLeaf, LogNode, LogNodeId, LogWriter } from "../audit/writer.ts";
import { BrokerError } from "../errors.ts";
import type { Ephemeral } from "./ephemeral.ts";
import { checkNames, closed, type Group, groupOf, type Job, placeOf, type Stored, settle } from "./group.ts";
import { postgresEphemeral } from "./postgres-ephemeral.ts";
import { isAnswer, type PostgresOptions, PostgresPool, type Sql } from "./postgres-pool.ts";
import { prepareSchema } from "./postgres-schema.ts";
import { loadInto, snapshotOf } from "./postgres-snapshot.ts";
import type { Change, SnapshotRow, WholeStore } from "./types.ts";

/** So many at most in one transaction, and so many bytes of values. */
const MAX_JOBS = 500;
const MAX_BYTES = 16 * 1024 * 1024;
// After every key that begins with a prefix, before all others: the last character there is.
const LAST = "\u{10FFFF}";

/**
 * Opens the database at `url` (`postgres://user:password@host:port/database`), and makes its tables when they are not there.
 * Rejects with `STATE_INVALID` or `STORE_FAILED`.
 */
export async function openPostgresStore(
  url: string,
  log: LogWriter,
  options: PostgresOptions = {},
): Promise<WholeStore> {
  const pool = new PostgresPool(url, options);
  try {
    await prepareSchema(pool);
  } catch (error) {
    await pool.close();
    throw error;
  }
  return new PostgresStore(pool, log);
}

class PostgresStore implements WholeStore {
  readonly ephemeral: Ephemeral;
  readonly #pool: PostgresPool;
  readonly #log: LogWriter;
  #queue: Job[] = [];
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(pool: PostgresPool, log: LogWriter) {
    this.#pool = pool;
    this.#log = log;
    this.ephemeral = postgresEphemeral(pool);
  }

  async get(space: string, key: string): Promise<Uint8Array | undefined> {
    const [row] = await this.#read(
      (sql) => sql<{ value: Uint8Array }>`SELECT value FROM entry WHERE space = ${space} AND key = ${key}`,
    );
    return row === undefined ? undefined : new Uint8Array(row.value);
  }

  async keys(space: string, prefix: string = ""): Promise<readonly string[]> {
    const rows = await this.#read(
      (sql) => sql<{ key: string }>`SELECT key FROM entry
        WHERE space = ${space} AND key >= ${prefix} AND key < ${prefix + LAST} ORDER BY key`,
    );
    return rows.map(({ key }) => key);
  }

  async entries(space: string): Promise<ReadonlyMap<string, Uint8Array>> {
    const rows = await this.#read(
      (sql) => sql<{ key: string; value: Uint8Array }>`SELECT key, value FROM entry
        WHERE space = ${space} ORDER BY key`,
    );
    return new Map(rows.map(({ key, value }) => [key, new Uint8Array(value)]));
  }

  async log(after: number, limit: number): Promise<readonly LogEntry[]> {
    const rows = await this.#read(
      (sql) => sql<{ seq: string; leaf: string }>`SELECT seq, leaf FROM log
        WHERE seq > ${after} ORDER BY seq LIMIT ${limit}`,
    );
    return rows.map(({ seq, leaf }) => ({ seq: Number(seq), leaf }));
  }

  async logHead(): Promise<string | undefined> {
    const [row] = await this.#read((sql) => sql<HeadRow>`SELECT head FROM log_head WHERE id = 1`);
    return row?.head ?? undefined;
  }

  async logNodes(places: readonly LogNodeId[]): Promise<readonly LogNode[]> {
    const wanted = JSON.stringify(places.map(({ level, index }) => ({ level, place: index })));
    const rows = await this.#read(
      (sql) => sql<{ level: number; place: string; hash: Uint8Array }>`
        SELECT level, place, hash FROM log_node
        JOIN json_to_recordset(${wanted}::text::json) AS wanted(level integer, place bigint) USING (level, place)`,
    );
    return rows.map(({ level, place, hash }) => ({
      level,
      index: Number(place),
      hash: new Uint8Array(hash),
    }));
  }

  async write(changes: readonly Change[]): Promise<readonly number[]> {
    if (this.#closing !== undefined) throw closed();
    checkNames(changes);
    return new Promise((resolve, reject) => {
      this.#queue.push({ changes, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  async spaces(): Promise<readonly string[]> {
    const rows = await this.#read(
      (sql) => sql<{ space: string }>`SELECT DISTINCT space FROM entry ORDER BY space`,
    );
    return rows.map(({ space }) => space);
  }

  async *snapshot(): AsyncGenerator<SnapshotRow> {
    if (this.#closing !== undefined) throw closed();
    yield* this.#pool.reading("read from the store", snapshotOf);
  }

  async load(rows: AsyncIterable<SnapshotRow>): Promise<void> {
    if (this.#closing !== undefined) throw closed();
    await this.#pool.transactOnce("write to the store", (sql) => loadInto(sql, rows));
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#draining;
      await this.#pool.close();
    })();
    return this.#closing;
  }

  #read<T>(act: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#closing === undefined
      ? this.#pool.run("read from the store", act)
      : Promise.reject(closed());
  }

  async #drain(): Promise<void> {
    // What the rest of this turn of the event loop writes comes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#commit(this.#takeGroup());
    this.#draining = undefined;
  }

  #takeGroup(): readonly Job[] {
    let bytes = 0;
    let taken = 0;
    for (const { changes } of this.#queue.slice(0, MAX_JOBS)) {
      for (const change of changes) bytes += change.kind === "put" ? change.value.length : 0;
      if (taken > 0 && bytes > MAX_BYTES) break;
      taken += 1;
    }
    return this.#queue.splice(0, taken);
  }

  /** Never rejects. One write that cannot succeed does not take its neighbours down. */
  async #commit(jobs: readonly Job[]): Promise<void> {
    try {
      settle(jobs, await this.#pool.transact("write to the store", (sql) => this.#transact(sql, jobs)));
    } catch (cause) {
      const error = refusedBy(cause);
      if (jobs.length === 1 || isServerAway(error)) for (const job of jobs) job.reject(error);
      else for (const job of jobs) await this.#commit([job]);
    }
  }

  async #transact(sql: Sql, jobs: readonly Job[]): Promise<Group> {
    const [head] = await sql<HeadRow>`SELECT head FROM log_head WHERE id = 1 FOR UPDATE`;
    // Sees what was committed while we waited for the lock.
    const stored = await storedFor(sql, jobs);
    const group = groupOf(jobs, stored);
    await leave(sql, group);
    await this.#append(sql, group, head?.head ?? undefined);
    return group;
  }

  #appended(before: string | undefined, leaves: readonly LogLeaf[]): Appended {
    try {
      return this.#log.append(before, leaves);
    } catch (cause) {
      throw refusedBy(cause);
    }
  }

  async #append(sql: Sql, { leaves, numbered }: Group, before: string | undefined): Promise<void> {
    if (leaves.length === 0) return;
    const { head, entries, nodes } = this.#appended(before, leaves);
    numbered(entries);
    const logged = JSON.stringify(entries);
    const kept = JSON.stringify(
      nodes.map(({ level, index, hash }) => ({ level, place: index, hash: toBase64(hash) })),
    );
    await sql`WITH
      logged AS (INSERT INTO log (seq, leaf)
        SELECT seq, leaf FROM json_to_recordset(${logged}::text::json) AS entry(seq bigint, leaf text)),
      kept AS (INSERT INTO log_node (level, place, hash) SELECT level, place, decode(hash, 'base64')
        FROM json_to_recordset(${kept}::text::json) AS node(level integer, place bigint, hash text))
      UPDATE log_head SET head = ${head} WHERE id = 1`;
  }
}

interface HeadRow {
  readonly head: string | null;
}

/** What the conditions and deletions of the jobs have to know. */
async function storedFor(sql: Sql, jobs: readonly Job[]): Promise<Stored> {
  const wanted = new Map<string, { readonly space: string; readonly key: string; readonly whole: boolean }>();
  for (const change of jobs.flatMap(({ changes }) => changes)) {
    if (change.kind !== "check" && change.kind !== "delete") continue;
    const { space, key } = change;
    const place = placeOf(space, key);
    wanted.set(place, { space, key, whole: change.kind === "check" || wanted.get(place)?.whole === true });
  }
  const found = new Map<string, Uint8Array>();
  if (wanted.size > 0) {
    const rows = await sql<{ space: string; key: string; value: string | null }>`
      SELECT space, key, CASE WHEN whole THEN translate(encode(value, 'base64'), E'\n', '') END AS value
      FROM entry JOIN json_to_recordset(${JSON.stringify([...wanted.values()])}::text::json)
        AS wanted(space text COLLATE "C", key text COLLATE "C", whole boolean) USING (space, key)`;
    for (const { space, key, value } of rows) found.set(placeOf(space, key), fromBase64(value ?? ""));
  }
  return {
    read: (space, key) => found.get(placeOf(space, key)),
    has: (space, key) => found.has(placeOf(space, key)),
  };
}

async function leave(sql: Sql, { left }: Group): Promise<void> {
  const puts = left.flatMap(({ space, key, value }) =>
    value === undefined ? [] : [{ space, key, value: toBase64(value) }],
  );
  const deletes = left.flatMap(({ space, key, value }) => (value === undefined ? [{ space, key }] : []));
  if (puts.length > 0) {
    await sql`INSERT INTO entry (space, key, value) SELECT space, key, decode(value, 'base64')
      FROM json_to_recordset(${JSON.stringify(puts)}::text::json) AS given(space text, key text, value text)
      ON CONFLICT (space, key) DO UPDATE SET value = excluded.value`;
  }
  if (deletes.length > 0) {
    await sql`DELETE FROM entry USING json_to_recordset(${JSON.stringify(deletes)}::text::json)
      AS given(space text COLLATE "C", key text COLLATE "C")
      WHERE entry.space = given.space AND entry.key = given.key`;
  }
}

/** Whether trying the same writes one by one is no use. */
function isServerAway({ code, cause }: BrokerError): boolean {
  return (
    code === "STORE_CLOSED" || (code === "STORE_FAILED" && !isAnswer(cause) && !(cause instanceof LogRefusal))
  );
}

/** What the log writer refuses, told apart from what the database does. */
class LogRefusal extends Error {}

function refusedBy(cause: unknown): BrokerError {
  if (cause instanceof BrokerError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BrokerError("STORE_FAILED", "unavailable", `Cannot write to the store: ${why}`, {
    cause: new LogRefusal(why, { cause }),
  });
}
