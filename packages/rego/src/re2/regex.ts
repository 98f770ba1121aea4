// SPDX-License-Identifier: Apache-2.0
// Regular expressions with the syntax and the choices of Go's package regexp, in time linear in the text.

import { Automaton } from "./automaton.ts";
import { Keeper } from "./keep.ts";
import { parsePattern } from "./parse.ts";
import { compileProgram, type Program } from "./program.ts";
import { Search, type Slots } from "./search.ts";
import { charAt, Work, widthOf } from "./text.ts";

/** Counts steps against the limits of an evaluation; throws when they are used up. */
export type Spend = (steps: number) => void;

/** A compiled pattern; never changes in what it answers. */
export class Regex {
  readonly names: readonly string[];
  readonly #program: Program;
  #automaton: Automaton | undefined;

  /** Throws `PatternError`; `RegoError` with `REGO_LIMIT` for a pattern that is too large. */
  constructor(pattern: string) {
    const { root, names } = parsePattern(pattern);
    this.names = names;
    this.#program = compileProgram(root);
  }

  /** Instructions. */
  get size(): number {
    return this.#program.operations.length;
  }

  test(text: string, spend: Spend): boolean {
    const work = new Work(spend);
    this.#automaton ??= new Automaton(this.#program);
    const result = this.#automaton.test(text, work);
    work.settle();
    return result;
  }

  /** Matches from left to right that do not overlap; none that is empty directly behind another. */
  *matches(text: string, spend: Spend, withGroups = false): Generator<Slots> {
    const work = new Work(spend);
    const search = new Search(this.#program, text, withGroups ? 2 * this.names.length : 2, work);
    let end = -1;
    for (let at = 0; at <= text.length; ) {
      const slots = search.next(at);
      work.settle();
      if (slots === undefined) return;
      const [from, to] = slots as readonly [number, number];
      const empty = to === at;
      const allowed = !empty || from !== end;
      at = empty ? at + Math.max(1, widthOf(charAt(text, at))) : to;
      end = to;
      if (allowed) yield slots;
    }
  }
}

const kept = /* @__PURE__ */ new Keeper<Regex>();

/** A pattern compiled, or one that was kept. Throws like the constructor. */
export function regexOf(pattern: string, spend: Spend): Regex {
  spend(Math.ceil(pattern.length / 4));
  const regex = kept.get(pattern, () => new Regex(pattern));
  spend(Math.ceil(regex.size / 4));
  return regex;
}

/** The pattern that matches a text and nothing else. */
export function quoteMeta(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}
