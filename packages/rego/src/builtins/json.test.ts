// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ['json.filter({"a": {"b": 1, "c": 2}, "d": [1, 2]}, ["a/b", "d/1"])', '{"a": {"b": 1}, "d": [2]}'],
  ['json.filter({"a": {"b": 1}}, {"a", "a/c"})', '{"a": {"b": 1}}'],
  ['json.filter({"a/b": 1, "c~d": 2}, ["a~1b", ["c~d"]])', '{"a/b": 1, "c~d": 2}'],
  ['json.filter({"a": 1}, [""])', "{}"],
  ['json.remove({"a": {"b": 1, "c": 2}, "d": [1, 2]}, ["a/b", "d/0"])', '{"a": {"c": 2}, "d": [2]}'],
  ['json.remove({"a": {"b": 1}}, ["a", "a/b"])', "{}"],
  ['json.remove({"a": {1, 2}}, [["a", 1]])', '{"a": {2}}'],
  [
    'json.marshal({"b": [1, null, true, "<&>"], "a": {3, 1}, 2: 12345678901234567890})',
    '{"2":12345678901234567890,"a":[1,3],"b":[1,null,true,"\\u003c\\u0026\\u003e"]}',
  ],
  ["json.marshal({[1]: 2})", '{"[1]":2}'],
  ['json.marshal("\\u2028é")', '"\\u2028é"'],
  [
    'json.marshal_with_options({"a": [1, {}], "b": []}, {"indent": "  "})',
    '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}',
  ],
  ['json.marshal_with_options({"a": 1}, {"prefix": ">", "pretty": true})', '>{\n>\t"a": 1\n>}'],
  ['json.marshal_with_options({"a": 1}, {"prefix": ">", "pretty": false})', '{"a":1}'],
  ["json.marshal_with_options([], {})", "[]"],
  [
    'json.unmarshal("{\\"a\\": [12345678901234567890, 0.25, \\"x\\"]}")',
    '{"a": [12345678901234567890, 0.25, "x"]}',
  ],
  ['json.unmarshal("{\\"__proto__\\": 1e3}") == {"__proto__": 1000}', "true"],
  ['json.unmarshal("[1")', "undefined"],
  ['json.unmarshal("1 2")', "undefined"],
  ['json.is_valid("{}")', "true"],
  ['json.is_valid("{a}")', "false"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const call = callerOf(standardBuiltins);

test.each([
  ["json.filter", [{}, "a"], "type"],
  ["json.remove", [{}, [1]], "type"],
  ["json.remove", [[], []], "type"],
  ["json.unmarshal", ["{"], "builtin"],
  ["json.unmarshal", ["[1e999999]"], "builtin"],
  ["json.unmarshal", [1], "type"],
  ["json.marshal_with_options", [1, { indent: 1 }], "type"],
  ["json.marshal_with_options", [1, { tabs: true }], "type"],
] as const)("%s of %j is a failure", (name, operands, kind) => {
  expect(failureOf(() => call(name, ...operands)).kind).toBe(kind);
});

test("text that is no string is no JSON", () => {
  expect(call("json.is_valid", 1)).toBe(false);
});
