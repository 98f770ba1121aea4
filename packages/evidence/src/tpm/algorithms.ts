// SPDX-License-Identifier: Apache-2.0
// The hashes of TPMs and event logs by their TCG algorithm identifiers (TCG Algorithm Registry 1.34, section 6).

import type { Bytes } from "@adyton/core/bytes";
import type { HashName, MaybePromise, VerifyingCrypto } from "@adyton/core/crypto";
import { sm3 } from "@adyton/core/sm";

/** The hash of a PCR bank, a quote or an event's digest. */
export type TpmHash = HashName | "SM3";

export const ALGORITHM = {
  rsa: 0x0001,
  sha1: 0x0004,
  aes: 0x0006,
  sha256: 0x000b,
  sha384: 0x000c,
  sha512: 0x000d,
  null: 0x0010,
  sm3: 0x0012,
  rsassa: 0x0014,
  rsapss: 0x0016,
  ecdsa: 0x0018,
  ecc: 0x0023,
  cfb: 0x0043,
} as const;

const HASHES: Readonly<Record<number, TpmHash>> = {
  [ALGORITHM.sha1]: "SHA-1",
  [ALGORITHM.sha256]: "SHA-256",
  [ALGORITHM.sha384]: "SHA-384",
  [ALGORITHM.sha512]: "SHA-512",
  [ALGORITHM.sm3]: "SM3",
};

const SIZES: Readonly<Record<TpmHash, number>> = {
  "SHA-1": 20,
  "SHA-256": 32,
  "SHA-384": 48,
  "SHA-512": 64,
  SM3: 32,
};

const IDS: Readonly<Record<TpmHash, number>> = {
  "SHA-1": ALGORITHM.sha1,
  "SHA-256": ALGORITHM.sha256,
  "SHA-384": ALGORITHM.sha384,
  "SHA-512": ALGORITHM.sha512,
  SM3: ALGORITHM.sm3,
};

/** The hash with this identifier, or undefined. */
export function hashOfId(id: number): TpmHash | undefined {
  return HASHES[id];
}

export function idOfHash(hash: TpmHash): number {
  return IDS[hash];
}

/** Bytes of a digest. */
export function digestSize(hash: TpmHash): number {
  return SIZES[hash];
}

/** The digest of `data`; SM3 is no matter of the crypto provider. */
export function digestOf(
  hash: TpmHash,
  data: Uint8Array,
  crypto: Pick<VerifyingCrypto, "digest">,
): MaybePromise<Bytes> {
  return hash === "SM3" ? sm3(data) : crypto.digest(hash, data);
}
