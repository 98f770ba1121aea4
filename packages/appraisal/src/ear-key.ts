// SPDX-License-Identifier: Apache-2.0
// The key that signs attestation results, and perhaps a certificate chain that leads verifiers to it.

import { concat, equal, fromBase64Url, fromHex, toBase64 } from "@adyton/core/bytes";
import {
  type CurveName,
  type PublicKey,
  type SignatureAlgorithm,
  spkiOfPoint,
  verifyingCrypto,
} from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { parseCertificate } from "@adyton/core/x509";
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from "jose";
import { AppraisalError } from "./errors.ts";

/** The signature algorithms of EAR tokens; the key decides which. */
export const EAR_ALGORITHMS = ["ES256", "ES384", "EdDSA"] as const;
export type EarAlgorithm = (typeof EAR_ALGORITHMS)[number];

/** How each signs: ECDSA as r || s. */
export const SIGNATURES: Readonly<Record<EarAlgorithm, SignatureAlgorithm>> = {
  ES256: { name: "ECDSA", hash: "SHA-256" },
  ES384: { name: "ECDSA", hash: "SHA-384" },
  EdDSA: { name: "Ed25519" },
};

export interface EarSigningKey {
  readonly algorithm: EarAlgorithm;
  /** Cannot be exported. */
  readonly privateKey: CryptoKey;
  /** For a JWKS: the public members, `alg`, `use`, `kid` (RFC 7638 thumbprint), and `x5c` when there is a chain. */
  readonly publicJwk: JWK;
}

/** What stands before the key in its SubjectPublicKeyInfo (RFC 8410 section 4). */
const ED25519_SPKI = fromHex("302a300506032b6570032100");
/** Most certificates in a chain. */
const MAX_CHAIN = 8;

/** A fresh private key as a JWK, for keeping; it is a secret. Use it through `importEarKey`. */
export async function generateEarKey(algorithm: EarAlgorithm = "ES256"): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...publicMembersOf(jwk), d: jwk.d, alg: algorithm } as JWK;
}

/**
 * Prepares a private key on P-256, P-384 or Ed25519 for signing. `chain` holds certificates in DER, the key's own first;
 * they travel in the token. Throws `INVALID_EAR_KEY`.
 */
export async function importEarKey(jwk: JWK, chain: readonly Uint8Array[] = []): Promise<EarSigningKey> {
  const algorithm = earAlgorithmOf(jwk);
  const publicMembers = publicMembersOf(jwk);
  if (typeof jwk.d !== "string") throw invalidKey("its private part is missing");
  checkChain(chain, jwk);
  const kid = await calculateJwkThumbprint(publicMembers);
  const privateKey = await imported({ ...publicMembers, d: jwk.d }, algorithm);
  return Object.freeze({
    algorithm,
    privateKey,
    publicJwk: Object.freeze({
      ...publicMembers,
      alg: algorithm,
      use: "sig",
      kid,
      ...(chain.length === 0 ? {} : { x5c: chain.map(toBase64) }),
    }),
  });
}

/** Of JWKs that cannot change any more: importing costs as much as a signature check. */
const publicKeys = new WeakMap<JWK, Promise<PublicKey>>();

/** The public half of a JWK, ready to verify. Throws `INVALID_EAR_KEY`. */
export async function importEarPublicKey(jwk: JWK): Promise<PublicKey> {
  const known = publicKeys.get(jwk);
  if (known !== undefined) return known;
  const key = importedPublic(jwk);
  if (Object.isFrozen(jwk)) publicKeys.set(jwk, key);
  return key;
}

/** The one algorithm of a key: what a token's header says never chooses. Throws `INVALID_EAR_KEY`. */
export function earAlgorithmOf({ kty, crv, alg }: JWK): EarAlgorithm {
  const algorithm = ALGORITHM_OF[`${kty} ${crv}`];
  if (algorithm === undefined) throw invalidKey("it is no key on P-256, P-384 or Ed25519");
  // RFC 9864 writes the algorithm of the curve where RFC 8037 wrote that of the family.
  if (alg !== undefined && alg !== algorithm && !(algorithm === "EdDSA" && alg === "Ed25519")) {
    throw invalidKey(`its alg is not ${algorithm}`);
  }
  return algorithm;
}

const ALGORITHM_OF: Readonly<Record<string, EarAlgorithm | undefined>> = {
  "EC P-256": "ES256",
  "EC P-384": "ES384",
  "OKP Ed25519": "EdDSA",
};

/** The members that make the key, and no other (RFC 7638 section 3.2, RFC 8037 section 2). */
function publicMembersOf({ kty, crv, x, y }: JWK): JWK {
  if (kty === "OKP" && typeof x === "string") return { kty, crv, x } as JWK;
  if (typeof x !== "string" || typeof y !== "string") throw invalidKey("a coordinate is missing");
  return { kty, crv, x, y } as JWK;
}

async function importedPublic(jwk: JWK): Promise<PublicKey> {
  earAlgorithmOf(jwk);
  const spki = spkiOf(publicMembersOf(jwk));
  try {
    return await verifyingCrypto.importPublicKey(spki);
  } catch (cause) {
    throw invalidKey(`its numbers are no key of ${jwk.crv}`, cause);
  }
}

async function imported(jwk: JWK, algorithm: EarAlgorithm): Promise<CryptoKey> {
  try {
    return (await importJWK(jwk, algorithm, { extractable: false })) as CryptoKey;
  } catch {
    // The cause could quote the key.
    throw invalidKey(`its numbers are no key of ${jwk.crv}`);
  }
}

function checkChain(chain: readonly Uint8Array[], jwk: JWK): void {
  if (chain.length > MAX_CHAIN)
    throw invalidKey(`its chain has ${chain.length} certificates, at most ${MAX_CHAIN}`);
  const [leaf] = chain.map((der) => readCertificate(der));
  if (leaf === undefined) return;
  if (!equal(leaf.spki, spkiOf(jwk))) throw invalidKey("the chain's first certificate is of another key");
}

function readCertificate(der: Uint8Array): ReturnType<typeof parseCertificate> {
  try {
    return parseCertificate(der);
  } catch (cause) {
    throw invalidKey("its chain holds what is no certificate", cause);
  }
}

function spkiOf({ crv, x = "", y = "" }: JWK): Uint8Array {
  try {
    const [left, right] = [fromBase64Url(x), fromBase64Url(y)];
    return crv === "Ed25519"
      ? concat(ED25519_SPKI, left)
      : spkiOfPoint(crv as CurveName, concat(left, right));
  } catch (cause) {
    throw invalidKey(`its point is none of ${crv}`, cause);
  }
}

function invalidKey(why: string, cause?: unknown): AppraisalError {
  return new AppraisalError("INVALID_EAR_KEY", "misuse", `Cannot use EAR key: ${why}`, {
    hint: "Make one with generateEarKey.",
    ...(cause instanceof AdytonError ? { cause } : {}),
  });
}
