// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { RegoSet } from "../value.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ["count([1, 2, 2])", "3"],
  ["count({1, 2})", "2"],
  ['count({"a": 1})', "1"],
  ['count("añ😀")', "3"],
  ["sum([1, 2.5])", "3.5"],
  ["sum([0.1, 0.2])", "0.3"],
  ["sum({1, 2})", "3"],
  ["sum([])", "0"],
  ["product([2, 3])", "6"],
  ["product([0.1, 3])", "0.30000000000000004"],
  ["product([])", "1"],
  ['max([1, "a", null])', "a"],
  ["min({3, 2})", "2"],
  ["max([])", "undefined"],
  ["min(set())", "undefined"],
  ['sort([3, "a", null, [1], 1.5])', '[null, 1.5, 3, "a", [1]]'],
  ["sort({2, 1})", "[1, 2]"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const call = callerOf(standardBuiltins, { steps: 1000 });

test.each([
  ["sum", [1, "a"], "operand 1 must be array of numbers but got array containing string"],
  ["product", RegoSet.of([null]), "operand 1 must be set of numbers but got set containing null"],
  ["sum", "a", "operand 1 must be one of {set, array} but got string"],
  ["count", 1, "operand 1 must be one of {array, object, set, string} but got number"],
])("%s refuses what it cannot add", (name, value, message) => {
  expect(failureOf(() => call(name, value))).toEqual({ kind: "type", message });
});

test("any and all of v0", () => {
  expect(call("any", [false, true])).toBe(true);
  expect(call("any", RegoSet.of([1, "true"]))).toBe(false);
  expect(call("all", [])).toBe(true);
  expect(call("all", RegoSet.of([true, 1]))).toBe(false);
});

test("members are paid for", () => {
  expect(() =>
    call(
      "sort",
      Array.from({ length: 5000 }, (_, i) => i),
    ),
  ).toThrow(RangeError);
});
