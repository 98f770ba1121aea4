// SPDX-License-Identifier: Apache-2.0
// UEFI device paths as text (UEFI 2.11, sections 10.3 and 10.6), in the words that Trustee's claims use for them.

import { toHex } from "@adyton/core/bytes";
import { Reader } from "@adyton/core/cursor";

const HEADER = 4;
const END = 0x7f;
const MAX_NODES = 64;

/**
 * One text per node, the end node left out. Nodes that are not known are `Path(type,subtype,hex)`. Throws
 * `OUT_OF_BOUNDS` when a node reaches past the end.
 */
export function devicePathTexts(bytes: Uint8Array): string[] {
  const reader = new Reader(bytes, "device path");
  const texts: string[] = [];
  while (reader.remaining > 0 && texts.length < MAX_NODES) {
    const type = reader.u8("type");
    const subtype = reader.u8("subtype");
    const data = reader.bytes(reader.u16le("length") - HEADER, "node");
    if (type === END) break;
    texts.push(nodeText(type, subtype, data));
  }
  return texts;
}

function nodeText(type: number, subtype: number, data: Uint8Array): string {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  switch (`${type}.${subtype}`) {
    case "1.1":
      if (data.length === 2) return `Pci(${data[0]},${data[1]})`;
      break;
    case "2.1":
      if (data.length === 8) return `ACPI(${eisaId(view.getUint32(0, true))},${view.getUint32(4, true)})`;
      break;
    case "4.1":
      if (data.length === 38) return hardDrive(data, view);
      break;
    case "4.3":
      if (data.length >= 16) return `VenMedia(${guidText(data)},${toHex(data.subarray(16))})`;
      break;
    case "4.4":
      if (data.length >= 2 && data.length % 2 === 0) return `File(${utf16(data.subarray(0, -2))})`;
      break;
  }
  return `Path(${type},${subtype},${toHex(data)})`;
}

/** A compressed EISA id: three letters of five bits, then the product. */
function eisaId(id: number): string {
  const letter = (shift: number): string => String.fromCharCode(0x40 + ((id >> shift) & 31));
  return `${letter(10)}${letter(5)}${letter(0)}${(id >>> 16).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Section 10.3.5.1. */
function hardDrive(data: Uint8Array, view: DataView): string {
  const number = view.getUint32(0, true);
  const format = { 1: "MBR", 2: "GPT" }[data[36] ?? 0] ?? `${data[36]}`;
  const signature =
    format === "MBR"
      ? `0x${view.getUint32(20, true).toString(16).padStart(8, "0")}`
      : guidText(data.subarray(20, 36));
  const place =
    number === 0
      ? ""
      : `,0x${view.getBigUint64(4, true).toString(16)},0x${view.getBigUint64(12, true).toString(16)}`;
  return `HD(${number},${format},${signature}${place})`;
}

/** Upper-case text of a GUID, whose first three parts are stored little-endian. */
function guidText(bytes: Uint8Array): string {
  const part = (from: number, to: number): string => toHex(bytes.subarray(from, to));
  const swapped = (from: number, to: number): string =>
    toHex(Uint8Array.from(bytes.subarray(from, to)).reverse());
  return [swapped(0, 4), swapped(4, 6), swapped(6, 8), part(8, 10), part(10, 16)].join("-").toUpperCase();
}

/** UTF-16, little-endian; halves of pairs become U+FFFD. An odd last byte is left out. */
export function utf16(bytes: Uint8Array): string {
  return new TextDecoder("utf-16le", { ignoreBOM: true }).decode(bytes.subarray(0, bytes.length & ~1));
}
