// SPDX-License-Identifier: Apache-2.0
// Rules as closures: each is evaluated once for the documents at hand, and what it gave is remembered.

import { FLAG_SLOT, GIVEN_SLOT, RESULT_SLOT } from "../compile/head.ts";
import type { Clause, Operand, RuleNode } from "../compile/program.ts";
import { type Key, keyOf, same, type Value } from "../value.ts";
import { clauseStep, type Given } from "./clause.ts";
import { constantOf } from "./constants.ts";
import type { Machine } from "./machine.ts";
import { keyOfAll, member } from "./members.ts";
import { type Extent, extentOf } from "./partial.ts";
import { type Candidate, selector } from "./select.ts";
import type { Evaluation, Get, Step } from "./state.ts";

/** Results of a function, by argument: a tree as deep as there are arguments. */
type Calls = Map<unknown, Calls | { readonly value: Value | undefined }>;

export class RuleCode {
  readonly node: RuleNode;
  /** How many keys below the node its clauses say something of: as many may be given to `at`. */
  readonly dynamic: number;
  readonly #machine: Machine;
  /** Does not depend on `input`. */
  readonly #stable: boolean;
  readonly #memo: number;
  readonly #keyed: number;
  readonly #formals: readonly number[];
  /** The least that its frame holds. */
  readonly #size: number;
  #extent: Extent | undefined;
  #complete: Get | undefined;

  constructor(machine: Machine, node: RuleNode, stable: boolean) {
    this.#machine = machine;
    this.node = node;
    this.#stable = stable;
    this.#memo = machine.memo();
    this.#keyed = machine.memo();
    this.dynamic = node.arity === undefined ? dynamicKeys(node) : 0;
    this.#formals = formalsOf(node);
    this.#size = GIVEN_SLOT + Math.max(this.#formals.length, this.dynamic);
  }

  /** The value of all; undefined for functions, which have none. */
  value(e: Evaluation): Value | undefined {
    if (this.node.arity !== undefined) return undefined;
    const stamp = this.#stable ? e.stable : e.epoch;
    const id = this.#memo;
    if (e.stamps[id] === stamp) return e.memo[id] as Value | undefined;
    const value = this.dynamic === 0 ? this.#run(e, this.#completed()) : this.#run(e, this.#extended().all);
    e.stamps[id] = stamp;
    e.memo[id] = value;
    return value;
  }

