// SPDX-License-Identifier: Apache-2.0
// Functions that look at how evaluation goes, or that walk a value.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { ANY, BOOLEAN, STRING, tupleOf } from "../types.ts";
import { entriesOf, isObject, RegoSet, type Value } from "../value.ts";
import { ANY_ARRAY, define, stringAt } from "./define.ts";

export const internal: readonly Builtin[] = [
  define("trace", [STRING], BOOLEAN, (message: Value, context: BuiltinContext) => {
    context.note(stringAt(message, 1));
    return true;
  }),
  // Evaluated by name, because its operands may be undefined; here for its type.
  { name: "print", type: { args: [], variadic: ANY }, call: () => undefined },
  { ...define("walk", [ANY], tupleOf(ANY_ARRAY, ANY), () => undefined), each: walk },
];

/** Every value within a value, itself included, with the path to it; parents before children, in order. */
function* walk(value: Value, context: BuiltinContext): Iterable<Value> {
  // A stack of its own: documents nest deeper than calls do.
  const stack: (readonly [path: readonly Value[], value: Value])[] = [[[], value]];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [path, found] = next;
    context.spend(1 + path.length);
    yield next;
    const entries = childrenOf(found);
    for (let i = entries.length - 1; i >= 0; i--) {
      const [key, child] = entries[i] as readonly [Value, Value];
      stack.push([[...path, key], child]);
    }
  }
}

function childrenOf(value: Value): readonly (readonly [Value, Value])[] {
  if (Array.isArray(value)) return value.map((item, i) => [i, item] as const);
  if (value instanceof RegoSet) return value.sorted().map((member) => [member, member] as const);
  return isObject(value) ? entriesOf(value) : [];
}
