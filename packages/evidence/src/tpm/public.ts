// SPDX-License-Identifier: Apache-2.0
// TPM public areas (TPMT_PUBLIC, TPM 2.0 Library 1.59, part 2, section 12.2.4) of RSA and ECC keys, their names, and
// the SubjectPublicKeyInfo of their keys.

import { type Bytes, concat, isZero } from "@adyton/core/bytes";
import { type CurveName, fieldSize, spkiOfPoint, type VerifyingCrypto } from "@adyton/core/crypto";
import { Reader, Writer } from "@adyton/core/cursor";
import { encodeDer } from "@adyton/core/der";
import { ALGORITHM, digestOf, hashOfId, idOfHash, type TpmHash } from "./algorithms.ts";
import { encodeSized, sized } from "./attest.ts";
import { asStructure, invalidStructure } from "./error.ts";

/** Masks of TPMA_OBJECT, part 2, section 8.3. */
export const OBJECT_ATTRIBUTE = {
  fixedTpm: 0x2,
  stClear: 0x4,
  fixedParent: 0x10,
  sensitiveDataOrigin: 0x20,
  userWithAuth: 0x40,
  adminWithPolicy: 0x80,
  noDa: 0x400,
  restricted: 0x10000,
  decrypt: 0x20000,
  sign: 0x40000,
} as const;

export interface TpmPublicFields {
  readonly nameHash: TpmHash;
  /** TPMA_OBJECT. */
  readonly attributes: number;
  readonly authPolicy: Uint8Array;
  /** What the key's children or, of an endorsement key, its secrets are encrypted with. */
  readonly symmetric:
    | { readonly algorithm: number; readonly bits: number; readonly mode: number }
    | undefined;
  readonly scheme: { readonly algorithm: number; readonly hash: TpmHash | undefined } | undefined;
  readonly key:
    | { readonly type: "RSA"; readonly bits: number; readonly exponent: number; readonly modulus: Uint8Array }
    | { readonly type: "ECC"; readonly curve: CurveName; readonly x: Uint8Array; readonly y: Uint8Array };
}

export interface TpmPublic extends TpmPublicFields {
  /** The TPMT_PUBLIC as received: names are over these bytes. */
  readonly encoded: Uint8Array;
}

const CURVES: Readonly<Record<number, CurveName>> = { 3: "P-256", 4: "P-384", 5: "P-521" };
const CURVE_ID: Readonly<Record<CurveName, number>> = { "P-256": 3, "P-384": 4, "P-521": 5 };
const DEFAULT_EXPONENT = 65537;
const MAX_MODULUS = 512;
/** TPMU_ASYM_SCHEME: those without a hash. */
const RSAES = 0x0015;

/** Parses a TPMT_PUBLIC, or a TPM2B_PUBLIC, which has its size in front. Throws `INVALID_TPM_STRUCTURE`. */
export function parseTpmPublic(bytes: Uint8Array): TpmPublic {
  return asStructure(() => {
    const first = bytes.length < 2 ? -1 : ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
    const bare = first === bytes.length - 2 ? bytes.subarray(2) : bytes;
    return { ...parsePublic(new Reader(bare, "TPM public area")), encoded: bare };
  });
}

/** The bytes of a TPMT_PUBLIC. */
export function encodeTpmPublic({
  nameHash,
  attributes,
  authPolicy,
  symmetric,
  scheme,
  key,
}: TpmPublicFields): Bytes {
  return concat(
    new Writer(8)
      .u16be(key.type === "RSA" ? ALGORITHM.rsa : ALGORITHM.ecc)
      .u16be(idOfHash(nameHash))
      .u32be(attributes)
      .finish(),
    encodeSized(authPolicy),
    symmetric === undefined
      ? u16(ALGORITHM.null)
      : concat(u16(symmetric.algorithm), u16(symmetric.bits), u16(symmetric.mode)),
    scheme === undefined
      ? u16(ALGORITHM.null)
      : concat(u16(scheme.algorithm), ...(scheme.hash === undefined ? [] : [u16(idOfHash(scheme.hash))])),
    ...(key.type === "RSA"
      ? [
          u16(key.bits),
          new Writer(4).u32be(key.exponent === DEFAULT_EXPONENT ? 0 : key.exponent).finish(),
          encodeSized(key.modulus),
        ]
      : [u16(CURVE_ID[key.curve]), u16(ALGORITHM.null), encodeSized(key.x), encodeSized(key.y)]),
  );
}

/** The key's name: the name algorithm and the digest of the public area (part 1, section 16). */
export async function nameOf(
  { nameHash, encoded }: Pick<TpmPublic, "nameHash" | "encoded">,
  crypto: Pick<VerifyingCrypto, "digest">,
): Promise<Bytes> {
  return concat(u16(idOfHash(nameHash)), await digestOf(nameHash, encoded, crypto));
}

