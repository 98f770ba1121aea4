// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { evaluated } from "../../test/rows.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  [
    '[is_null(null), is_boolean(1), is_number(1.5), is_string("a"), is_array([]), is_object({}), is_set(set())]',
    "[true, false, true, true, true, true, true]",
  ],
  [
    '[type_name(x) | some x in [null, true, 1, "a", [], {}, set()]]',
    '["null", "boolean", "number", "string", "array", "object", "set"]',
  ],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});
