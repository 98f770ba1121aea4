// SPDX-License-Identifier: Apache-2.0
// What a condition looked at, out of the values of its terms.

import type { JsonValue } from "@adyton/core/json";
import { toJson, type Value } from "@adyton/rego";
import type { ConditionRecord, OperandRecord } from "./record.ts";
import type { Source } from "./source.ts";
import { pathText } from "./syntax.ts";

/** The first claim of the evidence that a condition looked at. */
export function claimOf({ operands }: ConditionRecord, source: Source): OperandRecord | undefined {
  const claims = [...operands.values()].filter(
    ({ term }) => source.claimPath(term)?.startsWith("input") === true,
  );
  return claims.find(({ value }) => value === undefined) ?? claims[0];
}

/** What a function compared with a reference value: its own variable that is not the id. */
export function innermost({ operands }: ConditionRecord, reference: string | undefined): Value | undefined {
  if (reference === undefined) return undefined;
  for (const { term, value } of operands.values()) {
    if (term.kind !== "var" && term.kind !== "ref") continue;
    if (value === undefined || value === reference || Array.isArray(value)) continue;
    if (pathText(term)?.startsWith("data.") === true) continue;
    return value;
  }
  return undefined;
}

/** Both sides of `==`, `in` and their like. */
export function comparisonOf({
  expr,
  operands,
}: ConditionRecord): { found?: OperandRecord; expected?: Value } | undefined {
  const { form } = expr;
  const sides =
    form.kind === "unify"
      ? [form.left, form.right]
      : form.kind === "term" && form.term.kind === "call" && form.term.infix !== undefined
        ? form.term.args
        : [];
  const [left, right] = sides;
  if (left === undefined || right === undefined) {
    const [only] = operands.values();
    return only === undefined || form.kind !== "term" ? undefined : { found: only };
  }
  const at = (term: typeof left): OperandRecord | undefined =>
    term.kind === "scalar" ? undefined : operands.get(`${term.location.offset}-${term.location.end}`);
  const sideOf = (term: typeof left): Value | undefined =>
    term.kind === "scalar" ? term.value : at(term)?.value;
  const [found, other] = at(left) === undefined ? [at(right), sideOf(left)] : [at(left), sideOf(right)];
  return { ...(found === undefined ? {} : { found }), ...(other === undefined ? {} : { expected: other }) };
}

export function json(value: Value | undefined): JsonValue | undefined {
  return value === undefined ? undefined : toJson(value);
}

/** What a call was given that is computed: the value of a call among its arguments. */
export function computed({ operands }: ConditionRecord): Value | undefined {
  for (const { term, value } of operands.values()) {
    if (term.kind === "call" && (typeof value === "string" || typeof value === "number")) return value;
  }
  return undefined;
}
