// SPDX-License-Identifier: Apache-2.0
// What is common to both providers: key identification, curve constants, signature shapes.

import { type Bytes, concat, equal, fromHex, isZero, toHex } from "../bytes.ts";
import { type DerValue, encodeDer, parseDer } from "../der.ts";
import { CoreError, malformed } from "../errors.ts";
import type { CurveName, KeyAlgorithm, PrivateKey, PublicKey, SignatureAlgorithm } from "./types.ts";

const OID_EC_PUBLIC_KEY = "1.2.840.10045.2.1";
const OID_RSA = "1.2.840.113549.1.1.1";
const OID_ED25519 = "1.3.101.112";

const CURVE_OF_OID: Readonly<Record<string, CurveName>> = {
  "1.2.840.10045.3.1.7": "P-256",
  "1.3.132.0.34": "P-384",
  "1.3.132.0.35": "P-521",
};

interface Curve {
  /** Bytes of a field element. */
  readonly size: number;
  /** The order n in hex, as long as r and s; FIPS 186-4 appendix D.1.2. */
  readonly order: string;
}

const CURVES: Readonly<Record<CurveName, Curve>> = {
  "P-256": {
    size: 32,
    order: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
  },
  "P-384": {
    size: 48,
    order: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
  },
  "P-521": {
    size: 66,
    order:
      "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
  },
};

/** DER of a SubjectPublicKeyInfo up to the uncompressed point, in hex. */
const SPKI_PREFIX: Readonly<Record<CurveName, string>> = {
  "P-256": "3059301306072a8648ce3d020106082a8648ce3d030107034200",
  "P-384": "3076301006072a8648ce3d020106052b81040022036200",
  "P-521": "30819b301006072a8648ce3d020106052b8104002303818600",
};

/** Bytes of one coordinate, and of r and s. */
export function fieldSize(curve: CurveName): number {
  return CURVES[curve].size;
}

/** SubjectPublicKeyInfo of an uncompressed point given as x || y. Throws `INVALID_KEY` on a wrong length. */
export function spkiOfPoint(curve: CurveName, xy: Uint8Array): Bytes {
  const { size } = CURVES[curve];
  if (xy.length !== 2 * size) {
    throw malformed(
      "INVALID_KEY",
      `Cannot use ${curve} public key: got ${xy.length} bytes, expected ${2 * size}`,
    );
  }
  return concat(fromHex(SPKI_PREFIX[curve]), Uint8Array.of(4), xy);
}

/** x || y of an uncompressed point in the only encoding that `spkiOfPoint` makes, undefined for any other. */
export function pointOfSpki(curve: CurveName, spki: Uint8Array): Uint8Array | undefined {
  const xy = spki.subarray(-2 * CURVES[curve].size);
  return equal(spki, concat(fromHex(SPKI_PREFIX[curve]), Uint8Array.of(4), xy)) ? xy : undefined;
}

/** The kind of key that a SubjectPublicKeyInfo declares (RFC 5480, RFC 8410, RFC 8017). */
export function keyAlgorithmOf(spki: Uint8Array): KeyAlgorithm {
  const [identifier] = parseDer(spki, "SubjectPublicKeyInfo").sequence(2) as [DerValue, DerValue];
  return keyAlgorithmIn(identifier);
}

/** The kind of key that a PKCS #8 PrivateKeyInfo declares (RFC 5208 section 5). */
export function privateKeyAlgorithmOf(pkcs8: Uint8Array): KeyAlgorithm {
  const [, identifier] = parseDer(pkcs8, "PrivateKeyInfo").nonEmptySequence();
  if (identifier === undefined) throw malformed("INVALID_DER", "Cannot parse PrivateKeyInfo: no algorithm");
  return keyAlgorithmIn(identifier);
}

function keyAlgorithmIn(identifier: DerValue): KeyAlgorithm {
  const [oid, parameters] = identifier.nonEmptySequence();
  switch (oid.oid()) {
    case OID_EC_PUBLIC_KEY: {
      const curve = parameters === undefined ? undefined : CURVE_OF_OID[parameters.oid()];
      if (curve !== undefined) return { name: "EC", curve };
      break;
    }
    case OID_RSA:
      return { name: "RSA" };
    case OID_ED25519:
      return { name: "Ed25519" };
  }
  throw new CoreError(
    "UNSUPPORTED_ALGORITHM",
    "malformed",
    "Cannot use key: neither EC (P-256, P-384, P-521), RSA nor Ed25519",
    {
      detail: { oid: oid.oid() },
    },
  );
}

