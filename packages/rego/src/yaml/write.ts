// SPDX-License-Identifier: Apache-2.0
// Values to YAML: block style, two spaces, sorted keys, and strings quoted as the reference quotes them.

import type { BuiltinContext } from "../builtin.ts";
import { jsonOf } from "../json-text.ts";
import { toBigInt } from "../number.ts";
import {
  compareStrings,
  entriesOf,
  isObject,
  kindOf,
  type PlainObject,
  type RegoNumber,
  type RegoObject,
  RegoSet,
  type Value,
} from "../value.ts";
import { resolvePlain } from "./scalar.ts";

/** Text that YAML 1.1 took for something else than a string: booleans, times of day, dates. */
const OLD =
  /^(?:[yYnN]|yes|Yes|YES|on|On|ON|no|No|NO|off|Off|OFF)$|^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const DATE = /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]|\s+)\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d*)?.{0,6})?$/;
/** Characters that need escapes: the others, and tabs in lines of their own, are shown as they are. */
const SPECIAL = /[^\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;
const NAMED: Readonly<Record<string, string>> = {
  "\0": "0",
  "\x07": "a",
  "\b": "b",
  "\t": "t",
  "\n": "n",
  "\v": "v",
  "\f": "f",
  "\r": "r",
  "\x1b": "e",
  '"': '"',
  "\\": "\\",
  "\u0085": "N",
  "\u2028": "L",
  "\u2029": "P",
};
const MAX_SIMPLE_KEY = 128;
const BREAK = /[\n\r\u0085\u2028\u2029]/;

/** One document, with a line end. */
export function writeYaml(value: Value, context: BuiltinContext): string {
  return `${write(value, "", context)}\n`;
}

/** The first line without indentation, the others with it. */
function write(value: Value, indent: string, context: BuiltinContext): string {
  context.spend(1);
  if (typeof value === "string") {
    context.spend(value.length >> 4);
    return stringText(value, indent === "" ? "  " : indent);
  }
  if (value instanceof RegoSet || Array.isArray(value)) {
    const members = value instanceof RegoSet ? value.sorted() : (value as readonly Value[]);
    if (members.length === 0) return "[]";
    return members.map((member) => `- ${write(member, `${indent}  `, context)}`).join(`\n${indent}`);
  }
  if (value !== null && isObject(value)) {
    const entries = namedEntries(value);
    if (entries.length === 0) return "{}";
    return entries.map(([key, member]) => entryText(key, member, indent, context)).join(`\n${indent}`);
  }
  return kindOf(value) === "number" ? numberText(value as RegoNumber) : String(value);
}

function entryText(key: string, value: Value, indent: string, context: BuiltinContext): string {
  const inner = `${indent}  `;
  const text = write(value, inner, context);
  // A key of several lines, or a long one, stands behind a mark of its own.
  if (BREAK.test(key) || key.length > MAX_SIMPLE_KEY)
    return `? ${stringText(key, inner)}\n${indent}: ${text}`;
  const shown = key === "<<" ? '"<<"' : stringText(key, inner);
  return typeof value === "object" && value !== null && !/^[[{]/.test(text) && kindOf(value) !== "number"
    ? `${shown}:\n${inner}${text}`
    : `${shown}: ${text}`;
}

/** Keys that are no strings have their JSON text as names; of equal names the last one counts. */
function namedEntries(object: PlainObject | RegoObject): readonly (readonly [string, Value])[] {
  const named = new Map(
    entriesOf(object).map(([key, value]) => [typeof key === "string" ? key : jsonOf(key), value] as const),
  );
  return [...named].sort(([a], [b]) => compareKeys(a, b));
}

/** As people sort: numbers inside by their size, letters behind other characters. */
function compareKeys(left: string, right: string): number {
  const [a, b] = [Array.from(left), Array.from(right)];
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const [x, y] = [a[at], b[at]];
  if (x === undefined || y === undefined) return a.length - b.length;
  const [xIsLetter, yIsLetter] = [/\p{L}/u.test(x), /\p{L}/u.test(y)];
  if (xIsLetter && yIsLetter) return compareStrings(x, y);
  if (xIsLetter || yIsLetter) return xIsLetter === /\d/.test(a[at - 1] ?? "") ? -1 : 1;
  // Behind digits that are the same, a zero is part of the number.
  const before = /[1-9]\d*$/.test(a.slice(0, at).join("")) && (x === "0" || y === "0") ? "1" : "";
  const digits = (text: readonly string[]): string => /^\d*/.exec(text.slice(at).join(""))?.[0] ?? "";
  const [n, m] = [digits(a), digits(b)];
  const difference = BigInt(`${before}${n}` || 0) - BigInt(`${before}${m}` || 0);
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return n.length - m.length || compareStrings(x, y);
}

function stringText(text: string, indent: string): string {
  if (text.isWellFormed() && SPECIAL.test(text)) return quoted(text);
  if (!text.isWellFormed()) return quoted(text.toWellFormed());
  if (text.includes("\n")) return / \n| $/.test(text) ? quoted(text) : literal(text, indent);
  if (text === "" || text.includes("\t") || resolvePlain(text) !== text || OLD.test(text) || DATE.test(text))
    return quoted(text);
  const plain = !/^[ ,[\]{}#&*!|>'"%@`]|^[-?:](?: |$)|^---|^\.\.\.| $|: | #|:$/.test(text);
  return plain ? text : `'${text.replaceAll("'", "''")}'`;
}

function literal(text: string, indent: string): string {
  const hint = /^[ \n]/.test(text) ? "2" : "";
  const chomp = !text.endsWith("\n") ? "-" : text === "\n" || text.endsWith("\n\n") ? "+" : "";
  const lines = text.replace(/\n$/, "").split("\n");
  return `|${hint}${chomp}\n${lines.map((line) => (line === "" ? "" : indent + line)).join("\n")}`;
}

function quoted(text: string): string {
  const escaped = Array.from(text, (char) => {
    const name = NAMED[char];
    if (name !== undefined) return `\\${name}`;
    if (!SPECIAL.test(char)) return char;
    const code = char.codePointAt(0) ?? 0;
    const [letter, width] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return `\\${letter}${code
      .toString(16)
      .toUpperCase()
      .padStart(width as number, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

/** Integers of 64 bits in full; other numbers as doubles, with an exponent from 10^6 on and below 10^-4. */
function numberText(value: RegoNumber): string {
  const whole = toBigInt(value);
  if (whole !== undefined && whole >= -(1n << 63n) && whole < 1n << 64n) return String(whole);
  const near = Number(value);
  const [digits = "", exponent = "0"] = near.toExponential().split("e");
  if (Number(exponent) >= -4 && Number(exponent) < 6) return String(near);
  const sign = exponent.startsWith("-") ? "-" : "+";
  return `${digits}e${sign}${exponent.slice(1).padStart(2, "0")}`;
}
