// SPDX-License-Identifier: Apache-2.0
// The CSV attestation report, versions 1 and 2, byte for byte, after Hygon's guest interface (TeeInfoV1, TeeInfoV2 and
// TeeInfoSigner of openanolis/csv-rs). Version 1 hides its fields under a 4-byte mask, the anonce.

import { type Bytes, concat, isZero } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { unknownVersion } from "../errors.ts";
import { CSV_CERTIFICATE_SIZE, CSV_USAGE, SM2_SA } from "./certificates.ts";
import { badField, notZero } from "./refusal.ts";
import { PAIR_SIZE, readPair, writePair } from "./scalars.ts";

/** Bytes of the signer: PEK certificate, serial number, reserved, MAC. */
const SIGNER_SIZE = CSV_CERTIFICATE_SIZE + 64 + 32 + 32;
/** Fields that both versions have, up to and with the signature's usage and algorithm. */
const COMMON_SIZE = 188;
/** Where both versions name usage and algorithm of the signature. */
const USAGE_AT = 180;
/** Signed bytes of version 1: up to the policy, as they stand, hidden. */
const V1_SIGNED = 180;
/** Signed bytes of version 2: all before the signature. */
const V2_SIGNED = 0x400;
const WHAT = "CSV report";

/** Bytes of a report by version, without the padding to a page. */
export const CSV_REPORT_SIZE: Readonly<Record<1 | 2, number>> = {
  1: COMMON_SIZE + 4 + PAIR_SIZE + SIGNER_SIZE,
  2: V2_SIGNED + PAIR_SIZE + SIGNER_SIZE,
};

/** Who signed, under a MAC whose key is the report's own mnonce: it finds accidents, not attacks. */
export interface CsvSigner {
  /** The PEK's certificate, 2084 bytes. */
  readonly pek: Uint8Array;
  /** 64 bytes: the chip's serial number as text, then zeros. */
  readonly serialNumber: Uint8Array;
  /** 32 bytes, as they stand: noise from the firmware, zeros once an attester has opened the signer. */
  readonly reserved: Uint8Array;
  /** 32 bytes. */
  readonly mac: Uint8Array;
  /** PEK and serial number stand under the mask, as the firmware writes them in version 1. */
  readonly masked: boolean;
}

interface CommonFields {
  /** 32 bytes: SM3 of the launch session's public key, zeros without a session. */
  readonly userPubkeyDigest: Uint8Array;
  /** 16 bytes. */
  readonly vmId: Uint8Array;
  /** 16 bytes. */
  readonly vmVersion: Uint8Array;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** 16 bytes, chosen by the guest. */
  readonly mnonce: Uint8Array;
  /** 32 bytes: the launch digest. */
  readonly measure: Uint8Array;
  /** See `parseCsvPolicy`. */
  readonly policy: number;
  /** r || s, 64 bytes, big-endian. */
  readonly signature: Uint8Array;
  readonly signer: CsvSigner;
}

/** Version 1: CSV, CSV2, and CSV3 before firmware build 2337. */
export interface CsvReportV1 extends CommonFields {
  readonly version: 1;
  /** 4 bytes: the mask. No signature covers it. */
  readonly anonce: Uint8Array;
}

/** Version 2: CSV3 from firmware build 2337 on. */
export interface CsvReportV2 extends CommonFields {
  readonly version: 2;
  /** Of the firmware that runs; never 0. */
  readonly build: number;
  readonly rtmrVersion: number;
  /** 14 bytes. */
  readonly reserved0: Uint8Array;
  /** RTMR 0 to 4, 32 bytes each; RTMR 0 is the launch digest. */
  readonly rtmrs: readonly Uint8Array[];
  /** 656 bytes. */
  readonly reserved1: Uint8Array;
}

export type CsvReportFields = CsvReportV1 | CsvReportV2;
export type CsvReport = CsvReportFields & {
  /** As received. */
  readonly signedPart: Uint8Array;
};

/** CSV_RTMR_VERSION_MAX of the guest's kernel; 0 where the guest never started its registers. */
const NEWEST_RTMR_VERSION = 1;
const RTMR_COUNT = 5;
const RTMR_SIZE = 32;

