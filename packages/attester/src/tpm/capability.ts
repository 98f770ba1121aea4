// SPDX-License-Identifier: Apache-2.0
// What a TPM says of itself: TPM2_GetCapability. TPM 2.0 Library 1.59, part 3, section 30.2; part 2, section 10.14.

import { concat, toUtf8 } from "@adyton/core/bytes";
import { Reader } from "@adyton/core/cursor";
import { AdytonError } from "@adyton/core/errors";
import type { PcrSelection } from "@adyton/evidence/tpm";
import type { Tpm } from "./connection.ts";
import { CAPABILITY, COMMAND, PROPERTY } from "./constants.ts";
import { asResponse, invalidResponse, unsuitable } from "./error.ts";
import { u32 } from "./frame.ts";
import { readSelection } from "./selection.ts";

/** Properties that do not change. */
export interface TpmProperties {
  /** Four letters: "INTC", "NTC ", "IBM ". */
  readonly manufacturer: string;
  /** The vendor's name for the part, "" where it has none. */
  readonly model: string;
  readonly firmwareVersion: bigint;
  /** Of the library specification, times 100: 159. */
  readonly revision: number;
  /** Bytes of the longest digest: caller's data in a quote is at most two bytes longer. */
  readonly maxDigest: number;
  /** Bytes of an NV index that one command reads. */
  readonly nvBuffer: number;
}

/** One part of a capability, as it comes. */
export interface CapabilityPart {
  readonly more: boolean;
  /** The union's bytes behind the capability's number. */
  readonly data: Uint8Array;
}

const NAME = "TPM2_GetCapability";
const FAMILY_2 = 0x322e3000;
const MAX_COUNT = 0xffff;
const ASKED = 128;
/** Where a TPM does not say: the least that PC clients have. */
const LEAST_DIGEST = 32;
const LEAST_NV_BUFFER = 512;

/** Throws `INVALID_TPM_RESPONSE`, and `TPM_UNSUITABLE` when the TPM is of another family than 2.0. */
export async function tpmProperties(tpm: Tpm): Promise<TpmProperties> {
  const pairs = new Map<number, number>();
  let next: number = PROPERTY.first;
  for (let more = true; more; ) {
    const part = await getCapability(tpm, CAPABILITY.properties, next, ASKED);
    const found = parsePairs(part.data);
    for (const [property, value] of found) pairs.set(property, value);
    const last = found.at(-1)?.[0];
    // Beyond the fixed properties stand the variable ones, which nobody asked for.
    more = part.more && last !== undefined && last >= next && last < 2 * PROPERTY.first;
    next = (last ?? 0) + 1;
  }
  const family = pairs.get(PROPERTY.family);
  if (family !== FAMILY_2) {
    const what = family === undefined ? "no family" : `the family ${JSON.stringify(letters(family))}`;
    throw unsuitable(
      `it names ${what}, expected 2.0`,
      { found: family ?? null, expected: FAMILY_2 },
      "A TPM in failure mode says no more than its maker: start the machine anew.",
    );
  }
  const value = (property: number): number => pairs.get(property) ?? 0;
  return {
    manufacturer: letters(value(PROPERTY.manufacturer)),
    model: [0, 1, 2, 3].map((i) => letters(value(PROPERTY.vendorString + i))).join(""),
    firmwareVersion:
      (BigInt(value(PROPERTY.firmwareVersion1)) << 32n) | BigInt(value(PROPERTY.firmwareVersion2)),
    revision: value(PROPERTY.revision),
    maxDigest: pairs.get(PROPERTY.maxDigest) ?? LEAST_DIGEST,
    nvBuffer: pairs.get(PROPERTY.nvBufferMax) ?? LEAST_NV_BUFFER,
  };
}

/** The PCR banks that are allocated, with the PCRs that each has. */
export async function pcrBanks(tpm: Tpm): Promise<PcrSelection[]> {
  const { data } = await getCapability(tpm, CAPABILITY.pcrs, 0, 1);
  const banks = asResponse(NAME, () => {
    const reader = new Reader(data, NAME);
    const selection = readSelection(reader, NAME);
    reader.end();
    return selection;
  });
  return banks.filter(({ indices }) => indices.length > 0);
}

/** TPM_ECC_CURVE identifiers of the curves that the TPM has. */
export async function eccCurves(tpm: Tpm): Promise<number[]> {
  const { data } = await getCapability(tpm, CAPABILITY.curves, 0, ASKED);
  return parseList(data, 2, (reader) => reader.u16be("curve"));
}

/** Handles from `first` to `last` that the TPM knows: NV indices, persistent objects. */
export async function handlesBetween(tpm: Tpm, first: number, last: number): Promise<number[]> {
  const handles: number[] = [];
  let next = first;
  for (let more = true; more; ) {
    const part = await getCapability(tpm, CAPABILITY.handles, next, ASKED);
    const found = parseList(part.data, 4, (reader) => reader.u32be("handle"));
    const inside = found.filter((handle) => handle >= next && handle <= last);
    handles.push(...inside);
    const end = inside.at(-1);
    more = part.more && end !== undefined && inside.length === found.length && end < last;
    next = (end ?? last) + 1;
  }
  return handles;
}

/** One part of a capability. Throws `TPM_REFUSED`, `INVALID_TPM_RESPONSE`. */
export async function getCapability(
  tpm: Tpm,
  capability: number,
  first: number,
  count: number,
): Promise<CapabilityPart> {
  const { parameters } = await tpm.run({
    name: NAME,
    code: COMMAND.getCapability,
    parameters: concat(u32(capability), u32(first), u32(count)),
  });
  return asResponse(NAME, () => {
    const reader = new Reader(parameters, NAME);
    const more = reader.u8("moreData");
    if (more > 1) throw invalidResponse(NAME, `moreData is ${more}, expected 0 or 1`);
    const found = reader.u32be("capability");
    if (found !== capability) throw invalidResponse(NAME, `capability is ${found}, expected ${capability}`);
    return { more: more === 1, data: reader.rest() };
  });
}

/** TPML_TAGGED_TPM_PROPERTY. */
function parsePairs(data: Uint8Array): (readonly [property: number, value: number])[] {
  return parseList(data, 8, (reader) => [reader.u32be("property"), reader.u32be("value")] as const);
}

/** A list of things of `size` bytes each, as long as its count says. */
function parseList<T>(data: Uint8Array, size: number, read: (reader: Reader) => T): T[] {
  return asResponse(NAME, () => {
    const reader = new Reader(data, NAME);
    const count = reader.u32be("count");
    if (count > MAX_COUNT || count * size !== reader.remaining) {
      throw invalidResponse(NAME, `${count} entries in ${reader.remaining} bytes, each of ${size}`);
    }
    return Array.from({ length: count }, () => read(reader));
  });
}

/** Text in a number: letters up to the first NUL. */
function letters(value: number): string {
  const bytes = u32(value);
  const end = bytes.indexOf(0);
  try {
    return toUtf8(end < 0 ? bytes : bytes.subarray(0, end));
  } catch (error) {
    if (error instanceof AdytonError) return "";
    throw error;
  }
}
