// SPDX-License-Identifier: Apache-2.0
// Lists of PCR selections: TPML_PCR_SELECTION, TPM 2.0 Library 1.59, part 2, sections 10.6.1 and 10.9.7.

import { type Bytes, concat } from "@adyton/core/bytes";
import { type Reader, Writer } from "@adyton/core/cursor";
import { hashOfId, idOfHash, type PcrSelection } from "@adyton/evidence/tpm";
import { invalidArgument, invalidResponse } from "./error.ts";
import { u32 } from "./frame.ts";

/** PCRs of a PC client's TPM. */
export const PCR_COUNT = 24;
/** Bytes of a bitmap for that many. */
const BITMAP_SIZE = 3;
/** More than any TPM has banks. */
const MAX_SELECTIONS = 16;
const MAX_BITMAP = 4;

/** The bytes of a list. Throws `INVALID_TPM_ARGUMENT` for PCRs that no PC client has. */
export function encodeSelection(selection: readonly PcrSelection[]): Bytes {
  const parts = selection.map(({ hash, indices }) => {
    const bitmap = new Uint8Array(BITMAP_SIZE);
    for (const index of indices) {
      checkIndex(index);
      bitmap[index >> 3] = (bitmap[index >> 3] ?? 0) | (1 << (index & 7));
    }
    return concat(new Writer(3).u16be(idOfHash(hash)).u8(BITMAP_SIZE).finish(), bitmap);
  });
  return concat(u32(parts.length), ...parts);
}

/** Throws `INVALID_TPM_ARGUMENT` unless PC clients have this PCR. */
export function checkIndex(index: number): void {
  if (Number.isInteger(index) && index >= 0 && index < PCR_COUNT) return;
  throw invalidArgument(`Cannot select PCR ${index}: expected 0 to ${PCR_COUNT - 1}`);
}

/** Reads a list; banks of hashes that nothing here knows are left out. */
export function readSelection(reader: Reader, what: string): PcrSelection[] {
  const count = reader.u32be("count of PCR selections");
  if (count > MAX_SELECTIONS) {
    throw invalidResponse(what, `${count} PCR selections, at most ${MAX_SELECTIONS}`, { found: count });
  }
  const selection: PcrSelection[] = [];
  for (let i = 0; i < count; i++) {
    const hash = hashOfId(reader.u16be("PCR bank"));
    const size = reader.u8("sizeofSelect");
    if (size > MAX_BITMAP) throw invalidResponse(what, `a PCR bitmap of ${size} bytes`, { found: size });
    const bitmap = reader.bytes(size, "pcrSelect");
    if (hash === undefined) continue;
    const indices = Array.from({ length: 8 * size }, (_, index) => index);
    selection.push({
      hash,
      indices: indices.filter((index) => ((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1),
    });
  }
  return selection;
}
