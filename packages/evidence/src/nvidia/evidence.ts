// SPDX-License-Identifier: Apache-2.0
// Attestation reports of NVIDIA GPUs and switches: an SPDM 1.1 GET_MEASUREMENTS request and the MEASUREMENTS response to
// it, one after the other (DMTF DSP0274 1.1.1, sections 10.11.1 and 10.11.2). Integers are little-endian.

import { type Bytes, concat } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { unknownVersion } from "../errors.ts";
import { encodeOpaqueData, type NvidiaOpaqueField, parseOpaqueData } from "./opaque.ts";
import { invalidReport } from "./refusal.ts";

/** One DMTF measurement block (DSP0274 tables 39 and 40). */
export interface NvidiaMeasurement {
  /** From 1; the index in a RIM is one less. */
  readonly index: number;
  /** DMTFSpecMeasurementValueType. */
  readonly type: number;
  readonly value: Uint8Array;
}

export interface NvidiaReport {
  /** The 32 bytes that whoever asked put into the request: what the report binds. */
  readonly nonce: Uint8Array;
  /** The certificate slot that was asked to sign. */
  readonly slot: number;
  /** Param1 of the response, which SPDM 1.1 leaves to the number of indices. */
  readonly responseParam1: number;
  /** Param2 of the response, whose low bits are the slot. */
  readonly responseParam2: number;
  /** In the order of the report. */
  readonly measurements: readonly NvidiaMeasurement[];
  /** The device's own nonce. */
  readonly deviceNonce: Uint8Array;
  /** In the order of the report. */
  readonly opaque: readonly NvidiaOpaqueField[];
  /** ECDSA on P-384, r || s. */
  readonly signature: Uint8Array;
  /** What follows the signature: nothing, or the one stray byte that some drivers append. Not signed. */
  readonly trailing: Uint8Array;
}

/** A report with the bytes that its signature covers. */
export interface ParsedNvidiaReport extends NvidiaReport {
  /** Request and response up to the signature, as received. */
  readonly signedPart: Uint8Array;
}

/** SPDMVersion of messages of version 1.1, the newest that NVIDIA's devices speak. */
const SPDM_1_1 = 0x11;
const GET_MEASUREMENTS = 0xe0;
const MEASUREMENTS = 0x60;
/** Param1 of the request: a signature is asked for (DSP0274 table 35). */
const SIGNATURE_REQUESTED = 0x01;
/** Param2 of the request: all measurements. */
const ALL_MEASUREMENTS = 0xff;
/** MeasurementSpecification bit 0 (DSP0274 table 39). */
const DMTF = 1;
const SLOT_MASK = 0x0f;
const REQUEST_SIZE = 37;
/** Up to the measurement record. */
const RESPONSE_HEAD = 8;
export const NVIDIA_NONCE_SIZE = 32;
const SIGNATURE_SIZE = 96;
const MAX_REPORT = 64 * 1024;
const MAX_TRAILING = 1;
/** Index, specification, size; type and value size. */
const BLOCK_HEAD = 4;
const VALUE_HEAD = 3;

/** Whether the bytes begin like a signed request for all measurements and its response. Never throws. */
export function isNvidiaReport(bytes: Uint8Array): boolean {
  return (
    bytes.length > REQUEST_SIZE + RESPONSE_HEAD &&
    isSpdm1(bytes[0]) &&
    bytes[1] === GET_MEASUREMENTS &&
    isSpdm1(bytes[REQUEST_SIZE]) &&
    bytes[REQUEST_SIZE + 1] === MEASUREMENTS
  );
}

/**
 * Reads a report. Throws `INVALID_NVIDIA_REPORT`, or `OUT_OF_BOUNDS` or `TRAILING_BYTES` where a length does not fit
 * what is there.
 */
export function parseNvidiaReport(bytes: Uint8Array): ParsedNvidiaReport {
  if (bytes.length > MAX_REPORT) {
    throw invalidReport("report", `${bytes.length} bytes`, `at most ${MAX_REPORT}`);
  }
  const reader = new Reader(bytes, "NVIDIA report");
  const { nonce, slot } = readRequest(reader);
  checkVersion("SPDMVersion of the response", reader.u8("SPDMVersion of the response"));
  demand("RequestResponseCode of the response", reader.u8("RequestResponseCode"), MEASUREMENTS, hex);
  const responseParam1 = reader.u8("Param1 of the response");
  const responseParam2 = reader.u8("Param2 of the response");
  demand("SlotID of the response", responseParam2 & SLOT_MASK, slot & SLOT_MASK, String);
  const count = reader.u8("NumberOfBlocks");
  const length = reader.u16le("MeasurementRecordLength") | (reader.u8("MeasurementRecordLength") << 16);
  const measurements = readRecord(reader.sub(length, "measurement record"), count);
  const deviceNonce = reader.bytes(NVIDIA_NONCE_SIZE, "Nonce of the response");
  const opaque = parseOpaqueData(reader.sub(reader.u16le("OpaqueLength"), "opaque data"));
  const signedPart = bytes.subarray(0, reader.offset);
  const signature = reader.bytes(SIGNATURE_SIZE, "Signature");
  const trailing = reader.bytes(Math.min(reader.remaining, MAX_TRAILING), "stray byte");
  reader.end();
  return {
    nonce,
    slot,
    responseParam1,
    responseParam2,
    measurements,
    deviceNonce,
    opaque,
    signature,
    trailing,
    signedPart,
  };
}

