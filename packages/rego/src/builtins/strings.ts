// SPDX-License-Identifier: Apache-2.0
// Functions on strings. Lengths and positions count code points.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { Decimal } from "../decimal.ts";
import { mul, toBigInt } from "../number.ts";
import { anyOf, arrayOf, BOOLEAN, dictionaryOf, NUMBER, STRING, setOf, type Type } from "../types.ts";
import { entriesOf, type RegoNumber, RegoSet, type Value } from "../value.ts";
import {
  define,
  failure,
  integerAt,
  listAt,
  numberAt,
  objectAt,
  operandFailure,
  stringAt,
  wrong,
  wrongMember,
} from "./define.ts";
import { lowerCase, upperCase } from "./letter-case.ts";

const TWO = [STRING, STRING] as const;
const STRINGS = arrayOf(STRING);
const ONE_OR_MORE: Type = anyOf(STRING, STRINGS, setOf(STRING));

export const strings: readonly Builtin[] = [
  define("concat", [STRING, anyOf(STRINGS, setOf(STRING))], STRING, concat),
  define(
    "contains",
    TWO,
    BOOLEAN,
    ofTwo((text, part) => text.includes(part)),
  ),
  define(
    "startswith",
    TWO,
    BOOLEAN,
    ofTwo((text, part) => text.startsWith(part)),
  ),
  define(
    "endswith",
    TWO,
    BOOLEAN,
    ofTwo((text, part) => text.endsWith(part)),
  ),
  define("format_int", [NUMBER, NUMBER], STRING, formatInt),
  define("indexof", TWO, NUMBER, ofTwo(indexOf)),
  define("indexof_n", TWO, arrayOf(NUMBER), indexOfN),
  define("lower", [STRING], STRING, ofOne(lowerCase)),
  define("upper", [STRING], STRING, ofOne(upperCase)),
  define("replace", [STRING, STRING, STRING], STRING, replace),
  define("strings.replace_n", [dictionaryOf(STRING, STRING), STRING], STRING, replaceN),
  define("split", TWO, STRINGS, ofTwo(partsOf)),
  define("strings.split_n", [STRING, STRING, NUMBER], STRINGS, splitN),
  define("substring", [STRING, NUMBER, NUMBER], STRING, substring),
  define(
    "trim",
    TWO,
    STRING,
    ofTwo((text, set) => trim(text, setTest(set), true, true)),
  ),
  define(
    "trim_left",
    TWO,
    STRING,
    ofTwo((text, set) => trim(text, setTest(set), true, false)),
  ),
  define(
    "trim_right",
    TWO,
    STRING,
    ofTwo((text, set) => trim(text, setTest(set), false, true)),
  ),
  define(
    "trim_prefix",
    TWO,
    STRING,
    ofTwo((text, part) => (text.startsWith(part) ? text.slice(part.length) : text)),
  ),
  define(
    "trim_suffix",
    TWO,
    STRING,
    ofTwo((text, part) => (text.endsWith(part) ? text.slice(0, text.length - part.length) : text)),
  ),
  define(
    "trim_space",
    [STRING],
    STRING,
    ofOne((text) => trim(text, isSpace, true, true)),
  ),
  define(
    "strings.reverse",
    [STRING],
    STRING,
    ofOne((text) => [...text].reverse().join("")),
  ),
  define("strings.count", TWO, NUMBER, ofTwo(count)),
  define("strings.any_prefix_match", [ONE_OR_MORE, ONE_OR_MORE], BOOLEAN, anyPrefixMatch),
  define("strings.any_suffix_match", [ONE_OR_MORE, ONE_OR_MORE], BOOLEAN, anySuffixMatch),
];

function ofOne(work: (text: string) => Value): Builtin["call"] {
  return (value: Value, context: BuiltinContext): Value => {
    const text = stringAt(value, 1);
    context.spend(1 + Math.ceil(text.length / 16));
    return work(text);
  };
}

function ofTwo(work: (text: string, other: string) => Value): Builtin["call"] {
  return (value: Value, second: Value, context: BuiltinContext): Value => {
    const text = stringAt(value, 1);
    const other = stringAt(second, 2);
    context.spend(1 + Math.ceil((text.length + other.length) / 16));
    return work(text, other);
  };
}