/** The key as SubjectPublicKeyInfo, DER. */
export function spkiOfTpmPublic({ key }: TpmPublicFields): Bytes {
  return key.type === "RSA"
    ? rsaSpki(key.modulus, key.exponent)
    : spkiOfPoint(key.curve, concat(key.x, key.y));
}

/** SubjectPublicKeyInfo of an RSA key (RFC 8017 appendix A.1.1). */
export function rsaSpki(modulus: Uint8Array, exponent: number): Bytes {
  const key = encodeDer.sequence(encodeDer.unsigned(modulus), encodeDer.integer(exponent));
  return encodeDer.sequence(
    encodeDer.sequence(encodeDer.oid("1.2.840.113549.1.1.1"), encodeDer.null()),
    encodeDer.bitString(key),
  );
}

/** A key that signs nothing but what its TPM says, and never leaves it (part 1, section 25.1.3). */
export function isAttestationKey({ attributes }: Pick<TpmPublicFields, "attributes">): boolean {
  const must = OBJECT_ATTRIBUTE.restricted | OBJECT_ATTRIBUTE.sign | OBJECT_ATTRIBUTE.fixedTpm;
  return (attributes & must) === must && (attributes & OBJECT_ATTRIBUTE.decrypt) === 0;
}

function parsePublic(reader: Reader): TpmPublicFields {
  const type = reader.u16be("type");
  const nameId = reader.u16be("nameAlg");
  const nameHash = hashOfId(nameId);
  if (nameHash === undefined) throw unknown("name algorithm", nameId);
  const attributes = reader.u32be("objectAttributes");
  const authPolicy = sized(reader, "authPolicy");
  const symmetric = parseSymmetric(reader);
  const scheme = parseScheme(reader);
  if (type === ALGORITHM.rsa) {
    const bits = reader.u16be("keyBits");
    const exponent = reader.u32be("exponent") || DEFAULT_EXPONENT;
    const modulus = sized(reader, "unique");
    reader.end();
    if (modulus.length === 0 || modulus.length > MAX_MODULUS || 8 * modulus.length !== bits) {
      throw invalidStructure(
        "TPM public area",
        `a modulus of ${modulus.length} bytes in a key of ${bits} bits`,
      );
    }
    return {
      nameHash,
      attributes,
      authPolicy,
      symmetric,
      scheme,
      key: { type: "RSA", bits, exponent, modulus },
    };
  }
  if (type !== ALGORITHM.ecc) throw unknown("key type", type);
  const curveId = reader.u16be("curveID");
  const curve = CURVES[curveId];
  if (curve === undefined) throw unknown("curve", curveId);
  const kdf = reader.u16be("kdf");
  if (kdf !== ALGORITHM.null) throw unknown("key derivation", kdf);
  const x = coordinate(sized(reader, "x"), curve);
  const y = coordinate(sized(reader, "y"), curve);
  reader.end();
  return { nameHash, attributes, authPolicy, symmetric, scheme, key: { type: "ECC", curve, x, y } };
}

/** TPMT_SYM_DEF_OBJECT, part 2, section 11.1.7. */
function parseSymmetric(reader: Reader): TpmPublicFields["symmetric"] {
  const algorithm = reader.u16be("symmetric");
  if (algorithm === ALGORITHM.null) return undefined;
  return { algorithm, bits: reader.u16be("symmetric keyBits"), mode: reader.u16be("symmetric mode") };
}

/** TPMT_RSA_SCHEME or TPMT_ECC_SCHEME with a hash, or RSAES, which has none. */
function parseScheme(reader: Reader): TpmPublicFields["scheme"] {
  const algorithm = reader.u16be("scheme");
  if (algorithm === ALGORITHM.null) return undefined;
  if (algorithm === RSAES) return { algorithm, hash: undefined };
  const id = reader.u16be("scheme hash");
  const hash = hashOfId(id);
  if (hash === undefined) throw unknown("scheme's hash", id);
  return { algorithm, hash };
}

/** TPMs may leave leading zeros out: here coordinates have the field's size. */
function coordinate(bytes: Uint8Array, curve: CurveName): Uint8Array {
  const size = fieldSize(curve);
  if (bytes.length > size || isZero(bytes)) {
    throw invalidStructure("TPM public area", `a coordinate of ${bytes.length} bytes on ${curve}`);
  }
  return concat(new Uint8Array(size - bytes.length), bytes);
}

function u16(value: number): Bytes {
  return new Writer(2).u16be(value).finish();
}

function unknown(what: string, found: number): Error {
  return invalidStructure("TPM public area", `${what} ${found.toString(16)}h is unknown`, {
    field: what,
    found,
  });
}
