// SPDX-License-Identifier: Apache-2.0
// What plain scalars stand for: the core schema of YAML 1.2 (section 10.3.2), and what the reference takes besides:
// underscores in numbers, a leading 0 for octal, 0b for binary.

import { numberOf } from "../number.ts";
import type { RegoNumber } from "../value.ts";

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const INTEGER = /^([-+]?)(?:(0[xX])([0-9a-fA-F]+)|(0[bB])([01]+)|(0[oO]?)([0-7]+)|(0|[1-9][0-9]*))$/;
const NO_NUMBER = /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/;
const MAX_UINT64 = (1n << 64n) - 1n;
const MIN_INT64 = -(1n << 63n);

/** The value of plain text; the text itself where it is nothing else. `undefined` for infinities and NaN. */
export function resolvePlain(text: string): null | boolean | RegoNumber | string | undefined {
  switch (text) {
    case "":
    case "~":
    case "null":
    case "Null":
    case "NULL":
      return null;
    case "true":
    case "True":
    case "TRUE":
      return true;
    case "false":
    case "False":
    case "FALSE":
      return false;
  }
  if (NO_NUMBER.test(text)) return undefined;
  if (text.startsWith(".")) return FLOAT.test(text) ? doubleOr(text, text) : text;
  if (!/^[-+0-9]/.test(text)) return text;
  const digits = text.replaceAll("_", "");
  const integer = INTEGER.exec(digits);
  if (integer !== null) {
    const [, sign, , hex, , binary, , octal, decimal = ""] = integer;
    const size =
      hex !== undefined
        ? BigInt(`0x${hex}`)
        : binary !== undefined
          ? BigInt(`0b${binary}`)
          : BigInt(octal === undefined ? decimal : `0o${octal}`);
    const value = sign === "-" ? -size : size;
    if (value >= MIN_INT64 && value <= MAX_UINT64) return numberOf(value.toString());
  }
  return FLOAT.test(digits) ? doubleOr(digits, text) : text;
}

/** The double nearest to the number, the text where there is none. */
function doubleOr(number: string, text: string): RegoNumber | string {
  const value = Number(number);
  return Number.isFinite(value) ? numberOf(String(value)) : text;
}
