// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ["bits.and(12, 10)", "8"],
  ["bits.or(12, 10)", "14"],
  ["bits.xor(12, 10)", "6"],
  ["bits.negate(5)", "-6"],
  ["bits.lsh(1, 70)", "1180591620717411303424"],
  ["bits.lsh(0, 99999999)", "0"],
  ["bits.rsh(-5, 1)", "-3"],
  ["bits.rsh(1180591620717411303424, 70)", "1"],
  ["bits.rsh(-1, 12345678901234567890)", "-1"],
  ["bits.lsh(1, -1)", "undefined"],
  ["bits.and(-1, 36893488147419103232)", "36893488147419103232"],
  ["bits.and(1.5, 1)", "undefined"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const call = callerOf(standardBuiltins);

test("a shift by more than numbers hold is a failure, without the number", () => {
  expect(failureOf(() => call("bits.lsh", 1, 10n ** 30n))).toEqual({
    kind: "builtin",
    message: "number too big",
  });
});

test.each([
  ["bits.and", 1.5, 1],
  ["bits.or", "1", 1],
  ["bits.lsh", 1, -1],
  ["bits.rsh", 1, -1],
])("%s of %s and %s is a failure of type", (name, a, b) => {
  expect(failureOf(() => call(name, a, b)).kind).toBe("type");
});
