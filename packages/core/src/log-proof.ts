// SPDX-License-Identifier: Apache-2.0
// A file that proves, offline, that an entry stands in a log. C2SP tlog-proof v1; the entry itself is its extra data.

import { type Bytes, fromBase64, toBase64 } from "./bytes.ts";
import { type CoreError, malformed } from "./errors.ts";
import { checkInclusion, HASH_BYTES, leafHash } from "./merkle.ts";
import { type NoteKey, type OpenedCheckpoint, openCheckpoint } from "./note.ts";

export interface LogProof {
  /** The entry's content. */
  readonly entry: Uint8Array;
  /** From 0. */
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  /** A signed note. */
  readonly checkpoint: string;
}

/** An entry that stands in a log, as the log's key says. */
export interface ProvenEntry {
  readonly entry: Uint8Array;
  readonly index: number;
  readonly checkpoint: OpenedCheckpoint;
}

const HEADER = "c2sp.org/tlog-proof@v1";
const MAX_CHARACTERS = 1024 * 1024;
const MAX_HASHES = 64;

export function encodeLogProof({ entry, index, hashes, checkpoint }: LogProof): string {
  const lines = [HEADER, `extra ${toBase64(entry)}`, `index ${index}`, ...hashes.map(toBase64), "", ""];
  return lines.join("\n") + checkpoint;
}

/** Reads what `encodeLogProof` writes, unchecked. Throws `INVALID_NOTE`. */
export function parseLogProof(text: string): LogProof {
  if (text.length > MAX_CHARACTERS)
    throw invalid(`it has ${text.length} characters, at most ${MAX_CHARACTERS}`);
  const end = text.indexOf("\n\n");
  const [header, extra = "", index = "", ...hashes] = text.slice(0, Math.max(0, end)).split("\n");
  if (header !== HEADER) throw invalid(`it does not begin with ${HEADER}`);
  if (!extra.startsWith("extra ")) throw invalid("it does not hold the entry as extra data");
  if (!/^index (0|[1-9]\d{0,14})$/.test(index)) throw invalid("it names no index");
  if (hashes.length > MAX_HASHES) throw invalid(`it has more than ${MAX_HASHES} hashes`);
  return {
    entry: bytesIn(extra.slice("extra ".length)),
    index: Number(index.slice("index ".length)),
    hashes: hashes.map((hash) => bytesIn(hash, HASH_BYTES)),
    checkpoint: text.slice(end + 2),
  };
}

/**
 * Checks that the entry stands in the log whose key is given, and tells which of the witnesses have seen that log.
 * Throws `NOTE_SIGNATURE`, `LOG_PROOF`, `LOG_RANGE` or `INVALID_NOTE`.
 */
export function checkLogProof(
  proof: LogProof,
  logKey: NoteKey,
  witnesses: readonly NoteKey[] = [],
): ProvenEntry {
  const { entry, index, hashes } = proof;
  const checkpoint = openCheckpoint(proof.checkpoint, logKey, witnesses);
  const { size, root } = checkpoint;
  checkInclusion({ leaf: leafHash(entry), index, size, root, proof: hashes });
  return { entry, index, checkpoint };
}

function bytesIn(text: string, length?: number): Bytes {
  let bytes: Bytes;
  try {
    bytes = fromBase64(text);
  } catch {
    throw invalid("a part of it is no base64");
  }
  if (length !== undefined && bytes.length !== length) throw invalid(`a hash has ${bytes.length} bytes`);
  return bytes;
}

function invalid(why: string): CoreError {
  return malformed("INVALID_NOTE", `Cannot read log proof: ${why}`);
}
