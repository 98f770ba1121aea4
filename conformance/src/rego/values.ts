// SPDX-License-Identifier: Apache-2.0
// Values as JSON has them, and one text for each, to compare results of two programs.

import { compare, Decimal, entriesOf, isObject, RegoSet, type Value } from "@adyton/rego/value";

/** As OPA converts results: sets become sorted arrays, keys that are no strings their own text. */
export function jsonForm(value: Value): Value {
  if (typeof value !== "object" || value === null || value instanceof Decimal) return value;
  if (value instanceof RegoSet) return value.sorted().map(jsonForm);
  if (Array.isArray(value)) return value.map(jsonForm);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    entriesOf(value).map(([key, member]) => [
      typeof key === "string" ? key : textOf(jsonForm(key)),
      jsonForm(member),
    ]),
  );
}

/** JSON with sorted keys and numbers in one form: equal values have equal texts. */
export function textOf(value: Value): string {
  if (typeof value === "bigint") return value.toString();
  // A double beyond 2^53 is an integer that a bigint may stand for as well.
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value).toString() : String(value);
  if (value instanceof Decimal) return value.toString();
  if (value instanceof RegoSet) return `<${value.sorted().map(textOf).join(",")}>`;
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`;
  if (value !== null && isObject(value)) {
    return `{${entriesOf(value)
      .map(([key, member]) => `${textOf(key)}:${textOf(member)}`)
      .join(",")}}`;
  }
  return JSON.stringify(value);
}

export function compareText(a: string, b: string): number {
  return compare(a, b);
}
