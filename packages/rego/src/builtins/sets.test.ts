// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { evaluated } from "../../test/rows.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ["{1, 2} & {2, 3}", "{2}"],
  ["{1} | {2}", "{1, 2}"],
  ["union({{1}, {2, 3}})", "{1, 2, 3}"],
  ["union(set())", "set()"],
  ["intersection({{1, 2}, {2, 3}})", "{2}"],
  ["intersection(set())", "set()"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});
