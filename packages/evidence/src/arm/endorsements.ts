// SPDX-License-Identifier: Apache-2.0
// The platform's attestation key (CPAK). Each platform has its own, and nobody publishes a root above them: a key is
// trusted because the caller named it, for the platform that the caller named it for.

import { toHex } from "@adyton/core/bytes";
import { type Sign1, verifySign1 } from "@adyton/core/cose";
import type { PublicKey } from "@adyton/core/crypto";
import type { VendorKey } from "../bag.ts";
import { EvidenceError } from "../errors.ts";
import type { PreparedKey } from "../remember.ts";
import type { PlatformClaims } from "./platform.ts";

/** Names of identifiers, as Veraison's trust-anchor stores write them. */
const INSTANCE_ID = "instance-id";
const IMPLEMENTATION_ID = "implementation-id";
/** ES256, ES384, ES512: the curve of each hash (RFC 9053 section 2.1, RFC 7518 section 3.4). */
const HASH_OF_CURVE = { "P-256": "SHA-256", "P-384": "SHA-384", "P-521": "SHA-512" } as const;

/**
 * The named keys that may speak for this platform: every identifier they carry is its own. Throws `CPAK_MISSING`.
 * `offered` came with the endorsements and is nobody's word for anything: it only makes the refusal's hint better.
 */
export function platformKeysFor(
  claims: PlatformClaims,
  named: readonly VendorKey[],
  offered: readonly VendorKey[],
): VendorKey[] {
  const own: ReadonlyMap<string, string> = new Map([
    [INSTANCE_ID, toHex(claims.instanceId)],
    [IMPLEMENTATION_ID, toHex(claims.implementationId)],
  ]);
  const isFor = (key: VendorKey): boolean =>
    Object.entries(key.identifiers).every(([name, value]) => own.get(name) === value);
  const keys = named.filter(isFor);
  if (keys.length === 0) {
    throw new EvidenceError(
      "CPAK_MISSING",
      "endorsements",
      `Cannot verify CCA token: none of ${named.length} named keys is for platform ${own.get(INSTANCE_ID)}`,
      {
        detail: { ...Object.fromEntries(own), named: named.length },
        hint: offered.some(isFor)
          ? "The endorsements hold a key for it, but CCA has no root that vouches for such keys: name it as an anchor (--root), if you trust where it came from."
          : "Name the platform's public key (CPAK) as an anchor (--root): CCA has no root that could be built in.",
      },
    );
  }
  return keys;
}

/** The first of `keys`, which are named ones, that signed, undefined when none did. */
export async function signerAmong(
  keys: readonly VendorKey[],
  sign1: Sign1,
  prepare: (spki: Uint8Array) => Promise<PreparedKey>,
): Promise<VendorKey | undefined> {
  for (const named of keys) {
    const { key, keep } = await prepare(named.spki);
    keep();
    if (await isSignedBy(sign1, key)) return named;
  }
  return undefined;
}

/** True when `key` made the signature, with the hash that belongs to its curve. */
export async function isSignedBy(sign1: Sign1, key: PublicKey): Promise<boolean> {
  const { algorithm } = key;
  if (algorithm.name !== "EC" || sign1.algorithm.name !== "ECDSA") return false;
  return HASH_OF_CURVE[algorithm.curve] === sign1.algorithm.hash && verifySign1(sign1, key);
}
