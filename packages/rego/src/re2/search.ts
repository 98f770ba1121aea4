// SPDX-License-Identifier: Apache-2.0
// Where the first match is, and what its groups took: every choice is followed at once, in order of preference, so that
// the time is at most text × program.

import { CHAR, CLASS, CONDITION, MATCH, type Program, SLOT, SPLIT } from "./program.ts";
import { charAt, charBefore, conditionsBetween, NONE, type Work, widthOf } from "./text.ts";

/** Begin and end of the match and of each group, -1 where a group took no part. */
export type Slots = readonly number[];

/** Threads in order of preference; each instruction at most once. */
class Threads {
  readonly places: number[] = [];
  readonly slots: (readonly number[])[] = [];
  readonly #marks: Uint32Array;
  #mark = 1;

  constructor(size: number) {
    this.#marks = new Uint32Array(size);
  }

  clear(): void {
    this.places.length = 0;
    this.slots.length = 0;
    this.#mark++;
  }

  /** Whether it was not there. */
  mark(at: number): boolean {
    if (this.#marks[at] === this.#mark) return false;
    this.#marks[at] = this.#mark;
    return true;
  }
}

/**
 * The leftmost match that begins at `from` or later, of those the preferred one; `count` slots of it, at least two.
 * Undefined when there is none.
 */
export function search(
  program: Program,
  text: string,
  from: number,
  count: number,
  work: Work,
): Slots | undefined {
  const { operations, next, arguments: args, classes, prefix, anchored, start } = program;
  if (anchored && from > 0) return undefined;
  const none: readonly number[] = new Array<number>(count).fill(-1);
  const stack: { at: number; slots: readonly number[] }[] = [];
  let current = new Threads(operations.length);
  let following = new Threads(operations.length);
  let found: Slots | undefined;

  const enter = (
    threads: Threads,
    place: number,
    position: number,
    holding: number,
    taken: readonly number[],
  ) => {
    stack.push({ at: place, slots: taken });
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      let { at, slots } = top;
      while (threads.mark(at)) {
        work.add(1);
        const argument = args[at] as number;
        const operation = operations[at];
        if (operation === SPLIT) stack.push({ at: argument, slots });
        else if (operation === SLOT) {
          if (argument < count) {
            work.add(count / 8);
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
  };

  let at = from;
  let before = charBefore(text, at);
  for (;;) {
    if (current.places.length === 0) {
      if (found !== undefined || (anchored && at > 0)) break;
      if (prefix !== "") {
        const jump = text.indexOf(prefix, at);
        if (jump < 0) break;
        work.add((jump - at) / 2);
        if (jump > at) before = charBefore(text, jump);
        at = jump;
      }
    }
    const c = charAt(text, at);
    const after = at + widthOf(c);
    if (found === undefined && (!anchored || at === 0)) {
      enter(current, start, at, conditionsBetween(before, c), none.with(0, at));
    }
    const holding = conditionsBetween(c, c < 0 ? NONE : charAt(text, after));
    work.add(1);
    following.clear();
    for (let i = 0; i < current.places.length; i++) {
      const place = current.places[i] as number;
      const slots = current.slots[i] as readonly number[];
      const operation = operations[place];
      if (operation === MATCH) {
        found = slots.with(1, at);
        // What is preferred less does not count any more.
        break;
      }
      const argument = args[place] as number;
      const takes =
        operation === CHAR ? argument === c : operation === CLASS && c >= 0 && classes[argument]?.has(c);
      if (takes) enter(following, next[place] as number, after, holding, slots);
    }
    if (c < 0) break;
    [current, following] = [following, current];
    before = c;
    at = after;
  }
  return found;
}
