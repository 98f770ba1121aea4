// SPDX-License-Identifier: Apache-2.0
// JSON text of values and back, with numbers of any size.

import { BuiltinFailure } from "./builtin.ts";
import { Decimal } from "./decimal.ts";
import { formatNumber, numberOf } from "./number.ts";
import { compareStrings, entriesOf, type PlainObject, RegoObject, RegoSet, type Value } from "./value.ts";

const MAX_NESTING = 10_000;

/** Strings, with what follows a key; or numbers. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|-?\d[\d.eE+-]*/g;

/**
 * JSON text as the reference writes it: keys sorted, sets as arrays, keys that are no strings as their JSON text, `<`,
 * `>` and `&` escaped. `indent` and `prefix` lay it out in lines.
 */
export function jsonOf(value: Value, indent?: string, prefix = ""): string {
  const line = indent === undefined ? "" : `\n${prefix}`;
  return write(value, line, indent ?? "", indent === undefined ? ":" : ": ");
}

/** Whether the text is JSON that `parseJson` takes. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return !isDeep(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return false;
    throw cause;
  }
}

/** Whether arrays and objects stand in each other beyond what Go's decoder takes, and with it the reference. */
function isDeep(text: string): boolean {
  if (text.length <= 2 * MAX_NESTING) return false;
  let depth = 0;
  let most = 0;
  for (const [mark] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]/g)) {
    if (mark === "[" || mark === "{") most = Math.max(most, ++depth);
    else if (mark === "]" || mark === "}") depth--;
  }
  return most > MAX_NESTING;
}

/** The value of JSON text. Throws `BuiltinFailure`. */
export function parseJson(text: string): Value {
  try {
    if (isDeep(text)) throw new BuiltinFailure("builtin", "the text is nested too deeply");
    // Doubles hold what has fewer than 16 digits and no exponent.
    if (!/[\d.]{16}|\d[eE]/.test(text)) return JSON.parse(text) as Value;
    JSON.parse(text);
    const marked = text.replace(TOKEN, (token, colon?: string) =>
      token.startsWith('"') ? (colon === undefined ? `"s${token.slice(1)}` : token) : `"n${token}"`,
    );
    return JSON.parse(marked, (_key, value: Value) => {
      if (typeof value !== "string") return value;
      return value.startsWith("n") ? numberOf(value.slice(1)) : value.slice(1);
    }) as Value;
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new BuiltinFailure("builtin", "the text is not JSON");
    throw cause;
  }
}

function write(value: Value, line: string, indent: string, colon: string): string {
  if (typeof value === "string") return quote(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value !== "object" || value instanceof Decimal) return formatNumber(value);
  const inner = line === "" ? "" : line + indent;
  if (Array.isArray(value) || value instanceof RegoSet) {
    const members = value instanceof RegoSet ? value.sorted() : (value as readonly Value[]);
    if (members.length === 0) return "[]";
    return `[${members.map((member) => inner + write(member, inner, indent, colon)).join(",")}${line}]`;
  }
  const entries = namedEntries(value as PlainObject | RegoObject);
  if (entries.length === 0) return "{}";
  const members = entries.map(
    ([key, member]) => inner + quote(key) + colon + write(member, inner, indent, colon),
  );
  return `{${members.join(",")}${line}}`;
}

/** Entries by the names that keys have in JSON, sorted. */
function namedEntries(object: PlainObject | RegoObject): readonly (readonly [string, Value])[] {
  const entries = entriesOf(object).map(
    ([key, value]) => [typeof key === "string" ? key : jsonOf(key), value] as const,
  );
  // Names of one object may come to be the same: the last one wins.
  return object instanceof RegoObject
    ? [...new Map(entries)].sort(([a], [b]) => compareStrings(a, b))
    : entries;
}

function quote(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
