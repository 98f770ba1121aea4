// SPDX-License-Identifier: Apache-2.0
// JSON answers: bytes as lower-case hex, times as RFC 3339, two spaces of indent, one line break at the end.

import { toHex } from "@adyton/core/bytes";
import type { Output } from "../io.ts";

/** Writes `value` as one JSON document. */
export function writeJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value, replacer, 2)}\n`);
}

function replacer(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  return typeof value === "bigint" ? value.toString() : value;
}
