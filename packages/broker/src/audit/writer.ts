// SPDX-License-Identifier: Apache-2.0
// What a store and the release log agree on: who turns events into entries of the log, and what the store keeps of it.

import type { JsonObject } from "@adyton/core/json";

/** What happened, in facts that are safe to keep: never a secret, a token or a key. */
export type AuditEvent = JsonObject & { readonly type: string };

/** An event on its way into the log. */
export interface LogLeaf {
  readonly time: Date;
  readonly event: AuditEvent;
}

/** One entry of the log as the store keeps it. */
export interface LogEntry {
  /** 1, 2, 3… without gaps; the leaf's index in the tree is one less. */
  readonly seq: number;
  /** The text that the leaf's hash covers: canonical JSON. */
  readonly leaf: string;
}

/** Where a node of the tree is: level 0 holds the leaves, and node i of a level covers leaves i·2^level on. */
export interface LogNodeId {
  readonly level: number;
  readonly index: number;
}

/** A node over a whole subtree. It never changes. */
export interface LogNode extends LogNodeId {
  readonly hash: Uint8Array;
}

export interface Appended {
  /** Replaces the head that was given. */
  readonly head: string;
  /** One for each leaf, in order. */
  readonly entries: readonly LogEntry[];
  /** Nodes that became whole. */
  readonly nodes: readonly LogNode[];
}

/** Makes entries, nodes and the new head. Called inside the store's transaction, once for all its leaves. */
export interface LogWriter {
  /** `head` is what the last append answered, undefined while the log is empty. Throws `AUDIT_TAMPERED`. */
  append(head: string | undefined, leaves: readonly LogLeaf[]): Appended;
}