/**
 * The version of the report that `bytes` begin with: the signature's usage (PEK) and algorithm (SM2) stand in clear in
 * version 2 and under the mask in version 1; undefined when neither is so. A build of 0 is a mask of 0: version 1.
 */
export function csvVersionOf(bytes: Uint8Array): 1 | 2 | undefined {
  if (bytes.length < CSV_REPORT_SIZE[1]) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const usage = view.getUint32(USAGE_AT, true);
  const algorithm = view.getUint32(USAGE_AT + 4, true);
  const mask = view.getUint32(COMMON_SIZE, true);
  if ((usage ^ mask) === CSV_USAGE.PEK && (algorithm ^ mask) === SM2_SA) return 1;
  return usage === CSV_USAGE.PEK && algorithm === SM2_SA ? 2 : undefined;
}

/** Parses a report of exactly `CSV_REPORT_SIZE` bytes. Throws `UNSUPPORTED_REPORT_FORMAT` or `RESERVED_NOT_ZERO`. */
export function parseCsvReport(bytes: Uint8Array): CsvReport {
  const version = csvVersionOf(bytes);
  if (version === undefined) {
    if (bytes.length < CSV_REPORT_SIZE[1])
      throw unsupported("size", 0, bytes.length, `at least ${CSV_REPORT_SIZE[1]}`);
    throw unsupported("signature usage and algorithm", USAGE_AT, "another", "PEK (1002h) and SM2 (4)");
  }
  if (bytes.length !== CSV_REPORT_SIZE[version])
    throw unsupported("size", 0, bytes.length, `${CSV_REPORT_SIZE[version]} in version ${version}`);
  return version === 1 ? parseV1(bytes) : parseV2(bytes);
}

/** The bytes of a report. Throws `OUT_OF_BOUNDS` for a field of another length. */
export function encodeCsvReport(report: CsvReportFields): Bytes {
  const writer = new Writer(CSV_REPORT_SIZE[report.version]);
  const mask = report.version === 1 ? report.anonce : undefined;
  writer.bytes(masked(encodeCommon(report), mask), COMMON_SIZE, "fields");
  if (report.version === 1) {
    writer.bytes(report.anonce, 4, "anonce");
  } else {
    writer
      .u32le(report.build)
      .u16le(report.rtmrVersion)
      .bytes(report.reserved0, 14, "reserved0")
      .bytes(concat(...report.rtmrs), RTMR_COUNT * RTMR_SIZE, "rtmrs")
      .bytes(report.reserved1, 656, "reserved1");
  }
  writePair(writer, report.signature, "signature");
  const { pek, serialNumber, reserved, mac } = report.signer;
  return writer
    .bytes(masked(pek, report.signer.masked ? mask : undefined), CSV_CERTIFICATE_SIZE, "pek_cert")
    .bytes(masked(serialNumber, report.signer.masked ? mask : undefined), 64, "sn")
    .bytes(reserved, 32, "reserved2")
    .bytes(mac, 32, "mac")
    .finish();
}

/** The bytes that the PEK signs. */
export function csvSignedPartOf(report: Uint8Array, version: 1 | 2): Uint8Array {
  return report.subarray(0, version === 1 ? V1_SIGNED : V2_SIGNED);
}

/** The bytes that the signer's MAC covers: as the firmware wrote them, under the mask in version 1. */
export function csvMacPartOf(report: CsvReportFields): Bytes {
  const { pek, serialNumber, reserved } = report.signer;
  const mask = report.version === 1 ? report.anonce : undefined;
  return concat(masked(pek, mask), masked(serialNumber, mask), reserved);
}

function parseV1(bytes: Uint8Array): CsvReport {
  const anonce = bytes.subarray(COMMON_SIZE, COMMON_SIZE + 4);
  const reader = new Reader(bytes, WHAT);
  const common = parseCommon(masked(reader.bytes(COMMON_SIZE, "fields"), anonce));
  reader.bytes(4, "anonce");
  const signature = readPair(reader, WHAT, "signature");
  const signer = parseSigner(reader, anonce);
  return { version: 1, ...common, anonce, signature, signer, signedPart: csvSignedPartOf(bytes, 1) };
}

