// SPDX-License-Identifier: Apache-2.0
// The store on SQLite. Writes are queued and committed together once per turn of the event loop: one sync to disk
// for many requests, and still none is acknowledged before it is durable.

import { BrokerError } from "../errors.ts";
import { blobOf, openDriver, type SqlDriver, type SqlRow } from "./driver.ts";
import type { Change, Linked, LogEntry, Store } from "./types.ts";

export interface SqliteOptions {
  /** Refuse to grow beyond this many bytes; the database's own limit when absent. */
  readonly maxBytes?: number;
}

interface Job {
  readonly changes: readonly Change[];
  readonly resolve: (touched: readonly number[]) => void;
  readonly reject: (error: BrokerError) => void;
}

const SCHEMA_VERSION = 1;
const PAGE_BYTES = 4096;
const SCHEMA = `
CREATE TABLE entry (
  space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY (space, key)
);
CREATE TABLE log (
  seq INTEGER PRIMARY KEY, time TEXT NOT NULL, event TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE log_head (id INTEGER PRIMARY KEY CHECK (id = 1), head TEXT NOT NULL);
CREATE TRIGGER log_no_update BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
PRAGMA user_version = ${SCHEMA_VERSION};
`;
const LOG_COLUMNS = "seq, time, event, previous, hash";

/** Opens or creates the database in `file`. Rejects with `STORE_FAILED` or `STATE_INVALID`. */
export async function openSqliteStore(file: string, options: SqliteOptions = {}): Promise<Store> {
  try {
    const driver = await openDriver(file);
    prepareDatabase(driver, options);
    return new SqliteStore(driver);
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
        { hint: "Open it with the release that wrote it." },
      );
    }
    driver.exec("COMMIT");
  } catch (error) {
    rollback(driver);
    driver.close();
    throw error;
  }
}

class SqliteStore implements Store {
  readonly #driver: SqlDriver;
  #queue: Job[] = [];
  #scheduled = false;
  #closed = false;

  constructor(driver: SqlDriver) {
    this.#driver = driver;
  }

  async get(space: string, key: string): Promise<Uint8Array | undefined> {
    const [row] = this.#read("SELECT value FROM entry WHERE space = ? AND key = ?", space, key);
    return row === undefined ? undefined : blobOf(row.value);
  }

  async keys(space: string): Promise<readonly string[]> {
    const rows = this.#read("SELECT key FROM entry WHERE space = ? ORDER BY key", space);
    return rows.map((row) => String(row.key));
  }

  async entries(space: string): Promise<ReadonlyMap<string, Uint8Array>> {
    const rows = this.#read("SELECT key, value FROM entry WHERE space = ? ORDER BY key", space);
    return new Map(rows.map((row) => [String(row.key), blobOf(row.value)]));
  }

  async log(after: number, limit: number): Promise<readonly LogEntry[]> {
    const sql = `SELECT ${LOG_COLUMNS} FROM log WHERE seq > ? ORDER BY seq LIMIT ?`;
    return this.#read(sql, after, limit).map(logEntryOf);
  }

  async logHead(): Promise<string | undefined> {
    const [row] = this.#read("SELECT head FROM log_head WHERE id = 1");
    return row === undefined ? undefined : String(row.head);
  }

  write(changes: readonly Change[]): Promise<readonly number[]> {
    if (this.#closed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#queue.push({ changes, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    this.#driver.close();
  }

  #read(sql: string, ...values: readonly (string | number)[]): readonly SqlRow[] {
    if (this.#closed) throw closed();
    try {
      return this.#driver.all(sql, ...values);
    } catch (cause) {
      throw failed("read from the store", cause);
    }
  }

  #flush(): void {
    const jobs = this.#queue;
    this.#queue = [];
    this.#scheduled = false;
    if (jobs.length === 0) return;
    try {
      this.#commit(jobs);
    } catch (cause) {
      if (jobs.length === 1) jobs[0]?.reject(failed("write to the store", cause));
      else for (const job of jobs) this.#commitAlone(job);
    }
  }

  /** After a common commit failed: one write that cannot succeed must not take its neighbours down. */
  #commitAlone(job: Job): void {
    try {
      this.#commit([job]);
    } catch (cause) {
      job.reject(failed("write to the store", cause));
    }
  }

  #commit(jobs: readonly Job[]): void {
    const touched: number[][] = [];
    this.#driver.exec("BEGIN IMMEDIATE");
    try {
      for (const job of jobs) touched.push(job.changes.map((change) => this.#apply(change)));
      this.#driver.exec("COMMIT");
    } catch (error) {
      rollback(this.#driver);
      throw error;
    }
    for (const [index, job] of jobs.entries()) job.resolve(touched[index] ?? []);
  }

  #apply(change: Change): number {
    switch (change.kind) {
      case "put":
        return this.#driver.run(
          "INSERT INTO entry (space, key, value) VALUES (?, ?, coalesce(?, x'')) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value",
          change.space,
          change.key,
          change.value,
        );
      case "delete":
        return this.#driver.run("DELETE FROM entry WHERE space = ? AND key = ?", change.space, change.key);
      case "append": {
        const [last] = this.#driver.all(`SELECT ${LOG_COLUMNS} FROM log ORDER BY seq DESC LIMIT 1`);
        return this.#append(change.link(last === undefined ? undefined : logEntryOf(last)));
      }
    }
  }

  #append({ entry, head }: Linked): number {
    this.#driver.run(
      "INSERT INTO log_head (id, head) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET head = excluded.head",
      head,
    );
    return this.#driver.run(
      `INSERT INTO log (${LOG_COLUMNS}) VALUES (?, ?, ?, ?, ?)`,
      entry.seq,
      entry.time,
      entry.event,
      entry.previous,
      entry.hash,
    );
  }
}

function logEntryOf(row: SqlRow): LogEntry {
  return {
    seq: Number(row.seq),
    time: String(row.time),
    event: String(row.event),
    previous: String(row.previous),
    hash: String(row.hash),
  };
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

function closed(): BrokerError {
  return new BrokerError("STORE_CLOSED", "unavailable", "Cannot use the store: it is closed");
}
