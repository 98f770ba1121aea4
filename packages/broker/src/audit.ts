// SPDX-License-Identifier: Apache-2.0
// The audit log: who was given what, and why or why not. Each entry carries the MAC of the one before, and a seal
// covers the end, so that a changed, removed, reordered or cut-off entry shows.

import { canonicalJson } from "@adyton/core/json";
import type { AuditEvent, LogEntry, LogWriter } from "./audit/writer.ts";
import { BrokerError } from "./errors.ts";
import type { Change, Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

export type { AuditEvent } from "./audit/writer.ts";

const PAGE = 500;
const HEAD = /^(\d+) ([0-9a-f]{64}) ([0-9a-f]{64})$/;

export interface AuditEntry {
  readonly seq: number;
  readonly time: string;
  readonly event: AuditEvent;
  readonly hash: string;
}

/** Where the log stood. Note it somewhere else to prove later that not even the whole folder was set back. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** The change that appends `event`; write it together with what it reports. */
export function auditChange(time: Date, event: AuditEvent): Change {
  return { kind: "append", time, event };
}

/** Chains entries by MACs under the vault's key. The head is the last entry's number and hash, and the seal over both. */
export function auditWriter(vault: Vault): LogWriter {
  return {
    append: (head, leaves) => {
      let { seq, hash } = lastOf(vault, head);
      const entries = leaves.map(({ time, event }): LogEntry => {
        seq += 1;
        const unhashed = { seq, time: time.toISOString(), event };
        hash = hashOf(vault, unhashed, hash);
        return { seq, leaf: canonicalJson({ ...unhashed, hash }) };
      });
      return { head: headOf(vault, { seq, hash }), entries, nodes: [] };
    },
  };
}

/** Entries after `seq`, at most `limit`, unverified. */
export async function readAuditLog(
  store: Store,
  after: number = 0,
  limit: number = PAGE,
): Promise<readonly AuditEntry[]> {
  const entries = await store.log(after, limit);
  return entries.map(({ leaf }) => JSON.parse(leaf) as AuditEntry);
}

/**
 * Checks the whole log from the first entry to the seal over its end, and answers where it ends. With `noted`, an
 * earlier answer kept elsewhere, also that the log still contains that point. Throws `AUDIT_TAMPERED`.
 */
export async function verifyAuditLog(
  store: Store,
  vault: Vault,
  noted?: AuditHead,
): Promise<AuditHead | undefined> {
  let last: AuditHead = { seq: 0, hash: "" };
  let notedSeen = noted === undefined;
  let head: string | undefined;
  for (;;) {
    // The seal is read before the entries: entries appended meanwhile only move the end on.
    head = await store.logHead();
    const page = await store.log(last.seq, PAGE);
    for (const entry of page) {
      last = checkedEntry(vault, entry, last);
      if (noted !== undefined && last.seq === noted.seq && last.hash === noted.hash) notedSeen = true;
    }
    if (page.length === 0) break;
  }
  if (head !== (last.seq === 0 ? undefined : headOf(vault, last))) {
    throw tampered("the log does not end here: entries after it are gone", last.seq);
  }
  if (!notedSeen && noted !== undefined) throw tampered("it does not contain the noted entry", noted.seq);
  return last.seq === 0 ? undefined : last;
}

function checkedEntry(vault: Vault, { seq, leaf }: LogEntry, last: AuditHead): AuditHead {
  const expected = last.seq + 1;
  if (seq !== expected) throw tampered(`entry ${expected} is missing`, expected);
  const entry = JSON.parse(leaf) as AuditEntry;
  if (entry.seq !== seq || entry.hash !== hashOf(vault, entry, last.hash))
    throw tampered("its content was changed", seq);
  return { seq, hash: entry.hash };
}

function hashOf(vault: Vault, { seq, time, event }: Omit<AuditEntry, "hash">, previous: string): string {
  return vault.mac(canonicalJson({ event, previous, seq, time }));
}

function headOf(vault: Vault, { seq, hash }: AuditHead): string {
  return `${seq} ${hash} ${vault.mac(`end of log\0${seq}\0${hash}`)}`;
}

/** Nothing is appended to an end that nobody sealed. */
function lastOf(vault: Vault, head: string | undefined): AuditHead {
  if (head === undefined) return { seq: 0, hash: "" };
  const [, seq = "0", hash = ""] = HEAD.exec(head) ?? [];
  const last = { seq: Number(seq), hash };
  if (head !== headOf(vault, last)) throw tampered("its seal was changed", last.seq);
  return last;
}

function tampered(why: string, seq: number): BrokerError {
  return new BrokerError(
    "AUDIT_TAMPERED",
    "not-authentic",
    `Cannot trust the audit log at entry ${seq}: ${why}`,
    {
      detail: { seq },
      hint: "Keep the state folder as it is for an inquiry, and go on from a backup.",
    },
  );
}
