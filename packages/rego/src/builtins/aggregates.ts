// SPDX-License-Identifier: Apache-2.0
// Aggregates: one value out of many.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { product, sum, weightOf } from "../number.ts";
import { ANY, anyOf, arrayOf, BOOLEAN, NUMBER, STRING, setOf } from "../types.ts";
import { compare, entriesOf, isObject, kindOf, type RegoNumber, RegoSet, type Value } from "../value.ts";
import { ANY_ARRAY, ANY_LIST, ANY_OBJECT, ANY_SET, define, listAt, wrong, wrongMember } from "./define.ts";

const NUMBERS = [anyOf(arrayOf(NUMBER), setOf(NUMBER))] as const;

export const aggregates: readonly Builtin[] = [
  define("count", [anyOf(STRING, ANY_ARRAY, ANY_OBJECT, ANY_SET)], NUMBER, count),
  define("sum", NUMBERS, NUMBER, (list: Value, context: BuiltinContext) => sum(numbersAt(list, context))),
  define("product", NUMBERS, NUMBER, (list: Value, context: BuiltinContext) =>
    product(numbersAt(list, context)),
  ),
  define("max", [ANY_LIST], ANY, (list: Value, context: BuiltinContext) => extreme(list, 1, context)),
  define("min", [ANY_LIST], ANY, (list: Value, context: BuiltinContext) => extreme(list, -1, context)),
  define("sort", [ANY_LIST], ANY_ARRAY, (list: Value, context: BuiltinContext) => {
    const members = listAt(list, 1);
    context.spend(members.length);
    return list instanceof RegoSet ? members : [...members].sort(compare);
  }),
  decision("all", (members) => members.every((member) => member === true)),
  decision("any", (members) => members.includes(true)),
];

/** Members, or the code points of a string. */
function count(value: Value, context: BuiltinContext): Value {
  if (typeof value === "string") {
    context.spend(value.length >> 4);
    let points = 0;
    for (const _ of value) points++;
    return points;
  }
  if (value instanceof RegoSet) return value.size;
  if (Array.isArray(value)) return value.length;
  if (isObject(value)) return entriesOf(value).length;
  throw wrong(value, 1, "array", "object", "set", "string");
}

function numbersAt(list: Value, context: BuiltinContext): readonly RegoNumber[] {
  const members = listAt(list, 1);
  let weight = members.length;
  for (const member of members) {
    if (kindOf(member) !== "number") throw wrongMember(list, member, 1, "number");
    weight += weightOf(member as RegoNumber);
  }
  context.spend(weight);
  return members as readonly RegoNumber[];
}

/** Undefined for nothing. */
function extreme(list: Value, sign: 1 | -1, context: BuiltinContext): Value | undefined {
  const members = listAt(list, 1);
  context.spend(members.length);
  let best = members[0];
  for (const member of members) if (compare(member, best as Value) * sign > 0) best = member;
  return best;
}

function decision(name: string, decide: (members: readonly Value[]) => boolean): Builtin {
  return define(name, [ANY_LIST], BOOLEAN, (list: Value, context: BuiltinContext) => {
    const members = listAt(list, 1);
    context.spend(members.length);
    return decide(members);
  });
}
