// SPDX-License-Identifier: Apache-2.0
// What the ultravisor computes: HMAC-SHA-512, under a key that only it and the verifier know, over the image's digests, the
// guest's id, the guest's data, the verifier's nonce and what was asked for besides (s390-tools, uvattest).

import { type Bytes, concat } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { encodeSeTags, type SeHeaderTags } from "./header.ts";
import { invalidSe } from "./refusal.ts";
import { hmacSha512 } from "./symmetric.ts";

export interface SeMeasured {
  readonly tags: SeHeaderTags;
  /** Configuration unique id, 16 bytes: which running guest. */
  readonly cuid: Uint8Array;
  /** At most 256 bytes. */
  readonly userData: Uint8Array;
  /** 16 bytes, or undefined where the request had none. */
  readonly nonce: Uint8Array | undefined;
  readonly additional: Uint8Array;
}

/** Bits of a request's flags, the first being the most significant, and how many bytes each adds to the answer. */
export const SE_FLAGS = {
  nonce: 1,
  imagePhkh: 2,
  attestationPhkh: 3,
  secretStoreHash: 4,
  firmwareState: 5,
} as const;

/** What the ultravisor adds when asked, by name, in the order in which it stands there. */
const ADDITIONAL = [
  ["imagePhkh", 32],
  ["attestationPhkh", 32],
  ["secretStoreHash", 64],
  ["firmwareState", 320],
] as const;

export interface SeAdditionalData {
  /** SHA-256 of the host key that unpacked the image. */
  readonly imagePhkh?: Uint8Array;
  /** SHA-256 of the host key that unpacked the request. */
  readonly attestationPhkh?: Uint8Array;
  readonly secretStoreHash?: Uint8Array;
  readonly firmwareState?: Uint8Array;
  /** What flags unknown here asked for. */
  readonly unrecognized?: Uint8Array;
}

const LENGTHS = 8;

/** The 64 bytes that the ultravisor answers with. */
export async function seMeasurement(key: Uint8Array, measured: SeMeasured): Promise<Bytes> {
  const { tags, cuid, userData, nonce = new Uint8Array(), additional } = measured;
  const lengths = new Writer(LENGTHS).u16be(userData.length).zeros(2).u32be(additional.length).finish();
  return hmacSha512(key, concat(encodeSeTags(tags), cuid, lengths, userData, nonce, additional));
}

/** Whether a request's flags have this bit. */
export function hasSeFlag(flags: bigint, bit: number): boolean {
  return ((flags >> BigInt(63 - bit)) & 1n) === 1n;
}

/** Flags with these bits. */
export function seFlags(...bits: readonly number[]): bigint {
  return bits.reduce((flags, bit) => flags | (1n << BigInt(63 - bit)), 0n);
}

/** Bits that are unknown here. */
export function unknownSeFlags(flags: bigint): bigint {
  return flags & ~seFlags(...Object.values(SE_FLAGS));
}

/** How many bytes the flags that are known here make the ultravisor add. */
export function additionalSizeOf(flags: bigint): number {
  return ADDITIONAL.filter(([name]) => hasSeFlag(flags, SE_FLAGS[name])).reduce(
    (sum, [, size]) => sum + size,
    0,
  );
}

/** What was added, as the request's flags say. Throws `INVALID_SE_EVIDENCE` or `OUT_OF_BOUNDS`. */
export function parseAdditionalData(bytes: Uint8Array, flags: bigint): SeAdditionalData {
  const reader = new Reader(bytes, "additional data");
  const found = Object.fromEntries(
    ADDITIONAL.filter(([name]) => hasSeFlag(flags, SE_FLAGS[name])).map(([name, size]) => [
      name,
      reader.bytes(size, name),
    ]),
  );
  if (reader.remaining === 0) return found;
  if (unknownSeFlags(flags) === 0n) {
    throw invalidSe("additional data", "size", `${bytes.length} bytes`, `${additionalSizeOf(flags)}`);
  }
  return { ...found, unrecognized: reader.rest() };
}
