// SPDX-License-Identifier: Apache-2.0
// Comparison and membership: `==`, `<`, `in` and their kin. Values of different kinds compare by kind.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { ANY, BOOLEAN } from "../types.ts";
import { compare, entriesOf, isObject, memberOf, RegoSet, same, type Value } from "../value.ts";
import { define } from "./define.ts";

const PAIR = [ANY, ANY] as const;

export const comparison: readonly Builtin[] = [
  define("eq", PAIR, BOOLEAN, same),
  define("equal", PAIR, BOOLEAN, same),
  define("neq", PAIR, BOOLEAN, (a: Value, b: Value) => !same(a, b)),
  define("gt", PAIR, BOOLEAN, (a: Value, b: Value) => compare(a, b) > 0),
  define("gte", PAIR, BOOLEAN, (a: Value, b: Value) => compare(a, b) >= 0),
  define("lt", PAIR, BOOLEAN, (a: Value, b: Value) => compare(a, b) < 0),
  define("lte", PAIR, BOOLEAN, (a: Value, b: Value) => compare(a, b) <= 0),
  define("internal.member_2", PAIR, BOOLEAN, isMember),
  define("internal.member_3", [ANY, ANY, ANY], BOOLEAN, isMemberAt),
];

/** `value in collection`: false for what holds nothing. */
function isMember(value: Value, collection: Value, context: BuiltinContext): boolean {
  if (collection instanceof RegoSet) return collection.has(value);
  if (Array.isArray(collection)) {
    context.spend(collection.length);
    return collection.some((item) => same(item, value));
  }
  if (!isObject(collection)) return false;
  const entries = entriesOf(collection);
  context.spend(entries.length);
  return entries.some(([, member]) => same(member, value));
}

/** `key, value in collection`. */
function isMemberAt(key: Value, value: Value, collection: Value): boolean {
  const member = memberOf(collection, key);
  return member !== undefined && same(member, value);
}
