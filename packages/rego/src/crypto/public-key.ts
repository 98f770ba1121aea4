// SPDX-License-Identifier: Apache-2.0
// Public keys and signature algorithms: for checking, and as OPA shows them.

import { toBase64, toHex } from "@adyton/core/bytes";
import type { SignatureAlgorithm } from "@adyton/core/crypto";
import { type DerValue, parseDer } from "@adyton/core/der";
import { CoreError } from "@adyton/core/errors";
import { type SyncPublicKey, syncCrypto } from "@adyton/core/sync-crypto";
import { parseSignatureAlgorithm } from "@adyton/core/x509";
import { failure } from "../builtins/define.ts";
import type { Value } from "../value.ts";
import { integerOf, integerValue } from "./asn1.ts";

const RSA = "1.2.840.113549.1.1.1";
const DSA = "1.2.840.10040.4.1";
const EC = "1.2.840.10045.2.1";
const ED25519 = "1.3.101.112";

/** Numbers that Go gives to kinds of keys. */
const KIND: Readonly<Record<string, number>> = { [RSA]: 1, [DSA]: 2, [EC]: 3, [ED25519]: 4 };

/** Numbers that Go gives to signature algorithms, by OID; PSS depends on its hash. */
const ALGORITHM: Readonly<Record<string, number>> = {
  "1.2.840.113549.1.1.4": 2,
  "1.2.840.113549.1.1.5": 3,
  "1.3.14.3.2.29": 3,
  "1.2.840.113549.1.1.11": 4,
  "1.2.840.113549.1.1.12": 5,
  "1.2.840.113549.1.1.13": 6,
  "1.2.840.10040.4.3": 7,
  "2.16.840.1.101.3.4.3.2": 8,
  "1.2.840.10045.4.1": 9,
  "1.2.840.10045.4.3.2": 10,
  "1.2.840.10045.4.3.3": 11,
  "1.2.840.10045.4.3.4": 12,
  "1.3.101.112": 16,
};
const PSS: Readonly<Record<string, readonly [number, number]>> = {
  "SHA-256": [13, 32],
  "SHA-384": [14, 48],
  "SHA-512": [15, 64],
};

export interface KnownAlgorithm {
  /** What to check with; undefined for what is never checked: SHA-1, MD5, DSA, unknown ones. */
  readonly how: SignatureAlgorithm | undefined;
  readonly number: number;
}

export function signatureAlgorithmOf(identifier: DerValue): KnownAlgorithm {
  const oid = identifier.sequence()[0]?.oid() ?? "";
  let how: SignatureAlgorithm | undefined;
  try {
    how = parseSignatureAlgorithm(identifier);
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
  }
  if (how?.name !== "RSA-PSS") return { how, number: ALGORITHM[oid] ?? 0 };
  const [number, saltLength] = PSS[how.hash] ?? [0, -1];
  return how.saltLength === saltLength ? { how, number } : { how: undefined, number: 0 };
}

export interface ShownKey {
  readonly kind: number;
  /** Null for a kind that Go does not know. */
  readonly value: Value;
}

/** The key of a SubjectPublicKeyInfo as OPA shows it. Throws for a known kind with a malformed key. */
export function shownKeyOf(spki: Uint8Array): ShownKey {
  const [identifier, bits] = parseDer(spki, "SubjectPublicKeyInfo").sequence(2) as [DerValue, DerValue];
  const [oid, parameters] = identifier.nonEmptySequence();
  const kind = KIND[oid.oid()] ?? 0;
  const key = bits.bitString();
  switch (kind) {
    case 1: {
      if (parameters === undefined) throw failure("x509: RSA key missing NULL parameters");
      parameters.null();
      const [n, e] = parseDer(key, "RSA public key").sequence(2) as [DerValue, DerValue];
      return { kind, value: { N: integerValue(integerOf(n)), E: integerValue(integerOf(e)) } };
    }
    case 2: {
      const [P, Q, G] = (parameters?.sequence(3) ?? []).map((value) => integerValue(integerOf(value)));
      if (P === undefined || Q === undefined || G === undefined)
        throw failure("x509: invalid DSA parameters");
      return { kind, value: { P, Q, G, Y: integerValue(integerOf(parseDer(key, "DSA public key"))) } };
    }
    case 3: {
      // Imports only points of the curves that it knows.
      syncCrypto.importPublicKey(spki);
      const half = (key.length - 1) / 2;
      const [x, y] = [key.subarray(1, 1 + half), key.subarray(1 + half)];
      if (key[0] !== 4) throw failure("x509: a compressed point");
      return { kind, value: { Curve: {}, X: numberOf(x), Y: numberOf(y) } };
    }
    case 4:
      if (parameters !== undefined || key.length !== 32) throw failure("x509: malformed Ed25519 public key");
      return { kind, value: toBase64(key) };
    default:
      return { kind, value: null };
  }
}

/** The key ready for checking. Throws `CoreError` for kinds and sizes that are not checked. */
export function verifyingKeyOf(spki: Uint8Array): SyncPublicKey {
  return syncCrypto.importPublicKey(spki);
}

export function numberOf(bytes: Uint8Array): ReturnType<typeof integerValue> {
  return integerValue(BigInt(`0x0${toHex(bytes)}`));
}
