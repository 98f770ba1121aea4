// SPDX-License-Identifier: Apache-2.0
// Hygon's own certificates, byte for byte: those of its authorities (HRK, HSK) and those of a platform (CEK, PEK, OCA,
// PDH). The layouts are AMD SEV's (Secure Encrypted Virtualization API, 55766, chapters "Certificate format" and
// "Root of trust"), with SM2 keys and the signer's user id.

import { type Bytes, isZero } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { malformed } from "@adyton/core/errors";
import { unknownVersion } from "../errors.ts";
import { badField, notZero } from "./refusal.ts";
import { PAIR_SIZE, readPair, writePair } from "./scalars.ts";

/** Bytes of an HRK or HSK certificate, and how many of them are signed. */
export const CSV_CA_SIZE = 832;
const CA_SIGNED = 0x240;
/** Bytes of a CEK, PEK, OCA or PDH certificate, and how many of them are signed. */
export const CSV_CERTIFICATE_SIZE = 2084;
const SIGNED = 0x414;

/** Usages, by which issuers and signature slots name roles. */
export const CSV_USAGE = {
  HRK: 0x0000,
  HSK: 0x0013,
  /** An empty signature slot. */
  INVALID: 0x1000,
  OCA: 0x1001,
  PEK: 0x1002,
  PDH: 0x1003,
  CEK: 0x1004,
} as const;

/** SM2 with SM3, for signatures; and for key agreement, the PDH's. */
export const SM2_SA = 4;
const SM2_DH = 5;
/** Roles that sign platform certificates. */
const SIGNERS: ReadonlySet<number> = new Set([CSV_USAGE.HSK, CSV_USAGE.OCA, CSV_USAGE.PEK, CSV_USAGE.CEK]);
const CURVE_SM2 = 3;
const CA_VERSION = 1;
const NEWEST_VERSION = 2;
const USER_ID_FIELD = 254;

const CA_ROLES = ["HRK", "HSK"] as const;
const ROLES = ["OCA", "PEK", "PDH", "CEK"] as const;
export type CsvCaRole = (typeof CA_ROLES)[number];
export type CsvRole = (typeof ROLES)[number];

/** What both kinds of certificate have. */
interface KeyHolder {
  /** x || y, 64 bytes, big-endian. */
  readonly publicKey: Uint8Array;
  /** The key holder's SM2 user id, at most 254 bytes: what the holder signs is hashed with it. */
  readonly userId: Uint8Array;
}

export interface CsvCaFields extends KeyHolder {
  readonly role: CsvCaRole;
  /** 16 bytes. */
  readonly keyId: Uint8Array;
  /** 16 bytes: the issuer's key id. */
  readonly signingKeyId: Uint8Array;
  /** r || s, 64 bytes, big-endian. */
  readonly signature: Uint8Array;
}

export interface CsvCa extends CsvCaFields {
  readonly bytes: Uint8Array;
  readonly signedPart: Uint8Array;
}

/** One of the two places for a signature. Empty: usage `INVALID`, algorithm 0. */
export interface CsvSignatureSlot {
  /** The signer's usage. */
  readonly usage: number;
  readonly algorithm: number;
  /** r || s, 64 bytes, big-endian. */
  readonly signature: Uint8Array;
}

export interface CsvCertificateFields extends KeyHolder {
  readonly role: CsvRole;
  /** 1 or 2. */
  readonly version: number;
  /** Of the firmware that made the certificate. */
  readonly firmware: { readonly major: number; readonly minor: number };
  /** 16 bytes: the issuer's key id, zero where the issuer has none. */
  readonly signingKeyId: Uint8Array;
  readonly slots: readonly [CsvSignatureSlot, CsvSignatureSlot];
}

export interface CsvCertificate extends CsvCertificateFields {
  readonly bytes: Uint8Array;
  readonly signedPart: Uint8Array;
}

/** A slot that nobody signed. */
export const EMPTY_SLOT: CsvSignatureSlot = Object.freeze({
  usage: CSV_USAGE.INVALID,
  algorithm: 0,
  signature: new Uint8Array(64),
});

