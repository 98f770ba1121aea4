// SPDX-License-Identifier: Apache-2.0
// Functions on regular expressions, of RE2's syntax and never slower than the text is long; and `regex.globs_match`.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { parsePattern } from "../re2/parse.ts";
import { quoteMeta, type Regex, regexOf } from "../re2/regex.ts";
import { PatternError } from "../re2/scan.ts";
import type { Slots } from "../re2/search.ts";
import { arrayOf, BOOLEAN, NUMBER, STRING } from "../types.ts";
import type { Value } from "../value.ts";
import { define, failure, integerAt, stringAt } from "./define.ts";
import { globsIntersect } from "./globs-match.ts";

const TWO = [STRING, STRING] as const;
const THREE = [STRING, STRING, STRING] as const;
const STRINGS = arrayOf(STRING);

export const regex: readonly Builtin[] = [
  define("regex.match", TWO, BOOLEAN, match),
  define("re_match", TWO, BOOLEAN, match),
  define("regex.is_valid", [STRING], BOOLEAN, isValid),
  define("regex.split", TWO, STRINGS, split),
  define("regex.find_n", [STRING, STRING, NUMBER], STRINGS, findN),
  define("regex.find_all_string_submatch_n", [STRING, STRING, NUMBER], arrayOf(STRINGS), findSubmatches),
  define("regex.replace", THREE, STRING, replace),
  define("regex.globs_match", TWO, BOOLEAN, globsMatch),
  define("regex.template_match", [STRING, STRING, STRING, STRING], BOOLEAN, templateMatch),
];

/** Compiled once in an evaluation. Throws `BuiltinFailure` for what is no pattern. */
function compiled(pattern: string, context: BuiltinContext): Regex {
  const known = context.cached("regex", () => new Map<string, Regex>());
  let found = known.get(pattern);
  if (found === undefined) {
    try {
      found = regexOf(pattern, (steps) => context.spend(steps));
    } catch (error) {
      throw error instanceof PatternError ? failure(error.message) : error;
    }
    known.set(pattern, found);
  }
  return found;
}

function match(pattern: Value, value: Value, context: BuiltinContext): boolean {
  const expression = stringAt(pattern, 1);
  const text = stringAt(value, 2);
  return compiled(expression, context).test(text, (steps) => context.spend(steps));
}

/** False also for what is no string. A pattern too large to be compiled is valid. */
function isValid(pattern: Value, context: BuiltinContext): boolean {
  if (typeof pattern !== "string") return false;
  context.spend(Math.ceil(pattern.length / 4));
  try {
    parsePattern(pattern);
    return true;
  } catch (error) {
    if (error instanceof PatternError) return false;
    throw error;
  }
}

function split(pattern: Value, value: Value, context: BuiltinContext): Value {
  const expression = stringAt(pattern, 1);
  const text = stringAt(value, 2);
  const re = compiled(expression, context);
  if (expression !== "" && text === "") return [""];
  const parts: string[] = [];
  let begin = 0;
  let end = 0;
  for (const [from = 0, to = 0] of re.matches(text, (steps) => context.spend(steps))) {
    end = from;
    if (to !== 0) parts.push(text.slice(begin, end));
    begin = to;
  }
  if (end !== text.length) parts.push(text.slice(begin));
  return parts;
}

/** At most `limit` matches, all for a negative one. */
function* taken(
  pattern: Value,
  value: Value,
  limit: Value,
  context: BuiltinContext,
  withGroups: boolean,
): Generator<(i: number) => string> {
  const expression = stringAt(pattern, 1);
  const text = stringAt(value, 2);
  const count = integerAt(limit, 3);
  const re = compiled(expression, context);
  let left = count < 0 ? Number.POSITIVE_INFINITY : count;
  if (left === 0) return;
  for (const slots of re.matches(text, (steps) => context.spend(steps), withGroups)) {
    yield (i) => groupOf(text, slots, i);
    if (--left === 0) return;
  }
}

function findN(pattern: Value, value: Value, limit: Value, context: BuiltinContext): Value {
  return [...taken(pattern, value, limit, context, false)].map((groupAt) => groupAt(0));
}

