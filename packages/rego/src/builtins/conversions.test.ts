// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { RegoSet, type Value } from "../value.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ['to_number("1.50e2")', "150"],
  ['to_number("-12")', "-12"],
  ["to_number(null)", "0"],
  ["to_number(true)", "1"],
  ['to_number("12345678901234567890")', "12345678901234567890"],
  ['to_number(" 1")', "undefined"],
  ['to_number("1e400")', "undefined"],
  ['to_number("Inf")', "undefined"],
  ['to_number("")', "undefined"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const call = callerOf(standardBuiltins);

test.each([
  ["nan", "type"],
  ["-Infinity", "type"],
  ["1e400", "builtin"],
  ["0x10", "builtin"],
  ["1_000", "builtin"],
  ["--1", "builtin"],
])("to_number of %j is a failure", (text, kind) => {
  expect(failureOf(() => call("to_number", text)).kind).toBe(kind);
});

test.each([
  ["+5", 5],
  [".5", 0.5],
  ["5.", 5],
  ["007", 7],
])("to_number of %j, which JSON does not write", (text, number) => {
  expect(call("to_number", text)).toBe(number);
});

test("the casts of v0 hand on what fits, and refuse the rest", () => {
  const set = RegoSet.of([1]);
  const fits: readonly (readonly [string, Value])[] = [
    ["cast_string", "a"],
    ["cast_boolean", true],
    ["cast_null", null],
    ["cast_object", {}],
    ["cast_array", [1]],
  ];
  for (const [name, value] of fits) {
    expect(call(name, value)).toBe(value);
    expect(failureOf(() => call(name, 1)).kind).toBe("type");
  }
  expect(call("cast_array", set)).toEqual([1]);
  expect(call("cast_set", [1, 1])).toEqual(set);
});
