// SPDX-License-Identifier: Apache-2.0
// The end of the release log as the store keeps it: what appending needs, and the checkpoint that the log's key signed.

import { equal, fromHex, toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { type Frontier, rootOf } from "@adyton/core/merkle";
import { type NoteKey, type OpenedCheckpoint, openCheckpoint } from "@adyton/core/note";
import { BrokerError } from "../errors.ts";
import type { Store } from "../store/types.ts";

export interface LogHead {
  readonly frontier: Frontier;
  readonly checkpoint: OpenedCheckpoint;
}

export function encodeHead({ hashes }: Frontier, note: string): string {
  return JSON.stringify({ note, frontier: hashes.map(toHex) });
}

/** Throws `AUDIT_TAMPERED` unless the log's key signed it and the frontier is that of the checkpoint. */
export function openHead(text: string, key: NoteKey): LogHead {
  const { note, hashes } = headIn(text);
  let checkpoint: OpenedCheckpoint;
  try {
    checkpoint = openCheckpoint(note, key);
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw tampered(`its head does not hold: ${cause.message}`, undefined, cause);
  }
  const frontier = { size: checkpoint.size, hashes };
  if (!equal(rootOf(frontier), checkpoint.root)) throw tampered("its head does not lead to its root");
  return { frontier, checkpoint };
}

/** The end of the log at this moment, undefined while it is empty. Rejects with `AUDIT_TAMPERED`. */
export async function readHead(store: Store, key: NoteKey): Promise<LogHead | undefined> {
  const text = await store.logHead();
  return text === undefined ? undefined : openHead(text, key);
}

/** What somebody finds who looks for a log that nobody changed. `seq` is the entry where that shows, if one does. */
export function tampered(why: string, seq?: number, cause?: unknown): BrokerError {
  return new BrokerError(
    "AUDIT_TAMPERED",
    "not-authentic",
    `Cannot trust the audit log${seq === undefined ? "" : ` at entry ${seq}`}: ${why}`,
    {
      cause,
      detail: seq === undefined ? {} : { seq },
      hint: "Keep the state as it is for an inquiry, and go on from a backup.",
    },
  );
}

function headIn(text: string): { readonly note: string; readonly hashes: readonly Uint8Array[] } {
  let value: JsonValue;
  try {
    value = parseJson(text);
    if (isJsonObject(value) && typeof value.note === "string" && Array.isArray(value.frontier))
      return { note: value.note, hashes: value.frontier.map((hash: JsonValue) => fromHex(String(hash))) };
  } catch (cause) {
    throw tampered("its head cannot be read", undefined, cause);
  }
  throw tampered("its head cannot be read");
}
