// SPDX-License-Identifier: Apache-2.0
// Everything in an SQLite database as of one moment, read beside its writer, and put into an empty one.

import { BrokerError } from "../errors.ts";
import { blobOf, openDriver, type SqlDriver, type SqlRow } from "./driver.ts";
import type { SnapshotRow } from "./types.ts";

const PAGE = 256;
/** Rows taken in between turns of the event loop. */
const BATCH = 256;

/** Reads in a transaction of a connection of its own: WAL keeps what it sees, and nobody waits. */
export async function* snapshotOf(file: string): AsyncGenerator<SnapshotRow> {
  const driver = await openDriver(file);
  try {
    driver.all("PRAGMA busy_timeout = 10000");
    driver.exec("PRAGMA query_only = ON");
    driver.exec("BEGIN");
    yield* pagesOf(
      driver,
      "SELECT rowid AS at, space, key, value FROM entry WHERE rowid > ? ORDER BY rowid LIMIT ?",
      Number.MIN_SAFE_INTEGER,
      ({ space, key, value }) => ({
        ...{ kind: "value" as const, space: String(space), key: String(key) },
        value: blobOf(value),
      }),
    );
    yield* pagesOf(
      driver,
      "SELECT seq AS at, seq, leaf FROM log WHERE seq > ? ORDER BY seq LIMIT ?",
      0,
      ({ seq, leaf }) => ({ kind: "entry" as const, seq: Number(seq), leaf: String(leaf) }),
    );
    for (const level of driver.all("SELECT DISTINCT level FROM log_node ORDER BY level")) {
      yield* pagesOf(
        driver,
        `SELECT place AS at, level, place, hash FROM log_node WHERE level = ${Number(level.level)} AND place > ? ORDER BY place LIMIT ?`,
        -1,
        (row) => ({
          ...{ kind: "node" as const, level: Number(row.level), index: Number(row.place) },
          hash: blobOf(row.hash),
        }),
      );
    }
    const [head] = driver.all("SELECT head FROM log_head WHERE id = 1");
    if (head !== undefined) yield { kind: "head", head: String(head.head) };
  } finally {
    driver.close();
  }
}

function* pagesOf(
  driver: SqlDriver,
  sql: string,
  start: number,
  rowOf: (row: SqlRow) => SnapshotRow,
): Generator<SnapshotRow> {
  for (let at = start; ; ) {
    const page = driver.all(sql, at, PAGE);
    for (const row of page) yield rowOf(row);
    const last = page.at(-1);
    if (last === undefined) return;
    at = Number(last.at);
  }
}

/** In one transaction. Throws `STATE_NOT_EMPTY`, and what the database throws. */
export async function loadInto(driver: SqlDriver, rows: AsyncIterable<SnapshotRow>): Promise<void> {
  driver.exec("BEGIN IMMEDIATE");
  try {
    for (const table of ["entry", "log", "log_node", "log_head"])
      if (driver.all(`SELECT 1 FROM ${table} LIMIT 1`).length > 0) throw notEmpty();
    let count = 0;
    for await (const row of rows) {
      insert(driver, row);
      count += 1;
      if (count % BATCH === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    driver.exec("COMMIT");
  } catch (error) {
    try {
      driver.exec("ROLLBACK");
    } catch {
      // A full disk has rolled back already.
    }
    throw error;
  }
}

/** The store is somebody's already. */
export function notEmpty(): BrokerError {
  return new BrokerError("STATE_NOT_EMPTY", "misuse", "Cannot restore: there is a state here already", {
    hint: "Restore into an empty folder or database.",
  });
}

function insert(driver: SqlDriver, row: SnapshotRow): void {
  switch (row.kind) {
    case "value":
      driver.run(
        "INSERT INTO entry (space, key, value) VALUES (?, ?, coalesce(?, x''))",
        row.space,
        row.key,
        row.value,
      );
      return;
    case "entry":
      driver.run("INSERT INTO log (seq, leaf) VALUES (?, ?)", row.seq, row.leaf);
      return;
    case "node":
      driver.run(
        "INSERT INTO log_node (level, place, hash) VALUES (?, ?, ?)",
        row.level,
        row.index,
        row.hash,
      );
      return;
    case "head":
      driver.run("INSERT INTO log_head (id, head) VALUES (1, ?)", row.head);
      return;
  }
}
