// SPDX-License-Identifier: Apache-2.0
// Reads the whole release log and says whether it is what its key signed.

import { equal, fromHex, fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import {
  appendLeaves,
  EMPTY_FRONTIER,
  type Frontier,
  leafHash,
  rootOf,
  type TreeNode,
} from "@adyton/core/merkle";
import type { Checkpoint, NoteKey, OpenedCheckpoint } from "@adyton/core/note";
import type { Store } from "../store/types.ts";
import type { Vault } from "../vault.ts";
import { readHead, tampered } from "./head.ts";
import type { LogEntry } from "./writer.ts";

export interface VerifyLogOptions {
  /** A checkpoint kept elsewhere: the log must go on from it. */
  readonly noted?: Pick<Checkpoint, "size" | "root">;
  /** Entries up to here were verified before. */
  readonly from?: Frontier;
}

const PAGE = 500;
/** Logs up to this size are read whole at each start, which takes less than a second. */
const SMALL = 10_000;
const SPACE = "log";
const MARK = "verified";

/**
 * Recomputes the log from the first entry to its signed end, and answers that end, undefined for an empty log. Rejects
 * with `AUDIT_TAMPERED` when an entry, a node or the end was changed, removed, reordered or cut off.
 */
export async function verifyAuditLog(
  store: Store,
  key: NoteKey,
  { noted, from = EMPTY_FRONTIER }: VerifyLogOptions = {},
): Promise<OpenedCheckpoint | undefined> {
  let frontier = from;
  checkNoted(noted, frontier);
  for (;;) {
    const end = (await readHead(store, key))?.checkpoint;
    const size = end?.size ?? 0;
    if (size < frontier.size) throw tampered("the log ends before where it was verified", size);
    while (frontier.size < size) {
      const stop = noted !== undefined && noted.size > frontier.size ? Math.min(noted.size, size) : size;
      const entries = await store.log(frontier.size, Math.min(PAGE, stop - frontier.size));
      frontier = await grown(store, frontier, entries);
      checkNoted(noted, frontier);
    }
    if (end !== undefined && !equal(rootOf(frontier), end.root))
      throw tampered("its entries do not lead to the root that was signed", size);
    if ((await store.log(size, 1)).length === 0) {
      if (noted !== undefined && noted.size > size)
        throw tampered("it does not reach to what was noted", size);
      return end;
    }
    // Either entries were appended meanwhile, or somebody put one there that no head covers.
    if (((await readHead(store, key))?.checkpoint.size ?? 0) <= size)
      throw tampered("no checkpoint covers this entry", size + 1);
  }
}

/**
 * `verifyAuditLog` for the start of a broker: a large log is only read from where it was verified last, which is noted
 * sealed in the store. Rejects with `AUDIT_TAMPERED`.
 */
export async function verifyAtStart(store: Store, vault: Vault, key: NoteKey): Promise<void> {
  const size = (await readHead(store, key))?.checkpoint.size ?? 0;
  const from = size <= SMALL ? EMPTY_FRONTIER : await markOf(store, vault);
  const end = await verifyAuditLog(store, key, { from });
  if (end === undefined || end.size - from.size < SMALL) return;
  const frontier = (await readHead(store, key))?.frontier;
  // Only what was read is noted: entries may have come meanwhile.
  if (frontier?.size !== end.size) return;
  const mark = fromUtf8(JSON.stringify({ size: frontier.size, hashes: frontier.hashes.map(toHex) }));
  await store.write([{ kind: "put", space: SPACE, key: MARK, value: vault.seal(SPACE, MARK, mark) }]);
}

/** The beginning, where there is no mark that can be opened. */
async function markOf(store: Store, vault: Vault): Promise<Frontier> {
  const sealed = await store.get(SPACE, MARK);
  if (sealed === undefined) return EMPTY_FRONTIER;
  try {
    const value = parseJson(toUtf8(vault.open(SPACE, MARK, sealed)));
    if (!isJsonObject(value) || typeof value.size !== "number" || !Array.isArray(value.hashes))
      return EMPTY_FRONTIER;
    return { size: value.size, hashes: value.hashes.map((hash: JsonValue) => fromHex(String(hash))) };
  } catch (error) {
    if (error instanceof AdytonError) return EMPTY_FRONTIER;
    throw error;
  }
}

/** The frontier after these entries, whose nodes must stand in the store as they are computed. */
async function grown(store: Store, frontier: Frontier, entries: readonly LogEntry[]): Promise<Frontier> {
  if (entries.length === 0) throw tampered("the entry is missing", frontier.size + 1);
  const hashes = entries.map(({ seq, leaf }, n) => {
    const expected = frontier.size + n + 1;
    if (seq !== expected) throw tampered("the entry is missing", expected);
    return leafHash(fromUtf8(leaf));
  });
  const next = appendLeaves(frontier, hashes);
  const stored = new Map((await store.logNodes(next.nodes)).map((node) => [placeOf(node), node.hash]));
  for (const node of next.nodes) {
    const found = stored.get(placeOf(node));
    if (found === undefined || !equal(found, node.hash)) {
      const what = node.level === 0 ? "its content or its hash was changed" : "a node above it was changed";
      throw tampered(what, node.index * 2 ** node.level + 1);
    }
  }
  return next.frontier;
}

function placeOf({ level, index }: Omit<TreeNode, "hash">): string {
  return `${level}/${index}`;
}

function checkNoted(noted: VerifyLogOptions["noted"], frontier: Frontier): void {
  if (noted?.size === frontier.size && !equal(rootOf(frontier), noted.root))
    throw tampered("it is not the log that was noted", noted.size);
}
