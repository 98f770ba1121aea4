// SPDX-License-Identifier: Apache-2.0
// The opaque data of NVIDIA's reports: {type, size, data} one after the other, what the device says about itself. Names
// are those of NVIDIA's own verifier, which Trustee uses too.

import { type Bytes, concat, toHex } from "@adyton/core/bytes";
import { type Reader, Writer } from "@adyton/core/cursor";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { invalidReport } from "./refusal.ts";

export interface NvidiaOpaqueField {
  readonly type: number;
  readonly data: Uint8Array;
}

type Show = (data: Uint8Array, name: string) => JsonValue;

/** Type, size. */
const FIELD_HEAD = 4;
const MAX_FIELDS = 128;

const TYPES: Readonly<Record<number, readonly [name: string, show: Show]>> = {
  1: ["cert_issuer_name", hexOf],
  2: ["cert_authority_key_identifier", hexOf],
  3: ["driver_version", textOf],
  4: ["gpu_info", hexOf],
  5: ["id_sku", hexOf],
  6: ["vbios_version", vbiosOf],
  7: ["manufacturer_id", hexOf],
  8: ["tamper_detection", hexOf],
  9: ["smc", hexOf],
  10: ["vpr", hexOf],
  11: ["nvdec0_status", textOf],
  12: ["measurement_count", countsOf],
  13: ["cpr_info", hexOf],
  14: ["board_id", hexOf],
  15: ["chip_sku", textOf],
  16: ["chip_sku_mod", textOf],
  17: ["project", textOf],
  18: ["project_sku", textOf],
  19: ["project_sku_mod", hexOf],
  20: ["fwid", hexOf],
  21: ["protected_pcie_status", textOf],
  22: ["switch_pdi", pdisOf],
  23: ["floorswept_ports", hexOf],
  24: ["position_id", hexOf],
  25: ["lock_switch_status", hexOf],
  32: ["gpu_link_conn", hexOf],
  33: ["sys_enable_status", hexOf],
  34: ["opaque_data_version", numberOf],
  35: ["chip_info", textOf],
  36: ["feature_flag", featureOf],
};

/** Numbers of the fields that code here looks at. */
export const NVIDIA_OPAQUE = { driverVersion: 3, vbiosVersion: 6, fwid: 20 } as const;

const FEATURES: Readonly<Record<number, string>> = { 0: "SPT", 1: "MPT", 2: "PPCIE" };

/** Reads fields to the end. Throws `INVALID_NVIDIA_REPORT` for a field that is there twice, or `OUT_OF_BOUNDS`. */
export function parseOpaqueData(reader: Reader): NvidiaOpaqueField[] {
  const fields: NvidiaOpaqueField[] = [];
  while (reader.remaining > 0) {
    if (fields.length === MAX_FIELDS)
      throw invalidReport("opaque data", `more than ${MAX_FIELDS} fields`, "fewer");
    const type = reader.u16le("opaque field type");
    const data = reader.bytes(reader.u16le("opaque field size"), `opaque field ${type}`);
    if (fields.some((field) => field.type === type)) {
      throw invalidReport(`opaque field ${type}`, "there twice", "once");
    }
    fields.push({ type, data });
  }
  return fields;
}

/** Inverse of `parseOpaqueData`. */
export function encodeOpaqueData(fields: readonly NvidiaOpaqueField[]): Bytes {
  return concat(
    ...fields.map(({ type, data }) =>
      new Writer(FIELD_HEAD + data.length)
        .u16le(type)
        .u16le(data.length)
        .bytes(data, data.length, "opaque field")
        .finish(),
    ),
  );
}

/** The fields by name, decoded as Trustee does; those of unknown type as `unknown_<type>` in hex. */
export function opaqueClaims(fields: readonly NvidiaOpaqueField[]): JsonObject {
  return Object.fromEntries(
    fields.map(({ type, data }) => {
      const [name, show] = TYPES[type] ?? [`unknown_${type}`, hexOf];
      return [name, show(data, name)];
    }),
  );
}

/** Types that nobody here knows. */
export function unknownOpaqueTypes(fields: readonly NvidiaOpaqueField[]): number[] {
  return fields.map(({ type }) => type).filter((type) => TYPES[type] === undefined);
}

function hexOf(data: Uint8Array): string {
  return toHex(data);
}

/** Printable ASCII with zeros after it. */
function textOf(data: Uint8Array, name: string): string {
  const zero = data.indexOf(0);
  const text = zero < 0 ? data : data.subarray(0, zero);
  const rest = data.subarray(text.length);
  if (text.some((byte) => byte < 0x20 || byte > 0x7e) || rest.some((byte) => byte !== 0)) {
    throw invalidReport(name, toHex(data), "printable ASCII with nothing but zeros after it");
  }
  return String.fromCharCode(...text);
}

/** `96.00.9f.00.01`: the first half backwards, then the first byte of the second half. */
function vbiosOf(data: Uint8Array, name: string): string {
  const half = data.length / 2;
  const next = data[half];
  if (next === undefined) throw invalidReport(name, `${data.length} bytes`, "an even number, not zero");
  return [...data.subarray(0, half)]
    .reverse()
    .concat(next)
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join(".");
}

/** How many things were measured into each block, by index. */
function countsOf(data: Uint8Array, name: string): JsonObject {
  return Object.fromEntries(
    wordsOf(data, 4, name).map((word, i) => [`${i + 1}`, Number(littleEndian(word))]),
  );
}

function pdisOf(data: Uint8Array, name: string): JsonValue {
  return wordsOf(data, 8, name).map((word) => toHex(word));
}

function numberOf(data: Uint8Array, name: string): number {
  if (data.length > 8) throw invalidReport(name, `${data.length} bytes`, "at most 8");
  const value = littleEndian(data);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidReport(name, `${value}`, "at most 2^53 - 1");
  return Number(value);
}

function featureOf(data: Uint8Array, name: string): string {
  return FEATURES[numberOf(data, name)] ?? "unknown";
}

function wordsOf(data: Uint8Array, size: number, name: string): Uint8Array[] {
  if (data.length % size !== 0) throw invalidReport(name, `${data.length} bytes`, `a multiple of ${size}`);
  return Array.from({ length: data.length / size }, (_, i) => data.subarray(i * size, (i + 1) * size));
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
