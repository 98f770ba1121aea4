// SPDX-License-Identifier: Apache-2.0
// Binary certificates of one platform, PDH, PEK, OCA and CEK: an EC key, and slots for two signatures.
// SEV API (55766) section C.2. The guest owner's certificate is a PDH without signatures.

import { type Bytes, isZero, reversed } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { AdytonError } from "@adyton/core/errors";
import { EvidenceError, unknownVersion } from "../../errors.ts";
import {
  ALGORITHM,
  isPlausibleVersion,
  joinScalars,
  nameOf,
  reversedScalars,
  SCALAR_FIELD,
  type SevAlgorithm,
  type SevUsage,
  splitScalars,
  UNUSED,
  USAGE,
} from "./numbers.ts";
import { invalidField } from "./refusal.ts";

export type SevPlatformUsage = Exclude<SevUsage, "ARK" | "ASK">;
export type SevCurve = "P-256" | "P-384";

/** A signature slot in use. */
export interface SevSignature {
  /** Who signed: tells the slots apart. */
  readonly usage: SevUsage;
  readonly algorithm: SevAlgorithm;
  /** Big-endian: r and s of 72 bytes each, or the 512 bytes that hold an RSA signature. */
  readonly signature: Uint8Array;
}

/** What a platform certificate says. Numbers are big-endian. */
export interface SevPlatformFields {
  /** Of the firmware's API when the key was made. */
  readonly apiMajor: number;
  readonly apiMinor: number;
  readonly usage: SevPlatformUsage;
  readonly algorithm: SevAlgorithm;
  readonly curve: SevCurve;
  /** x || y, as long as the curve's coordinates are. */
  readonly point: Uint8Array;
  readonly signatures: readonly [SevSignature | undefined, SevSignature | undefined];
}

export interface SevPlatformCertificate extends SevPlatformFields {
  /** All of it, as received. */
  readonly bytes: Uint8Array;
  readonly signedPart: Uint8Array;
}

/** Bytes of a platform certificate. */
export const SEV_PLATFORM_CERTIFICATE_SIZE = 0x824;
const BODY = 0x414;
const SLOT_SIGNATURE = 512;
const VERSION = 1;
const CURVE: Readonly<Record<SevCurve, number>> = { "P-256": 1, "P-384": 2 };
const COORDINATE: Readonly<Record<SevCurve, number>> = { "P-256": 32, "P-384": 48 };
/** From the end of the point to the end of the body: the key field has room for RSA's numbers. */
const BODY_RESERVED = BODY - 0x14 - 2 * SCALAR_FIELD;

/** Whether `bytes` begin like a platform certificate of AMD's; Hygon's have another curve. */
export function looksLikeSevPlatform(bytes: Uint8Array): boolean {
  if (bytes.length < 0x14) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (
    isPlausibleVersion(view.getUint32(0, true)) &&
    isPlatformUsage(nameOf(USAGE, view.getUint32(0x8, true))) &&
    nameOf(CURVE, view.getUint32(0x10, true)) !== undefined
  );
}

/** Parses one certificate of exactly 2,084 bytes. Throws `INVALID_SEV_CERTIFICATE`. */
export function parseSevPlatformCertificate(bytes: Uint8Array): SevPlatformCertificate {
  try {
    return read(bytes);
  } catch (cause) {
    if (!(cause instanceof AdytonError) || cause instanceof EvidenceError) throw cause;
    throw new EvidenceError(
      "INVALID_SEV_CERTIFICATE",
      "malformed",
      `Cannot parse SEV platform certificate: got ${bytes.length} bytes, expected ${SEV_PLATFORM_CERTIFICATE_SIZE}`,
      { detail: cause.detail, cause },
    );
  }
}

/** The 2,084 bytes of a certificate. Throws `OUT_OF_BOUNDS` when a field has another size than it must. */
export function encodeSevPlatformCertificate(fields: SevPlatformFields): Bytes {
  const writer = new Writer(SEV_PLATFORM_CERTIFICATE_SIZE).bytes(encodeSevPlatformBody(fields), BODY, "body");
  for (const slot of fields.signatures) {
    if (slot === undefined) {
      writer.u32le(UNUSED).zeros(4 + SLOT_SIGNATURE);
      continue;
    }
    writer.u32le(USAGE[slot.usage]).u32le(ALGORITHM[slot.algorithm]);
    if (isRsa(slot.algorithm)) writer.bytes(reversed(slot.signature), SLOT_SIGNATURE, "signature");
    else {
      const { signature } = slot;
      if (signature.length !== 2 * SCALAR_FIELD) throw invalid("signature", signature.length, "144 bytes");
      writer.bytes(reversedScalars(signature), 2 * SCALAR_FIELD, "signature");
      writer.zeros(SLOT_SIGNATURE - 2 * SCALAR_FIELD);
    }
  }
  return writer.finish();
}

