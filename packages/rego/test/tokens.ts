// SPDX-License-Identifier: Apache-2.0
// Tokens and keys for tests, signed by the provider that may wait.

import { fromUtf8, toBase64Url } from "@adyton/core/bytes";
import { defaultCrypto, type PrivateKey, pointOfSpki, type SignatureAlgorithm } from "@adyton/core/crypto";
import { type DerValue, parseDer } from "@adyton/core/der";
import { toPem } from "@adyton/core/pem";

export type Claims = Readonly<Record<string, unknown>>;

/** The compact form of header and claims, signed. */
export async function signToken(
  header: Claims,
  claims: Claims | string,
  key: PrivateKey,
  how: SignatureAlgorithm,
): Promise<string> {
  const signed = signingInput(header, claims);
  return `${signed}.${toBase64Url(await key.sign(how, fromUtf8(signed)))}`;
}

export async function macToken(
  header: Claims,
  claims: Claims | string,
  secret: Uint8Array,
  hash: "SHA-256" | "SHA-384" | "SHA-512",
): Promise<string> {
  const signed = signingInput(header, claims);
  return `${signed}.${toBase64Url(await defaultCrypto.hmac(hash, secret, fromUtf8(signed)))}`;
}

export function signingInput(header: Claims, claims: Claims | string): string {
  const payload = typeof claims === "string" ? claims : JSON.stringify(claims);
  return [JSON.stringify(header), payload].map((part) => toBase64Url(fromUtf8(part))).join(".");
}

export function publicPem(key: PrivateKey): string {
  return toPem("PUBLIC KEY", key.publicKey.spki);
}

/** The public JSON Web Key. */
export function publicJwk(key: PrivateKey, more: Claims = {}): Claims {
  const { algorithm, spki } = key.publicKey;
  switch (algorithm.name) {
    case "EC": {
      const xy = pointOfSpki(algorithm.curve, spki) ?? new Uint8Array(0);
      const half = xy.length / 2;
      return {
        kty: "EC",
        crv: algorithm.curve,
        x: toBase64Url(xy.subarray(0, half)),
        y: toBase64Url(xy.subarray(half)),
        ...more,
      };
    }
    case "RSA": {
      const [, bits] = parseDer(spki, "key").sequence(2) as [DerValue, DerValue];
      const [n, e] = parseDer(bits.bitString(), "key").sequence(2) as [DerValue, DerValue];
      return { kty: "RSA", n: toBase64Url(n.unsigned()), e: toBase64Url(e.unsigned()), ...more };
    }
    case "Ed25519":
      return { kty: "OKP", crv: "Ed25519", x: toBase64Url(spki.subarray(-32)), ...more };
  }
}
