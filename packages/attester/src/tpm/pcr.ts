// SPDX-License-Identifier: Apache-2.0
// PCRs: TPM2_PCR_Read and TPM2_PCR_Extend. TPM 2.0 Library 1.59, part 3, sections 22.2 and 22.4.

import { concat } from "@adyton/core/bytes";
import { Reader } from "@adyton/core/cursor";
import { digestSize, idOfHash, type PcrBank, type PcrSelection, type TpmHash } from "@adyton/evidence/tpm";
import { AttesterError } from "../errors.ts";
import type { Tpm } from "./connection.ts";
import { COMMAND } from "./constants.ts";
import { asResponse, invalidArgument, invalidResponse, unsuitable } from "./error.ts";
import { checkEmpty, NO_AUTH, u16, u32 } from "./frame.ts";
import { checkIndex, encodeSelection, readSelection } from "./selection.ts";

/** A digest for the bank of its hash. */
export interface PcrDigest {
  readonly hash: TpmHash;
  readonly digest: Uint8Array;
}

/** What one command gave: at most eight values. */
export interface PcrReading {
  /** Grows whenever a PCR is extended or reset. */
  readonly counter: number;
  readonly selection: readonly PcrSelection[];
  /** In the order of the selection. */
  readonly values: readonly Uint8Array[];
}

/** Tries while others extend PCRs. */
export const CONFLICT_TRIES = 5;
const READ = "TPM2_PCR_Read";
const EXTEND = "TPM2_PCR_Extend";
const MAX_VALUES = 8;

/**
 * The values of the selected PCRs, all of one moment. Throws `TPM_UNSUITABLE` when the TPM has no such PCR,
 * `REPORT_CONFLICT` when PCRs were extended in between at every try.
 */
export async function readPcrs(tpm: Tpm, selection: readonly PcrSelection[]): Promise<PcrBank[]> {
  for (let attempt = 1; attempt <= CONFLICT_TRIES; attempt++) {
    const banks = await readAtOnce(tpm, selection);
    if (banks !== undefined) return banks;
  }
  throw new AttesterError(
    "REPORT_CONFLICT",
    "unavailable",
    `Cannot read PCRs: others extended PCRs at each of ${CONFLICT_TRIES} tries`,
    { hint: "Try again when less is being measured." },
  );
}

/**
 * Extends a PCR in the banks of the digests; other banks stay as they are, and then say nothing of this.
 * Throws `INVALID_TPM_ARGUMENT` for a PCR or a digest that cannot be, `TPM_REFUSED` where the TPM does not let us.
 */
export async function extendPcr(tpm: Tpm, index: number, digests: readonly PcrDigest[]): Promise<void> {
  checkIndex(index);
  for (const { hash, digest } of digests) {
    if (digest.length === digestSize(hash)) continue;
    throw invalidArgument(
      `Cannot extend PCR ${index}: got ${digest.length} bytes for ${hash}, expected ${digestSize(hash)}`,
    );
  }
  if (digests.length === 0) throw invalidArgument(`Cannot extend PCR ${index}: got no digest, expected one`);
  const response = await tpm.run({
    name: EXTEND,
    code: COMMAND.pcrExtend,
    handles: [index],
    authorizations: [NO_AUTH],
    parameters: concat(
      u32(digests.length),
      ...digests.flatMap(({ hash, digest }) => [u16(idOfHash(hash)), digest]),
    ),
  });
  checkEmpty(response, EXTEND);
}

/** The parameters of TPM2_PCR_Read's response. Throws `INVALID_TPM_RESPONSE`. */
export function parsePcrReading(parameters: Uint8Array): PcrReading {
  return asResponse(READ, () => {
    const reader = new Reader(parameters, READ);
    const counter = reader.u32be("pcrUpdateCounter");
    const selection = readSelection(reader, READ);
    const count = reader.u32be("count of PCR values");
    if (count > MAX_VALUES) throw invalidResponse(READ, `${count} PCR values, at most ${MAX_VALUES}`);
    const sizes = selection.flatMap(({ hash, indices }) => indices.map(() => digestSize(hash)));
    if (count !== sizes.length) {
      throw invalidResponse(READ, `${count} PCR values for ${sizes.length} selected PCRs`);
    }
    const values = sizes.map((size) => {
      const found = reader.u16be("size of PCR value");
      if (found !== size) throw invalidResponse(READ, `a PCR value of ${found} bytes, expected ${size}`);
      return reader.bytes(size, "PCR value");
    });
    reader.end();
    return { counter, selection, values };
  });
}

/** Undefined when PCRs were extended in between. */
async function readAtOnce(tpm: Tpm, selection: readonly PcrSelection[]): Promise<PcrBank[] | undefined> {
  const banks = new Map<TpmHash, Map<number, Uint8Array>>();
  let left = selection.filter(({ indices }) => indices.length > 0);
  let counter: number | undefined;
  while (left.length > 0) {
    const { parameters } = await tpm.run({
      name: READ,
      code: COMMAND.pcrRead,
      parameters: encodeSelection(left),
    });
    const reading = parsePcrReading(parameters);
    counter ??= reading.counter;
    if (reading.counter !== counter) return undefined;
    let taken = 0;
    for (const { hash, indices } of reading.selection) {
      const bank = banks.get(hash) ?? new Map<number, Uint8Array>();
      banks.set(hash, bank);
      for (const index of indices) {
        const wanted = left.some((each) => each.hash === hash && each.indices.includes(index));
        const value = reading.values[taken++];
        if (!wanted || value === undefined) {
          throw invalidResponse(READ, `PCR ${index} in ${hash}, which nobody asked for`);
        }
        bank.set(index, value);
      }
    }
    if (taken === 0) throw missing(left);
    left = left
      .map(({ hash, indices }) => ({ hash, indices: indices.filter((i) => !banks.get(hash)?.has(i)) }))
      .filter(({ indices }) => indices.length > 0);
  }
  return [...banks].map(([hash, values]) => ({ hash, values }));
}

function missing([first]: readonly PcrSelection[]): AttesterError {
  const which = first === undefined ? "PCRs" : `PCR ${first.indices.join(", ")} in ${first.hash}`;
  return unsuitable(
    `it has no ${which}`,
    { hash: first?.hash, indices: first?.indices },
    "Ask for a bank that the TPM has allocated.",
  );
}
