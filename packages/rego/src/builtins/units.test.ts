// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ['units.parse("10Ki")', "10240"],
  ['units.parse("200m")', "0.2"],
  ['units.parse("1.5M")', "1500000"],
  ['units.parse("3")', "3"],
  ['units.parse("1 K")', "undefined"],
  ['units.parse("K")', "undefined"],
  ['units.parse("1KB")', "undefined"],
  ['units.parse("1e3")', "1000"],
  ['units.parse("1E")', "1000000000000000000"],
  ['units.parse_bytes("10KiB")', "10240"],
  ['units.parse_bytes("1.5mb")', "1500000"],
  ['units.parse_bytes("3")', "3"],
  ['units.parse_bytes("0.5")', "0"],
  ['units.parse_bytes("1x")', "undefined"],
  ['units.parse_bytes("1b")', "undefined"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const call = callerOf(standardBuiltins);

test.each([
  ["units.parse", "1 K"],
  ["units.parse", ""],
  ["units.parse", "1.2.3"],
  ["units.parse", "1e9999999"],
  ["units.parse", "1KiB"],
  ["units.parse_bytes", "1e99999"],
  ["units.parse_bytes", "b"],
  ["units.parse_bytes", "1q"],
])("%s of %j is a failure", (name, text) => {
  expect(failureOf(() => call(name, text)).kind).toBe("builtin");
});
