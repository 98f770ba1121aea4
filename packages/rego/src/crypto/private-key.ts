// SPDX-License-Identifier: Apache-2.0
// Private keys: PKCS #8, PKCS #1 and SEC 1, and JSON Web Keys (RFC 7518 section 6, RFC 8037), turned into each other.
// Only encodings are handled here; nothing computes with a key but the crypto floor.

import { type Bytes, fromBase64Url, isZero, toBase64, toBase64Url } from "@adyton/core/bytes";
import { type CurveName, fieldSize } from "@adyton/core/crypto";
import { type DerValue, encodeDer, parseDer } from "@adyton/core/der";
import { syncCrypto } from "@adyton/core/sync-crypto";
import { failure } from "../builtins/define.ts";
import type { Value } from "../value.ts";
import { numberOf } from "./public-key.ts";

export const OID = { rsa: "1.2.840.113549.1.1.1", ec: "1.2.840.10045.2.1", ed25519: "1.3.101.112" } as const;
const CURVES: Readonly<Record<CurveName, string>> = {
  "P-256": "1.2.840.10045.3.1.7",
  "P-384": "1.3.132.0.34",
  "P-521": "1.3.132.0.35",
};

/** Members of an RSA private key in the order of RFC 8017 appendix A.1.2, after the version. */
const RSA_MEMBERS = ["n", "e", "d", "p", "q", "dp", "dq", "qi"] as const;
type RsaMember = (typeof RSA_MEMBERS)[number];

export type PrivateKeyParts =
  | { readonly kind: "RSA"; readonly numbers: Readonly<Record<RsaMember, Uint8Array>> }
  | { readonly kind: "EC"; readonly curve: CurveName; readonly d: Uint8Array; readonly xy: Uint8Array }
  | { readonly kind: "Ed25519"; readonly seed: Uint8Array; readonly publicKey: Uint8Array };

/** The key in a PEM block, undefined for a label that holds none. */
export function privateKeyOf(label: string, der: Uint8Array): PrivateKeyParts | undefined {
  switch (label) {
    case "RSA PRIVATE KEY":
      return rsaParts(der);
    case "EC PRIVATE KEY":
      return ecParts(der, undefined);
    case "PRIVATE KEY":
      return pkcs8Parts(der);
    default:
      return undefined;
  }
}

/** PKCS #8 (RFC 5208) of the parts. */
export function pkcs8Of(parts: PrivateKeyParts): Bytes {
  const wrap = (algorithm: Uint8Array, key: Uint8Array): Bytes =>
    encodeDer.sequence(encodeDer.integer(0), algorithm, encodeDer.octetString(key));
  switch (parts.kind) {
    case "RSA": {
      const numbers = RSA_MEMBERS.map((member) => encodeDer.unsigned(parts.numbers[member]));
      return wrap(
        encodeDer.sequence(encodeDer.oid(OID.rsa), encodeDer.null()),
        encodeDer.sequence(encodeDer.integer(0), ...numbers),
      );
    }
    case "EC":
      return wrap(
        encodeDer.sequence(encodeDer.oid(OID.ec), encodeDer.oid(CURVES[parts.curve])),
        encodeDer.sequence(encodeDer.integer(1), encodeDer.octetString(parts.d)),
      );
    case "Ed25519":
      return wrap(encodeDer.sequence(encodeDer.oid(OID.ed25519)), encodeDer.octetString(parts.seed));
  }
}

/** A JSON Web Key. */
export function jwkOf(parts: PrivateKeyParts): { readonly [key: string]: Value } {
  switch (parts.kind) {
    case "RSA":
      return {
        kty: "RSA",
        ...Object.fromEntries(RSA_MEMBERS.map((member) => [member, toBase64Url(parts.numbers[member])])),
      };
    case "EC": {
      const half = parts.xy.length / 2;
      const [x, y] = [parts.xy.subarray(0, half), parts.xy.subarray(half)].map(toBase64Url);
      return { kty: "EC", crv: parts.curve, d: toBase64Url(parts.d), x: x ?? "", y: y ?? "" };
    }
    case "Ed25519":
      return { kty: "OKP", crv: "Ed25519", d: toBase64Url(parts.seed), x: toBase64Url(parts.publicKey) };
  }
}

/** The key as Go's JSON encoder shows its structure. */
export function goValueOf(parts: PrivateKeyParts): Value {
  switch (parts.kind) {
    case "RSA": {
      const { n, e, d, p, q, dp, dq, qi } = parts.numbers;
      return {
        N: numberOf(n),
        E: numberOf(e),
        D: numberOf(d),
        Primes: [numberOf(p), numberOf(q)],
        Precomputed: { Dp: numberOf(dp), Dq: numberOf(dq), Qinv: numberOf(qi), CRTValues: [] },
      };
    }
    case "EC": {
      const half = parts.xy.length / 2;
      return {
        Curve: {},
        X: numberOf(parts.xy.subarray(0, half)),
        Y: numberOf(parts.xy.subarray(half)),
        D: numberOf(parts.d),
      };
    }
    case "Ed25519":
      return toBase64(Uint8Array.of(...parts.seed, ...parts.publicKey));
  }
}

