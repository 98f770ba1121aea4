// SPDX-License-Identifier: Apache-2.0
// Partial sets and objects: all of one, or only what stands below keys that are known beforehand.

import { GIVEN_SLOT, RESULT_SLOT } from "../compile/head.ts";
import { type Clause, nodesBelow, type Operand, type RuleNode } from "../compile/program.ts";
import { RegoSet, same, type Value } from "../value.ts";
import { clauseStep, type Given } from "./clause.ts";
import type { Coder } from "./coder.ts";
import { ExtentBuilder } from "./extent.ts";
import type { Machine } from "./machine.ts";
import { type Candidate, selector } from "./select.ts";
import type { Evaluation, Get, Step } from "./state.ts";

export interface Extent {
  readonly all: Get;
  /** Holds at least what stands below these keys. */
  some(keys: readonly Value[]): Get;
}

export function extentOf(machine: Machine, node: RuleNode): Extent {
  const isSet = node.clauses.every(
    ({ contains, ref, ground }) => contains !== undefined && ref.length === ground,
  );
  const variants: (Variant | undefined)[] = [];
  const variant = (count: number): Variant => {
    const known =
      variants[count] ?? (isSet ? setVariant(machine, node, count) : objectVariant(machine, node, count));
    variants[count] = known;
    return known;
  };
  return {
    all: (e) => variant(0)(e, []),
    some: (keys) => (e) => variant(keys.length)(e, keys),
  };
}

type Variant = (e: Evaluation, keys: readonly Value[]) => Value;

/** With a key that is known, each clause begins by binding its member to it. */
function setVariant(machine: Machine, node: RuleNode, count: number): Variant {
  const out = RESULT_SLOT;
  const slots = slotsFor(count);
  const candidates = node.clauses.map((clause): Candidate<Step> => {
    const member = clause.contains ?? nothing(clause);
    return {
      clause,
      code: clauseStep(machine, clause, givenOf([member], slots), (coder) => {
        const get = coder.get(member);
        return {
          value: get,
          done: (e) => {
            const value = get(e);
            if (value !== undefined) {
              e.grow(1);
              (e.slots[e.base + out] as RegoSet).add(value);
            }
            // There is no second member of this key.
            return count > 0;
          },
        };
      }),
    };
  });
  const select = selector(machine, candidates, []);
  return (e, keys) => {
    const set = new RegoSet();
    e.slots[e.base + out] = set;
    for (const [i, key] of keys.entries()) e.slots[e.base + GIVEN_SLOT + i] = key;
    for (const run of select(e)) {
      run(e);
      if (count > 0 && set.size > 0) break;
    }
    return set;
  };
}

function objectVariant(machine: Machine, node: RuleNode, count: number): Variant {
  const out = RESULT_SLOT;
  const slots = slotsFor(count);
  const depth = node.path.length;
  // Rules whose path is constant further on stand in nodes below, and count as members.
  const inside = [...nodesBelow(node)].filter(({ clauses }) => clauses.length > 0);
  const candidates = inside
    .filter((other) => other === node || !isChoice(other))
    .flatMap(({ clauses }) => clauses)
    .map((clause): Candidate<Step> => ({ clause, code: objectStep(machine, clause, depth, slots, out) }));
  const select = selector(machine, candidates, []);
  const below = inside.filter((other) => other !== node && isChoice(other));
  return (e, keys) => {
    const builder = new ExtentBuilder();
    e.extents[e.base + out] = builder;
    for (const [i, key] of keys.entries()) e.slots[e.base + GIVEN_SLOT + i] = key;
    for (const run of select(e)) run(e);
    for (const other of below) {
      const path = other.path.slice(depth);
      if (!path.every((key, i) => i >= keys.length || same(key, keys[i] as Value))) continue;
      const value = machine.rule(other).value(e);
      if (value !== undefined && !builder.put(path, value)) throw conflict(e, other.clauses[0]);
    }
    return builder.done();
  };
}

function objectStep(
  machine: Machine,
  clause: Clause,
  depth: number,
  slots: readonly number[],
  out: number,
): Step {
  const tail = clause.ref.slice(depth);
  const given = clause.contains === undefined ? tail : [...tail, clause.contains];
  return clauseStep(machine, clause, givenOf(given, slots), (coder: Coder) => {
    const path = tail.map((key) => coder.get(key));
    const value = coder.get(clause.contains ?? clause.value ?? nothing(clause));
    const isSet = clause.contains !== undefined;
    const done: Step = (e) => {
      const keys: Value[] = [];
      for (const get of path) {
        const key = get(e);
        if (key === undefined) return false;
        keys.push(key);
      }
      const found = value(e);
      if (found === undefined) return false;
      e.grow(1);
      const builder = e.extents[e.base + out];
      if (builder === undefined || (isSet ? builder.add(keys, found) : builder.put(keys, found)))
        return false;
      throw conflict(e, clause);
    };
    return { done, value };
  });
}

/** Complete rules with `default` or `else`: no clause of theirs stands for itself. */
function isChoice({ clauses }: RuleNode): boolean {
  return clauses.some((clause) => clause.default || clause.else !== undefined);
}

function conflict(e: Evaluation, clause: Clause | undefined): Error {
  return e.error({
    code: "REGO_CONFLICT",
    message: "object keys must be unique",
    ...(clause === undefined ? {} : { location: clause.location }),
    hint: "two solutions give one key different values",
  });
}

function givenOf(patterns: readonly Operand[], slots: readonly number[]): Given[] {
  return patterns.slice(0, slots.length).map((pattern, i) => ({ pattern, slot: slots[i] ?? 0 }));
}

function slotsFor(count: number): number[] {
  return Array.from({ length: count }, (_, i) => GIVEN_SLOT + i);
}

function nothing({ location }: Clause): Operand {
  return { kind: "value", value: true, location };
}
