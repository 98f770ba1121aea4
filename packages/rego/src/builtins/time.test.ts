// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ['time.parse_rfc3339_ns("2024-02-29T12:30:45.123456789+02:00")', "1709202645123456789"],
  ['time.parse_rfc3339_ns("2023-02-29T12:30:45Z")', "undefined"],
  ['time.parse_rfc3339_ns("1600-01-01T00:00:00Z")', "undefined"],
  ['time.parse_ns("2006-01-02 15:04:05", "2024-02-29 01:02:03.5")', "1709168523500000000"],
  ['time.parse_ns("RFC1123Z", "Thu, 29 Feb 2024 12:30:45 -0800")', "1709238645000000000"],
  ['time.parse_ns("Jan _2 06 3:04pm", "feb  9 69 12:05am")', "-28166100000000000"],
  ['time.parse_ns("2006-002", "2024-366")', "1735603200000000000"],
  ['time.parse_ns("2006 GMT", "2024 GMT")', "1704067200000000000"],
  ['time.parse_ns("2006 MST", "2024 GMT+3")', "1704067200000000000"],
  ['time.parse_ns("2006 MST", "2024 xyz")', "undefined"],
  ['time.parse_ns("15:04", "25:00")', "undefined"],
  ['time.parse_ns(".000", ".12")', "undefined"],
  ['time.parse_ns("2006", "2024x")', "undefined"],
  ['time.parse_duration_ns("1h30m")', "5400000000000"],
  ['time.parse_duration_ns("-1.5d")', "-129600000000000"],
  ['time.parse_duration_ns("1w2ms")', "604800002000000"],
  ['time.parse_duration_ns("1µs")', "1000"],
  ['time.parse_duration_ns("10")', "undefined"],
  ['time.parse_duration_ns("1x")', "undefined"],
  ['time.parse_duration_ns("9223372036854775808ns")', "undefined"],
  ["time.date(1709209845000000000)", "[2024, 2, 29]"],
  ['time.date([1709209845000000000, "Pacific/Auckland"])', "[2024, 3, 1]"],
  ['time.clock([1709209845123456789, "America/New_York"])', "[7, 30, 45]"],
  ['time.clock([1720000000000000000, "America/New_York"])', "[5, 46, 40]"],
  ["time.weekday(-1)", "Wednesday"],
  ['time.date([0, "Nowhere/City"])', "undefined"],
  ["time.date(9223372036854775808)", "undefined"],
  ["time.format(1709209845123456789)", "2024-02-29T12:30:45.123456789Z"],
  ['time.format([1709209845120000000, "Europe/Berlin"])', "2024-02-29T13:30:45.12+01:00"],
  ['time.format([1709209845120000000, "Europe/Berlin", "RFC1123Z"])', "Thu, 29 Feb 2024 13:30:45 +0100"],
  [
    'time.format([1709209845120000000, "UTC", "Monday Jan _2 002 __2 3:04:05PM .000 .999 ,00 06 MST Z07 -07:00:00"])',
    "Thursday Feb 29 060  60 12:30:45PM .120 .12 ,12 24 UTC Z +00:00:00",
  ],
  [
    'time.format([1709209845120000000, "America/New_York", "Mon January 1/2 15h 4m 5s pm MST -0700"])',
    "Thu February 2/29 07h 30m 45s am EST -0500",
  ],
  ["time.add_date(1709209845000000000, 1, 0, 0)", "1740832245000000000"],
  ["time.add_date(1709209845000000000, -1, 13, -400)", "1677155445000000000"],
  ["time.add_date(0, 400, 0, 0)", "undefined"],
  ["time.diff(1709209845000000000, 1672531200000000000)", "[1, 1, 28, 12, 30, 45]"],
  ['time.diff([1709209845000000000, "Asia/Tokyo"], 1711000000000000000)', "[0, 0, 20, 17, 15, 55]"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const call = callerOf(standardBuiltins);

test("the clock is that of the evaluation", () => {
  expect(evaluated("time.now_ns()")).toBe("1767225600000000000");
});

test.each([
  ["time.date", [[]], "type"],
  ["time.date", ["now"], "type"],
  ["time.date", [0.5], "builtin"],
  ["time.date", [[0, "Local"]], "builtin"],
  ["time.date", [[0, "europe/berlin"]], "builtin"],
  ["time.date", [[0, "+01:00"]], "builtin"],
  ["time.format", [[0, "UTC", 1]], "type"],
  ["time.add_date", [0, 1e15, 0, 0], "builtin"],
  ["time.parse_ns", ["2006", "x"], "builtin"],
  ["time.parse_duration_ns", [""], "builtin"],
  ["time.parse_duration_ns", ["."], "builtin"],
  ["time.parse_duration_ns", ["300y"], "builtin"],
] as const)("%s of %j is a failure", (name, operands, kind) => {
  expect(failureOf(() => call(name, ...operands)).kind).toBe(kind);
});

test("what one layout writes it reads again", () => {
  const layouts = [
    "RFC3339Nano",
    "Mon Jan _2 15:04:05.000000000 2006 -07:00",
    "2006-002 3:04:05,999999999pm",
    "Monday, 02-January-06 03:04:05.999999999PM Z070000",
  ];
  for (const instant of [0n, 1n, 1_709_209_845_123_456_789n, 951_782_400_000_000_000n]) {
    for (const layout of layouts) {
      const text = call("time.format", [instant, "UTC", layout]) ?? null;
      expect(BigInt(String(call("time.parse_ns", layout, text)))).toBe(instant);
    }
  }
});

test("a wall time that a zone leaves out is taken as the reference takes it", () => {
  // 10 March 2024, 02:30 in New York does not exist.
  const before = call("time.add_date", [1_709_969_400_000_000_000n, "America/New_York"], 0, 0, 1);
  expect(call("time.clock", [before ?? null, "America/New_York"])).toEqual([1, 30, 0]);
});
