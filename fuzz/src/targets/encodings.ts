// SPDX-License-Identifier: Apache-2.0
// Hex, base64, UTF-8: what is accepted is written back alike.

import {
  equal,
  fromBase64,
  fromBase64Url,
  fromHex,
  fromUtf8,
  toBase64,
  toBase64Url,
  toHex,
  toUtf8,
} from "@adyton/core/bytes";
import { bytesOf, roundTrip, textOf, tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  roundTrip(data, toUtf8, fromUtf8);
  tolerant(
    () => same(toHex(fromHex(text)), text.toLowerCase()),
    () => same(toBase64(fromBase64(text)), text),
    () => same(toBase64Url(fromBase64Url(text)), text),
  );
  const back = [fromHex(toHex(data)), fromBase64(toBase64(data)), fromBase64Url(toBase64Url(data))];
  if (!back.every((bytes) => equal(bytes, data))) throw new Error("bytes do not survive being text");
}

function same(found: string, expected: string): void {
  if (found !== expected) throw new Error("text is written back differently");
}

export async function seeds(): Promise<Uint8Array[]> {
  return ["00ffA0", "AP+g", "AP-g", "AA==", "AB==", "AAA=", "\u{1f600}\ufeff", "AAA"].map(bytesOf);
}
