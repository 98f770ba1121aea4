// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { evaluated } from "../../test/rows.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ["1 == 1.0", "true"],
  ["{1, 2} == {2, 1}", "true"],
  ['{"a": 1} != {"a": 2}', "true"],
  ["null < false", "true"],
  ["true < 0", "true"],
  ["2 < 10", "true"],
  ['"b" < "a"', "false"],
  ['"\\uffff" < "😀"', "true"],
  ["[1, 2] < [1, 2, 0]", "true"],
  ['{"a": 2} < {"b": 1}', "true"],
  ["[] < {}", "true"],
  ["{} < set()", "true"],
  ["12345678901234567890 > 12345678901234567889", "true"],
  ["0.1 >= 0.10", "true"],
  ["1 in [1, 2]", "true"],
  ['3 in {"a": 3}', "true"],
  ["{1} in {{1}}", "true"],
  ["1 in 1", "false"],
  ['("a", 3 in {"a": 3})', "true"],
  ["(0, 1 in [1, 2])", "true"],
  ["(1, 1 in [1, 2])", "false"],
  ["(2, 2 in {2})", "true"],
  ["(2, 3 in {2, 3})", "false"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});
