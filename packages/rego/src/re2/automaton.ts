// SPDX-License-Identifier: Apache-2.0
// Whether a text has a match, by an automaton whose states are sets of instructions, made when first reached. One step
// per character; what it costs is counted by the size of the sets, so that it does not depend on what was made before.

import { CHAR, CLASS, CONDITION, MATCH, type Program, SPLIT } from "./program.ts";
import { charAt, charBefore, conditionsBetween, isWord, NONE, type Work } from "./text.ts";

/** Places and transitions that the states of one program may hold before all are forgotten. */
const MAX_HELD = 200_000;

interface State {
  /** Instructions before their conditions are looked at, in ascending order. */
  readonly places: readonly number[];
  /** A character of the kind of the one before: as far as conditions can tell. */
  readonly before: number;
  /** By kind of character, for ASCII and, as kind 0, the end. */
  readonly next: (State | undefined)[];
  /** By character, for all others. */
  wide: Map<number, State> | undefined;
}

/** The state that says yes, whatever follows. */
const YES: State = { places: [], before: NONE, next: [], wide: undefined };

/** What is known of one program so far. */
export class Automaton {
  readonly #program: Program;
  /** The kind of each character of ASCII: those of one kind are taken by the same instructions. */
  readonly #kinds: Uint8Array;
  readonly #marks: Uint32Array;
  #mark = 0;
  #states = new Map<string, State>();
  #held = 0;
  /** At the beginning of the text. */
  #start: State;

  constructor(program: Program) {
    this.#program = program;
    this.#kinds = kindsOf(program);
    this.#marks = new Uint32Array(program.operations.length);
    this.#start = this.#state([program.start], NONE);
  }

  /** Instructions of the program. */
  get size(): number {
    return this.#program.operations.length;
  }

  /** Whether there is a match anywhere in the text. */
  test(text: string, work: Work): boolean {
    const { prefix, anchored, literal, start } = this.#program;
    const kinds = this.#kinds;
    work.add(8 + text.length / 2);
    let at = 0;
    if (prefix !== "") {
      at = text.indexOf(prefix);
      if (at < 0 || literal) return at >= 0;
    }
    let state = at === 0 ? this.#start : this.#state([start], charBefore(text, at));
    let visited = 0;
    while (state !== YES) {
      const { places } = state;
      if (at > text.length || (anchored && places.length === 0)) break;
      visited += places.length;
      if (visited > 4096) {
        work.add(visited);
        visited = 0;
      }
      const unit = text.charCodeAt(at);
      if (unit < 128) {
        state = state.next[kinds[unit] as number] ?? this.#follow(state, unit);
        at++;
      } else {
        const c = charAt(text, at);
        state = (c < 0 ? state.next[0] : state.wide?.get(c)) ?? this.#follow(state, c);
        at += c > 0xffff ? 2 : 1;
      }
    }
    work.add(visited);
    return state === YES;
  }

  /** Makes the state behind this character, or behind the end of the text. */
  #follow(state: State, c: number): State {
    const next = this.#step(state, c);
    if (++this.#held > MAX_HELD) {
      this.#states = new Map();
      this.#held = 0;
      this.#start = this.#state([this.#program.start], NONE);
      return next === YES ? YES : this.#state(next.places, next.before);
    }
    if (c < 128) {
      state.next[c < 0 ? 0 : (this.#kinds[c] as number)] = next;
    } else {
      state.wide ??= new Map();
      state.wide.set(c, next);
    }
    return next;
  }

  #step(state: State, c: number): State {
    const { operations, next, arguments: args, classes, anchored, start, conditional } = this.#program;
    const holding = conditional ? conditionsBetween(state.before, c) : 0;
    const marks = this.#marks;
    const seen = ++this.#mark;
    const stack = state.places.slice();
    const reached: number[] = [];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (marks[at] === seen) continue;
      marks[at] = seen;
      const after = next[at] as number;
      const argument = args[at] as number;
      switch (operations[at]) {
        case MATCH:
          return YES;
        case CHAR:
          if (argument === c) reached.push(after);
          break;
        case CLASS:
          if (c >= 0 && classes[argument]?.has(c)) reached.push(after);
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
    if (!anchored && c >= 0) reached.push(start);
    return this.#state(reached, c);
  }

  /** The state of these places, which may come in any order and more than once. */
  #state(reached: readonly number[], c: number): State {
    const before = this.#program.conditional && c !== NONE ? like(c) : NONE;
    const places: number[] = [];
    for (const place of reached.length < 2 ? reached : Uint16Array.from(reached).sort()) {
      if (place !== places.at(-1)) places.push(place);
    }
    // A program has fewer instructions than there are units.
    const key = String.fromCharCode(before + 1, ...places);
    let state = this.#states.get(key);
    if (state === undefined) {
      state = { places, before, next: [], wide: undefined };
      this.#states.set(key, state);
      this.#held += key.length + 16;
    }
    return state;
  }
}

/** One character for all that conditions do not tell apart. */
function like(c: number): number {
  return c === 10 ? 10 : isWord(c) ? 48 : 32;
}

function kindsOf({ operations, arguments: args, classes, conditional }: Program): Uint8Array {
  const tests: ((c: number) => boolean)[] = classes.map((of) => (c) => of.has(c));
  if (conditional) tests.push(isWord, (c) => c === 10);
  const chars = new Set(args.filter((argument, i) => operations[i] === CHAR && argument < 128));
  for (const char of chars) tests.push((c) => c === char);
  const kinds = new Uint8Array(128).fill(1);
  let last = 1;
  for (const test of tests) {
    // Each kind of which the test takes some and leaves some is parted in two.
    const parted = new Map<number, number>();
    const left = new Set<number>();
    for (let c = 0; c < 128; c++) if (!test(c)) left.add(kinds[c] as number);
    for (let c = 0; c < 128; c++) {
      const kind = kinds[c] as number;
      if (!left.has(kind) || !test(c)) continue;
      const other = parted.get(kind) ?? ++last;
      parted.set(kind, other);
      kinds[c] = other;
    }
    if (last === 128) break;
  }
  return kinds;
}
