// SPDX-License-Identifier: Apache-2.0
// A verifier of one's own beside the broker: certificates for the keys that sign its tokens, and the tokens.

import { toBase64 } from "@adyton/core/bytes";
import { defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import { issueCertificate } from "@adyton/core/issue";
import type { JsonObject } from "@adyton/core/json";
import { type Certificate, KEY_USAGE, parseCertificate } from "@adyton/core/x509";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

const START = new Date("2026-01-01T00:00:00Z");
const END = new Date("2030-01-01T00:00:00Z");
const P256 = { name: "EC", curve: "P-256" } as const;

/** A certificate, and the key that it certifies. */
export interface Certified {
  readonly certificate: Certificate;
  readonly key: PrivateKey;
  readonly name: string;
}

/** An authority; self-signed without `by`. */
export async function authority(name: string, by?: Certified, notAfter: Date = END): Promise<Certified> {
  const key = await defaultCrypto.generateKey(P256);
  const issuer = { name: [["CN", by?.name ?? name]] as const, key: by?.key ?? key };
  const der = await issueCertificate(
    {
      subject: [["CN", name]],
      spki: key.publicKey.spki,
      serial: "01",
      notBefore: START,
      notAfter,
      ca: {},
      keyUsage: [KEY_USAGE.keyCertSign],
    },
    issuer,
  );
  return { certificate: parseCertificate(der), key, name };
}

/** A key that signs tokens. */
export interface TokenKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly spki: Uint8Array;
}

export async function tokenKey(): Promise<TokenKey> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  return { privateKey, publicJwk: { ...(await exportJWK(publicKey)), alg: "ES256" }, spki };
}

/** A certificate of a token key; self-signed ones come from `authority`. */
export async function certified(key: TokenKey, by: Certified, notAfter: Date = END): Promise<Certificate> {
  const der = await issueCertificate(
    {
      subject: [["CN", "attestation tokens"]],
      spki: key.spki,
      serial: "02",
      notBefore: START,
      notAfter,
      keyUsage: [KEY_USAGE.digitalSignature],
    },
    { name: [["CN", by.name]], key: by.key },
  );
  return parseCertificate(der);
}

export function x5cOf(...chain: readonly Certificate[]): string[] {
  return chain.map(({ der }) => toBase64(der));
}

export async function tokenOf(claims: JsonObject, key: TokenKey, header: JsonObject): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "ES256", ...header }).sign(key.privateKey);
}
