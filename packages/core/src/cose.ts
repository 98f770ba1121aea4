// SPDX-License-Identifier: Apache-2.0
// COSE_Sign1 (RFC 9052 section 4.2) and EC2 keys (RFC 9053 section 7.1).

import { type Bytes, concat } from "./bytes.ts";
import { type CborMap, CborTag, type CborValue, encodeCbor, isCborMap, parseCbor } from "./cbor.ts";
import { type CurveName, fieldSize, type PublicKey, type SignatureAlgorithm, spkiOfPoint } from "./crypto.ts";
import { CoreError, malformed } from "./errors.ts";

/** A parsed COSE_Sign1; byte arrays are views of the input. */
export interface Sign1 {
  /** The protected header, as received. */
  readonly protectedBytes: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly unprotected: CborMap;
  readonly payload: Uint8Array;
  /** r || s for ECDSA. */
  readonly signature: Uint8Array;
}

const TAG_SIGN1 = 18;
const HEADER = { alg: 1, crit: 2 } as const;
/** RFC 9053 section 2.1 and 2.2, RFC 8230 section 2. */
const ALGORITHMS: ReadonlyMap<number, SignatureAlgorithm> = new Map<number, SignatureAlgorithm>([
  [-7, { name: "ECDSA", hash: "SHA-256" }],
  [-35, { name: "ECDSA", hash: "SHA-384" }],
  [-36, { name: "ECDSA", hash: "SHA-512" }],
  [-8, { name: "Ed25519" }],
  [-37, { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 }],
  [-38, { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 }],
  [-39, { name: "RSA-PSS", hash: "SHA-512", saltLength: 64 }],
]);
const CURVES: ReadonlyMap<CborValue, CurveName> = new Map<CborValue, CurveName>([
  [1, "P-256"],
  [2, "P-384"],
  [3, "P-521"],
]);
const KEY = { kty: 1, crv: -1, x: -2, y: -3 } as const;
const KTY_EC2 = 2;

/** Reads a COSE_Sign1, tagged (18) or not. `what` names it in errors. Throws `INVALID_COSE`, `INVALID_CBOR`. */
export function parseSign1(bytes: Uint8Array, what: string): Sign1 {
  const value = parseCbor(bytes, what);
  const parts = value instanceof CborTag && value.tag === TAG_SIGN1 ? value.value : value;
  if (!Array.isArray(parts) || parts.length !== 4) return invalid(what, "no array of four");
  const [protectedBytes, unprotected, payload, signature] = parts as readonly CborValue[];
  if (!(protectedBytes instanceof Uint8Array))
    return invalid(what, "a protected header that is no byte string");
  if (unprotected === undefined || !isCborMap(unprotected))
    return invalid(what, "an unprotected header that is no map");
  if (!(payload instanceof Uint8Array)) return invalid(what, "a payload that is no byte string");
  if (!(signature instanceof Uint8Array)) return invalid(what, "a signature that is no byte string");
  const header = parseCbor(protectedBytes, `${what}, protected header`);
  if (!isCborMap(header)) return invalid(what, "a protected header that is no map");
  if (header.has(HEADER.crit)) return invalid(what, "critical header parameters, none are known");
  if (unprotected.has(HEADER.alg)) return invalid(what, "an algorithm outside the protected header");
  const id = header.get(HEADER.alg);
  const algorithm = typeof id === "number" ? ALGORITHMS.get(id) : undefined;
  if (algorithm === undefined) {
    throw new CoreError(
      "UNSUPPORTED_ALGORITHM",
      "malformed",
      `Cannot use ${what}: COSE algorithm ${String(id)} is unknown`,
      {
        detail: { what, algorithm: String(id) },
      },
    );
  }
  return { protectedBytes, algorithm, unprotected, payload, signature };
}

/** True when `key` made the signature over header, `externalData` and payload. */
export async function verifySign1(
  sign1: Sign1,
  key: PublicKey,
  externalData: Uint8Array = new Uint8Array(0),
): Promise<boolean> {
  return key.verify(
    sign1.algorithm,
    sign1.signature,
    signedBytes(sign1.protectedBytes, sign1.payload, externalData),
  );
}

/** The Sig_structure of RFC 9052 section 4.4: what is signed. */
export function signedBytes(
  protectedBytes: Uint8Array,
  payload: Uint8Array,
  externalData: Uint8Array = new Uint8Array(0),
): Bytes {
  return encodeCbor(["Signature1", protectedBytes, externalData, payload]);
}

/** The protected header for `algorithm`. Throws `UNSUPPORTED_ALGORITHM`. */
export function protectedHeader(algorithm: SignatureAlgorithm): Bytes {
  for (const [id, candidate] of ALGORITHMS) {
    if (JSON.stringify(candidate) === JSON.stringify(algorithm))
      return encodeCbor(new Map([[HEADER.alg, id]]));
  }
  throw new CoreError("UNSUPPORTED_ALGORITHM", "misuse", `Cannot sign COSE with ${algorithm.name}`);
}

/** A tagged COSE_Sign1 of its parts. */
export function encodeSign1(
  protectedBytes: Uint8Array,
  payload: Uint8Array,
  signature: Uint8Array,
  tagged: boolean = true,
): Bytes {
  const array: CborValue = [protectedBytes, new Map(), payload, signature];
  return encodeCbor(tagged ? new CborTag(TAG_SIGN1, array) : array);
}

/** SubjectPublicKeyInfo of a COSE_Key of type EC2 with an uncompressed point. Throws `INVALID_KEY`. */
export function spkiOfCoseKey(key: CborMap): Bytes {
  const curve = CURVES.get(key.get(KEY.crv));
  const x = key.get(KEY.x);
  const y = key.get(KEY.y);
  if (key.get(KEY.kty) !== KTY_EC2 || curve === undefined) {
    throw malformed("INVALID_KEY", "Cannot use COSE key: not EC2 on P-256, P-384 or P-521");
  }
  const size = fieldSize(curve);
  if (!(x instanceof Uint8Array) || !(y instanceof Uint8Array) || x.length !== size || y.length !== size) {
    throw malformed("INVALID_KEY", `Cannot use COSE key: x and y are not ${size} bytes each`);
  }
  return spkiOfPoint(curve, concat(x, y));
}

/** The EC2 COSE_Key of a point x || y. */
export function coseKeyOfPoint(curve: CurveName, xy: Uint8Array): CborMap {
  const size = fieldSize(curve);
  const id = [...CURVES].find(([, name]) => name === curve)?.[0];
  return new Map<number, CborValue>([
    [KEY.kty, KTY_EC2],
    [KEY.crv, id],
    [KEY.x, xy.subarray(0, size)],
    [KEY.y, xy.subarray(size)],
  ]);
}

function invalid(what: string, found: string): never {
  throw malformed("INVALID_COSE", `Cannot parse ${what}: found ${found}`, { what, found });
}
