// SPDX-License-Identifier: Apache-2.0
// Keys that tokens are checked with: a certificate or public key in PEM, a JSON Web Key or a set of them (RFC 7517).

import { type Bytes, concat, fromBase64Url, isZero } from "@adyton/core/bytes";
import { type CurveName, fieldSize, type SignatureAlgorithm, spkiOfPoint } from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import { CoreError } from "@adyton/core/errors";
import { type SyncPublicKey, syncCrypto } from "@adyton/core/sync-crypto";
import { BuiltinFailure } from "../builtin.ts";
import { failure } from "../builtins/define.ts";
import { parseJson } from "../json-text.ts";
import { isObject, memberOf, type Value } from "../value.ts";
import { parseCertificate } from "./certificate.ts";
import { guarded } from "./guard.ts";
import { singleBlock } from "./input.ts";
import { OID } from "./private-key.ts";

export interface TokenKey {
  /** Empty where the key does not say. */
  readonly alg: string;
  readonly kid: string;
  /** Undefined for a key that this runtime cannot use: it verifies nothing. */
  readonly publicKey?: SyncPublicKey;
  readonly secret?: Bytes;
}

/** How a token with this `alg` is signed (RFC 7518 section 3.1, RFC 8037 section 3.1). */
export type TokenAlgorithm =
  | { readonly hmac: "SHA-256" | "SHA-384" | "SHA-512" }
  | { readonly how: SignatureAlgorithm; readonly curve?: CurveName };

export const ALGORITHMS: ReadonlyMap<string, TokenAlgorithm> = new Map<string, TokenAlgorithm>([
  ...([256, 384, 512] as const).flatMap((bits): [string, TokenAlgorithm][] => {
    const hash = `SHA-${bits}` as const;
    const curve = bits === 512 ? "P-521" : (`P-${bits}` as const);
    return [
      [`HS${bits}`, { hmac: hash }],
      [`RS${bits}`, { how: { name: "RSASSA-PKCS1-v1_5", hash } }],
      [`PS${bits}`, { how: { name: "RSA-PSS", hash, saltLength: bits / 8 } }],
      [`ES${bits}`, { how: { name: "ECDSA", hash }, curve }],
    ];
  }),
  ["EdDSA", { how: { name: "Ed25519" } }],
]);

const MAX_KEYS = 256;

/** Every key that `text` holds. Keys for algorithms that no token has are passed over. */
export function tokenKeysOf(text: string): readonly TokenKey[] {
  return guarded(() => {
    const block = singleBlock(text);
    if (block?.label === "CERTIFICATE") return [{ alg: "", kid: "", ...usable(certifiedKey(block.der)) }];
    if (block?.label === "PUBLIC KEY") return [{ alg: "", kid: "", ...usable(block.der) }];
    if (block !== undefined) throw failure("failed to extract a Key from the PEM certificate");
    return jwksOf(parseKeyText(text)).flatMap((jwk) => {
      const alg = textMember(jwk, "alg");
      const key = { alg, kid: textMember(jwk, "kid"), ...materialOf(jwk) };
      return alg === "" || ALGORITHMS.has(alg) ? [key] : [];
    });
  });
}

/** One JSON Web Key, or those of a set. */
export function jwksOf(value: Value): readonly Value[] {
  const keys = isObject(value) ? memberOf(value, "keys") : undefined;
  if (keys === undefined) return [value];
  if (!Array.isArray(keys) || keys.length > MAX_KEYS)
    throw failure(`JSON web key set: not a list of at most ${MAX_KEYS} keys`);
  return keys;
}

/** A member that is a string, or an empty string for none. */
export function textMember(jwk: Value, name: string): string {
  const value = memberOf(jwk, name);
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  throw failure(`JSON web key: ${name} must be a string`);
}

/** True when `key` made `signature`, which takes a key of the kind and the curve that `algorithm` names. */
export function isSignature(
  key: TokenKey,
  algorithm: TokenAlgorithm,
  signature: Uint8Array,
  signed: Uint8Array,
): boolean {
  if ("hmac" in algorithm) return false;
  const { publicKey } = key;
  if (publicKey === undefined) return false;
  const { algorithm: kind } = publicKey;
  if (algorithm.curve !== undefined && (kind.name !== "EC" || kind.curve !== algorithm.curve)) return false;
  return publicKey.verify(algorithm.how, signature, signed);
}

function parseKeyText(text: string): Value {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof BuiltinFailure)
      throw failure("failed to parse a JWK key (set): it is neither PEM nor JSON");
    throw error;
  }
}

function certifiedKey(der: Uint8Array): Uint8Array {
  try {
    return parseCertificate(der).spki;
  } catch (error) {
    if (error instanceof CoreError || error instanceof BuiltinFailure)
      throw failure(`failed to parse a PEM certificate: ${error.message}`);
    throw error;
  }
}

function materialOf(jwk: Value): { publicKey?: SyncPublicKey; secret?: Bytes } {
  const bytes = (name: string): Bytes => {
    const text = textMember(jwk, name);
    if (text === "") throw failure(`failed to parse a JWK key (set): no member ${name}`);
    return fromBase64Url(text);
  };
  const curve = textMember(jwk, "crv");
  switch (textMember(jwk, "kty")) {
    case "oct":
      return { secret: bytes("k") };
    case "RSA":
      return usable(
        encodeDer.sequence(
          encodeDer.sequence(encodeDer.oid(OID.rsa), encodeDer.null()),
          encodeDer.bitString(
            encodeDer.sequence(encodeDer.unsigned(bytes("n")), encodeDer.unsigned(bytes("e"))),
          ),
        ),
      );
    case "EC":
      if (curve !== "P-256" && curve !== "P-384" && curve !== "P-521") break;
      return usable(spkiOfPoint(curve, concat(padded(bytes("x"), curve), padded(bytes("y"), curve))));
    case "OKP":
      if (curve !== "Ed25519") break;
      return usable(
        encodeDer.sequence(encodeDer.sequence(encodeDer.oid(OID.ed25519)), encodeDer.bitString(bytes("x"))),
      );
  }
  throw failure("failed to parse a JWK key (set): a key of unknown kind or curve");
}

function padded(coordinate: Uint8Array, curve: CurveName): Bytes {
  const size = fieldSize(curve);
  const excess = Math.max(0, coordinate.length - size);
  if (!isZero(coordinate.subarray(0, excess))) throw failure(`JSON web key: a coordinate beyond ${curve}`);
  return concat(new Uint8Array(size - coordinate.length + excess), coordinate.subarray(excess));
}

/** A key that is too small, or no point of its curve, verifies nothing; others of the set may. */
function usable(spki: Uint8Array): { publicKey?: SyncPublicKey } {
  try {
    return { publicKey: syncCrypto.importPublicKey(spki) };
  } catch (error) {
    if (error instanceof CoreError) return {};
    throw error;
  }
}
