// SPDX-License-Identifier: Apache-2.0
// Makes closures of one body. What is bound where is known beforehand, so that a variable is a slot, unification is a
// test or an assignment, and nothing is looked up by name.

import type { Location } from "../ast.ts";
import type { Frame, Local, Operand, RefOperand, Statement } from "../compile/program.ts";
import type { Machine } from "./machine.ts";
import type { Get, Sink, Step } from "./state.ts";

/** A part of a body: true or false, or a loop that goes on for each solution. */
export type Part = TestPart | LoopPart;

export interface TestPart {
  readonly test: Step;
  /** The two sides, of a comparison for equality. */
  readonly sides?: readonly [Operand, Operand];
}

export interface LoopPart {
  /** With `only` the loop may leave out members that have another value there. */
  readonly loop: (next: Step, only?: Only) => Step;
  /** What each member is bound to, and the locals that the loop binds beside it. */
  readonly item?: Local;
  readonly binds?: ReadonlySet<Local>;
}

/** What the test behind a loop wants of each member, or of its member under a name. */
export interface Only {
  readonly name?: string;
  /** The same in each round. */
  readonly wanted: Get;
}

/** The result of a call or a reference that only the next part needs: evaluated in its place, without a slot. */
export interface Pending {
  readonly get: Get;
  /** What `get` gives the value of, unless it is a call. */
  readonly of?: Operand;
  /** The replacements under which it is to be evaluated. */
  readonly with: readonly unknown[];
}

/** The state while one body, with the bodies in it, becomes closures; how each part of it does, `BodyCoder` knows. */
export abstract class Coder {
  readonly machine: Machine;
  readonly frame: Frame;
  /** Those of this body; what is bound around it is asked of the coder there. */
  readonly bound: Set<Local> = new Set();
  readonly #outer: Coder | undefined;
  readonly pending: Map<Local, Pending>;
  /** Solutions are seen in order: in queries and arrays. */
  readonly ordered: boolean;
  /** In how many places each local stands. */
  readonly counts: ReadonlyMap<Local, number>;

  constructor(
    machine: Machine,
    frame: Frame,
    outer: Coder | undefined,
    counts: ReadonlyMap<Local, number>,
    ordered: boolean,
  ) {
    this.machine = machine;
    this.frame = frame;
    this.#outer = outer;
    this.pending = new Map();
    this.counts = counts;
    this.ordered = ordered;
  }

  /** For a body in this one, which sees what is bound here. */
  abstract inner(ordered?: boolean): Coder;
  /** The value of an operand that is ready. */
  abstract get(operand: Operand): Get;
  /** Compares a value with a pattern, and binds what is not bound in it. */
  abstract match(pattern: Operand): Sink;
  /** Visits every value that a reference with unbound keys has; binds them. */
  abstract walk(ref: RefOperand): (sink: Sink, only?: Only) => Step;
  /** The parts of a body, in order. What the body binds is bound from then on. */
  abstract parts(body: readonly Statement[]): Part[];

  /** A place in the frame that no variable has. */
  slot(): number {
    return this.frame.size++;
  }

  temporary(location: Location): Local {
    return { name: "", generated: true, location, slot: this.slot(), uses: 0 };
  }

  /** Whether nothing looks at what the local is bound to. */
  isUnused(operand: Operand): boolean {
    if (operand.kind !== "local" || this.machine.isTraced) return false;
    return operand.local.generated && this.counts.get(operand.local) === 1;
  }

  isBound(local: Local): boolean {
    return this.bound.has(local) || this.pending.has(local) || (this.#outer?.isBound(local) ?? false);
  }

  /** Whether every local of the operand is bound, so that it has one value at most. */
  isReady(operand: Operand): boolean {
    switch (operand.kind) {
      case "value":
      case "comprehension":
      case "template":
        return true;
      case "local":
        return this.isBound(operand.local);
      case "ref":
        return (
          (typeof operand.head === "string" || this.isBound(operand.head)) &&
          operand.path.every((part) => this.isReady(part))
        );
      case "array":
      case "set":
        return operand.items.every((item) => this.isReady(item));
      case "object":
        return operand.entries.every(([key, value]) => this.isReady(key) && this.isReady(value));
    }
  }
}

/** Parts one after the other, and then `done` for each solution. */
export function chain(parts: readonly Part[], done: Step): Step {
  let next = done;
  for (let i = parts.length - 1; i >= 0; ) {
    const part = parts[i];
    if (part === undefined) break;
    if ("loop" in part) {
      next = part.loop(next, onlyOf(part, parts[i + 1]));
      i--;
      continue;
    }
    const tests: Step[] = [];
    for (let at = part; "test" in at; ) {
      tests.unshift(at.test);
      const before = parts[--i];
      if (before === undefined || "loop" in before) break;
      at = before;
    }
    next = allThen(tests, next);
  }
  return next;
}

/** What the part behind a loop wants of each of its members. */
function onlyOf({ item, binds }: LoopPart, after: Part | undefined): Only | undefined {
  if (item === undefined || after === undefined || !("test" in after) || after.sides === undefined) return;
  const [a, b] = after.sides;
  for (const [side, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const wanted = wantedOf(other, item, binds);
    if (wanted === undefined) continue;
    if (side.kind === "local" && side.local === item) return { wanted };
    if (side.kind !== "ref" || side.head !== item || side.path.length !== 1) continue;
    const [key] = side.path;
    if (key?.kind === "value" && typeof key.value === "string") return { name: key.value, wanted };
  }
  return undefined;
}

/** The value of an operand that a loop does not change, and that takes nothing to have. */
function wantedOf(operand: Operand, item: Local, binds: LoopPart["binds"]): Get | undefined {
  if (operand.kind === "value") return () => operand.value;
  if (operand.kind !== "local" || operand.local === item || binds?.has(operand.local)) return undefined;
  const { slot } = operand.local;
  return (e) => e.slots[e.base + slot];
}

function allThen(tests: readonly Step[], next: Step): Step {
  const [a, b, c] = tests;
  if (a === undefined) return next;
  if (b === undefined) return (e) => a(e) && next(e);
  if (c === undefined) return (e) => a(e) && b(e) && next(e);
  if (tests.length === 3) return (e) => a(e) && b(e) && c(e) && next(e);
  return (e) => {
    for (let i = 0; i < tests.length; i++) {
      const test = tests[i];
      if (test === undefined || !test(e)) return false;
    }
    return next(e);
  };
}

/** Whether there is a solution. */
export const FOUND: Step = () => true;
