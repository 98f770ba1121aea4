// SPDX-License-Identifier: Apache-2.0
// The release log as a Merkle tree (RFC 6962): entries become leaves, and each group commit ends in one signed checkpoint.

import { randomBytes } from "node:crypto";
import { fromUtf8, toBase64Url } from "@adyton/core/bytes";
import { canonicalJson } from "@adyton/core/json";
import { appendLeaves, EMPTY_FRONTIER, type Frontier, leafHash, rootOf } from "@adyton/core/merkle";
import { encodeCheckpoint, type NoteSigner, signNote } from "@adyton/core/note";
import { encodeHead, openHead } from "./head.ts";
import type { LogEntry, LogWriter } from "./writer.ts";

const SALT_BYTES = 16;

export function merkleWriter(signer: NoteSigner): LogWriter {
  /** What this process wrote last needs no signature check. */
  let last: { readonly head: string; readonly frontier: Frontier } | undefined;
  const frontierOf = (head: string | undefined): Frontier => {
    if (head === undefined) return EMPTY_FRONTIER;
    return head === last?.head ? last.frontier : openHead(head, signer.key).frontier;
  };
  return {
    append: (head, leaves) => {
      const before = frontierOf(head);
      const entries = leaves.map(({ time, event }, n): LogEntry => {
        const seq = before.size + n + 1;
        // Hashes of entries stand in proofs that everybody gets: without salt, guesses could be tried against them.
        const salt = toBase64Url(randomBytes(SALT_BYTES));
        return { seq, leaf: canonicalJson({ event, salt, seq, time: time.toISOString() }) };
      });
      const hashes = entries.map(({ leaf }) => leafHash(fromUtf8(leaf)));
      const { frontier, nodes } = appendLeaves(before, hashes);
      const time = leaves.at(-1)?.time.toISOString();
      const text = encodeCheckpoint({
        origin: signer.key.name,
        size: frontier.size,
        root: rootOf(frontier),
        extensions: time === undefined ? [] : [`time ${time}`],
      });
      last = { head: encodeHead(frontier, signNote(text, signer)), frontier };
      return { head: last.head, entries, nodes };
    },
  };
}