  /** What stands below the first keys of a partial rule; only that is evaluated. */
  at(e: Evaluation, keys: readonly Value[]): Value | undefined {
    const stamp = this.#stable ? e.stable : e.epoch;
    if (e.stamps[this.#memo] === stamp) return memberAt(e.memo[this.#memo] as Value, keys);
    const id = this.#keyed;
    if (e.stamps[id] !== stamp) {
      e.stamps[id] = stamp;
      e.memo[id] = new Map();
    }
    const known = e.memo[id] as Map<Key, Value | undefined>;
    const key = keyOfAll(keys);
    const remembered = known.get(key);
    if (remembered !== undefined || known.has(key)) return remembered;
    const found = memberAt(this.#run(e, this.#extended().some(keys)), keys);
    known.set(key, found);
    return found;
  }

  /** The value of a function for arguments. */
  call(e: Evaluation, values: readonly Value[]): Value | undefined {
    const stamp = this.#stable ? e.stable : e.epoch;
    const id = this.#memo;
    if (e.stamps[id] !== stamp) {
      e.stamps[id] = stamp;
      e.memo[id] = new Map();
    }
    let calls = e.memo[id] as Calls;
    const last = values.length - 1;
    for (let i = 0; i < last; i++) {
      const key = memoKey(values[i] as Value);
      const next = calls.get(key);
      if (next instanceof Map) {
        calls = next;
      } else {
        const made: Calls = new Map();
        calls.set(key, made);
        calls = made;
      }
    }
    const key = memoKey(values[last] as Value);
    const known = calls.get(key);
    if (known !== undefined && !(known instanceof Map)) return known.value;
    const value = this.#run(e, this.#completed(), values);
    calls.set(key, { value });
    return value;
  }

  /** Within the limits, in a frame of its own. */
  #run(e: Evaluation, get: Get, values: readonly Value[] = NONE): Value | undefined {
    const { at } = e;
    e.at = this.node;
    if (++e.depth > e.maxDepth) throw e.limit("depth");
    if (++e.steps > e.pauseAt) e.pause();
    const { base, top } = e;
    e.base = top;
    e.reserve(this.#size);
    for (let i = 0; i < values.length; i++) e.slots[top + (this.#formals[i] ?? 0)] = values[i];
    const value = get(e);
    e.base = base;
    e.top = top;
    e.depth--;
    e.at = at;
    return value;
  }

  #completed(): Get {
    this.#complete ??= completeGet(this.#machine, this.node, this.#formals);
    return this.#complete;
  }

  #extended(): Extent {
    this.#extent ??= extentOf(this.#machine, this.node);
    return this.#extent;
  }
}

const NONE: readonly Value[] = [];

/** Documents are one argument when they are one object; a scalar is itself. */
function memoKey(value: Value): unknown {
  return typeof value === "object" ? value : keyOf(value);
}

function memberAt(value: Value | undefined, keys: readonly Value[]): Value | undefined {
  let at = value;
  for (const key of keys) at = at === undefined ? undefined : member(at, key);
  return at;
}

/** Where the caller writes arguments: the variables of the clause themselves, when there is one clause. */
function formalsOf(node: RuleNode): number[] {
  const clauses = node.clauses.filter((clause) => !clause.default);
  const args = clauses[0]?.args ?? node.clauses[0]?.args ?? [];
  const seen = new Set<number>();
  return args.map((arg, i) => {
    if (clauses.length > 1 || arg.kind !== "local" || seen.has(arg.local.slot)) return GIVEN_SLOT + i;
    seen.add(arg.local.slot);
    return arg.local.slot;
  });
}

function dynamicKeys(node: RuleNode): number {
  let most = 0;
  for (const { ref, ground, contains } of node.clauses) {
    const keys = ref.length - ground + (contains === undefined ? 0 : 1);
    if (keys > most) most = keys;
  }
  return most;
}

/** A complete rule or a function: one value, whatever the clause. */
function completeGet(machine: Machine, node: RuleNode, formals: readonly number[]): Get {
  const result = RESULT_SLOT;
  const given = ({ args = [] }: Clause): Given[] =>
    args.map((pattern, i) => ({ pattern, slot: formals[i] ?? 0 }));
  const plain = node.clauses.filter((clause) => !clause.default);
  const candidates = plain.map(
    (clause): Candidate<Step> => ({ clause, code: chainOfElse(machine, clause, given(clause), result) }),
  );
  const fallback = node.clauses.find((clause) => clause.default);
  const otherwise =
    fallback === undefined ? undefined : valueStep(machine, fallback, given(fallback), result);
  const select = selector(machine, candidates, formals);
  // Once one clause has a solution, no other can give anything else.
  const one = onlyValue(plain);
  return (e) => {
    e.slots[e.base + result] = undefined;
    for (const run of select(e)) {
      run(e);
      if (one && e.slots[e.base + result] !== undefined) break;
    }
    if (otherwise !== undefined && e.slots[e.base + result] === undefined) otherwise(e);
    return e.slots[e.base + result];
  };
}

function onlyValue(clauses: readonly Clause[]): boolean {
  const values = clauses.map(({ value, else: next }) =>
    next === undefined && value?.kind === "value" ? value.value : undefined,
  );
  const [first] = values;
  return first !== undefined && values.every((value) => value !== undefined && same(value, first));
}

/** A clause, and each `else` when what stands before has no solution. */
function chainOfElse(machine: Machine, clause: Clause, given: readonly Given[], result: number): Step {
  if (clause.else === undefined) return valueStep(machine, clause, given, result);
  const flag = FLAG_SLOT;
  const steps: Step[] = [];
  for (let at: Clause | undefined = clause; at !== undefined; at = at.else) {
    steps.push(valueStep(machine, at, given, result, flag));
  }
  return (e) => {
    for (const step of steps) {
      e.slots[e.base + flag] = undefined;
      step(e);
      if (e.slots[e.base + flag] !== undefined) return false;
    }
    return false;
  };
}

function valueStep(
  machine: Machine,
  clause: Clause,
  given: readonly Given[],
  result: number,
  flag = -1,
): Step {
  return clauseStep(machine, clause, given, (coder) => {
    const operand: Operand = clause.value ?? { kind: "value", value: true, location: clause.location };
    const get = coder.get(operand);
    const constant = constantOf(operand) !== undefined;
    const { location } = clause;
    const isFunction = clause.args !== undefined;
    const done: Step = (e) => {
      const value = get(e);
      if (value === undefined) return false;
      if (flag >= 0) e.slots[e.base + flag] = true;
      const known = e.slots[e.base + result];
      if (known === undefined) {
        e.slots[e.base + result] = value;
      } else if (!same(known, value)) {
        throw e.error({
          code: "REGO_CONFLICT",
          message: isFunction
            ? "functions must not produce multiple outputs for same inputs"
            : "complete rules must not produce multiple outputs",
          location,
          hint: "two solutions give different values; make their conditions exclude each other, or use `else`",
        });
      }
      return constant;
    };
    return { done, value: get };
  });
}
