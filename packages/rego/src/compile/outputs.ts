// SPDX-License-Identifier: Apache-2.0
// Which locals a statement binds when it is evaluated, given those that are bound before.

import { keyOf } from "../value.ts";
import type { Local, Operand, Statement } from "./program.ts";
import { addLocals, operandLocals, operandsOf, patternLocals, refsIn } from "./variables.ts";

/** Locals that are bound; only asked, so that it need not be one set. */
export interface Locals {
  has(local: Local): boolean;
}

export function outputsOf(statement: Statement, safe: Locals): Set<Local> {
  const { form, negated, with: replacements } = statement;
  if (negated) return new Set();
  for (const { value } of replacements) {
    if (value.kind !== "builtin" && value.kind !== "function" && !isWithin(operandLocals(value), safe)) {
      return new Set();
    }
  }
  switch (form.kind) {
    case "test":
      return iterated([form.term], safe);
    case "every":
      return iterated([form.domain], safe);
    case "unify":
      return unified(form, safe, [...operandsOf(statement)]);
    case "call": {
      const outputs = iterated([...operandsOf(statement)], safe);
      if (form.output === undefined) return outputs;
      const needed = new Set<Local>();
      for (const arg of form.args)
        addLocals(arg, { closures: true, sets: true, objectKeys: true, refHeads: true }, needed);
      for (const local of needed) if (!outputs.has(local) && !safe.has(local)) return new Set();
      addLocals(form.output, { closures: true, sets: true, objectKeys: true, refHeads: true }, outputs);
      return outputs;
    }
    case "print":
    case "not":
    case "and":
    case "or":
      return new Set();
  }
}

/** Locals of the one or the other. */
export function either(a: Locals, b: Locals): Locals {
  return { has: (local) => a.has(local) || b.has(local) };
}

/** Locals in the paths of references: iterating over what stands there binds them. */
function iterated(operands: readonly Operand[], safe: Locals): Set<Local> {
  const outputs = new Set<Local>();
  for (const operand of operands) {
    for (const ref of refsIn(operand, (found) => isRefSafe(found, safe))) {
      for (const part of ref.path) addLocals(part, { refHeads: true }, outputs);
    }
  }
  return outputs;
}

function unified(
  form: Statement["form"] & { readonly kind: "unify" },
  safe: Locals,
  operands: readonly Operand[],
): Set<Local> {
  const outputs = iterated(operands, safe);
  // The left of `:=` is bound by it and by nothing else.
  const left = new Set<Local>();
  if (form.assign) addLocals(form.left, {}, left);
  const known: Locals = { has: (local) => !left.has(local) && (outputs.has(local) || safe.has(local)) };
  const bound = boundByUnification(form.left, form.right, known);
  for (const local of left) outputs.delete(local);
  addAll(outputs, bound);
  for (const local of outputs) if (safe.has(local)) outputs.delete(local);
  return outputs;
}

/** Locals that are bound when two operands are made equal. */
export function boundByUnification(left: Operand, right: Operand, safe: Locals): Set<Local> {
  const bound = new Set<Local>();
  const waiting = new Map<Local, Set<Local>>();
  const isKnown = (local: Local) => safe.has(local) || bound.has(local);

  const mark = (local: Local): void => {
    bound.add(local);
    const depends = waiting.get(local);
    waiting.delete(local);
    for (const other of depends ?? []) mark(other);
    for (const [other, needs] of [...waiting]) {
      if (needs.delete(local) && needs.size === 0) mark(other);
    }
  };
  const markAll = (operand: Operand): void => patternLocals(operand).forEach(mark);
  const await_ = (local: Local, other: Local): void => {
    const needs = waiting.get(local);
    if (needs === undefined) waiting.set(local, new Set([other]));
    else needs.add(other);
  };
  const withPattern = (local: Local, pattern: Operand): void => {
    if (isKnown(local)) {
      markAll(pattern);
      return;
    }
    const open = [...patternLocals(pattern)].filter((other) => !isKnown(other));
    if (open.length === 0) mark(local);
    for (const other of open) await_(local, other);
  };

  const unify = (a: Operand, b: Operand): void => {
    if (a.kind === "local") {
      if (b.kind === "local") {
        if (isKnown(b.local)) mark(a.local);
        else if (isKnown(a.local)) mark(b.local);
        else {
          await_(a.local, b.local);
          await_(b.local, a.local);
        }
      } else if (b.kind === "array" || b.kind === "object") withPattern(a.local, b);
      else if (b.kind !== "ref" || isRefSafe(b, safe)) mark(a.local);
    } else if (b.kind === "local") unify(b, a);
    else if (a.kind === "ref" || b.kind === "ref") {
      const [ref, other] = a.kind === "ref" ? [a, b] : [b as Operand & { readonly kind: "ref" }, a];
      if (isRefSafe(ref, safe) && (other.kind === "array" || other.kind === "object")) markAll(other);
    } else if (a.kind === "comprehension" || b.kind === "comprehension") {
      const other = a.kind === "comprehension" ? b : a;
      if (other.kind === "array" || other.kind === "object") markAll(other);
    } else if (a.kind === "array" && b.kind === "array" && a.items.length === b.items.length) {
      for (const [i, item] of a.items.entries()) unify(item, b.items[i] ?? item);
    } else if (a.kind === "object" && b.kind === "object" && a.entries.length === b.entries.length) {
      for (const [key, value] of a.entries) {
        const other = b.entries.find(([otherKey]) => isSameKey(key, otherKey));
        if (other !== undefined) unify(value, other[1]);
      }
    } else if (
      a.kind === "value" &&
      typeof a.value === "object" &&
      (b.kind === "array" || b.kind === "object")
    )
      markAll(b);
    else if (b.kind === "value" && typeof b.value === "object" && (a.kind === "array" || a.kind === "object"))
      markAll(a);
  };
  unify(left, right);
  return bound;
}

/** Two keys of patterns that stand for one: the same constant, or the same local. */
export function isSameKey(a: Operand, b: Operand): boolean {
  if (a.kind === "value" && b.kind === "value") return keyOf(a.value) === keyOf(b.value);
  return a.kind === "local" && b.kind === "local" && a.local === b.local;
}

function isRefSafe({ head }: Operand & { readonly kind: "ref" }, safe: Locals): boolean {
  return typeof head === "string" || safe.has(head);
}

function isWithin(locals: Iterable<Local>, safe: Locals): boolean {
  for (const local of locals) if (!safe.has(local)) return false;
  return true;
}

export function addAll(into: Set<Local>, locals: Iterable<Local>): void {
  for (const local of locals) into.add(local);
}
