// SPDX-License-Identifier: Apache-2.0
// Arrays. Positions beyond either end are taken for the end.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { NUMBER } from "../types.ts";
import type { Value } from "../value.ts";
import { ANY_ARRAY, arrayAt, define, integerAt } from "./define.ts";

export const arrays: readonly Builtin[] = [
  define("array.concat", [ANY_ARRAY, ANY_ARRAY], ANY_ARRAY, (a: Value, b: Value, context: BuiltinContext) => {
    const left = arrayAt(a, 1);
    const right = arrayAt(b, 2);
    context.spend(left.length + right.length);
    return [...left, ...right];
  }),
  define(
    "array.slice",
    [ANY_ARRAY, NUMBER, NUMBER],
    ANY_ARRAY,
    (a: Value, from: Value, to: Value, context: BuiltinContext) => {
      const items = arrayAt(a, 1);
      const start = integerAt(from, 2);
      const stop = integerAt(to, 3);
      context.spend(items.length);
      return items.slice(Math.max(0, start), Math.max(0, stop));
    },
  ),
  define("array.reverse", [ANY_ARRAY], ANY_ARRAY, (a: Value, context: BuiltinContext) => {
    const items = arrayAt(a, 1);
    context.spend(items.length);
    return [...items].reverse();
  }),
  define("array.flatten", [ANY_ARRAY], ANY_ARRAY, (a: Value, context: BuiltinContext) => {
    const flat = arrayAt(a, 1).flat() as readonly Value[];
    context.spend(flat.length);
    return flat;
  }),
];
