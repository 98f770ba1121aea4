// SPDX-License-Identifier: Apache-2.0
// Calls: of functions of the policy, of built-in ones, and of what `with` puts in their place.

import type { Location } from "../ast.ts";
import { type Builtin, type BuiltinContext, BuiltinFailure } from "../builtin.ts";
import type { Callee, Operand, RuleNode } from "../compile/program.ts";
import { compare, same, type Value } from "../value.ts";
import type { Coder } from "./coder.ts";
import type { Machine } from "./machine.ts";
import type { Evaluation, Get, Mock, Sink, Step } from "./state.ts";

type AnyCall = (...args: unknown[]) => Value | undefined;
type Comparison = (a: Value, b: Value) => Value | undefined;

/** The value of a call whose arguments are ready. */
export function callGet(coder: Coder, callee: Callee, args: readonly Operand[]): Get {
  const { machine } = coder;
  if (callee.kind === "function") {
    const gets = args.map((arg) => coder.get(arg));
    const code = machine.rule(callee.node);
    return mockable(
      machine,
      callee.node,
      gets,
      functionGet(gets, (e, values) => code.call(e, values)),
    );
  }
  const { builtin } = callee;
  const gets = args.map((arg) => coder.get(arg));
  const fast = machine.isStandard(builtin) ? FAST.get(builtin.name) : undefined;
  const slow = builtinGet(builtin, gets, args[0]?.location);
  return mockable(
    machine,
    builtin.name,
    gets,
    fast === undefined ? slow : fastGet(fast, gets, builtin, args[0]?.location),
  );
}

/** Visits each result of a relation. */
export function callWalker(coder: Coder, { each }: Builtin, args: readonly Operand[]): (sink: Sink) => Step {
  const [get] = args.map((arg) => coder.get(arg));
  return (sink) => (e) => {
    const argument = get?.(e);
    if (argument === undefined || each === undefined) return false;
    for (const value of each(argument, e)) {
      if (++e.steps > e.pauseAt) e.pause();
      if (sink(e, value)) return true;
    }
    return false;
  };
}

/** The two sides of a comparison for equality, of any other call undefined. */
export function sidesOf(
  { machine }: Coder,
  callee: Callee,
  args: readonly Operand[],
): readonly [Operand, Operand] | undefined {
  const [a, b] = args;
  const isEqual =
    callee.kind === "builtin" && callee.builtin.name === "equal" && machine.isStandard(callee.builtin);
  return isEqual && a !== undefined && b !== undefined ? [a, b] : undefined;
}

function functionGet(
  gets: readonly Get[],
  call: (e: Evaluation, values: readonly Value[]) => Value | undefined,
): Get {
  return (e) => {
    const values: Value[] = [];
    for (const get of gets) {
      const value = get(e);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return call(e, values);
  };
}

/** Operators that most policies use, without a detour for the values that most policies have. */
const FAST: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ["equal", same],
  ["neq", (a, b) => !same(a, b)],
  ["gt", (a, b) => compare(a, b) > 0],
  ["gte", (a, b) => compare(a, b) >= 0],
  ["lt", (a, b) => compare(a, b) < 0],
  ["lte", (a, b) => compare(a, b) <= 0],
  ["plus", (a, b) => integers(a, b, (x, y) => x + y)],
  ["minus", (a, b) => integers(a, b, (x, y) => x - y)],
  ["mul", (a, b) => integers(a, b, (x, y) => x * y)],
]);

/** Undefined: not two integers, or no safe one comes of them. */
function integers(a: Value, b: Value, of: (x: number, y: number) => number): Value | undefined {
  if (
    typeof a !== "number" ||
    typeof b !== "number" ||
    !Number.isSafeInteger(a) ||
    !Number.isSafeInteger(b)
  ) {
    return undefined;
  }
  const result = of(a, b);
  return Number.isSafeInteger(result) ? result : undefined;
}

function fastGet(
  fast: Comparison,
  gets: readonly Get[],
  builtin: Builtin,
  location: Location | undefined,
): Get {
  const [left, right] = gets;
  if (left === undefined || right === undefined) return () => undefined;
  return (e) => {
    const a = left(e);
    if (a === undefined) return undefined;
    const b = right(e);
    if (b === undefined) return undefined;
    return fast(a, b) ?? guarded(e, builtin, [a, b], location);
  };
}

function builtinGet(builtin: Builtin, gets: readonly Get[], location: Location | undefined): Get {
  return functionGet(gets, (e, values) => guarded(e, builtin, values, location));
}

function guarded(
  e: Evaluation,
  builtin: Builtin,
  values: readonly Value[],
  location: Location | undefined,
): Value | undefined {
  if (++e.steps > e.pauseAt) e.pause();
  const call = builtin.call as AnyCall;
  try {
    return call(...values, e satisfies BuiltinContext);
  } catch (error) {
    if (!(error instanceof BuiltinFailure)) throw error;
    if (!e.strict) return undefined;
    throw e.error({
      code: error.kind === "type" ? "REGO_BUILTIN_TYPE" : "REGO_BUILTIN",
      message: `${builtin.name}: ${error.message}`,
      ...(location === undefined ? {} : { location }),
    });
  }
}

/** The call, unless a `with` puts something in the place of the function. */
function mockable(machine: Machine, target: RuleNode | string, gets: readonly Get[], call: Get): Get {
  return (e) => {
    const mock = e.mocks === undefined ? undefined : e.mocks.get(target);
    return mock === undefined ? call(e) : mocked(machine, e, mock, gets);
  };
}

function mocked(machine: Machine, e: Evaluation, mock: Mock, gets: readonly Get[]): Value | undefined {
  const values: Value[] = [];
  for (const get of gets) {
    const value = get(e);
    if (value === undefined) return undefined;
    values.push(value);
  }
  if ("value" in mock) return mock.value;
  const { callee } = mock;
  // What stands in for a function sees none of the replaced functions, so that it may call the one it stands in for.
  const before = e.documents();
  e.mocks = undefined;
  e.epoch = e.stable = e.newEpoch();
  const value =
    callee.kind === "function"
      ? machine.rule(callee.node).call(e, values)
      : guarded(e, callee.builtin, values, undefined);
  e.restore(before);
  return value;
}