/** The strings of an array or a set. */
function stringsAt(value: Value, position: number): readonly string[] {
  const list = listAt(value, position);
  for (const member of list) {
    if (typeof member !== "string") throw wrongMember(value, member, position, "string");
  }
  return list as readonly string[];
}

function concat(delimiter: Value, list: Value, context: BuiltinContext): string {
  const between = stringAt(delimiter, 1);
  const parts = stringsAt(list, 2);
  let size = between.length * parts.length;
  for (const part of parts) size += part.length;
  context.spend(1 + Math.ceil(size / 16));
  return parts.join(between);
}

/** Fractions lose what stands behind the point, as 64 bits hold them. */
function formatInt(value: Value, radix: Value): string {
  const number = numberAt(value, 1);
  const base = numberAt(radix, 2);
  if (base !== 2 && base !== 8 && base !== 10 && base !== 16) {
    throw operandFailure(2, "must be one of {2, 8, 10, 16}");
  }
  return truncated(number).toString(base);
}

function truncated(value: RegoNumber): bigint {
  const rounded = value instanceof Decimal ? mul(value, 1) : value;
  if (rounded instanceof Decimal) return rounded.digits / 10n ** BigInt(-rounded.exponent);
  return toBigInt(rounded) ?? BigInt(Math.trunc(Number(rounded)));
}

/** Code points between two places of a text. */
function pointsIn(text: string, from: number, to: number): number {
  let points = 0;
  for (let at = from; at < to; points++) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return points;
}

function indexOf(text: string, part: string): number {
  if (part === "") throw failure("empty search character");
  const at = text.indexOf(part);
  return at < 0 ? -1 : pointsIn(text, 0, at);
}

function indexOfN(value: Value, search: Value, context: BuiltinContext): Value {
  const text = stringAt(value, 1);
  const part = stringAt(search, 2);
  if (part === "") throw failure("empty search character");
  const found: number[] = [];
  let points = 0;
  let counted = 0;
  // Each place costs up to the length of the part to compare.
  const price = 1 + Math.ceil(part.length / 16);
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
    context.spend(price);
    points += pointsIn(text, counted, at);
    counted = at;
    found.push(points);
  }
  context.spend(1 + Math.ceil(text.length / 16));
  return found;
}

/** An empty delimiter stands between any two characters. */
function partsOf(text: string, delimiter: string): string[] {
  return delimiter === "" ? [...text] : text.split(delimiter);
}

function splitN(value: Value, delimiter: Value, limit: Value, context: BuiltinContext): Value {
  const text = stringAt(value, 1);
  const between = stringAt(delimiter, 2);
  const n = integerAt(limit, 3);
  context.spend(1 + Math.ceil(text.length / 16));
  const parts = partsOf(text, between);
  return n < 0 ? parts.slice(n) : parts.slice(0, n);
}

function replace(value: Value, old: Value, replacement: Value, context: BuiltinContext): string {
  const text = stringAt(value, 1);
  return replaceAll(text, [[stringAt(old, 2), stringAt(replacement, 3)]], context);
}

function replaceN(patterns: Value, value: Value, context: BuiltinContext): string {
  const object = objectAt(patterns, 1);
  const text = stringAt(value, 2);
  const pairs = entriesOf(object).map(([key, member]): readonly [string, string] => {
    if (typeof key !== "string") throw operandFailure(1, "non-string key found in pattern object");
    if (typeof member !== "string") throw operandFailure(1, "non-string value found in pattern object");
    return [key, member];
  });
  return replaceAll(text, pairs, context);
}

