// SPDX-License-Identifier: Apache-2.0
// The store on SQLite. Writes are queued and committed together once per turn of the event loop: one sync to disk
// for many requests, and still none is acknowledged before it is durable.

import { AdytonError } from "@adyton/core/errors";
import type { LogEntry, LogNode, LogNodeId, LogWriter } from "../audit/writer.ts";
import { BrokerError } from "../errors.ts";
import { blobOf, openDriver, type SqlDriver, type SqlRow } from "./driver.ts";
import { type Ephemeral, memoryEphemeral } from "./ephemeral.ts";
import { checkNames, closed, groupOf, type Job, type Left, type Stored, settle } from "./group.ts";
import { loadInto, snapshotOf } from "./sqlite-snapshot.ts";
import type { Change, SnapshotRow, WholeStore } from "./types.ts";

export interface SqliteOptions {
  /** Refuse to grow beyond this many bytes; the database's own limit when absent. */
  readonly maxBytes?: number;
}

const SCHEMA_VERSION = 2;
const PAGE_BYTES = 4096;
const SCHEMA = `
CREATE TABLE entry (
  space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY (space, key)
);
CREATE TABLE log (
  seq INTEGER PRIMARY KEY, leaf TEXT NOT NULL
);
CREATE TABLE log_node (
  level INTEGER NOT NULL, place INTEGER NOT NULL, hash BLOB NOT NULL,
  PRIMARY KEY (level, place)
) WITHOUT ROWID;
CREATE TABLE log_head (id INTEGER PRIMARY KEY CHECK (id = 1), head TEXT NOT NULL);
CREATE TRIGGER log_no_update BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER log_node_no_update BEFORE UPDATE ON log_node BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER log_node_no_delete BEFORE DELETE ON log_node BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
PRAGMA user_version = ${SCHEMA_VERSION};
`;
// After every key that begins with a prefix, before all others: the last character there is.
const LAST = "\u{10FFFF}";

/** Opens or creates the database in `file`. Rejects with `STORE_FAILED` or `STATE_INVALID`. */
export async function openSqliteStore(
  file: string,
  log: LogWriter,
  options: SqliteOptions = {},
): Promise<WholeStore> {
  try {
    const driver = await openDriver(file);
    prepareDatabase(driver, options);
    return new SqliteStore(file, driver, log);
  } catch (cause) {
    throw cause instanceof BrokerError ? cause : failed("open the store", cause);
  }
}

