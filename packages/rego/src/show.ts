// SPDX-License-Identifier: Apache-2.0
// Values as the reference writes them: what `print`, `sprintf` and templates show.

import { formatNumber } from "./number.ts";
import {
  entriesOf,
  kindOf,
  type PlainObject,
  type RegoNumber,
  type RegoObject,
  type RegoSet,
  type Value,
} from "./value.ts";

/** One line: `{"a": [1, null]}`, `{1, 2}`, `set()`; strings in quotes. */
export function showValue(value: Value): string {
  switch (kindOf(value)) {
    case "string":
      return quote(value as string);
    case "number":
      return formatNumber(value as RegoNumber);
    case "array":
      return `[${(value as readonly Value[]).map(showValue).join(", ")}]`;
    case "set": {
      const members = (value as RegoSet).sorted();
      return members.length === 0 ? "set()" : `{${members.map(showValue).join(", ")}}`;
    }
    case "object": {
      const entries = entriesOf(value as PlainObject | RegoObject);
      return `{${entries.map(([key, member]) => `${showValue(key)}: ${showValue(member)}`).join(", ")}}`;
    }
    default:
      return String(value);
  }
}

/** As `showValue`, but a string is itself. */
export function showText(value: Value): string {
  return typeof value === "string" ? value : showValue(value);
}

/** What strings show as they are: letters, marks, numbers, punctuation, symbols, and the space of ASCII. */
const PRINTABLE = /^[ \p{L}\p{M}\p{N}\p{P}\p{S}]$/u;

/** Whether a character can be seen. */
export function isPrintable(char: string): boolean {
  return PRINTABLE.test(char);
}

/** A string as Go's source text has it, between quotes; everything beyond ASCII escaped with `ascii`. */
export function quote(text: string, ascii = false, mark = '"'): string {
  // Most strings need no more than the quotes.
  if (mark === '"' && /^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  let out = mark;
  for (const char of text) {
    const c = char.codePointAt(0) ?? 0;
    const control = "\u0007\b\t\n\v\f\r".indexOf(char);
    if (char === mark || char === "\\") out += `\\${char}`;
    else if (control >= 0) out += `\\${"abtnvfr"[control]}`;
    else if (c >= 0xdc80 && c < 0xdd00) out += `\\x${hex(c - 0xdc00, 2)}`;
    else if (c >= 0xd800 && c < 0xe000) out += ascii ? "\\ufffd" : "\ufffd";
    else if (ascii ? c >= 32 && c < 127 : isPrintable(char)) out += char;
    else out += c < 32 || c === 127 ? `\\x${hex(c, 2)}` : c < 0x10000 ? `\\u${hex(c, 4)}` : `\\U${hex(c, 8)}`;
  }
  return out + mark;
}

function hex(c: number, width: number): string {
  return c.toString(16).padStart(width, "0");
}
