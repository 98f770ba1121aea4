// SPDX-License-Identifier: Apache-2.0
// One clause of a rule as closures.

import type { Clause, Operand } from "../compile/program.ts";
import { countLocals } from "../compile/variables.ts";
import { BodyCoder } from "./body.ts";
import { type Coder, chain, type Part } from "./coder.ts";
import type { Machine } from "./machine.ts";
import type { Evaluation, Get, Step } from "./state.ts";

/** What is given to a clause before its body: a pattern, and the slot that holds what it is to match. */
export interface Given {
  readonly pattern: Operand;
  readonly slot: number;
}

export interface End {
  readonly done: Step;
  /** What a solution gives, for the tracer. */
  readonly value?: Get;
}

/** A clause with what is given to it; `end` makes what happens with each solution. Made at its first use. */
export function clauseStep(
  machine: Machine,
  clause: Clause,
  given: readonly Given[],
  end: (coder: Coder) => End,
): Step {
  let step: Step | undefined;
  return (e) => {
    if (step === undefined) step = makeStep(machine, clause, given, end);
    const { size } = clause.frame;
    if (e.base + size > e.top) e.reserve(size);
    return step(e);
  };
}

function makeStep(
  machine: Machine,
  clause: Clause,
  given: readonly Given[],
  end: (coder: Coder) => End,
): Step {
  const coder = new BodyCoder(machine, clause.frame, undefined, countLocals(clause), machine.isTraced);
  const parts: Part[] = given.flatMap(({ pattern, slot }) => {
    // The caller writes where the clause reads.
    if (pattern.kind === "local" && pattern.local.slot === slot && !coder.isBound(pattern.local)) {
      coder.bound.add(pattern.local);
      return [];
    }
    const match = coder.match(pattern);
    return [{ test: (e: Evaluation) => match(e, e.slots[e.base + slot] ?? null) }];
  });
  parts.push(...coder.parts(clause.body));
  const { done, value } = end(coder);
  return machine.isTraced ? tracedClause(clause, parts, done, value) : chain(parts, done);
}

function tracedClause(clause: Clause, parts: readonly Part[], done: Step, value: Get | undefined): Step {
  const { source: node, location } = clause;
  const run = chain(parts, (e) => {
    const found = value?.(e);
    e.event({
      kind: "exit",
      node,
      location,
      depth: e.depth,
      ...(found === undefined ? {} : { value: found }),
    });
    const stop = done(e);
    if (!stop) e.event({ kind: "redo", node, location, depth: e.depth });
    return stop;
  });
  return (e) => {
    e.event({ kind: "enter", node, location, depth: e.depth });
    const stop = run(e);
    if (!stop) e.event({ kind: "fail", node, location, depth: e.depth });
    return stop;
  };
}
