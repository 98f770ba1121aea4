// SPDX-License-Identifier: Apache-2.0
// Which locals a statement holds, and how.

import type { Clause, Local, Operand, Statement } from "./program.ts";

/** What not to look into. Bodies of comprehensions, `every`, `not`, `and` and `or` are closures. */
export interface Skip {
  readonly closures?: true;
  readonly refHeads?: true;
  readonly objectKeys?: true;
  readonly sets?: true;
}

/** A set, or whatever counts. */
interface Collector {
  add(local: Local): unknown;
}

const OUTSIDE: Skip = { closures: true };
/** Locals that a value would be bound to, were the operand a pattern. */
const PATTERN: Skip = { closures: true, refHeads: true, objectKeys: true };
const EVERYTHING: Skip = {};

export function addLocals(operand: Operand, skip: Skip, into: Collector): void {
  switch (operand.kind) {
    case "value":
      break;
    case "local":
      into.add(operand.local);
      break;
    case "ref":
      if (!skip.refHeads && typeof operand.head !== "string") into.add(operand.head);
      for (const part of operand.path) addLocals(part, skip, into);
      break;
    case "array":
      for (const item of operand.items) addLocals(item, skip, into);
      break;
    case "set":
      if (!skip.sets) for (const item of operand.items) addLocals(item, skip, into);
      break;
    case "object":
      for (const [key, value] of operand.entries) {
        if (!skip.objectKeys) addLocals(key, skip, into);
        addLocals(value, skip, into);
      }
      break;
    case "comprehension":
      if (skip.closures) break;
      if (operand.key !== undefined) addLocals(operand.key, skip, into);
      addLocals(operand.value, skip, into);
      for (const statement of operand.body) addStatementLocals(statement, skip, into);
      break;
    case "template":
      for (const part of operand.parts) if (typeof part !== "string") addLocals(part, skip, into);
      break;
  }
}

export function addStatementLocals(statement: Statement, skip: Skip, into: Collector): void {
  for (const operand of operandsOf(statement)) addLocals(operand, skip, into);
  const { form } = statement;
  if (skip.closures) return;
  if (form.kind === "every") {
    if (form.key !== undefined) into.add(form.key);
    into.add(form.value);
  }
  for (const body of bodiesOf(statement)) for (const inner of body) addStatementLocals(inner, skip, into);
}

/** Operands that stand in the statement itself, those of its replacements included. */
export function* operandsOf({ form, with: replacements }: Statement): Generator<Operand> {
  for (const { value } of replacements)
    if (value.kind !== "builtin" && value.kind !== "function") yield value;
  switch (form.kind) {
    case "test":
      yield form.term;
      break;
    case "unify":
      yield form.left;
      yield form.right;
      break;
    case "call":
      yield* form.args;
      if (form.output !== undefined) yield form.output;
      break;
    case "print":
      yield* form.args;
      break;
    case "every":
      yield form.domain;
      break;
    case "not":
    case "and":
    case "or":
      break;
  }
}

/** Bodies of the statement itself; those of comprehensions are found in its operands. */
export function bodiesOf({ form }: Statement): Statement[][] {
  switch (form.kind) {
    case "every":
    case "not":
      return [form.body];
    case "and":
    case "or":
      return [form.left, form.right];
    default:
      return [];
  }
}

/** Locals outside of closures. */
export function outerLocals(statement: Statement): Set<Local> {
  return localsBy((into) => addStatementLocals(statement, OUTSIDE, into));
}

export function operandLocals(operand: Operand): Set<Local> {
  return localsBy((into) => addLocals(operand, OUTSIDE, into));
}

export function patternLocals(operand: Operand): Set<Local> {
  return localsBy((into) => addLocals(operand, PATTERN, into));
}

/** Locals inside of closures, at any depth. */
export function closureLocals(statement: Statement): Set<Local> {
  return localsBy((into) => {
    for (const body of bodiesOf(statement)) {
      for (const inner of body) addStatementLocals(inner, EVERYTHING, into);
    }
    for (const operand of operandsOf(statement)) {
      for (const closure of comprehensionsIn(operand)) addLocals(closure, EVERYTHING, into);
    }
  });
}

/** The comprehensions of an operand that stand in no other; the parts of a template count. */
export function* comprehensionsIn(operand: Operand): Generator<Operand & { readonly kind: "comprehension" }> {
  switch (operand.kind) {
    case "comprehension":
      yield operand;
      break;
    case "ref":
      for (const part of operand.path) yield* comprehensionsIn(part);
      break;
    case "array":
    case "set":
      for (const item of operand.items) yield* comprehensionsIn(item);
      break;
    case "object":
      for (const [key, value] of operand.entries) {
        yield* comprehensionsIn(key);
        yield* comprehensionsIn(value);
      }
      break;
    case "template":
      for (const part of operand.parts) if (typeof part !== "string") yield* comprehensionsIn(part);
      break;
    case "value":
    case "local":
      break;
  }
}

/** References in an operand, from the outside in; `enter` says whether to look into one. */
export function* refsIn(
  operand: Operand,
  enter: (ref: Operand & { readonly kind: "ref" }) => boolean,
): Generator<Operand & { readonly kind: "ref" }> {
  switch (operand.kind) {
    case "ref":
      if (!enter(operand)) break;
      yield operand;
      for (const part of operand.path) yield* refsIn(part, enter);
      break;
    case "array":
    case "set":
      for (const item of operand.items) yield* refsIn(item, enter);
      break;
    case "object":
      for (const [key, value] of operand.entries) {
        yield* refsIn(key, enter);
        yield* refsIn(value, enter);
      }
      break;
    case "value":
    case "local":
    case "comprehension":
    case "template":
      break;
  }
}

function localsBy(fill: (into: Set<Local>) => void): Set<Local> {
  const into = new Set<Local>();
  fill(into);
  return into;
}

/** In how many places each local of a clause stands, closures included. */
export function countLocals(of: Clause | readonly Statement[]): Map<Local, number> {
  const counts = new Map<Local, number>();
  const into = {
    add: (local: Local) => counts.set(local, (counts.get(local) ?? 0) + 1),
  };
  if ("body" in of) {
    for (const operand of [...of.ref, ...(of.args ?? []), of.contains, of.value]) {
      if (operand !== undefined) addLocals(operand, EVERYTHING, into);
    }
  }
  for (const statement of "body" in of ? of.body : of) addStatementLocals(statement, EVERYTHING, into);
  return counts;
}