/** Whether bytes look like an HRK's or HSK's certificate. AMD's ARK and ASK have the same size and other fields. */
export function isCsvCa(bytes: Uint8Array): boolean {
  if (bytes.length !== CSV_CA_SIZE) return false;
  const usage = u32(bytes, 0x24);
  return (usage === CSV_USAGE.HRK || usage === CSV_USAGE.HSK) && u32(bytes, 0x40) === CURVE_SM2;
}

/** Whether bytes look like a platform's certificate. AMD's have the same size and other algorithms. */
export function isCsvCertificate(bytes: Uint8Array): boolean {
  if (bytes.length !== CSV_CERTIFICATE_SIZE) return false;
  const algorithm = u32(bytes, 12);
  return (algorithm === SM2_SA || algorithm === SM2_DH) && u32(bytes, 16) === CURVE_SM2;
}

/** Throws `INVALID_CSV_CERTIFICATE` or `RESERVED_NOT_ZERO`. Byte fields are views, except numbers. */
export function parseCsvCa(bytes: Uint8Array): CsvCa {
  const what = "Hygon CA certificate";
  const refuse = refuser(what);
  if (bytes.length !== CSV_CA_SIZE) throw refuse("size", 0, bytes.length, `${CSV_CA_SIZE}`);
  const reader = new Reader(bytes, what);
  const version = reader.u32le("version");
  if (version !== CA_VERSION) {
    throw unknownVersion("INVALID_CSV_CERTIFICATE", `parse ${what}`, "version", version, `${CA_VERSION}`);
  }
  const keyId = reader.bytes(16, "key id");
  const signingKeyId = reader.bytes(16, "signing key id");
  const usage = reader.u32le("usage");
  const role = CA_ROLES.find((candidate) => CSV_USAGE[candidate] === usage);
  if (role === undefined) throw refuse("usage", 0x24, hex(usage), "0 (HRK) or 13h (HSK)");
  readZeros(reader, 24, what);
  const holder = readHolder(reader, what);
  readZeros(reader, 108, what);
  const signature = readPair(reader, what, "signature");
  readZeros(reader, 112, what);
  reader.end();
  return { role, keyId, signingKeyId, ...holder, signature, bytes, signedPart: bytes.subarray(0, CA_SIGNED) };
}

export function encodeCsvCa(fields: CsvCaFields): Bytes {
  const writer = new Writer(CSV_CA_SIZE)
    .u32le(CA_VERSION)
    .bytes(fields.keyId, 16, "key id")
    .bytes(fields.signingKeyId, 16, "signing key id")
    .u32le(CSV_USAGE[fields.role])
    .zeros(24);
  writeHolder(writer, fields);
  writer.zeros(108);
  writePair(writer, fields.signature, "signature");
  return writer.zeros(112).finish();
}

/** Throws `INVALID_CSV_CERTIFICATE` or `RESERVED_NOT_ZERO`. Byte fields are views, except numbers. */
export function parseCsvCertificate(bytes: Uint8Array): CsvCertificate {
  const what = "Hygon platform certificate";
  const refuse = refuser(what);
  if (bytes.length !== CSV_CERTIFICATE_SIZE) throw refuse("size", 0, bytes.length, `${CSV_CERTIFICATE_SIZE}`);
  const reader = new Reader(bytes, what);
  const version = reader.u32le("version");
  if (version < 1 || version > NEWEST_VERSION) {
    const known = `1 to ${NEWEST_VERSION}`;
    throw unknownVersion("INVALID_CSV_CERTIFICATE", `parse ${what}`, "version", version, known);
  }
  const firmware = { major: reader.u8("major"), minor: reader.u8("minor") };
  readZeros(reader, 2, what);
  const usage = reader.u32le("usage");
  const role = ROLES.find((candidate) => CSV_USAGE[candidate] === usage);
  if (role === undefined) throw refuse("usage", 8, hex(usage), "1001h to 1004h");
  const algorithm = reader.u32le("algorithm");
  if (algorithm !== algorithmOf(role)) throw refuse("algorithm", 12, algorithm, `${algorithmOf(role)}`);
  const holder = readHolder(reader, what);
  const signingKeyId = reader.bytes(16, "signing key id");
  readZeros(reader, 608, what);
  const slots = [readSlot(reader, what), readSlot(reader, what)] as const;
  reader.end();
  return {
    role,
    version,
    firmware,
    ...holder,
    signingKeyId,
    slots,
    bytes,
    signedPart: bytes.subarray(0, SIGNED),
  };
}

