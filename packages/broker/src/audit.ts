// SPDX-License-Identifier: Apache-2.0
// The audit log: who was given what, and why or why not. `audit/` makes a Merkle tree of it, so that a changed, removed,
// reordered or cut-off entry shows.

import type { AuditEvent, LogEntry } from "./audit/writer.ts";
import type { Change, Store } from "./store/types.ts";

export type { AuditEvent } from "./audit/writer.ts";

const PAGE = 500;

export interface AuditEntry {
  readonly seq: number;
  /** RFC 3339. */
  readonly time: string;
  readonly event: AuditEvent;
}

/** The change that appends `event`; write it together with what it reports. */
export function auditChange(time: Date, event: AuditEvent): Change {
  return { kind: "append", time, event };
}

/** Entries after `seq`, at most `limit`, unverified. */
export async function readAuditLog(
  store: Store,
  after: number = 0,
  limit: number = PAGE,
): Promise<readonly AuditEntry[]> {
  return (await store.log(after, limit)).map(auditEntryOf);
}

/** What an entry says, unverified. */
export function auditEntryOf({ leaf }: LogEntry): AuditEntry {
  const { seq, time, event } = JSON.parse(leaf) as AuditEntry;
  return { seq, time, event };
}