function parseV2(bytes: Uint8Array): CsvReport {
  const reader = new Reader(bytes, WHAT);
  const common = parseCommon(reader.bytes(COMMON_SIZE, "fields"));
  const build = reader.u32le("build");
  const rtmrVersion = reader.u16le("rtmr_version");
  if (rtmrVersion > NEWEST_RTMR_VERSION) {
    const known = `0 to ${NEWEST_RTMR_VERSION}`;
    throw unknownVersion("UNSUPPORTED_REPORT_FORMAT", `parse ${WHAT}`, "rtmr_version", rtmrVersion, known);
  }
  const rest = {
    build,
    rtmrVersion,
    reserved0: reader.bytes(14, "reserved0"),
    rtmrs: Array.from({ length: RTMR_COUNT }, (_, i) => reader.bytes(RTMR_SIZE, `rtmr${i}`)),
    reserved1: reader.bytes(656, "reserved1"),
  };
  const signature = readPair(reader, WHAT, "signature");
  const signer = parseSigner(reader, undefined);
  return { version: 2, ...common, ...rest, signature, signer, signedPart: csvSignedPartOf(bytes, 2) };
}

/** The 188 bytes that both versions begin with, in clear. */
function parseCommon(clear: Uint8Array): Omit<CommonFields, "signature" | "signer"> {
  const reader = new Reader(clear, WHAT);
  return {
    userPubkeyDigest: reader.bytes(32, "user_pubkey_digest"),
    vmId: reader.bytes(16, "vm_id"),
    vmVersion: reader.bytes(16, "vm_version"),
    reportData: reader.bytes(64, "report_data"),
    mnonce: reader.bytes(16, "mnonce"),
    measure: reader.bytes(32, "measure"),
    policy: reader.u32le("policy"),
  };
}

function encodeCommon(report: CsvReportFields): Bytes {
  return new Writer(COMMON_SIZE)
    .bytes(report.userPubkeyDigest, 32, "user_pubkey_digest")
    .bytes(report.vmId, 16, "vm_id")
    .bytes(report.vmVersion, 16, "vm_version")
    .bytes(report.reportData, 64, "report_data")
    .bytes(report.mnonce, 16, "mnonce")
    .bytes(report.measure, 32, "measure")
    .u32le(report.policy)
    .u32le(CSV_USAGE.PEK)
    .u32le(SM2_SA)
    .finish();
}

/** Attesters may have lifted the mask already: the PEK's usage and algorithm tell. A mask of zeros is no mask. */
function parseSigner(reader: Reader, mask: Uint8Array | undefined): CsvSigner {
  const at = reader.offset;
  const [pek, serialNumber] = [reader.bytes(CSV_CERTIFICATE_SIZE, "pek_cert"), reader.bytes(64, "sn")];
  const rest = { reserved: reader.bytes(32, "reserved2"), mac: reader.bytes(32, "mac") };
  reader.end();
  if (mask !== undefined && looksLikePek(masked(pek, mask))) {
    return { pek: masked(pek, mask), serialNumber: masked(serialNumber, mask), ...rest, masked: true };
  }
  if (looksLikePek(pek)) return { pek, serialNumber, ...rest, masked: false };
  throw unsupported("pek_cert", at, "another certificate", "that of a PEK");
}

function looksLikePek(pek: Uint8Array): boolean {
  const view = new DataView(pek.buffer, pek.byteOffset, pek.byteLength);
  return view.getUint32(8, true) === CSV_USAGE.PEK && view.getUint32(12, true) === SM2_SA;
}

/** Each byte under its byte of the mask; lifts the mask, too. Every masked field begins at a multiple of 4. */
function masked(bytes: Uint8Array, mask: Uint8Array | undefined): Uint8Array {
  if (mask === undefined) return bytes;
  return Uint8Array.from(bytes, (byte, i) => byte ^ (mask[i % 4] ?? 0));
}

/** The padding of a report to a page. Throws `RESERVED_NOT_ZERO`. */
export function checkCsvPadding(page: Uint8Array, version: 1 | 2): void {
  if (!isZero(page.subarray(CSV_REPORT_SIZE[version])))
    throw notZero(WHAT, "padding to a page", CSV_REPORT_SIZE[version]);
}

function unsupported(field: string, offset: number, found: unknown, expected: string): Error {
  return badField("UNSUPPORTED_REPORT_FORMAT", WHAT, field, offset, found, expected);
}