/** The public key that belongs to it, as a SubjectPublicKeyInfo. Throws where this runtime cannot tell. */
export function spkiOf(parts: PrivateKeyParts): Uint8Array {
  if (parts.kind !== "RSA") return syncCrypto.importPrivateKey(pkcs8Of(parts)).publicKey.spki;
  const { n, e } = parts.numbers;
  return encodeDer.sequence(
    encodeDer.sequence(encodeDer.oid(OID.rsa), encodeDer.null()),
    encodeDer.bitString(encodeDer.sequence(encodeDer.unsigned(n), encodeDer.unsigned(e))),
  );
}

/** The parts of a private JSON Web Key of kind RSA, EC or OKP, given by its members. */
export function partsOfJwk(member: (name: string) => string | undefined): PrivateKeyParts {
  const bytes = (name: string): Bytes => {
    const text = member(name);
    if (text === undefined) throw failure(`JSON web key has no member ${name}`);
    return fromBase64Url(text);
  };
  switch (member("kty")) {
    case "RSA": {
      const numbers = Object.fromEntries(RSA_MEMBERS.map((name) => [name, bytes(name)])) as Record<
        RsaMember,
        Bytes
      >;
      if (Object.values(numbers).some(isZero)) throw failure("JSON web key: a member of an RSA key is zero");
      return { kind: "RSA", numbers };
    }
    case "EC": {
      const curve = member("crv");
      if (curve !== "P-256" && curve !== "P-384" && curve !== "P-521")
        throw failure("JSON web key on unknown curve");
      return ecOf(curve, bytes("d"));
    }
    case "OKP":
      if (member("crv") !== "Ed25519") throw failure("JSON web key on unknown curve");
      return ed25519Of(bytes("d"));
    default:
      throw failure("JSON web key of unknown kind");
  }
}

function rsaParts(der: Uint8Array): PrivateKeyParts {
  const [version, ...values] = parseDer(der, "RSA private key").sequence(9) as [DerValue, ...DerValue[]];
  if (version.smallInteger() !== 0) throw failure("x509: RSA keys of more than two primes are not supported");
  const numbers = Object.fromEntries(RSA_MEMBERS.map((member, i) => [member, values[i]?.unsigned()]));
  return { kind: "RSA", numbers: numbers as Record<RsaMember, Uint8Array> };
}

function ecParts(der: Uint8Array, named: string | undefined): PrivateKeyParts {
  const [version, secret, ...options] = parseDer(der, "EC private key").nonEmptySequence();
  if (version.smallInteger() !== 1 || secret === undefined)
    throw failure("x509: unknown EC private key version");
  const oid =
    named ??
    options
      .find((option) => option.is(0xa0))
      ?.elements(0xa0, 1)[0]
      ?.oid();
  const curve = (Object.keys(CURVES) as CurveName[]).find((name) => CURVES[name] === oid);
  if (curve === undefined) throw failure("x509: unknown elliptic curve");
  return ecOf(curve, secret.octetString());
}

function pkcs8Parts(der: Uint8Array): PrivateKeyParts {
  const [, identifier, octets] = parseDer(der, "PrivateKeyInfo").nonEmptySequence();
  if (identifier === undefined || octets === undefined) throw failure("x509: malformed PKCS #8 private key");
  const [oid, parameters] = identifier.nonEmptySequence();
  switch (oid.oid()) {
    case OID.rsa:
      return rsaParts(octets.octetString());
    case OID.ec:
      return ecParts(octets.octetString(), parameters?.oid());
    case OID.ed25519:
      return ed25519Of(parseDer(octets.octetString(), "Ed25519 private key").octetString());
    default:
      throw failure("x509: PKCS #8 wrapping contained private key with unknown algorithm");
  }
}

function ecOf(curve: CurveName, scalar: Uint8Array): PrivateKeyParts {
  const size = fieldSize(curve);
  const d = new Uint8Array(size);
  if (scalar.length > size && !isZero(scalar.subarray(0, scalar.length - size)))
    throw failure("x509: invalid EC scalar");
  d.set(scalar.subarray(Math.max(0, scalar.length - size)), Math.max(0, size - scalar.length));
  const spki = spkiOf({ kind: "EC", curve, d, xy: d });
  return { kind: "EC", curve, d, xy: spki.subarray(-2 * size) };
}

function ed25519Of(seed: Uint8Array): PrivateKeyParts {
  const spki = spkiOf({ kind: "Ed25519", seed, publicKey: seed });
  return { kind: "Ed25519", seed, publicKey: spki.subarray(-32) };
}