function findSubmatches(pattern: Value, value: Value, limit: Value, context: BuiltinContext): Value {
  const results: Value[] = [];
  for (const groupAt of taken(pattern, value, limit, context, true)) {
    const groups = compiled(stringAt(pattern, 1), context).names.map((_, i) => groupAt(i));
    context.spend(groups.length);
    results.push(groups);
  }
  return results;
}

/** What a group took, "" where it took no part or is none. */
function groupOf(text: string, slots: Slots, i: number): string {
  const from = slots[2 * i] ?? -1;
  return from < 0 ? "" : text.slice(from, slots[2 * i + 1]);
}

function replace(value: Value, pattern: Value, replacement: Value, context: BuiltinContext): string {
  const text = stringAt(value, 1);
  const expression = stringAt(pattern, 2);
  const template = stringAt(replacement, 3);
  const re = compiled(expression, context);
  const parts = templateParts(template, re.names);
  const out: string[] = [];
  let end = 0;
  for (const slots of re.matches(text, (steps) => context.spend(steps), template.includes("$"))) {
    const [from = 0, to = 0] = slots;
    out.push(text.slice(end, from));
    for (const part of parts) {
      const group = typeof part === "string" ? undefined : part.find((i) => (slots[2 * i] ?? -1) >= 0);
      const piece = typeof part === "string" ? part : group === undefined ? "" : groupOf(text, slots, group);
      context.spend(1 + Math.ceil(piece.length / 16));
      out.push(piece);
    }
    end = to;
  }
  return end === 0 && out.length === 0 ? text : out.join("") + text.slice(end);
}

/**
 * Texts, and groups of which the first that took part is meant, in turn. `$1x` names the group "1x", as in Go's
 * templates; groups that are none give "".
 */
function templateParts(template: string, names: readonly string[]): readonly (string | readonly number[])[] {
  const parts: (string | readonly number[])[] = [];
  const reference = /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu;
  let end = 0;
  for (const { 0: whole, 1: bare, 2: braced, index } of template.matchAll(reference)) {
    parts.push(template.slice(end, index));
    end = index + whole.length;
    const name = bare ?? braced;
    if (name === undefined) parts.push("$");
    else if (/^(?:0|[1-9]\d{0,8})$/.test(name)) parts.push([Number(name)]);
    else parts.push(names.flatMap((other, i) => (other === name ? [i] : [])));
  }
  parts.push(template.slice(end));
  return parts.filter((part) => part !== "");
}

function globsMatch(first: Value, second: Value, context: BuiltinContext): boolean {
  return globsIntersect(stringAt(first, 1), stringAt(second, 2), context);
}

/** A text in which what stands between the delimiters is a pattern, and the rest itself. */
function templateMatch(
  template: Value,
  value: Value,
  startDelimiter: Value,
  endDelimiter: Value,
  context: BuiltinContext,
): boolean {
  const text = stringAt(template, 1);
  const subject = stringAt(value, 2);
  const open = delimiter(stringAt(startDelimiter, 3), "start");
  const close = delimiter(stringAt(endDelimiter, 4), "end");
  let pattern = "^";
  let level = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === open) {
      if (level++ === 0) {
        pattern += quoteMeta(text.slice(from, i));
        from = i + 1;
      }
    } else if (char === close) {
      if (--level < 0) throw failure(`unbalanced braces in ${JSON.stringify(text)}`);
      if (level > 0) continue;
      const inner = text.slice(from, i);
      compiled(`^${inner}$`, context);
      pattern += `(${inner})`;
      from = i + 1;
    }
  }
  if (level !== 0) throw failure(`unbalanced braces in ${JSON.stringify(text)}`);
  return compiled(`${pattern}${quoteMeta(text.slice(from))}$`, context).test(subject, (steps) =>
    context.spend(steps),
  );
}

/** One byte: one character of ASCII. */
function delimiter(text: string, which: string): string {
  if (text.length === 1 && text < "\u0080") return text;
  throw failure(`${which} delimiter has to be exactly one character long`);
}