/** The bytes of a report; inverse of `parseNvidiaReport`. Throws as that does for fields that do not fit the layout. */
export function encodeNvidiaReport(report: NvidiaReport): Bytes {
  const bytes = concat(encodeNvidiaSignedPart(report), report.signature, report.trailing);
  parseNvidiaReport(bytes);
  return bytes;
}

/** The bytes that the device signs. */
export function encodeNvidiaSignedPart(report: Omit<NvidiaReport, "signature" | "trailing">): Bytes {
  const request = new Writer(REQUEST_SIZE)
    .u8(SPDM_1_1)
    .u8(GET_MEASUREMENTS)
    .u8(SIGNATURE_REQUESTED)
    .u8(ALL_MEASUREMENTS)
    .bytes(report.nonce, NVIDIA_NONCE_SIZE, "nonce")
    .u8(report.slot)
    .finish();
  const record = concat(...report.measurements.map(encodeBlock));
  const head = new Writer(RESPONSE_HEAD)
    .u8(SPDM_1_1)
    .u8(MEASUREMENTS)
    .u8(report.responseParam1)
    .u8(report.responseParam2)
    .u8(report.measurements.length)
    .u16le(record.length & 0xffff)
    .u8(record.length >>> 16)
    .finish();
  const opaque = encodeOpaqueData(report.opaque);
  const opaqueLength = new Writer(2).u16le(opaque.length).finish();
  return concat(request, head, record, report.deviceNonce, opaqueLength, opaque);
}

function readRequest(reader: Reader): { nonce: Uint8Array; slot: number } {
  checkVersion("SPDMVersion", reader.u8("SPDMVersion"));
  demand("RequestResponseCode", reader.u8("RequestResponseCode"), GET_MEASUREMENTS, hex);
  demand("Param1 of the request", reader.u8("Param1"), SIGNATURE_REQUESTED, hex);
  demand("Param2 of the request", reader.u8("Param2"), ALL_MEASUREMENTS, hex);
  return { nonce: reader.bytes(NVIDIA_NONCE_SIZE, "Nonce"), slot: reader.u8("SlotIDParam") };
}

function readRecord(record: Reader, count: number): NvidiaMeasurement[] {
  const measurements = new Map<number, NvidiaMeasurement>();
  for (let i = 0; i < count; i++) {
    const index = record.u8("measurement index");
    demand(`MeasurementSpecification of measurement ${index}`, record.u8("specification"), DMTF, hex);
    const block = record.sub(record.u16le("MeasurementSize"), `measurement ${index}`);
    const type = block.u8("value type");
    const value = block.bytes(block.u16le("value size"), "value");
    block.end();
    if (measurements.has(index)) throw invalidReport(`measurement ${index}`, "there twice", "once");
    measurements.set(index, { index, type, value });
  }
  record.end();
  return [...measurements.values()];
}

function encodeBlock({ index, type, value }: NvidiaMeasurement): Bytes {
  return new Writer(BLOCK_HEAD + VALUE_HEAD + value.length)
    .u8(index)
    .u8(DMTF)
    .u16le(VALUE_HEAD + value.length)
    .u8(type)
    .u16le(value.length)
    .bytes(value, value.length, "measurement")
    .finish();
}

function demand(field: string, found: number, expected: number, show: (value: number) => string): void {
  if (found !== expected) throw invalidReport(field, show(found), show(expected));
}

/** Any version 1: one that is not known is refused by its number. */
function isSpdm1(byte: number | undefined): boolean {
  return byte !== undefined && byte >>> 4 === 1;
}

function checkVersion(field: string, found: number): void {
  if (found === SPDM_1_1) return;
  const text = `${found >>> 4}.${found & 0xf}`;
  throw unknownVersion("INVALID_NVIDIA_REPORT", "parse NVIDIA report", field, text, "1.1");
}

function hex(byte: number): string {
  return `${byte.toString(16).padStart(2, "0")}h`;
}
