// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { RegoSet } from "../value.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ['graph.reachable({"a": ["b"], "b": ["c", "x"], "c": [], "d": ["a"]}, ["a"])', '{"a", "b", "c"}'],
  ['graph.reachable({"a": {"a"}}, {"a", "z"})', '{"a"}'],
  ['graph.reachable_paths({"a": ["b", "c"], "b": ["a"], "c": []}, ["a"])', '{["a", "b"], ["a", "c"]}'],
  ['graph.reachable_paths({"a": ["a", "x"]}, {"a"})', '{["a"], ["a", "a"]}'],
  ['graph.reachable_paths({"a": []}, ["a", "z"])', '{["a"]}'],
  [
    '[x | walk({"a": [1], "b": {2}}, x)]',
    '[[[], {"a": [1], "b": {2}}], [["a"], [1]], [["a", 0], 1], [["b"], {2}], [["b", 2], 2]]',
  ],
  ["[x | walk(7, x)]", "[[[], 7]]"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const chain = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`${i}`, [`${i + 1}`]]));

test("long ways are no danger to the stack", () => {
  const found = callerOf(standardBuiltins)("graph.reachable", chain, ["0"]);
  expect(found instanceof RegoSet && found.size).toBe(5000);
});

test("paths are paid for", () => {
  const nodes = Array.from({ length: 12 }, (_, i) => `${i}`);
  const complete = Object.fromEntries(nodes.map((node) => [node, nodes]));
  const call = callerOf(standardBuiltins, { steps: 100_000 });
  expect(() => call("graph.reachable_paths", complete, ["0"])).toThrow(RangeError);
});
