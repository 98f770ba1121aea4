// SPDX-License-Identifier: Apache-2.0
// The key that signs attestation results: ES256, and perhaps a certificate chain that leads verifiers to it.

import { equal, fromBase64Url, toBase64 } from "@adyton/core/bytes";
import { spkiOfPoint } from "@adyton/core/crypto";
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

export interface EarSigningKey {
  /** Cannot be exported. */
  readonly privateKey: CryptoKey;
  /** For a JWKS: the public members, `alg`, `use`, `kid` (RFC 7638 thumbprint), and `x5c` when there is a chain. */
  readonly publicJwk: JWK;
}

/** Most certificates in a chain. */
const MAX_CHAIN = 8;

/** A fresh private key as a JWK, for keeping; it is a secret. Use it through `importEarKey`. */
export async function generateEarKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const { kty, crv, x, y, d } = await exportJWK(privateKey);
  return { kty, crv, x, y, d, alg: "ES256" } as JWK;
}

/**
 * Prepares a private P-256 key for signing. `chain` holds certificates in DER, the key's own first; they travel in the
 * token. Throws `INVALID_EAR_KEY`.
 */
export async function importEarKey(jwk: JWK, chain: readonly Uint8Array[] = []): Promise<EarSigningKey> {
  const { kty, crv, x, y, d } = jwk;
  if (kty !== "EC" || crv !== "P-256" || typeof x !== "string" || typeof y !== "string") {
    throw invalidKey("it is no EC key on P-256");
  }
  if (typeof d !== "string") throw invalidKey("its private part is missing");
  checkChain(chain, x, y);
  const publicMembers = { kty, crv, x, y };
  const kid = await calculateJwkThumbprint(publicMembers);
  const privateKey = await imported({ ...publicMembers, d });
  return Object.freeze({
    privateKey,
    publicJwk: Object.freeze({
      ...publicMembers,
      alg: "ES256",
      use: "sig",
      kid,
      ...(chain.length === 0 ? {} : { x5c: chain.map(toBase64) }),
    }),
  });
}

/** The public half of a JWK, ready to verify. Throws `INVALID_EAR_KEY`. */
export async function importEarPublicKey({ kty, crv, x, y }: JWK): Promise<CryptoKey> {
  if (kty !== "EC" || crv !== "P-256" || typeof x !== "string" || typeof y !== "string") {
    throw invalidKey("it is no EC key on P-256");
  }
  return imported({ kty, crv, x, y });
}

async function imported(jwk: JWK): Promise<CryptoKey> {
  try {
    return (await importJWK(jwk, "ES256", { extractable: false })) as CryptoKey;
  } catch {
    // The cause could quote the key.
    throw invalidKey("its numbers are no key of P-256");
  }
}

function checkChain(chain: readonly Uint8Array[], x: string, y: string): void {
  if (chain.length > MAX_CHAIN)
    throw invalidKey(`its chain has ${chain.length} certificates, at most ${MAX_CHAIN}`);
  const [leaf] = chain.map((der) => readCertificate(der));
  if (leaf === undefined) return;
  if (!equal(leaf.spki, spkiOf(x, y))) throw invalidKey("the chain's first certificate is of another key");
}

function readCertificate(der: Uint8Array): ReturnType<typeof parseCertificate> {
  try {
    return parseCertificate(der);
  } catch (cause) {
    throw invalidKey("its chain holds what is no certificate", cause);
  }
}

function spkiOf(x: string, y: string): Uint8Array {
  try {
    const [left, right] = [fromBase64Url(x), fromBase64Url(y)];
    return spkiOfPoint("P-256", Uint8Array.from([...left, ...right]));
  } catch (cause) {
    throw invalidKey("its point is no 64 bytes", cause);
  }
}

function invalidKey(why: string, cause?: unknown): AppraisalError {
  return new AppraisalError("INVALID_EAR_KEY", "misuse", `Cannot use EAR key: ${why}`, {
    hint: "Make one with generateEarKey.",
    ...(cause instanceof AdytonError ? { cause } : {}),
  });
}
