// SPDX-License-Identifier: Apache-2.0
// AMD's binary CA certificates, ARK and ASK: an RSA key and an RSASSA-PSS signature over all before it.
// SEV API (55766) section C.1: 2048 bits on Naples, 4096 since Rome.

import { type Bytes, concat, isZero, reversed } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { AdytonError } from "@adyton/core/errors";
import { EvidenceError, unknownVersion } from "../../errors.ts";
import { isPlausibleVersion, nameOf, USAGE } from "./numbers.ts";
import { invalidField } from "./refusal.ts";

/** What an ARK's or ASK's certificate says. Numbers are big-endian. */
export interface SevCaFields {
  readonly usage: "ARK" | "ASK";
  /** 16 bytes that name the key. */
  readonly keyId: Uint8Array;
  /** 16 bytes that name the signer's key. */
  readonly certifyingId: Uint8Array;
  readonly exponent: number;
  /** 256 or 512 bytes. */
  readonly modulus: Uint8Array;
  /** As long as the signer's modulus, which is as long as the key's own. */
  readonly signature: Uint8Array;
}

export interface SevCaCertificate extends SevCaFields {
  /** All of it, as received. */
  readonly bytes: Uint8Array;
  readonly signedPart: Uint8Array;
}

const HEADER = 0x40;
const VERSION = 1;
const RESERVED_AT = 0x28;
const USAGE_AT = 0x24;
const BITS_AT = 0x38;

/** Whether `bytes` begin like a CA certificate. */
export function looksLikeSevCa(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = view.getUint32(BITS_AT, true);
  const usage = view.getUint32(USAGE_AT, true);
  return (
    isPlausibleVersion(view.getUint32(0, true)) &&
    (usage === USAGE.ARK || usage === USAGE.ASK) &&
    isKeySize(bits) &&
    view.getUint32(BITS_AT + 4, true) === bits
  );
}

/** The size of the certificate whose header stands at the start of `bytes`, which look like one. */
export function sevCaSize(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return HEADER + (3 * view.getUint32(BITS_AT, true)) / 8;
}

/** Parses one whole certificate: 832 bytes, or 1,600. Throws `INVALID_SEV_CERTIFICATE`. */
export function parseSevCaCertificate(bytes: Uint8Array): SevCaCertificate {
  try {
    return read(bytes);
  } catch (cause) {
    if (!(cause instanceof AdytonError) || cause instanceof EvidenceError) throw cause;
    throw new EvidenceError(
      "INVALID_SEV_CERTIFICATE",
      "malformed",
      `Cannot parse SEV CA certificate: ${bytes.length} bytes. ${cause.message}`,
      {
        detail: cause.detail,
        hint: "AMD once published the Naples ARK without its signature, as 576 bytes instead of 832: fetch the current file.",
        cause,
      },
    );
  }
}

/** The bytes of a certificate. Throws `OUT_OF_BOUNDS` when a field has another size than it must. */
export function encodeSevCaCertificate(fields: SevCaFields): Bytes {
  const size = fields.modulus.length;
  return new Writer(HEADER + 3 * size)
    .bytes(encodeSevCaBody(fields), HEADER + 2 * size, "body")
    .bytes(reversed(fields.signature), size, "signature")
    .finish();
}

/** The part of a certificate that is signed. Throws `OUT_OF_BOUNDS`. */
export function encodeSevCaBody(fields: Omit<SevCaFields, "signature">): Bytes {
  const size = fields.modulus.length;
  const exponent = new Writer(4).u32le(fields.exponent).finish();
  return new Writer(HEADER + 2 * size)
    .u32le(VERSION)
    .bytes(fields.keyId, 16, "key id")
    .bytes(fields.certifyingId, 16, "certifying id")
    .u32le(USAGE[fields.usage])
    .zeros(BITS_AT - RESERVED_AT)
    .u32le(8 * size)
    .u32le(8 * size)
    .bytes(concat(exponent, new Uint8Array(size - exponent.length)), size, "public exponent")
    .bytes(reversed(fields.modulus), size, "modulus")
    .finish();
}

function read(bytes: Uint8Array): SevCaCertificate {
  const reader = new Reader(bytes, "SEV CA certificate");
  const version = reader.u32le("version");
  if (version !== VERSION) {
    throw unknownVersion(
      "INVALID_SEV_CERTIFICATE",
      "parse SEV CA certificate",
      "version",
      version,
      `${VERSION}`,
    );
  }
  const keyId = reader.bytes(16, "key id");
  const certifyingId = reader.bytes(16, "certifying id");
  const usageNumber = reader.u32le("usage");
  const usage = nameOf({ ARK: USAGE.ARK, ASK: USAGE.ASK }, usageNumber);
  if (usage === undefined) throw invalid("usage", usageNumber, "0 (ARK) or 19 (ASK)");
  if (!isZero(reader.bytes(BITS_AT - RESERVED_AT, "reserved")))
    throw invalid("reserved", "not zero", "zeros");
  const exponentBits = reader.u32le("public exponent size");
  const bits = reader.u32le("modulus size");
  if (!isKeySize(bits)) throw invalid("modulus size", bits, "2048 or 4096");
  if (exponentBits !== bits) throw invalid("public exponent size", exponentBits, `${bits}`);
  const size = bits / 8;
  const exponent = reader.u32le("public exponent");
  if (exponent % 2 === 0 || exponent < 3) throw invalid("public exponent", exponent, "an odd number");
  if (!isZero(reader.bytes(size - 4, "public exponent"))) {
    throw invalid("public exponent", "longer than 32 bits", "an odd number of 32 bits");
  }
  const modulus = reversed(reader.bytes(size, "modulus"));
  if (((modulus[0] ?? 0) & 0x80) === 0) throw invalid("modulus", "shorter", `of ${bits} bits`);
  const signedPart = bytes.subarray(0, reader.offset);
  const signature = reversed(reader.bytes(size, "signature"));
  reader.end();
  return { usage, keyId, certifyingId, exponent, modulus, signature, signedPart, bytes };
}

function isKeySize(bits: number): boolean {
  return bits === 2048 || bits === 4096;
}

function invalid(field: string, found: unknown, expected: string): EvidenceError {
  return invalidField("INVALID_SEV_CERTIFICATE", "CA certificate", field, found, expected);
}
