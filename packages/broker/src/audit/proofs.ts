// SPDX-License-Identifier: Apache-2.0
// Proofs from the release log.

import { CoreError } from "@adyton/core/errors";
import {
  consistencyProof,
  type Frontier,
  frontierAt,
  inclusionProof,
  type NodeReader,
} from "@adyton/core/merkle";
import type { NoteKey, OpenedCheckpoint } from "@adyton/core/note";
import { BrokerError } from "../errors.ts";
import type { Store } from "../store/types.ts";
import { readHead, tampered } from "./head.ts";

/** Hashes, and the checkpoint that they lead to where it is the newest. */
export interface Proved {
  readonly size: number;
  readonly hashes: readonly Uint8Array[];
  readonly checkpoint: OpenedCheckpoint | undefined;
}

/** The newest checkpoint. Rejects with `LOG_EMPTY` while there is none. */
export async function newestCheckpoint(store: Store, key: NoteKey): Promise<OpenedCheckpoint> {
  const head = await readHead(store, key);
  if (head === undefined)
    throw new BrokerError("LOG_EMPTY", "misuse", "Cannot show a checkpoint: the audit log is empty", {
      hint: "Ask again after the first decision.",
    });
  return head.checkpoint;
}

/** That the entry `seq` stands in the log of `size` entries, or of all. Rejects with `LOG_RANGE` or `LOG_EMPTY`. */
export async function proveInclusion(
  store: Store,
  key: NoteKey,
  seq: number,
  size?: number,
): Promise<Proved> {
  return proved(store, key, size, (whole) => inclusionProof(seq - 1, whole, nodeReader(store)));
}

/** That the log of `from` entries is the beginning of that of `to`, or of all. Rejects with `LOG_RANGE` or `LOG_EMPTY`. */
export async function proveConsistency(
  store: Store,
  key: NoteKey,
  from: number,
  to?: number,
): Promise<Proved> {
  return proved(store, key, to, (whole) => consistencyProof(from, whole, nodeReader(store)));
}

/** What the log was like with `size` entries. Rejects with `LOG_RANGE`. */
export function frontierOf(store: Store, size: number): Promise<Frontier> {
  return frontierAt(size, nodeReader(store));
}

async function proved(
  store: Store,
  key: NoteKey,
  asked: number | undefined,
  prove: (size: number) => Promise<readonly Uint8Array[]>,
): Promise<Proved> {
  const newest = await newestCheckpoint(store, key);
  const size = asked ?? newest.size;
  if (size > newest.size) throw beyond(size, newest.size);
  return { size, hashes: await prove(size), checkpoint: size === newest.size ? newest : undefined };
}

function nodeReader(store: Store): NodeReader {
  return async (ids) => {
    const nodes = await store.logNodes(ids);
    return ids.map(({ level, index }) => {
      const node = nodes.find((one) => one.level === level && one.index === index);
      if (node === undefined) throw tampered(`node ${index} of level ${level} is missing`);
      return node.hash;
    });
  };
}

function beyond(size: number, newest: number): CoreError {
  return new CoreError(
    "LOG_RANGE",
    "misuse",
    `Cannot prove for ${size} entries: the audit log has ${newest}`,
  );
}
