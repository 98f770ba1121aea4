// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { evaluated } from "../../test/rows.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ["array.concat([1], [2, 3])", "[1, 2, 3]"],
  ["array.slice([1, 2, 3], 1, 2)", "[2]"],
  ["array.slice([1, 2, 3], -1, 9)", "[1, 2, 3]"],
  ["array.slice([1, 2, 3], 2, 1)", "[]"],
  ["array.reverse([1, 2, 3])", "[3, 2, 1]"],
  ['array.flatten([1, [2, [3]], [], {"a": 4}])', '[1, 2, [3], {"a": 4}]'],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});