/** The key is of the kind that the algorithm needs. */
export function fits(how: SignatureAlgorithm, key: KeyAlgorithm): boolean {
  switch (how.name) {
    case "ECDSA":
      return key.name === "EC";
    case "RSA-PSS":
    case "RSASSA-PKCS1-v1_5":
      return key.name === "RSA";
    case "Ed25519":
      return key.name === "Ed25519";
  }
}

/** The curve that both keys are on. Throws `INVALID_KEY`. */
export function checkAgreement(privateKey: PrivateKey, peer: PublicKey): CurveName {
  const [own, other] = [privateKey.publicKey.algorithm, peer.algorithm];
  if (own.name === "EC" && other.name === "EC" && own.curve === other.curve) return own.curve;
  const [found, expected] = [own, other].map((key) => (key.name === "EC" ? key.curve : key.name));
  throw malformed(
    "INVALID_KEY",
    `Cannot agree on a secret: keys on ${found} and ${expected}, expected one curve`,
  );
}

/** Sizes of an AES key and of a counter block. Throws `INVALID_KEY`. */
export function checkAesCtr(key: Uint8Array, counter: Uint8Array): void {
  if ((key.length === 16 || key.length === 32) && counter.length === 16) return;
  throw malformed(
    "INVALID_KEY",
    `Cannot use AES-CTR: got a key of ${key.length} bytes and a counter of ${counter.length}, expected 16 or 32 and 16`,
  );
}

/**
 * The private scalar of an EC key in PKCS #8 (RFC 5915 section 3), as long as the curve's field and in [1, n-1].
 * Throws `INVALID_KEY`.
 */
export function scalarOfPkcs8(curve: CurveName, pkcs8: Uint8Array): Uint8Array {
  const { size, order } = CURVES[curve];
  const octets = parseDer(pkcs8, "PrivateKeyInfo").sequence()[2];
  const scalar = octets && parseDer(octets.octetString(), "EC private key").sequence()[1]?.octetString();
  if (scalar?.length === size && inRange(scalar, order)) return scalar;
  throw malformed("INVALID_KEY", `Cannot import private key: it is no scalar of ${curve}`);
}

/** r and s both in [1, n-1], at the curve's exact length. Anything else never reaches the crypto library. */
export function isPlausibleEcdsa(curve: CurveName, signature: Uint8Array): boolean {
  const { size, order } = CURVES[curve];
  if (signature.length !== 2 * size) return false;
  return inRange(signature.subarray(0, size), order) && inRange(signature.subarray(size), order);
}

/** ECDSA-Sig-Value (RFC 3279 section 2.2.3) to r || s. Throws `INVALID_DER` when r or s is no positive integer that fits. */
export function ecdsaFromDer(curve: CurveName, der: Uint8Array): Bytes {
  const { size } = CURVES[curve];
  const [r, s] = parseDer(der, "ECDSA signature").sequence(2) as [DerValue, DerValue];
  const out = new Uint8Array(2 * size);
  [r, s].forEach((value, i) => {
    const magnitude = value.unsigned();
    if (magnitude.length > size)
      throw malformed("INVALID_DER", `Cannot parse ECDSA signature: an integer exceeds ${size} bytes`);
    out.set(magnitude, (i + 1) * size - magnitude.length);
  });
  return out;
}

/** r || s to ECDSA-Sig-Value. */
export function ecdsaToDer(signature: Uint8Array): Bytes {
  const size = signature.length / 2;
  return encodeDer.sequence(
    encodeDer.unsigned(signature.subarray(0, size)),
    encodeDer.unsigned(signature.subarray(size)),
  );
}

/** Hex of one length compares as the numbers do, and costs less than making them. */
function inRange(bytes: Uint8Array, order: string): boolean {
  return !isZero(bytes) && toHex(bytes) < order;
}
