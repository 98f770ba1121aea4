// SPDX-License-Identifier: Apache-2.0
// Hash algorithms as CCA tokens name them (IANA Named Information Hash Algorithm Registry).

import type { HashName } from "@adyton/core/crypto";
import { invalidToken } from "./refusal.ts";

export type CcaHash = "sha-256" | "sha-384" | "sha-512";

/** Bytes of a digest. */
export const HASH_SIZE: Readonly<Record<CcaHash, number>> = { "sha-256": 32, "sha-384": 48, "sha-512": 64 };
/** The sizes that a challenge or measurement may have: RMM specification (DEN0137) A7.2.3, cca-hash-type. */
export const HASH_SIZES: readonly number[] = Object.values(HASH_SIZE);

const NAMES: Readonly<Record<CcaHash, HashName>> = {
  "sha-256": "SHA-256",
  "sha-384": "SHA-384",
  "sha-512": "SHA-512",
};

/** `name` as one of the algorithms above. Throws `INVALID_CCA_TOKEN`. */
export function ccaHashOf(name: string, field: string): CcaHash {
  if (Object.hasOwn(NAMES, name)) return name as CcaHash;
  throw invalidToken(field, JSON.stringify(name), Object.keys(NAMES).join(", "));
}

/** The crypto provider's name of an algorithm. */
export function hashNameOf(hash: CcaHash): HashName {
  return NAMES[hash];
}
