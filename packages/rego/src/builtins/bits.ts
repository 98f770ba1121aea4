// SPDX-License-Identifier: Apache-2.0
// Bits of integers of any size, in two's complement.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { fromBigInt, MAX_BITS, weightOf } from "../number.ts";
import { NUMBER } from "../types.ts";
import type { Value } from "../value.ts";
import { bigIntAt, define, failure, operandFailure } from "./define.ts";

export const bits: readonly Builtin[] = [
  binary("bits.and", (a, b) => a & b),
  binary("bits.or", (a, b) => a | b),
  binary("bits.xor", (a, b) => a ^ b),
  binary("bits.lsh", (a, b) => {
    const shift = shiftOf(b);
    if (a === 0n) return a;
    if (shift > MAX_BITS) throw failure("number too big");
    return a << shift;
  }),
  // Whatever is shifted further is all sign by then.
  binary("bits.rsh", (a, b) => a >> (shiftOf(b) > MAX_BITS ? MAX_BITS : b)),
  define("bits.negate", [NUMBER], NUMBER, (a: Value, context: BuiltinContext) => {
    const number = bigIntAt(a, 1);
    context.spend(weightOf(number));
    return fromBigInt(~number);
  }),
];

function binary(name: string, operation: (a: bigint, b: bigint) => bigint): Builtin {
  return define(name, [NUMBER, NUMBER], NUMBER, (a: Value, b: Value, context: BuiltinContext) => {
    const left = bigIntAt(a, 1);
    const right = bigIntAt(b, 2);
    context.spend(weightOf(left) + weightOf(right));
    return fromBigInt(operation(left, right));
  });
}

function shiftOf(count: bigint): bigint {
  if (count >= 0n) return count;
  throw operandFailure(2, "must be an unsigned integer number but got a negative integer");
}
