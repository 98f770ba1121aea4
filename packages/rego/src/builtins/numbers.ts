// SPDX-License-Identifier: Apache-2.0
// Arithmetic, ranges of numbers, and `-` on sets.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { abs, add, ceil, div, floor, fromBigInt, mul, rem, round, sub, weightOf } from "../number.ts";
import { anyOf, arrayOf, NUMBER, type Type } from "../types.ts";
import { kindOf, type RegoNumber, RegoSet, type Value } from "../value.ts";
import { ANY_SET, bigIntAt, define, failure, numberAt, wrong } from "./define.ts";
import { difference } from "./sets.ts";

const PAIR = [NUMBER, NUMBER] as const;
const NUMBER_OR_SET: Type = anyOf(NUMBER, ANY_SET);

export const numbers: readonly Builtin[] = [
  binary("plus", add),
  binary("mul", mul),
  binary("div", div),
  binary("rem", rem),
  define("minus", [NUMBER_OR_SET, NUMBER_OR_SET], NUMBER_OR_SET, minus),
  unary("abs", abs),
  unary("round", round),
  unary("ceil", ceil),
  unary("floor", floor),
  define("numbers.range", PAIR, arrayOf(NUMBER), (from: Value, to: Value, context: BuiltinContext) =>
    range(from, to, 1n, context),
  ),
  define(
    "numbers.range_step",
    [NUMBER, NUMBER, NUMBER],
    arrayOf(NUMBER),
    (from: Value, to: Value, step: Value, context: BuiltinContext) => {
      const width = bigIntAt(step, 3);
      if (width <= 0n) throw failure("numbers.range_step: step must be a positive integer");
      return range(from, to, width, context);
    },
  ),
];

function binary(name: string, operation: (a: RegoNumber, b: RegoNumber) => RegoNumber): Builtin {
  return define(name, PAIR, NUMBER, (a: Value, b: Value, context: BuiltinContext) => {
    const left = numberAt(a, 1);
    const right = numberAt(b, 2);
    pay(left, right, context);
    return operation(left, right);
  });
}

function unary(name: string, operation: (a: RegoNumber) => RegoNumber): Builtin {
  return define(name, [NUMBER], NUMBER, (a: Value, context: BuiltinContext) => {
    const number = numberAt(a, 1);
    pay(number, 0, context);
    return operation(number);
  });
}

function pay(a: RegoNumber, b: RegoNumber, context: BuiltinContext): void {
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) context.spend(weightOf(a) + weightOf(b));
}

function minus(a: Value, b: Value, context: BuiltinContext): Value {
  if (a instanceof RegoSet && b instanceof RegoSet) return difference(a, b, context);
  const left = kindOf(a);
  const right = kindOf(b);
  if (left === "number" && right === "number") {
    pay(a as RegoNumber, b as RegoNumber, context);
    return sub(a as RegoNumber, b as RegoNumber);
  }
  if (left !== "number" && left !== "set") throw wrong(a, 1, "number", "set");
  throw wrong(b, 2, right === "number" ? "set" : "number");
}

/** From one number to the other, both included, upwards or downwards. */
function range(from: Value, to: Value, step: bigint, context: BuiltinContext): Value {
  const first = bigIntAt(from, 1);
  const last = bigIntAt(to, 2);
  const signed = first <= last ? step : -step;
  const count = Number((last - first) / signed) + 1;
  context.spend(count);
  // Small numbers are counted as doubles: an order of magnitude faster.
  if (Number.isSafeInteger(from) && Number.isSafeInteger(to)) {
    const width = Number(signed);
    return Array.from({ length: count }, (_, i) => (from as number) + i * width);
  }
  return Array.from({ length: count }, (_, i) => fromBigInt(first + BigInt(i) * signed));
}
