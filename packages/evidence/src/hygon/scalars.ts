// SPDX-License-Identifier: Apache-2.0
// Numbers of the SM2 curve as Hygon's structures hold them: 72 bytes, little-endian, of which 32 are used. In this house
// points are x || y and signatures r || s, 32 bytes each, big-endian.

import { type Bytes, concat, isZero, reversed } from "@adyton/core/bytes";
import type { Reader, Writer } from "@adyton/core/cursor";
import { notZero } from "./refusal.ts";

/** Bytes of a point's or a signature's two fields. */
export const PAIR_SIZE = 144;

const FIELD = 72;
const USED = 32;

/** Reads two numbers. Throws `RESERVED_NOT_ZERO` when the upper 40 bytes of one are not zero. */
export function readPair(reader: Reader, what: string, field: string): Bytes {
  const numbers = [0, 1].map((index) => {
    const at = reader.offset;
    const number = reader.bytes(FIELD, field);
    if (!isZero(number.subarray(USED)))
      throw notZero(what, `${field}, ${index === 0 ? "first" : "second"} number, above 256 bits`, at + USED);
    return reversed(number.subarray(0, USED));
  });
  return concat(...numbers);
}

/** Writes a pair of 64 bytes. Throws `OUT_OF_BOUNDS` when it has another length. */
export function writePair(writer: Writer, pair: Uint8Array, field: string): void {
  for (const number of [pair.subarray(0, USED), pair.subarray(USED)]) {
    writer.bytes(reversed(number), USED, field).zeros(FIELD - USED);
  }
}