export function encodeCsvCertificate(fields: CsvCertificateFields): Bytes {
  const writer = new Writer(CSV_CERTIFICATE_SIZE)
    .u32le(fields.version)
    .u8(fields.firmware.major)
    .u8(fields.firmware.minor)
    .zeros(2)
    .u32le(CSV_USAGE[fields.role])
    .u32le(algorithmOf(fields.role));
  writeHolder(writer, fields);
  writer.bytes(fields.signingKeyId, 16, "signing key id").zeros(608);
  for (const slot of fields.slots) {
    writer.u32le(slot.usage).u32le(slot.algorithm);
    writePair(writer, slot.signature, "signature");
    writer.zeros(368);
  }
  return writer.finish();
}

function algorithmOf(role: CsvRole): number {
  return role === "PDH" ? SM2_DH : SM2_SA;
}

/** Curve, point and user id. */
function readHolder(reader: Reader, what: string): KeyHolder {
  const refuse = refuser(what);
  const at = reader.offset;
  const curve = reader.u32le("curve");
  if (curve !== CURVE_SM2) throw refuse("curve", at, curve, `${CURVE_SM2} (SM2)`);
  const publicKey = readPair(reader, what, "public key");
  const length = reader.u16le("user id length");
  if (length > USER_ID_FIELD)
    throw refuse("user id length", at + 4 + PAIR_SIZE, length, `at most ${USER_ID_FIELD}`);
  const userId = reader.bytes(length, "user id");
  readZeros(reader, USER_ID_FIELD - length, what);
  return { publicKey, userId };
}

function writeHolder(writer: Writer, { publicKey, userId }: KeyHolder): void {
  if (userId.length > USER_ID_FIELD)
    throw malformed(
      "OUT_OF_BOUNDS",
      `Cannot encode user id: got ${userId.length} bytes, expected at most ${USER_ID_FIELD}`,
    );
  writer.u32le(CURVE_SM2);
  writePair(writer, publicKey, "public key");
  writer
    .u16le(userId.length)
    .bytes(userId, userId.length, "user id")
    .zeros(USER_ID_FIELD - userId.length);
}

/** A signature by a role of this chain, or nothing: then usage `INVALID` and zeros. */
function readSlot(reader: Reader, what: string): CsvSignatureSlot {
  const at = reader.offset;
  const usage = reader.u32le("signature usage");
  const algorithm = reader.u32le("signature algorithm");
  const signature = readPair(reader, what, "signature");
  readZeros(reader, 368, what);
  const refuse = refuser(what);
  if (usage === CSV_USAGE.INVALID) {
    if (algorithm !== 0 || !isZero(signature)) throw refuse("empty signature slot", at, "not zero", "zeros");
  } else if (!SIGNERS.has(usage)) {
    throw refuse("signature usage", at, hex(usage), "that of an HSK, OCA, PEK or CEK, or 1000h");
  } else if (algorithm !== SM2_SA) {
    throw refuse("signature algorithm", at + 4, algorithm, `${SM2_SA} (SM2)`);
  }
  return { usage, algorithm, signature };
}

function readZeros(reader: Reader, length: number, what: string): void {
  const at = reader.offset;
  if (!isZero(reader.bytes(length, "reserved area")))
    throw notZero(what, `reserved area of ${length} bytes`, at);
}

function refuser(what: string) {
  return (field: string, offset: number, found: unknown, expected: string) =>
    badField("INVALID_CSV_CERTIFICATE", what, field, offset, found, expected);
}

function u32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, true);
}

function hex(value: number): string {
  return `${value.toString(16)}h`;
}
