// SPDX-License-Identifier: Apache-2.0
// Where lowered statements go, and how operands are put together.

import type { Expr, Location, Term } from "../ast.ts";
import type { Value } from "../value.ts";
import type { Form, LocalOperand, Operand, RefOperand, Replacement, Statement } from "./program.ts";

/** Where statements go, and what they have in common. */
export interface Sink {
  readonly list: Statement[];
  readonly with: readonly Replacement[];
  readonly origin?: Expr;
}

/** Adds a statement to a sink. */
export function emit(sink: Sink, form: Form, location: Location, generated = true): void {
  sink.list.push({
    form,
    negated: false,
    with: sink.with,
    generated,
    ...(sink.origin === undefined ? {} : { origin: sink.origin }),
    location,
  });
}

/** A path below another operand, in one reference where that is one already. */
export function below(
  head: RefOperand | LocalOperand,
  path: readonly Operand[],
  location: Location,
  term?: Term,
): RefOperand {
  const source = term === undefined ? {} : { term };
  return head.kind === "ref"
    ? { kind: "ref", head: head.head, path: [...head.path, ...path], location, ...source }
    : { kind: "ref", head: head.local, path, location, ...source };
}

/** The values of operands that are constants. */
export function constantValues(operands: readonly Operand[]): Value[] {
  return operands.flatMap((operand) => (operand.kind === "value" ? [operand.value] : []));
}

/** References and comprehensions, anywhere in it. */
export function needsEvaluation(operand: Operand): boolean {
  switch (operand.kind) {
    case "value":
    case "local":
      return false;
    case "array":
    case "set":
      return operand.items.some(needsEvaluation);
    case "object":
      return operand.entries.some(([key, value]) => needsEvaluation(key) || needsEvaluation(value));
    case "ref":
    case "comprehension":
    case "template":
      return true;
  }
}

export function globalRef(path: readonly string[], term: Term): Operand {
  const { location } = term;
  const [root, ...rest] = path;
  return {
    kind: "ref",
    head: root === "input" ? "input" : "data",
    path: rest.map((value) => ({ kind: "value", value, location })),
    location,
    term,
  };
}

export function isRoot(name: string): name is "input" | "data" {
  return name === "input" || name === "data";
}
