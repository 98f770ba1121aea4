// SPDX-License-Identifier: Apache-2.0
// Where the first match is, and what its groups took: every choice is followed at once, in order of preference, so that
// the time is at most text × program.

import { CHAR, CONDITION, MATCH, type Program, SLOT, SPLIT } from "./program.ts";
import { charAt, charBefore, conditionsBetween, NONE, type Work, widthOf } from "./text.ts";

/** Begin and end of the match and of each group, -1 where a group took no part. */
export type Slots = readonly number[];

/** Threads in order of preference; each instruction at most once. */
class Threads {
  readonly places: number[] = [];
  readonly slots: Slots[] = [];
  readonly #marks: Uint32Array;
  #mark = 1;

  constructor(size: number) {
    this.#marks = new Uint32Array(size);
  }

  clear(): void {
    this.places.length = 0;
    this.slots.length = 0;
    // Marks are told apart by 32 bits.
    if (++this.#mark === 0xffffffff) {
      this.#marks.fill(0);
      this.#mark = 1;
    }
  }

  /** Whether it was not there. */
  mark(at: number): boolean {
    if (this.#marks[at] === this.#mark) return false;
    this.#marks[at] = this.#mark;
    return true;
  }
}

/** Looks for matches in one text, one after the other. */
export class Search {
  readonly #program: Program;
  readonly #text: string;
  readonly #work: Work;
  readonly #none: Slots;
  #current: Threads;
  #following: Threads;
  readonly #places: number[] = [];
  readonly #slots: Slots[] = [];

  /** `count` slots of each match are noted, at least two. */
  constructor(program: Program, text: string, count: number, work: Work) {
    this.#program = program;
    this.#text = text;
    this.#work = work;
    this.#none = new Array<number>(count).fill(-1);
    this.#current = new Threads(program.operations.length);
    this.#following = new Threads(program.operations.length);
  }

  /** The leftmost match that begins at `from` or later, of those the preferred one; undefined when there is none. */
  next(from: number): Slots | undefined {
    const { operations, next, arguments: args, classes, prefix, anchored, start } = this.#program;
    const text = this.#text;
    if (anchored && from > 0) return undefined;
    this.#current.clear();
    let found: Slots | undefined;
    let at = from;
    let before = charBefore(text, at);
    for (;;) {
      if (this.#current.places.length === 0) {
        if (found !== undefined || (anchored && at > 0)) break;
        if (prefix !== "") {
          const jump = text.indexOf(prefix, at);
          this.#work.add(((jump < 0 ? text.length : jump) - at) / 2);
          if (jump < 0) break;
          if (jump > at) before = charBefore(text, jump);
          at = jump;
        }
      }
      const c = charAt(text, at);
      const after = at + widthOf(c);
      if (found === undefined && (!anchored || at === 0)) {
        this.#enter(this.#current, start, at, conditionsBetween(before, c), this.#none.with(0, at));
      }
      const holding = conditionsBetween(c, c < 0 ? NONE : charAt(text, after));
      const { places, slots } = this.#current;
      this.#work.add(1 + places.length);
      this.#following.clear();
      for (let i = 0; i < places.length; i++) {
        const place = places[i] as number;
        const operation = operations[place];
        const taken = slots[i] as Slots;
        if (operation === MATCH) {
          found = taken.with(1, at);
          // What is preferred less does not count any more.
          break;
        }
        const argument = args[place] as number;
        const takes = operation === CHAR ? argument === c : c >= 0 && classes[argument]?.has(c) === true;
        if (takes) this.#enter(this.#following, next[place] as number, after, holding, taken);
      }
      if (c < 0) break;
      [this.#current, this.#following] = [this.#following, this.#current];
      before = c;
      at = after;
    }
    return found;
  }

  /** Adds an instruction, or what it leads to without taking a character. */
  #enter(threads: Threads, place: number, position: number, holding: number, taken: Slots): void {
    const { operations, next, arguments: args } = this.#program;
    let at: number | undefined = place;
    let slots: Slots = taken;
    let visited = 0;
    for (; at !== undefined; at = this.#places.pop(), slots = this.#slots.pop() ?? taken) {
      while (threads.mark(at)) {
        visited++;
        const operation = operations[at];
        const argument = args[at] as number;
        if (operation === SPLIT) {
          this.#places.push(argument);
          this.#slots.push(slots);
        } else if (operation === SLOT) {
          if (argument < slots.length) {
            visited += slots.length / 8;
            slots = slots.with(argument, position);
          }
        } else if (operation !== CONDITION) {
          threads.places.push(at);
          threads.slots.push(slots);
          break;
        } else if ((holding & argument) === 0) break;
        at = next[at] as number;
      }
    }
    this.#work.add(visited);
  }
}
