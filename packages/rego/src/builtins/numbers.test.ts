// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ["1 + 2", "3"],
  ["0.1 + 0.2", "0.3"],
  ["9007199254740991 + 1", "9007199254740992"],
  ["1 - 1.1", "-0.10000000000000000002"],
  ["5 * 0.5", "2.5"],
  ["99999999999 * 99999999999", "9999999999800000000001"],
  ["1 / 3", "0.33333333333333333334"],
  ["6 / 3", "2"],
  ["1 / 0", "undefined"],
  ["0 / 5", "0"],
  ["7 % 3", "1"],
  ["-7 % 3", "-1"],
  ["7 % -3", "1"],
  ["7 % 0", "undefined"],
  ["7.5 % 2", "undefined"],
  ["10 % 18446744073709551616", "10"],
  ["{1, 2, 3} - {2}", "{1, 3}"],
  ["abs(-5)", "5"],
  ["abs(-0.5)", "0.5"],
  ["round(2.5)", "3"],
  ["round(-2.5)", "-3"],
  ["round(1.4999)", "1"],
  ["ceil(1.2)", "2"],
  ["ceil(-1.2)", "-1"],
  ["floor(1.8)", "1"],
  ["floor(-1.8)", "-2"],
  ["round(12345678901234567890123)", "12345678901234567889920"],
  ["numbers.range(1, 4)", "[1, 2, 3, 4]"],
  ["numbers.range(4, 1)", "[4, 3, 2, 1]"],
  ["numbers.range(2, 2)", "[2]"],
  ["numbers.range_step(0, 10, 3)", "[0, 3, 6, 9]"],
  ["numbers.range_step(10, 0, 4)", "[10, 6, 2]"],
  ["numbers.range_step(0, 10, 0)", "undefined"],
  [
    "numbers.range(18446744073709551615, 18446744073709551617)",
    "[18446744073709551615, 18446744073709551616, 18446744073709551617]",
  ],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const call = callerOf(standardBuiltins, { steps: 100_000 });

test.each([
  ["a divisor of zero", () => call("div", 1, 0), "builtin"],
  ["a modulus of zero", () => call("rem", 1, 0), "builtin"],
  ["a modulus of a fraction", () => call("rem", 1.5, 1), "builtin"],
  ["an operand that is no number", () => call("plus", "1", 1), "type"],
  ["a set and a number", () => call("minus", 1, "a"), "type"],
  ["a range of fractions", () => call("numbers.range", 0.5, 2), "type"],
  ["a step that is not positive", () => call("numbers.range_step", 1, 2, 0), "builtin"],
])("%s is a failure", (_, attempt, kind) => {
  expect(failureOf(attempt).kind).toBe(kind);
});

test("a range spends its length before it is made", () => {
  expect(() => call("numbers.range", 0, 1e15)).toThrow(RangeError);
  expect(() => call("numbers.range", 0n, 10n ** 40n)).toThrow(RangeError);
});

test("large numbers cost more", () => {
  const big = 10n ** 30_000n;
  const costly = callerOf(standardBuiltins, { steps: 10_000 });
  expect(() => costly("mul", big, 0.5)).toThrow(RangeError);
});
