// SPDX-License-Identifier: Apache-2.0
// Whether two patterns of characters, `.`, sets, `*` and `+` have a text in common, by the rules of the library that
// the reference uses: a star takes whole tokens of the other side, so that a few pairs count as disjoint that are not.

import type { BuiltinContext } from "../builtin.ts";
import { failure } from "./define.ts";

interface Token {
  /** "." for any character; otherwise first and last of ranges, in pairs, in order and apart. */
  readonly takes: "." | readonly number[];
  /** A single character and the set of it take the same, but are not the same token. */
  readonly set: boolean;
  readonly flag: "" | "+" | "*";
}

/** Throws `BuiltinFailure` for a text that is no such pattern. */
export function globsIntersect(first: string, second: string, context: BuiltinContext): boolean {
  context.spend(Math.ceil((first.length + second.length) / 4));
  let a = tokensOf(first);
  let b = tokensOf(second);
  // What is without a flag at both ends is compared one by one; one token stays on either side.
  let left = 0;
  for (; left < a.length && left < b.length && plain(a[left]) && plain(b[left]); left++) {
    if (!common(a[left], b[left])) return false;
  }
  if (left > 0) left--;
  let right = 0;
  for (; right < Math.min(a.length, b.length) - left; right++) {
    const x = a.at(-1 - right);
    const y = b.at(-1 - right);
    if (!plain(x) || !plain(y)) break;
    if (!common(x, y)) return false;
  }
  if (right > 0) right--;
  a = a.slice(left, a.length - right);
  b = b.slice(left, b.length - right);
  return intersect(a, b, context);
}

/**
 * Whether the tokens have a text in common, decided for all places in both from the ends to the beginnings. There are
 * two answers for each pair of places, as where both tokens have a flag the library begins with the side that it came
 * from; and one for each side whose token there takes, as a star, tokens of the other side.
 */
function intersect(a: readonly Token[], b: readonly Token[], context: BuiltinContext): boolean {
  context.spend(Math.ceil(((a.length + 1) * (b.length + 1)) / 4));
  let below: Row = { stepsA: [], stepsB: [], starB: [] };
  for (let i = a.length; i >= 0; i--) {
    const x = a[i];
    const row: Row = { stepsA: [], stepsB: [], starB: [] };
    let starA = a[i + 1] === undefined;
    for (let j = b.length; j >= 0; j--) {
      const y = b[j];
      if (x === undefined || y === undefined) {
        row.stepsA[j] = row.stepsB[j] = x === y;
        row.starB[j] = b[j + 1] === undefined;
        continue;
      }
      const both = common(x, y);
      const behindA = starA;
      const behindB = below.starB[j] === true;
      const passA = below.stepsA[j] === true;
      const passB = row.stepsB[j + 1] === true;
      starA = (common(y, a[i + 1]) && passA) || (both && behindA);
      const starB = (common(x, b[j + 1]) && passB) || (both && behindB);
      row.starB[j] = starB;
      const flagA = x.flag === "*" ? starA : both && (behindA || (!plain(y) && passA));
      const flagB = y.flag === "*" ? starB : both && (behindB || (!plain(x) && passB));
      if (plain(x) && plain(y)) {
        row.stepsA[j] = both && below.stepsA[j + 1] === true;
        row.stepsB[j] = both && below.stepsB[j + 1] === true;
      } else {
        row.stepsA[j] = plain(x) ? flagB : flagA;
        row.stepsB[j] = plain(y) ? flagA : flagB;
      }
    }
    below = row;
  }
  return below.stepsA[0] === true;
}

/** Answers for one place in `a`, by the place in `b`. */
interface Row {
  readonly stepsA: boolean[];
  readonly stepsB: boolean[];
  readonly starB: boolean[];
}

function plain(token: Token | undefined): boolean {
  return token?.flag === "";
}

/** Whether there is a character that both take; any takes even the empty set, as in the library. */
function common(a: Token | undefined, b: Token | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (a.takes === "." || b.takes === ".") return true;
  const { takes } = b;
  for (let i = 0; i < a.takes.length; i += 2) {
    for (let k = 0; k < takes.length; k += 2) {
      if (
        (a.takes[i] as number) <= (takes[k + 1] as number) &&
        (takes[k] as number) <= (a.takes[i + 1] as number)
      ) {
        return true;
      }
    }
  }
  return false;
}

function tokensOf(text: string): readonly Token[] {
  const chars = Array.from(text, (char) => char.codePointAt(0) ?? 0);
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; ) {
    let takes: Token["takes"];
    const c = chars[at++] as number;
    if (c === STAR || c === PLUS) throw invalid(text, "flag must be preceded by a non-flag");
    if (c === CLOSE) throw invalid(text, "set-close ']' with no preceding '['");
    const set = c === OPEN;
    if (c === DOT) takes = ".";
    else if (set) [takes, at] = setFrom(text, chars, at);
    else if (c === BACKSLASH) {
      const escaped = escapedAt(text, chars, at++);
      takes = [escaped, escaped];
    } else takes = [c, c];
    if (chars[at] === BACKSLASH) escapedAt(text, chars, at + 1);
    const flag = chars[at] === STAR ? "*" : chars[at] === PLUS ? "+" : "";
    if (flag !== "") at++;
    join(tokens, { takes, set, flag });
  }
  return tokens;
}

/** `x*x+` is `x+`, `x*x*` is `x*`. */
function join(tokens: Token[], token: Token): void {
  const last = tokens.at(-1);
  const equal = last?.set === token.set && String(last.takes) === String(token.takes);
  if (!equal || plain(last) || plain(token)) {
    tokens.push(token);
  } else if (token.flag === "+") tokens[tokens.length - 1] = token;
}

const STAR = 0x2a;
const PLUS = 0x2b;
const DASH = 0x2d;
const DOT = 0x2e;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;

function escapedAt(text: string, chars: readonly number[], at: number): number {
  const c = chars[at];
  if (c === undefined) throw invalid(text, "input ends with a \\ (escape) character");
  return c;
}

/** The set up to its bracket, and the place behind it. */
function setFrom(text: string, chars: readonly number[], from: number): [number[], number] {
  const ranges: number[] = [];
  let previous: number | undefined;
  for (let at = from; at < chars.length; ) {
    let c = chars[at++] as number;
    if (c === CLOSE) return [merged(ranges), at];
    if (c === DASH) {
      if (previous === undefined) throw invalid(text, "range character '-' must be preceded by a character");
      if (at >= chars.length - 1) throw invalid(text, "range character '-' must be followed by a character");
      c = chars[at++] as number;
      if (c === CLOSE || c === DASH) {
        throw invalid(text, "range character '-' cannot be followed by a special symbol");
      }
      if (c === BACKSLASH) c = escapedAt(text, chars, at++);
      if (c < previous) throw invalid(text, "range is out of order");
      ranges.push(previous, c);
      previous = undefined;
    } else {
      if (c === BACKSLASH) c = escapedAt(text, chars, at++);
      ranges.push(c, c);
      previous = c;
    }
  }
  throw invalid(text, "found [ without matching ]");
}

/** In order, with those joined that touch: equal for equal sets. */
function merged(ranges: readonly number[]): number[] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i] as number, ranges[i + 1] as number]);
  pairs.sort(([a], [b]) => a - b);
  const out: number[] = [];
  for (const [low, high] of pairs) {
    const end = out.at(-1);
    if (end !== undefined && low <= end + 1) out[out.length - 1] = Math.max(end, high);
    else out.push(low, high);
  }
  return out;
}

function invalid(text: string, why: string): Error {
  return failure(`input:${text}, ${why}: the input provided is invalid`);
}
