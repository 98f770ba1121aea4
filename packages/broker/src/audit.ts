// SPDX-License-Identifier: Apache-2.0
// The audit log: who was given what, and why or why not. Each entry carries the MAC of the one before, and a seal
// covers the end, so that a changed, removed, reordered or cut-off entry shows.

import type { JsonObject } from "@adyton/core/json";
import { canonicalJson } from "@adyton/core/json";
import { BrokerError } from "./errors.ts";
import type { Change, LogEntry, Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

const PAGE = 500;

/** What happened, in facts that are safe to keep: never a secret, a token or a key. */
export type AuditEvent = JsonObject & { readonly type: string };

export interface AuditEntry {
  readonly seq: number;
  readonly time: string;
  readonly event: AuditEvent;
  readonly previous: string;
  readonly hash: string;
}

/** Where the log stood. Note it somewhere else to prove later that not even the whole folder was set back. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** The change that appends `event`; write it together with what it reports. */
export function auditChange(vault: Vault, time: Date, event: AuditEvent): Change {
  return {
    kind: "append",
    link: (last) => {
      const unhashed = {
        seq: (last?.seq ?? 0) + 1,
        time: time.toISOString(),
        event: canonicalJson(event),
        previous: last?.hash ?? "",
      };
      const entry = { ...unhashed, hash: hashOf(vault, unhashed) };
      return { entry, head: sealOf(vault, entry) };
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
  return entries.map((entry) => ({ ...entry, event: JSON.parse(entry.event) as AuditEvent }));
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
  let last: LogEntry | undefined;
  let notedSeen = noted === undefined;
  let head: string | undefined;
  for (;;) {
    // The seal is read before the entries: entries appended meanwhile only move the end on.
    head = await store.logHead();
    const page = await store.log(last?.seq ?? 0, PAGE);
    for (const entry of page) {
      checkEntry(vault, entry, last);
      if (noted !== undefined && entry.seq === noted.seq && entry.hash === noted.hash) notedSeen = true;
      last = entry;
    }
    if (page.length === 0) break;
  }
  if (last === undefined ? head !== undefined : head !== sealOf(vault, last)) {
    throw tampered("the log does not end here: entries after it are gone", last?.seq ?? 0);
  }
  if (!notedSeen && noted !== undefined) throw tampered("it does not contain the noted entry", noted.seq);
  return last === undefined ? undefined : { seq: last.seq, hash: last.hash };
}

function checkEntry(vault: Vault, entry: LogEntry, last: LogEntry | undefined): void {
  const expected = (last?.seq ?? 0) + 1;
  if (entry.seq !== expected) throw tampered(`entry ${expected} is missing`, expected);
  if (entry.previous !== (last?.hash ?? ""))
    throw tampered("its link to the entry before is broken", entry.seq);
  if (entry.hash !== hashOf(vault, entry)) throw tampered("its content was changed", entry.seq);
}

function hashOf(vault: Vault, entry: Omit<LogEntry, "hash">): string {
  const { seq, time, event, previous } = entry;
  return vault.mac(canonicalJson({ event, previous, seq, time }));
}

function sealOf(vault: Vault, entry: LogEntry): string {
  return vault.mac(`end of log\0${entry.seq}\0${entry.hash}`);
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
