// SPDX-License-Identifier: Apache-2.0
// What the broker asks of a database: named values, one log that only grows, and values that expire. Small, so that
// another database is one file that passes the same tests.

import type { AuditEvent, LogEntry, LogNode, LogNodeId } from "../audit/writer.ts";
import type { Ephemeral } from "./ephemeral.ts";

/**
 * Where a value belongs: a kind (`resource`, `reference-value`, `policy`, `plugin`, `proposal`, `tenant`, `key`, `admin`…),
 * for all but the default tenant behind the tenant's name and a slash.
 */
export type Space = string;

export type Change =
  | { readonly kind: "put"; readonly space: Space; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: "delete"; readonly space: Space; readonly key: string }
  /**
   * A condition: the whole write rejects with `STORE_CONFLICT` unless exactly `expect` stands there, undefined for nothing.
   * It is about what stood there before this write, wherever in its list it is.
   */
  | {
      readonly kind: "check";
      readonly space: Space;
      readonly key: string;
      readonly expect: Uint8Array | undefined;
    }
  | { readonly kind: "append"; readonly time: Date; readonly event: AuditEvent };

/**
 * Every method rejects with `STORE_FAILED` when the database fails and `STORE_CLOSED` after `close`. Spaces and keys are
 * well-formed text of at most 1,024 bytes each without NUL; sorted means by their UTF-8 bytes.
 */
export interface Store {
  /** Values that expire. */
  readonly ephemeral: Ephemeral;
  get(space: Space, key: string): Promise<Uint8Array | undefined>;
  /** Those that hold a value, sorted. */
  spaces(): Promise<readonly Space[]>;
  /** Those that begin with `prefix`, sorted. */
  keys(space: Space, prefix?: string): Promise<readonly string[]>;
  /** Every value of a space, by key, sorted. */
  entries(space: Space): Promise<ReadonlyMap<string, Uint8Array>>;
  /**
   * Applies all changes or none, and resolves once they would survive a crash of the machine. Answers, for each
   * change, how many values it touched, or the number of the entry it appended. Rejects with `STORE_CONFLICT` when a
   * check does not hold. After `STORE_FAILED` nothing was written, unless its detail says `uncertain`: the database was
   * lost at the very end.
   */
  write(changes: readonly Change[]): Promise<readonly number[]>;
  /** Log entries after `seq`, at most `limit`, in order. */
  log(after: number, limit: number): Promise<readonly LogEntry[]>;
  /** The log writer's state, undefined while the log is empty. */
  logHead(): Promise<string | undefined>;
  /** The nodes that stand at these places, in any order. */
  logNodes(places: readonly LogNodeId[]): Promise<readonly LogNode[]>;
  /** Writes what is queued, then closes. */
  close(): Promise<void>;
}

/** One row of everything a store keeps for good. */
export type SnapshotRow =
  | { readonly kind: "value"; readonly space: Space; readonly key: string; readonly value: Uint8Array }
  | ({ readonly kind: "entry" } & LogEntry)
  | ({ readonly kind: "node" } & LogNode)
  | { readonly kind: "head"; readonly head: string };

/** A store that can be copied whole: with all tenants, and the log as it stands. */
export interface WholeStore extends Store {
  /** Everything as of one moment, while others go on writing. */
  snapshot(): AsyncIterable<SnapshotRow>;
  /** Takes what `snapshot` gave, all or nothing. Rejects with `STATE_NOT_EMPTY` when anything is here. */
  load(rows: AsyncIterable<SnapshotRow>): Promise<void>;
}
