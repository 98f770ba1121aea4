// SPDX-License-Identifier: Apache-2.0
// `glob.match`: patterns of names in which a star stops at delimiters, run by the automaton of regular expressions.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { Automaton } from "../re2/automaton.ts";
import { ANY_CHAR, CharClass } from "../re2/charclass.ts";
import { Keeper } from "../re2/keep.ts";
import { compileProgram } from "../re2/program.ts";
import {
  BEGIN_TEXT,
  charNode,
  choice,
  classNode,
  END_TEXT,
  emptyNode,
  type Node,
  repeat,
  sequence,
} from "../re2/syntax.ts";
import { Work } from "../re2/text.ts";
import { anyOf, arrayOf, BOOLEAN, NULL, STRING } from "../types.ts";
import type { Value } from "../value.ts";
import { define, failure, operandFailure, stringAt, wrong, wrongMember } from "./define.ts";

/** Groups in groups. */
const MAX_DEPTH = 300;

export const glob: readonly Builtin[] = [
  define("glob.match", [STRING, anyOf(NULL, arrayOf(STRING)), STRING], BOOLEAN, match),
  define("glob.quote_meta", [STRING], STRING, (pattern: Value) =>
    stringAt(pattern, 1).replace(/[*?\\[\]{}]/g, "\\$&"),
  ),
];

const kept = /* @__PURE__ */ new Keeper<Automaton>();

function match(pattern: Value, delimiters: Value, value: Value, context: BuiltinContext): boolean {
  const text = stringAt(pattern, 1);
  const stops = delimitersAt(delimiters);
  const subject = stringAt(value, 3);
  const known = context.cached("glob", () => new Map<string, Automaton>());
  const key = `${stops.length} ${stops.join("")} ${text}`;
  let automaton = known.get(key);
  if (automaton === undefined) {
    context.spend(Math.ceil(text.length / 4));
    automaton = kept.get(key, () => new Automaton(compileProgram(new GlobParser(text, stops).parse())));
    context.spend(Math.ceil(automaton.size / 4));
    known.set(key, automaton);
  }
  const work = new Work((steps) => context.spend(steps));
  const result = automaton.test(subject, work);
  work.settle();
  return result;
}

/** None for null, a point for none. */
function delimitersAt(value: Value): readonly string[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw wrong(value, 2, "array", "null");
  const stops = value.map((member: Value) => {
    if (typeof member !== "string") throw wrongMember(value, member, 2, "string");
    const chars = Array.from(member);
    if (chars.length !== 1) throw operandFailure(2, "must be array of runes but got array containing string");
    return member;
  });
  return stops.length === 0 ? ["."] : stops;
}

/** `*`, `**`, `?`, `[abc]`, `[!abc]`, `[a-z]`, `{a,b}`, and a backslash before what should be itself. */
class GlobParser {
  readonly #chars: readonly string[];
  readonly #withoutStops: CharClass;
  #at = 0;
  #depth = 0;

  constructor(text: string, stops: readonly string[]) {
    if (!text.isWellFormed()) throw failure("glob: syntax error: invalid UTF-8 sequence");
    this.#chars = Array.from(text);
    const ranges = stops.flatMap((stop) => [pointOf(stop), pointOf(stop)]);
    this.#withoutStops = new CharClass([{ ranges }], true);
  }

  parse(): Node {
    const body = this.#terms();
    if (this.#at < this.#chars.length) throw this.#error("unclosed `{`");
    return sequence([emptyNode(BEGIN_TEXT), body, emptyNode(END_TEXT)]);
  }

  #error(reason: string): Error {
    return failure(`glob: syntax error at ${this.#at}: ${reason}`);
  }

  /** Up to the end, or in a group to its next comma or brace. */
  #terms(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#chars.length) {
      const char = this.#chars[this.#at] as string;
      if (this.#depth > 0 && (char === "," || char === "}")) break;
      this.#at++;
      switch (char) {
        case "*": {
          const all = this.#chars[this.#at] === "*";
          if (all) this.#at++;
          parts.push(repeat(classNode(all ? ANY_CHAR : this.#withoutStops), 0, Number.POSITIVE_INFINITY));
          break;
        }
        case "?":
          parts.push(classNode(this.#withoutStops));
          break;
        case "[":
          parts.push(this.#class());
          break;
        case "{":
          parts.push(this.#group());
          break;
        case "\\":
          parts.push(charNode(pointOf(this.#escaped())));
          break;
        default:
          parts.push(charNode(pointOf(char)));
      }
    }
    return sequence(parts);
  }

  #escaped(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw this.#error("trailing backslash");
    return char;
  }

  #group(): Node {
    if (++this.#depth > MAX_DEPTH) throw this.#error("groups nest too deeply");
    const parts = [this.#terms()];
    while (this.#chars[this.#at] === ",") {
      this.#at++;
      parts.push(this.#terms());
    }
    if (this.#chars[this.#at] !== "}") throw this.#error("unclosed `{`");
    this.#at++;
    this.#depth--;
    return choice(parts);
  }

  /** A range is one of two characters as they are; a set runs to the next bracket, and a dash in it is a dash. */
  #class(): Node {
    const negated = this.#chars[this.#at] === "!";
    if (negated) this.#at++;
    const ranges: number[] = [];
    if (this.#chars[this.#at + 1] === "-") {
      const low = pointOf(this.#escaped());
      this.#at++;
      const high = this.#chars[this.#at++];
      if (high === undefined) throw this.#error("unexpected end of input");
      if (pointOf(high) < low) throw this.#error("range hi character is less than lo");
      ranges.push(low, pointOf(high));
    } else {
      while (this.#at < this.#chars.length && this.#chars[this.#at] !== "]") {
        let char = this.#escaped();
        if (char === "\\") char = this.#escaped();
        ranges.push(pointOf(char), pointOf(char));
      }
      if (ranges.length === 0) throw this.#error("could not parse range");
    }
    if (this.#chars[this.#at++] !== "]") throw this.#error("expected close range character");
    return classNode(new CharClass([{ ranges }], negated));
  }
}

function pointOf(char: string): number {
  return char.codePointAt(0) ?? 0;
}