/** The part of a certificate that is signed. Throws `OUT_OF_BOUNDS`. */
export function encodeSevPlatformBody(fields: Omit<SevPlatformFields, "signatures">): Bytes {
  const point = reversedScalars(splitScalars(fields.point));
  if (fields.point.length !== 2 * COORDINATE[fields.curve]) {
    throw invalid(
      "point",
      `${fields.point.length} bytes`,
      `${2 * COORDINATE[fields.curve]} on ${fields.curve}`,
    );
  }
  return new Writer(BODY)
    .u32le(VERSION)
    .u8(fields.apiMajor)
    .u8(fields.apiMinor)
    .zeros(2)
    .u32le(USAGE[fields.usage])
    .u32le(ALGORITHM[fields.algorithm])
    .u32le(CURVE[fields.curve])
    .bytes(point, 2 * SCALAR_FIELD, "point")
    .zeros(BODY_RESERVED)
    .finish();
}

function read(bytes: Uint8Array): SevPlatformCertificate {
  const reader = new Reader(bytes, "SEV platform certificate");
  const version = reader.u32le("version");
  if (version !== VERSION) {
    throw unknownVersion(
      "INVALID_SEV_CERTIFICATE",
      "parse SEV platform certificate",
      "version",
      version,
      `${VERSION}`,
    );
  }
  const apiMajor = reader.u8("api major");
  const apiMinor = reader.u8("api minor");
  if (reader.u16le("reserved") !== 0) throw invalid("reserved", "not zero", "zeros");
  const usageNumber = reader.u32le("usage");
  const usage = nameOf(USAGE, usageNumber);
  if (!isPlatformUsage(usage)) throw invalid("usage", hex(usageNumber), "1001h to 1004h");
  const algorithm = algorithmOf("algorithm", reader.u32le("algorithm"));
  if (isRsa(algorithm)) throw invalid("algorithm", algorithm, "one of ECDSA or ECDH");
  const curveNumber = reader.u32le("curve");
  const curve = nameOf(CURVE, curveNumber);
  if (curve === undefined) throw invalid("curve", curveNumber, "1 (P-256) or 2 (P-384)");
  const point = joinScalars(reversedScalars(reader.bytes(2 * SCALAR_FIELD, "point")), COORDINATE[curve]);
  if (point === undefined) throw invalid("point", "longer", `coordinates of ${curve}`);
  if (!isZero(reader.bytes(BODY_RESERVED, "reserved"))) throw invalid("reserved", "not zero", "zeros");
  const signedPart = bytes.subarray(0, reader.offset);
  const signatures = [readSlot(reader), readSlot(reader)] as const;
  reader.end();
  if (signatures[0] !== undefined && signatures[0].usage === signatures[1]?.usage) {
    throw invalid("second signature", `by the ${signatures[0].usage} again`, "by another key");
  }
  return { apiMajor, apiMinor, usage, algorithm, curve, point, signatures, signedPart, bytes };
}

function readSlot(reader: Reader): SevSignature | undefined {
  const usageNumber = reader.u32le("signature usage");
  const algorithmNumber = reader.u32le("signature algorithm");
  const field = reader.bytes(SLOT_SIGNATURE, "signature");
  if (usageNumber === UNUSED) {
    if (algorithmNumber !== 0 || !isZero(field)) throw invalid("unused signature", "not zero", "zeros");
    return undefined;
  }
  const usage = nameOf(USAGE, usageNumber);
  if (usage === undefined) throw invalid("signature usage", hex(usageNumber), "that of a key, or 1000h");
  const algorithm = algorithmOf("signature algorithm", algorithmNumber);
  if (isRsa(algorithm)) return { usage, algorithm, signature: reversed(field) };
  if (algorithm.startsWith("ECDH")) throw invalid("signature algorithm", algorithm, "one of RSA or ECDSA");
  if (!isZero(field.subarray(2 * SCALAR_FIELD))) throw invalid("signature", "longer", "r and s, then zeros");
  return { usage, algorithm, signature: reversedScalars(field.subarray(0, 2 * SCALAR_FIELD)) };
}

function algorithmOf(field: string, number: number): SevAlgorithm {
  const algorithm = nameOf(ALGORITHM, number);
  if (algorithm === undefined) throw invalid(field, hex(number), "1h to 3h, or 101h to 103h");
  return algorithm;
}

function isPlatformUsage(usage: SevUsage | undefined): usage is SevPlatformUsage {
  return usage !== undefined && usage !== "ARK" && usage !== "ASK";
}

function isRsa(algorithm: SevAlgorithm): boolean {
  return algorithm.startsWith("RSA");
}

function hex(number: number): string {
  return `${number.toString(16)}h`;
}

function invalid(field: string, found: unknown, expected: string): EvidenceError {
  return invalidField("INVALID_SEV_CERTIFICATE", "platform certificate", field, found, expected);
}
