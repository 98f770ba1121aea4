// SPDX-License-Identifier: Apache-2.0
// Objects: look up, pick, drop, merge, compare in part.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { ANY, anyOf, arrayOf, BOOLEAN } from "../types.ts";
import {
  entriesOf,
  isObject,
  type Key,
  keyOf,
  memberOf,
  objectOf,
  type PlainObject,
  type RegoObject,
  RegoSet,
  same,
  type Value,
} from "../value.ts";
import {
  ANY_ARRAY,
  ANY_OBJECT,
  ANY_SET,
  arrayAt,
  define,
  objectAt,
  operandFailure,
  wrong,
  wrongMember,
} from "./define.ts";

const COLLECTION = anyOf(ANY_ARRAY, ANY_OBJECT, ANY_SET);

export const objects: readonly Builtin[] = [
  define(
    "object.get",
    [ANY_OBJECT, ANY, ANY],
    ANY,
    (object: Value, path: Value, otherwise: Value, context: BuiltinContext) => {
      let found: Value | undefined = objectAt(object, 1);
      const keys = Array.isArray(path) ? (path as readonly Value[]) : [path];
      context.spend(keys.length);
      for (const key of keys) found = found === undefined ? undefined : memberOf(found, key);
      return found === undefined ? otherwise : found;
    },
  ),
  define("object.keys", [ANY_OBJECT], ANY_SET, (object: Value, context: BuiltinContext) =>
    RegoSet.of(entriesAt(object, context).map(([key]) => key)),
  ),
  define(
    "object.remove",
    [ANY_OBJECT, COLLECTION],
    ANY_OBJECT,
    (object: Value, keys: Value, context: BuiltinContext) => {
      const drop = keysAt(keys, context);
      return objectOf(entriesAt(object, context).filter(([key]) => !drop.has(keyOf(key))));
    },
  ),
  define(
    "object.filter",
    [ANY_OBJECT, COLLECTION],
    ANY_OBJECT,
    (object: Value, keys: Value, context: BuiltinContext) => {
      const keep = keysAt(keys, context);
      return objectOf(entriesAt(object, context).filter(([key]) => keep.has(keyOf(key))));
    },
  ),
  define(
    "object.union",
    [ANY_OBJECT, ANY_OBJECT],
    ANY_OBJECT,
    (a: Value, b: Value, context: BuiltinContext) => merge(objectAt(a, 1), objectAt(b, 2), context),
  ),
  define("object.union_n", [arrayOf(ANY_OBJECT)], ANY_OBJECT, (list: Value, context: BuiltinContext) => {
    let out: PlainObject | RegoObject = {};
    for (const item of arrayAt(list, 1)) {
      if (!isObject(item)) throw wrongMember(list, item, 1, "object");
      out = merge(out, item, context);
    }
    return out;
  }),
  define(
    "object.subset",
    [COLLECTION, COLLECTION],
    BOOLEAN,
    (whole: Value, part: Value, context: BuiltinContext) => {
      const answer = holds(whole, part, context);
      if (answer !== undefined) return answer;
      if (Array.isArray(whole) && part instanceof RegoSet) {
        context.spend(whole.length + part.size);
        const members = RegoSet.of(whole);
        // The reference counts a member that an array has twice for two, and so finds sets that are not there: not here.
        // It finds no set in an empty array, not even the empty one: nor do we.
        return whole.length > 0 && [...part.members()].every((member) => members.has(member));
      }
      throw operandFailure(1, "and 2 must be of the same type or array and set");
    },
  ),
];

function entriesAt(object: Value, context: BuiltinContext): readonly (readonly [Value, Value])[] {
  const entries = entriesOf(objectAt(object, 1));
  context.spend(entries.length);
  return entries;
}

/** The keys that an array or a set lists, or that an object has. */
function keysAt(keys: Value, context: BuiltinContext): ReadonlySet<Key> {
  const list = Array.isArray(keys)
    ? keys
    : keys instanceof RegoSet
      ? [...keys.members()]
      : isObject(keys)
        ? entriesOf(keys).map(([key]) => key)
        : undefined;
  if (list === undefined) throw wrong(keys, 2, "object", "set", "array");
  context.spend(list.length);
  return new Set(list.map(keyOf));
}

/** What `b` has wins; where both have objects, they are merged in turn. */
function merge(
  a: PlainObject | RegoObject,
  b: PlainObject | RegoObject,
  context: BuiltinContext,
): PlainObject | RegoObject {
  const left = entriesOf(a);
  const right = entriesOf(b);
  context.spend(left.length + right.length);
  if (left.length === 0) return b;
  return objectOf([
    ...left,
    ...right.map(([key, value]): [Value, Value] => {
      const other = memberOf(a, key);
      return [
        key,
        other !== undefined && isObject(other) && isObject(value) ? merge(other, value, context) : value,
      ];
    }),
  ]);
}

/** Whether an object, a set or an array holds all of another of its kind; undefined for different kinds and scalars. */
function holds(whole: Value, part: Value, context: BuiltinContext): boolean | undefined {
  if (Array.isArray(whole) && Array.isArray(part)) return includesRun(whole, part, context);
  if (whole instanceof RegoSet && part instanceof RegoSet) {
    context.spend(part.size);
    return [...part.members()].every((member) => whole.has(member));
  }
  if (!isObject(whole) || !isObject(part)) return undefined;
  const entries = entriesOf(part);
  context.spend(entries.length);
  return entries.every(([key, value]) => {
    const other = memberOf(whole, key);
    if (other === undefined) return false;
    return same(other, value) || holds(other, value, context) === true;
  });
}

/**
 * Whether the members of `part` follow one another somewhere in `whole`: as the reference looks for them, which goes on
 * one place further from where a run began.
 */
function includesRun(whole: readonly Value[], part: readonly Value[], context: BuiltinContext): boolean {
  for (let start = 0; start + part.length <= whole.length; start++) {
    let length = 0;
    while (length < part.length && same(whole[start + length] as Value, part[length] as Value)) length++;
    context.spend(length + 1);
    if (length === part.length) return true;
  }
  return false;
}
