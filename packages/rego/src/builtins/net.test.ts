// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ['net.cidr_contains("10.0.0.0/8", "10.1.2.3")', "true"],
  ['net.cidr_contains("10.0.0.0/8", "10.0.0.0/7")', "false"],
  ['net.cidr_contains("10.0.0.0/8", "10.9.0.0/16")', "true"],
  ['net.cidr_contains("2001:db8::/32", "2001:db8:1::/48")', "true"],
  ['net.cidr_contains("10.0.0.0/8", "::ffff:10.0.0.1")', "true"],
  ['net.cidr_contains("10.0.0.0/8", "010.0.0.1")', "undefined"],
  ['net.cidr_contains("10.0.0.0/33", "10.0.0.1")', "undefined"],
  ['net.cidr_intersects("10.0.0.0/8", "10.9.0.0/16")', "true"],
  ['net.cidr_intersects("10.0.0.0/16", "10.9.0.0/16")', "false"],
  ['net.cidr_is_valid("10.0.0.0/8")', "true"],
  ['net.cidr_is_valid("10.0.0.0")', "false"],
  ['net.cidr_is_valid("::1.2.3.4/128")', "true"],
  ['net.cidr_is_valid("1::2::3/64")', "false"],
  ['net.cidr_expand("192.168.0.5/30")', '{"192.168.0.4", "192.168.0.5", "192.168.0.6", "192.168.0.7"}'],
  ['net.cidr_expand("2001:db8::fffe/127")', '{"2001:db8::fffe", "2001:db8::ffff"}'],
  [
    'net.cidr_merge(["10.0.0.0/25", "10.0.0.128/25", "10.0.1.0/24", "192.0.2.0/24"])',
    '{"10.0.0.0/23", "192.0.2.0/24"}',
  ],
  ['net.cidr_merge({"2001:db8::/33", "2001:db8:8000::/33"})', '{"2001:db8::/32"}'],
  ['net.cidr_merge(["10.0.0.1"])', '{"10.0.0.1/8"}'],
  ['net.cidr_merge(["::1"])', "undefined"],
  ['net.cidr_contains_matches("10.0.0.0/8", ["10.1.0.0/16", "11.0.0.0/8"])', '{["10.0.0.0/8", 0]}'],
  [
    'net.cidr_contains_matches({"x": "10.0.0.0/8"}, {"10.1.0.0/16", ["10.2.0.0/16", "tag"]})',
    '{["x", "10.1.0.0/16"], ["x", ["10.2.0.0/16", "tag"]]}',
  ],
  ['net.cidr_contains_matches(["10.0.0.0/8"], [[]])', "undefined"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const call = callerOf(standardBuiltins, { steps: 100_000 });

test.each([
  ["10.0.0.0/8", "x"],
  ["10.0.0.0", "10.0.0.1"],
  ["fe80::1%eth0/64", "fe80::2"],
])("net.cidr_contains of %j and %j is a failure", (cidr, other) => {
  expect(failureOf(() => call("net.cidr_contains", cidr, other)).kind).toBe("builtin");
});

test("a network is paid for before it is expanded", () => {
  expect(() => call("net.cidr_expand", "10.0.0.0/8")).toThrow(RangeError);
  expect(() => call("net.cidr_expand", "::/0")).toThrow(RangeError);
});

test("IPv4-mapped networks are networks of IPv4", () => {
  expect(evaluated('net.cidr_merge(["::ffff:10.0.0.0/120", "10.0.1.0/24"])')).toBe('{"10.0.0.0/23"}');
});

test("whatever is merged covers as much as before", () => {
  const merge = callerOf(standardBuiltins);
  const list = ["0.0.0.0/1", "128.0.0.0/1", "255.255.255.255/32", "::/1", "8000::/1"];
  expect(merge("net.cidr_merge", list)).toEqual(merge("net.cidr_merge", ["0.0.0.0/0", "::/0"]));
});
