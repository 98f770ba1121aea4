// SPDX-License-Identifier: Apache-2.0
// The extended report: a report followed by the certificate table that the host hands to its guest.
// GHCB specification (56421) section 4.1.8.1, SNP Extended Guest Request; GUIDs as in the kernel's auxblob.

import { type Bytes, concat, fromHex, isZero, toHex } from "@adyton/core/bytes";
import { Writer } from "@adyton/core/cursor";
import { malformed } from "@adyton/core/errors";
import { parseReport, REPORT_SIZE, type Report } from "./evidence.ts";

export type TableKind = "VCEK" | "VLEK" | "ASK" | "ARK" | "CRL";

export interface TableEntry {
  /** Undefined for a GUID that this version does not know. */
  readonly kind: TableKind | undefined;
  /** For example "63da758d-e664-4564-adc5-f4b93be8accd". */
  readonly guid: string;
  readonly data: Uint8Array;
}

/** A report with what came along. */
export interface SnpEvidence {
  readonly report: Report;
  /** The table as received, empty when there was none. */
  readonly tableBytes: Uint8Array;
  readonly table: readonly TableEntry[];
}

export const TABLE_GUID: Readonly<Record<TableKind, string>> = {
  VCEK: "63da758d-e664-4564-adc5-f4b93be8accd",
  VLEK: "a8074bc2-a25a-483e-aae6-39c045a0b8a1",
  ASK: "4ab7b379-bbac-4fe4-a02f-05aef327c782",
  ARK: "c0b406a4-a803-4952-9743-3fb6014cd0ae",
  CRL: "92f81bc3-5811-4d3d-97ff-d19f88dc67ea",
};

const ENTRY_SIZE = 24;
const MAX_ENTRIES = 16;
const MAX_TABLE = 256 * 1024;
const KINDS = Object.keys(TABLE_GUID) as TableKind[];

/** Parses a bare or an extended report. Throws as `parseReport` and `parseCertificateTable`. */
export function parseSnpEvidence(bytes: Uint8Array): SnpEvidence {
  const tableBytes = bytes.subarray(REPORT_SIZE);
  return {
    report: parseReport(bytes.subarray(0, REPORT_SIZE)),
    tableBytes,
    table: tableBytes.length === 0 ? [] : parseCertificateTable(tableBytes),
  };
}

/**
 * Parses a certificate table: entries up to a zero one, then the certificates. Entries may not overlap, and what no
 * entry covers must be zero (hosts pad to pages). Throws `OUT_OF_BOUNDS`, `TRAILING_BYTES` or `TOO_LARGE`.
 */
export function parseCertificateTable(bytes: Uint8Array): TableEntry[] {
  if (bytes.length > MAX_TABLE) {
    throw malformed(
      "TOO_LARGE",
      `Cannot parse certificate table: ${bytes.length} bytes, at most ${MAX_TABLE} are read`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places: { guid: string; offset: number; end: number }[] = [];
  let at = 0;
  for (; ; at += ENTRY_SIZE) {
    if (at + ENTRY_SIZE > bytes.length || places.length > MAX_ENTRIES) {
      throw malformed(
        "OUT_OF_BOUNDS",
        `Cannot parse certificate table: no entry of zeros within ${bytes.length} bytes and ${MAX_ENTRIES} entries`,
        { offset: at },
      );
    }
    if (isZero(bytes.subarray(at, at + ENTRY_SIZE))) break;
    const offset = view.getUint32(at + 16, true);
    const end = offset + view.getUint32(at + 20, true);
    places.push({ guid: guidText(bytes.subarray(at, at + 16)), offset, end });
  }
  let covered = at + ENTRY_SIZE;
  for (const { guid, offset, end } of [...places].sort((a, b) => a.offset - b.offset)) {
    if (offset < covered || end > bytes.length || end === offset) {
      throw malformed(
        "OUT_OF_BOUNDS",
        `Cannot parse certificate table: entry ${guid} spans ${offset} to ${end}, expected a place within ${covered} to ${bytes.length}`,
        { guid, offset, end, from: covered, to: bytes.length },
      );
    }
    refuseRest(bytes, covered, offset);
    covered = end;
  }
  refuseRest(bytes, covered, bytes.length);
  return places.map(({ guid, offset, end }) => ({
    kind: KINDS.find((kind) => TABLE_GUID[kind] === guid),
    guid,
    data: bytes.subarray(offset, end),
  }));
}

/** A certificate table without padding; `kind` decides the GUID where it is given. */
export function encodeCertificateTable(
  entries: readonly (Pick<TableEntry, "data"> & ({ kind: TableKind } | { guid: string }))[],
): Bytes {
  const header = new Writer(ENTRY_SIZE * (entries.length + 1));
  let offset = ENTRY_SIZE * (entries.length + 1);
  for (const entry of entries) {
    const guid = "kind" in entry ? TABLE_GUID[entry.kind] : entry.guid;
    header.bytes(guidBytes(guid), 16, "guid").u32le(offset).u32le(entry.data.length);
    offset += entry.data.length;
  }
  return concat(header.zeros(ENTRY_SIZE).finish(), ...entries.map((entry) => entry.data));
}

function refuseRest(bytes: Uint8Array, from: number, to: number): void {
  if (isZero(bytes.subarray(from, to))) return;
  throw malformed(
    "TRAILING_BYTES",
    `Cannot parse certificate table: bytes ${from} to ${to} belong to no entry, expected zeros`,
    { from, to },
  );
}

/** The text of a GUID, whose first three parts are stored little-endian. */
export function guidText(bytes: Uint8Array): string {
  const hex = toHex(mixed(bytes));
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The 16 bytes of a GUID as `guidText` writes it. Throws `INVALID_HEX`. */
export function guidBytes(text: string): Uint8Array {
  return mixed(fromHex(text.replaceAll("-", "")));
}

function mixed(bytes: Uint8Array): Uint8Array {
  const out = Uint8Array.from(bytes);
  out.subarray(0, 4).reverse();
  out.subarray(4, 6).reverse();
  out.subarray(6, 8).reverse();
  return out;
}
