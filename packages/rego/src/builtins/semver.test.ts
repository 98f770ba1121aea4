// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { evaluated } from "../../test/rows.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ['semver.compare("1.2.3", "1.2.10")', "-1"],
  ['semver.compare("v2.0.0", "1.9.9")', "1"],
  ['semver.compare("1.0.0-alpha.1", "1.0.0-alpha.beta")', "-1"],
  ['semver.compare("1.0.0-rc.1", "1.0.0")', "-1"],
  ['semver.compare("1.0.0-a.2", "1.0.0-a.10")', "-1"],
  ['semver.compare("1.0.0-a", "1.0.0-a.0")', "-1"],
  ['semver.compare("1.0.0+x", "1.0.0+y")', "0"],
  ['semver.compare("1.0", "1.0.0")', "undefined"],
  ['semver.is_valid("1.0.0-x.1+b.2")', "true"],
  ['semver.is_valid("01.0.0")', "false"],
  ['semver.is_valid("1.0.0-01")', "false"],
  ['semver.is_valid("1.0.0+")', "false"],
  ["semver.is_valid(1)", "false"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});