function prepareDatabase(driver: SqlDriver, options: SqliteOptions): void {
  // A second process on the same folder waits instead of failing.
  driver.all("PRAGMA busy_timeout = 10000");
  driver.all("PRAGMA journal_mode = WAL");
  // In WAL mode FULL syncs at every commit (SQLite documentation, "PRAGMA synchronous").
  driver.exec("PRAGMA synchronous = FULL");
  driver.exec("PRAGMA trusted_schema = OFF");
  if (options.maxBytes !== undefined) {
    driver.all(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maxBytes / PAGE_BYTES))}`);
  }
  driver.exec("BEGIN IMMEDIATE");
  try {
    const version = Number(driver.all("PRAGMA user_version")[0]?.user_version);
    if (version === 0) driver.exec(SCHEMA);
    else if (version !== SCHEMA_VERSION) {
      throw new BrokerError(
        "STATE_INVALID",
        "misuse",
        `Cannot open the store: its schema is version ${version}, expected ${SCHEMA_VERSION}`,
        { hint: "Open it with the release that wrote it, or begin with a new state folder." },
      );
    }
    driver.exec("COMMIT");
  } catch (error) {
    rollback(driver);
    driver.close();
    throw error;
  }
}

class SqliteStore implements WholeStore {
  /** In this process's memory: sessions end with it. */
  readonly ephemeral: Ephemeral = memoryEphemeral();
  readonly #file: string;
  readonly #driver: SqlDriver;
  readonly #log: LogWriter;
  readonly #stored: Stored;
  #queue: Job[] = [];
  #scheduled = false;
  #closed = false;

  constructor(file: string, driver: SqlDriver, log: LogWriter) {
    this.#file = file;
    this.#driver = driver;
    this.#log = log;
    this.#stored = {
      read: (space, key) => {
        const [row] = driver.all("SELECT value FROM entry WHERE space = ? AND key = ?", space, key);
        return row === undefined ? undefined : blobOf(row.value);
      },
      has: (space, key) =>
        driver.all("SELECT 1 FROM entry WHERE space = ? AND key = ?", space, key).length > 0,
    };
  }

  async get(space: string, key: string): Promise<Uint8Array | undefined> {
    return this.#reading(() => this.#stored.read(space, key));
  }

  async keys(space: string, prefix: string = ""): Promise<readonly string[]> {
    const sql = "SELECT key FROM entry WHERE space = ? AND key >= ? AND key < ? ORDER BY key";
    return this.#read(sql, space, prefix, prefix + LAST).map((row) => String(row.key));
  }

  async entries(space: string): Promise<ReadonlyMap<string, Uint8Array>> {
    const rows = this.#read("SELECT key, value FROM entry WHERE space = ? ORDER BY key", space);
    return new Map(rows.map((row) => [String(row.key), blobOf(row.value)]));
  }

  async log(after: number, limit: number): Promise<readonly LogEntry[]> {
    const sql = "SELECT seq, leaf FROM log WHERE seq > ? ORDER BY seq LIMIT ?";
    return this.#read(sql, after, limit).map(logEntryOf);
  }

  async logHead(): Promise<string | undefined> {
    return this.#reading(() => this.#head());
  }

  async logNodes(places: readonly LogNodeId[]): Promise<readonly LogNode[]> {
    return places.flatMap(({ level, index }) =>
      this.#read("SELECT hash FROM log_node WHERE level = ? AND place = ?", level, index).map(({ hash }) => ({
        level,
        index,
        hash: blobOf(hash),
      })),
    );
  }

  async write(changes: readonly Change[]): Promise<readonly number[]> {
    if (this.#closed) throw closed();
    checkNames(changes);
    return new Promise((resolve, reject) => {
      this.#queue.push({ changes, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  async spaces(): Promise<readonly string[]> {
    return this.#read("SELECT DISTINCT space FROM entry ORDER BY space").map((row) => String(row.space));
  }

  async *snapshot(): AsyncGenerator<SnapshotRow> {
    if (this.#closed) throw closed();
    try {
      yield* snapshotOf(this.#file);
    } catch (cause) {
      throw cause instanceof BrokerError ? cause : failed("read from the store", cause);
    }
  }

  async load(rows: AsyncIterable<SnapshotRow>): Promise<void> {
    if (this.#closed) throw closed();
    try {
      await loadInto(this.#driver, rows);
    } catch (cause) {
      throw cause instanceof AdytonError ? cause : failed("write to the store", cause);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    this.#driver.close();
  }

  #read(sql: string, ...values: readonly (string | number)[]): readonly SqlRow[] {
    return this.#reading(() => this.#driver.all(sql, ...values));
  }

  #reading<T>(read: () => T): T {
    if (this.#closed) throw closed();
    try {
      return read();
    } catch (cause) {
      throw failed("read from the store", cause);
    }
  }

  #head(): string | undefined {
    const [row] = this.#driver.all("SELECT head FROM log_head WHERE id = 1");
    return row === undefined ? undefined : String(row.head);
  }

  #flush(): void {
    const jobs = this.#queue;
    this.#queue = [];
    this.#scheduled = false;
    if (jobs.length === 0) return;
    try {
      this.#commit(jobs);
    } catch (cause) {
      if (jobs.length === 1) jobs[0]?.reject(writeFailed(cause));
      else for (const job of jobs) this.#commitAlone(job);
    }
  }

  /** After a common commit failed: one write that cannot succeed must not take its neighbours down. */
  #commitAlone(job: Job): void {
    try {
      this.#commit([job]);
    } catch (cause) {
      job.reject(writeFailed(cause));
    }
  }

  #commit(jobs: readonly Job[]): void {
    this.#driver.exec("BEGIN IMMEDIATE");
    let group: ReturnType<typeof groupOf>;
    try {
      group = groupOf(jobs, this.#stored);
      for (const left of group.left) this.#leave(left);
      if (group.leaves.length > 0) {
        const { head, entries, nodes } = this.#log.append(this.#head(), group.leaves);
        for (const entry of entries) this.#append(entry);
        for (const node of nodes) this.#keep(node);
        this.#setHead(head);
        group.numbered(entries);
      }
      this.#driver.exec("COMMIT");
    } catch (error) {
      rollback(this.#driver);
      throw error;
    }
    settle(jobs, group);
  }

  #leave({ space, key, value }: Left): void {
    if (value === undefined) {
      this.#driver.run("DELETE FROM entry WHERE space = ? AND key = ?", space, key);
      return;
    }
    this.#driver.run(
      "INSERT INTO entry (space, key, value) VALUES (?, ?, coalesce(?, x'')) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value",
      space,
      key,
      value,
    );
  }

  #append({ seq, leaf }: LogEntry): void {
    this.#driver.run("INSERT INTO log (seq, leaf) VALUES (?, ?)", seq, leaf);
  }

  #keep({ level, index, hash }: LogNode): void {
    this.#driver.run("INSERT INTO log_node (level, place, hash) VALUES (?, ?, ?)", level, index, hash);
  }

  #setHead(head: string): void {
    this.#driver.run(
      "INSERT INTO log_head (id, head) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET head = excluded.head",
      head,
    );
  }
}

function logEntryOf({ seq, leaf }: SqlRow): LogEntry {
  return { seq: Number(seq), leaf: String(leaf) };
}

function rollback(driver: SqlDriver): void {
  try {
    driver.exec("ROLLBACK");
  } catch {
    // A full disk or an I/O error has rolled back already: there is no transaction left to end.
  }
}

function failed(what: string, cause: unknown): BrokerError {
  const reason = (cause as { code?: unknown } | null)?.code;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BrokerError("STORE_FAILED", "unavailable", `Cannot ${what}: ${why}`, {
    cause,
    detail: typeof reason === "string" ? { reason } : {},
    hint: "Check the free space and the permissions of the state folder. Nothing was written.",
  });
}

/** What the log writer refuses it says itself. */
function writeFailed(cause: unknown): BrokerError {
  return cause instanceof BrokerError ? cause : failed("write to the store", cause);
}
