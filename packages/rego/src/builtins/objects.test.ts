// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ['object.get({"a": {"b": 1}}, "a", 0)', '{"b": 1}'],
  ['object.get({"a": {"b": 1}}, ["a", "b"], 0)', "1"],
  ['object.get({"a": [{"b": 1}]}, ["a", 0, "b"], 0)', "1"],
  ['object.get({"a": {"b": 1}}, ["a", "c"], 0)', "0"],
  ['object.get({"a": null}, "a", 0)', "null"],
  ['object.get({"a": 1}, [], 0)', '{"a": 1}'],
  ['object.get({"constructor": 1}, "toString", 0)', "0"],
  ["object.get({1: 2}, 1, 0)", "2"],
  ['object.keys({"a": 1, 2: 3})', '{2, "a"}'],
  ['object.remove({"a": 1, "b": 2}, ["a"])', '{"b": 2}'],
  ['object.remove({"a": 1, "b": 2}, {"b": 5})', '{"a": 1}'],
  ['object.filter({"a": 1, "b": 2}, {"a"})', '{"a": 1}'],
  ['object.union({"a": {"b": 1}, "c": 2}, {"a": {"d": 3}, "c": 4})', '{"a": {"b": 1, "d": 3}, "c": 4}'],
  ['object.union({"a": 1}, {"a": {"b": 2}})', '{"a": {"b": 2}}'],
  ['object.union_n([{"a": {"b": 2}}, {"a": 4}, {"a": {"c": 3}}])', '{"a": {"c": 3}}'],
  ["object.union_n([])", "{}"],
  ['object.union({"__proto__": {"x": 1}}, {"__proto__": {"y": 2}})', '{"__proto__": {"x": 1, "y": 2}}'],
  ['object.subset({"a": {"b": 1, "c": 2}, "d": [1, 2, 3]}, {"a": {"b": 1}, "d": [2, 3]})', "true"],
  ['object.subset({"a": 1}, {"a": 2})', "false"],
  ["object.subset({1, 2}, {1})", "true"],
  ["object.subset([1, 2, 3], [2, 3])", "true"],
  ["object.subset([1, 2, 3], [1, 3])", "false"],
  ["object.subset([1, 2, 3], {3, 1})", "true"],
  ["object.subset([], set())", "false"],
  ["object.subset([1, 1, 2], [1, 2])", "true"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const call = callerOf(standardBuiltins);

test("operands of other kinds are failures of type", () => {
  expect(failureOf(() => call("object.get", [], "a", 1)).kind).toBe("type");
  expect(failureOf(() => call("object.remove", {}, "a")).kind).toBe("type");
  expect(failureOf(() => call("object.union_n", [{}, 1])).message).toBe(
    "operand 1 must be array of objects but got array containing number",
  );
  expect(failureOf(() => call("object.subset", {}, [])).kind).toBe("type");
});

test("a member that an array has twice is not two members of a set", () => {
  expect(evaluated("object.subset([1, 1, 2], {1, 3})")).toBe("false");
});

test("merging leaves its operands as they were", () => {
  const left = { a: { b: 1 } };
  expect(call("object.union", left, { a: { c: 2 } })).toEqual({ a: { b: 1, c: 2 } });
  expect(left).toEqual({ a: { b: 1 } });
});
