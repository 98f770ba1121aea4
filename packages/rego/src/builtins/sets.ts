// SPDX-License-Identifier: Apache-2.0
// Sets: `&`, `|`, and the same over many. `-` stands with the numbers, whose sign it shares.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { setOf } from "../types.ts";
import { RegoSet, type Value } from "../value.ts";
import { ANY_SET, define, setAt } from "./define.ts";

const PAIR = [ANY_SET, ANY_SET] as const;

export const sets: readonly Builtin[] = [
  define("and", PAIR, ANY_SET, (a: Value, b: Value, context: BuiltinContext) =>
    intersection([setAt(a, 1), setAt(b, 2)], context),
  ),
  define("or", PAIR, ANY_SET, (a: Value, b: Value, context: BuiltinContext) =>
    union([setAt(a, 1), setAt(b, 2)], context),
  ),
  define("intersection", [setOf(ANY_SET)], ANY_SET, (a: Value, context: BuiltinContext) =>
    intersection(setsAt(a), context),
  ),
  define("union", [setOf(ANY_SET)], ANY_SET, (a: Value, context: BuiltinContext) =>
    union(setsAt(a), context),
  ),
  define("set_diff", PAIR, ANY_SET, (a: Value, b: Value, context: BuiltinContext) =>
    difference(setAt(a, 1), setAt(b, 2), context),
  ),
];

/** The members of `a` that are none of `b`. */
export function difference(a: RegoSet, b: RegoSet, context: BuiltinContext): RegoSet {
  context.spend(a.size);
  return filtered(a, (member) => !b.has(member));
}

/** The members that all sets have; none of no sets. */
function intersection(all: readonly RegoSet[], context: BuiltinContext): RegoSet {
  // The smallest is walked, the others are asked.
  const [smallest, ...others] = [...all].sort((a, b) => a.size - b.size);
  if (smallest === undefined) return new RegoSet();
  context.spend(smallest.size * all.length);
  return filtered(smallest, (member) => others.every((other) => other.has(member)));
}

function union(all: readonly RegoSet[], context: BuiltinContext): RegoSet {
  const out = new RegoSet();
  for (const set of all) {
    context.spend(set.size);
    for (const member of set.members()) out.add(member);
  }
  return out;
}

function filtered(set: RegoSet, keep: (member: Value) => boolean): RegoSet {
  const out = new RegoSet();
  for (const member of set.members()) if (keep(member)) out.add(member);
  return out;
}

function setsAt(value: Value): readonly RegoSet[] {
  return [...setAt(value, 1).members()].map((member) => setAt(member, 1));
}
