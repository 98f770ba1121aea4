// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { failureOf } from "../test/call.ts";
import { Decimal } from "./decimal.ts";
import { isJson, jsonOf, parseJson } from "./json-text.ts";
import { RegoObject, RegoSet, same, type Value } from "./value.ts";

test.each<[Value, string]>([
  [{ b: 1, a: [true, null] }, '{"a":[true,null],"b":1}'],
  [RegoSet.of([3, 1]), "[1,3]"],
  [
    RegoObject.of([
      [2, "x"],
      ["1", 0],
    ]),
    '{"1":0,"2":"x"}',
  ],
  [
    RegoObject.of([
      [1, "number"],
      ["1", "text"],
    ]),
    '{"1":"text"}',
  ],
  [RegoObject.of([[["<"], 1]]), '{"[\\"\\\\u003c\\"]":1}'],
  [12345678901234567890n, "12345678901234567890"],
  [new Decimal(33333333333333333334n, -20), "0.33333333333333333334"],
  ["<&>\u2028\udcff", '"\\u003c\\u0026\\u003e\\u2028\ufffd"'],
])("jsonOf %#", (value, text) => {
  expect(jsonOf(value)).toBe(text);
});

test("lines are laid out with an indent behind a prefix", () => {
  expect(jsonOf({ a: [1, []], b: {} }, "  ", "> ")).toBe(
    '{\n>   "a": [\n>     1,\n>     []\n>   ],\n>   "b": {}\n> }',
  );
});

test("numbers keep their digits, and strings that look like them stay strings", () => {
  const text = '{"1e5":"s12e3","a":[12345678901234567890,"n1","0.1e1\\"2e2",1e2],"__proto__":1e0}';
  const value = parseJson(text);
  expect(same(value, parseJson(jsonOf(value)))).toBe(true);
  expect(Object.entries(value as object)).toEqual([
    ["1e5", "s12e3"],
    ["a", [12345678901234567890n, "n1", '0.1e1"2e2', 100]],
    ["__proto__", 1],
  ]);
});

test.each(["", "[1", "{a:1}", "01", "1e400000", '"\t"', "1 2"])("%s is a failure", (text) => {
  expect(failureOf(() => parseJson(text)).kind).toBe("builtin");
});

test("what JSON.stringify writes is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      // Through text, because doubles that stand for large integers are others than their digits.
      expect(JSON.parse(jsonOf(parseJson(text)))).toEqual(JSON.parse(JSON.stringify(JSON.parse(text))));
    }),
  );
});

test.each([
  [10_000, "[", "]", true],
  [10_001, "[", "]", false],
  [10_001, '{"a":', "}", false],
])("%i times %j is as deep as the reference reads: %j %j", (depth, open, close, ok) => {
  const text = `${open.repeat(depth)}"[\\"["${close.repeat(depth)}`;
  expect(isJson(text)).toBe(ok);
  if (ok) expect(parseJson(text)).toHaveLength(1);
  else
    expect(failureOf(() => parseJson(text))).toEqual({
      kind: "builtin",
      message: "the text is nested too deeply",
    });
});
