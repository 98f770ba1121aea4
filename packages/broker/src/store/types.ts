// SPDX-License-Identifier: Apache-2.0
// What the broker asks of a database: named values, and one log that only grows. Small, so that another database
// is one file that passes the same tests.

/** Where a value belongs. */
export type Space = "resource" | "reference-value" | "policy";

/** One line of the log. `hash` covers everything else; how is the caller's business. */
export interface LogEntry {
  /** 1, 2, 3… without gaps. */
  readonly seq: number;
  /** RFC 3339. */
  readonly time: string;
  readonly event: string;
  /** `hash` of the entry before, "" for the first. */
  readonly previous: string;
  readonly hash: string;
}

/** A log entry to append, and the new seal over the end of the log. */
export interface Linked {
  readonly entry: LogEntry;
  readonly head: string;
}

export type Change =
  | { readonly kind: "put"; readonly space: Space; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: "delete"; readonly space: Space; readonly key: string }
  /** `link` is called inside the transaction with the last entry; it must not wait for anything. */
  | { readonly kind: "append"; readonly link: (last: LogEntry | undefined) => Linked };

/** Every method rejects with `STORE_FAILED` when the database fails and `STORE_CLOSED` after `close`. */
export interface Store {
  get(space: Space, key: string): Promise<Uint8Array | undefined>;
  /** Sorted. */
  keys(space: Space): Promise<readonly string[]>;
  /** Every value of a space, by key. */
  entries(space: Space): Promise<ReadonlyMap<string, Uint8Array>>;
  /**
   * Applies all changes or none, and resolves once they would survive a crash of the machine. Answers, for each
   * change, how many values or entries it touched.
   */
  write(changes: readonly Change[]): Promise<readonly number[]>;
  /** Log entries after `seq`, at most `limit`, in order. */
  log(after: number, limit: number): Promise<readonly LogEntry[]>;
  /** The seal over the end of the log, undefined while it is empty. */
  logHead(): Promise<string | undefined>;
  /** Writes what is queued, then closes. */
  close(): Promise<void>;
}
