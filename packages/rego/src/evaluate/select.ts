// SPDX-License-Identifier: Apache-2.0
// Which clauses of a rule can have a solution at all: those that compare one part of the input, or one argument, with
// constants are found by that constant, and not tried one by one.

import type { Clause, Local, Operand, Statement } from "../compile/program.ts";
import { type Key, keyOf, RegoSet, type Value } from "../value.ts";
import { constantOf } from "./constants.ts";
import type { Machine } from "./machine.ts";
import { field } from "./members.ts";
import type { Evaluation, Get } from "./state.ts";

export interface Candidate<T> {
  readonly clause: Clause;
  readonly code: T;
}

type Select<T> = (e: Evaluation) => readonly T[];

/** What a clause compares with constants: which part of what is given, and with which. */
interface Condition {
  readonly subject: string;
  readonly get: Get;
  readonly values: readonly Value[];
}

interface Entry<T> extends Candidate<T> {
  readonly conditions: readonly Condition[];
}

/** With fewer it is quicker to try each. */
const FEW = 4;

/** The clauses to try, in their order. */
export function selector<T>(
  machine: Machine,
  candidates: readonly Candidate<T>[],
  formals: readonly number[],
): Select<T> {
  const all = candidates.map(({ code }) => code);
  if (machine.isTraced || all.length < FEW) return () => all;
  return select(
    candidates.map((candidate) => ({ ...candidate, conditions: conditionsOf(candidate.clause, formals) })),
  );
}

function select<T>(entries: readonly Entry<T>[]): Select<T> {
  const all = entries.map(({ code }) => code);
  const subject = mostCommon(entries);
  if (subject === undefined || all.length < FEW) return () => all;
  const byKey = new Map<Key, Entry<T>[]>();
  for (const entry of entries) {
    for (const value of entry.conditions.find((condition) => condition.subject === subject.subject)?.values ??
      []) {
      byKey.set(keyOf(value), []);
    }
  }
  const others: Entry<T>[] = [];
  for (const entry of entries) {
    const condition = entry.conditions.find((found) => found.subject === subject.subject);
    const without = { ...entry, conditions: entry.conditions.filter((found) => found !== condition) };
    if (condition === undefined) others.push(without);
    const keys = condition === undefined ? byKey.keys() : new Set(condition.values.map(keyOf));
    for (const key of keys) byKey.get(key)?.push(without);
  }
  const found = new Map([...byKey].map(([key, list]) => [key, select(list)] as const));
  const otherwise = select(others);
  const { get } = subject;
  return (e) => {
    const value = get(e);
    // Constants are scalars, so that nothing else has their key.
    const next =
      value === undefined || (typeof value === "object" && value !== null)
        ? undefined
        : found.get(keyOf(value));
    return (next ?? otherwise)(e);
  };
}

/** The subject that most clauses ask for, if it is at least half of them. */
function mostCommon<T>(entries: readonly Entry<T>[]): Condition | undefined {
  const counts = new Map<string, { readonly condition: Condition; count: number }>();
  for (const { conditions } of entries) {
    for (const condition of conditions) {
      const known = counts.get(condition.subject);
      if (known === undefined) counts.set(condition.subject, { condition, count: 1 });
      else known.count++;
    }
  }
  let best: { readonly condition: Condition; count: number } | undefined;
  for (const found of counts.values()) if (best === undefined || found.count > best.count) best = found;
  return best !== undefined && best.count * 2 >= entries.length ? best.condition : undefined;
}

/** Comparisons without which the body has no solution. A clause with `else` goes on without one. */
function conditionsOf(clause: Clause, formals: readonly number[]): Condition[] {
  if (clause.else !== undefined) return [];
  const conditions = new Map<string, Condition>();
  const add = (
    subject: { readonly subject: string; readonly get: Get } | undefined,
    values: readonly Value[],
  ) => {
    if (subject === undefined || conditions.has(subject.subject) || !values.every(isScalar)) return;
    conditions.set(subject.subject, { ...subject, values });
  };
  const places = new Map<Local, number>();
  for (const [i, arg] of (clause.args ?? []).entries()) {
    const slot = formals[i];
    if (slot === undefined) continue;
    if (arg.kind === "local") places.set(arg.local, slot);
    else if (arg.kind === "value") add(argument(slot), [arg.value]);
  }
  const standsFor = new Map<Local, Operand>();
  const subjectOf = (operand: Operand) => {
    const meant = (operand.kind === "local" ? standsFor.get(operand.local) : undefined) ?? operand;
    if (meant.kind === "local") {
      const slot = places.get(meant.local);
      return slot === undefined ? undefined : argument(slot);
    }
    return meant.kind === "ref" && meant.head === "input" ? inputPart(meant.path) : undefined;
  };
  const compare = (a: Operand, b: Operand) => {
    const [left, right] = [constantOf(a), constantOf(b)];
    if (right !== undefined) add(subjectOf(a), [right]);
    else if (left !== undefined) add(subjectOf(b), [left]);
  };
  for (const { form, negated, with: replacements } of clause.body satisfies Statement[]) {
    if (negated || replacements.length > 0) continue;
    if (form.kind === "unify") {
      if (form.left.kind === "local" && form.left.local.generated && form.right.kind === "ref") {
        standsFor.set(form.left.local, form.right);
      }
      compare(form.left, form.right);
    }
    if (form.kind !== "call" || form.callee.kind !== "builtin" || form.output !== undefined) continue;
    const [a, b] = form.args;
    if (a === undefined || b === undefined) continue;
    if (form.callee.builtin.name === "equal") compare(a, b);
    if (form.callee.builtin.name === "internal.member_2") {
      const collection = constantOf(b);
      if (Array.isArray(collection)) add(subjectOf(a), collection);
      else if (collection instanceof RegoSet) add(subjectOf(a), [...collection.members()]);
    }
  }
  return [...conditions.values()];
}

function argument(slot: number): { readonly subject: string; readonly get: Get } {
  return { subject: `argument ${slot}`, get: (e) => e.slots[e.base + slot] };
}

function inputPart(path: readonly Operand[]): { readonly subject: string; readonly get: Get } | undefined {
  const names: string[] = [];
  for (const part of path) {
    if (part.kind !== "value" || typeof part.value !== "string") return undefined;
    names.push(part.value);
  }
  if (names.length === 0) return undefined;
  return {
    subject: JSON.stringify(names),
    get: (e) => {
      let at = e.input;
      for (const name of names) at = field(at, name);
      return at;
    },
  };
}

function isScalar(value: Value): boolean {
  return typeof value !== "object" || value === null;
}
