// SPDX-License-Identifier: Apache-2.0
// Whether a text has a match, by an automaton whose states are sets of instructions, made when first reached. One step
// per character; what it costs is counted by the size of the sets, so that it does not depend on what was made before.

import { CHAR, CLASS, CONDITION, MATCH, type Program, SPLIT } from "./program.ts";
import { charAt, charBefore, conditionsBetween, isWord, NONE, type Work, widthOf } from "./text.ts";

/** Places and transitions that the states of one program may hold before all are forgotten. */
const MAX_HELD = 200_000;

interface State {
  /** Instructions before their conditions are looked at, in ascending order. */
  readonly places: readonly number[];
  /** A character of the kind of the one before: as far as conditions can tell. */
  readonly before: number;
  readonly ascii: (State | undefined)[];
  readonly wide: Map<number, State>;
}

/** The state that says yes, whatever follows. */
const YES: State = { places: [], before: NONE, ascii: [], wide: new Map() };

/** What is known of one program so far. */
export class Automaton {
  readonly #program: Program;
  readonly #marks: Uint32Array;
  #mark = 0;
  #states = new Map<string, State>();
  #held = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#marks = new Uint32Array(program.operations.length);
  }

  /** Instructions of the program. */
  get size(): number {
    return this.#program.operations.length;
  }

  /** Whether there is a match anywhere in the text. */
  test(text: string, work: Work): boolean {
    const { prefix, anchored, literal, start } = this.#program;
    work.add(8 + text.length / 2);
    let at = 0;
    if (prefix !== "") {
      at = text.indexOf(prefix);
      if (at < 0 || literal) return at >= 0;
    }
    let state = this.#state([start], charBefore(text, at));
    while (state !== YES) {
      if (at > text.length || (anchored && state.places.length === 0)) return false;
      const c = charAt(text, at);
      work.add(state.places.length);
      state = this.#follow(state, c);
      at += c < 0 ? 1 : widthOf(c);
    }
    return true;
  }

  /** The state behind this character, or behind the end of the text. */
  #follow(state: State, c: number): State {
    const known = c < 128 ? state.ascii[c + 1] : state.wide.get(c);
    if (known !== undefined) return known;
    const next = this.#step(state, c);
    if (++this.#held > MAX_HELD) {
      this.#states = new Map();
      this.#held = 0;
      return next === YES ? YES : this.#state(next.places, next.before);
    }
    if (c < 128) state.ascii[c + 1] = next;
    else state.wide.set(c, next);
    return next;
  }

  #step(state: State, c: number): State {
    const { operations, next, arguments: args, classes, anchored, start, conditional } = this.#program;
    const holding = conditional ? conditionsBetween(state.before, c) : 0;
    const stack = [...state.places];
    const seen = ++this.#mark;
    const reached = new Set<number>();
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (this.#marks[at] === seen) continue;
      this.#marks[at] = seen;
      const after = next[at] as number;
      const argument = args[at] as number;
      switch (operations[at]) {
        case MATCH:
          return YES;
        case CHAR:
          if (argument === c) reached.add(after);
          break;
        case CLASS:
          if (c >= 0 && classes[argument]?.has(c)) reached.add(after);
          break;
        case CONDITION:
          if ((holding & argument) !== 0) stack.push(after);
          break;
        case SPLIT:
          stack.push(after, argument);
          break;
        default:
          stack.push(after);
      }
    }
    if (!anchored && c >= 0) reached.add(start);
    return this.#state(
      [...reached].sort((a, b) => a - b),
      c,
    );
  }

  #state(places: readonly number[], c: number): State {
    const before = this.#program.conditional && c !== NONE ? kindOf(c) : NONE;
    const key = `${before}:${places.join()}`;
    let state = this.#states.get(key);
    if (state === undefined) {
      state = { places, before, ascii: [], wide: new Map() };
      this.#states.set(key, state);
      this.#held += places.length + 16;
    }
    return state;
  }
}

/** One character for all that conditions do not tell apart. */
function kindOf(c: number): number {
  return c === 10 ? 10 : isWord(c) ? 48 : 32;
}