/** At each place the first pair that fits, from left to right. An empty one fits before each character and at the end. */
function replaceAll(
  text: string,
  pairs: readonly (readonly [old: string, replacement: string])[],
  context: BuiltinContext,
): string {
  const byFirst = new Map<string, (readonly [string, string])[]>();
  let empty: string | undefined;
  for (const pair of pairs) {
    const [first = ""] = pair[0];
    if (first === "") empty = pair[1];
    else {
      const list = byFirst.get(first);
      if (list === undefined) byFirst.set(first, [pair]);
      else list.push(pair);
    }
  }
  let out = "";
  let size = 0;
  const add = (piece: string): void => {
    size += piece.length;
    context.spend(Math.ceil(piece.length / 16));
    out += piece;
  };
  context.spend(1 + Math.ceil(text.length / 4));
  for (let at = 0; at <= text.length; ) {
    if (empty !== undefined) add(empty);
    if (at === text.length) break;
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
    const candidates = byFirst.get(char) ?? [];
    const pair = candidates.find(([old]) => {
      context.spend(Math.ceil(old.length / 16));
      return text.startsWith(old, at);
    });
    if (pair === undefined) out += char;
    else add(pair[1]);
    at += pair === undefined ? char.length : pair[0].length;
  }
  return size === 0 && out.length === text.length ? text : out;
}

function substring(value: Value, offset: Value, length: Value, context: BuiltinContext): string {
  const text = stringAt(value, 1);
  const from = integerAt(offset, 2);
  const size = integerAt(length, 3);
  if (from < 0) throw failure("negative offset");
  context.spend(1 + Math.ceil(text.length / 16));
  const begin = placeOf(text, 0, from);
  return size < 0 ? text.slice(begin) : text.slice(begin, placeOf(text, begin, size));
}

/** So many code points behind a place, at most the end. */
function placeOf(text: string, from: number, points: number): number {
  let at = from;
  for (let i = 0; i < points && at < text.length; i++) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return at;
}

function setTest(set: string): (char: string) => boolean {
  const chars = new Set(set);
  return (char) => chars.has(char);
}

/** Unicode's White_Space, which is not what JavaScript trims. */
function isSpace(char: string): boolean {
  return char === "\u0085" || (char !== "\ufeff" && /^\s$/.test(char));
}

function trim(text: string, drops: (char: string) => boolean, left: boolean, right: boolean): string {
  let from = 0;
  let to = text.length;
  while (left && from < to) {
    const char = String.fromCodePoint(text.codePointAt(from) ?? 0);
    if (!drops(char)) break;
    from += char.length;
  }
  while (right && to > from) {
    const pair = text.slice(to - 2, to);
    const char = to - from > 1 && (pair.codePointAt(0) ?? 0) > 0xffff ? pair : text.slice(to - 1, to);
    if (!drops(char)) break;
    to -= char.length;
  }
  return text.slice(from, to);
}

/** How often a part is in a text without overlapping; an empty one, at each end of a character. */
function count(text: string, part: string): number {
  return part === "" ? pointsIn(text, 0, text.length) + 1 : text.split(part).length - 1;
}

function anyPrefixMatch(search: Value, base: Value, context: BuiltinContext): boolean {
  return startsWithAny(oneOrMore(search, 1), oneOrMore(base, 2), context);
}

function anySuffixMatch(search: Value, base: Value, context: BuiltinContext): boolean {
  const backwards = (texts: readonly string[]): string[] =>
    texts.map((text) => text.split("").reverse().join(""));
  return startsWithAny(backwards(oneOrMore(search, 1)), backwards(oneOrMore(base, 2)), context);
}

function oneOrMore(value: Value, position: number): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value) || value instanceof RegoSet) return stringsAt(value, position);
  throw wrong(value, position, "string", "set", "array");
}

function startsWithAny(
  texts: readonly string[],
  prefixes: readonly string[],
  context: BuiltinContext,
): boolean {
  let size = 0;
  for (const text of texts) size += text.length;
  for (const prefix of prefixes) size += prefix.length;
  context.spend(texts.length + prefixes.length + Math.ceil(size / 16));
  if (texts.length === 1 || prefixes.length === 1) {
    return texts.some((text) => prefixes.some((prefix) => text.startsWith(prefix)));
  }
  // Texts with a prefix stand together in order, directly behind the prefix itself.
  const sorted = [...texts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return prefixes.some((prefix) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] ?? "") < prefix) low = middle + 1;
      else high = middle;
    }
    return sorted[low]?.startsWith(prefix) === true;
  });
}
