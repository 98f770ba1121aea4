// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ['json.patch({"a": [1, 2]}, [{"op": "add", "path": "/a/1", "value": 9}])', '{"a": [1, 9, 2]}'],
  ['json.patch({"a": [1, 2]}, [{"op": "add", "path": "a/-", "value": 9}])', '{"a": [1, 2, 9]}'],
  ['json.patch({"a": [1, 2]}, [{"op": "remove", "path": "/a/0"}])', '{"a": [2]}'],
  ['json.patch({"a": 1}, [{"op": "replace", "path": "/a", "value": {"b": 2}}])', '{"a": {"b": 2}}'],
  ['json.patch({"a": 1}, [{"op": "replace", "path": "/b", "value": 2}])', "undefined"],
  ['json.patch({"a": {"b": 1}}, [{"op": "move", "from": "/a/b", "path": "/c"}])', '{"a": {}, "c": 1}'],
  [
    'json.patch({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/a/c"}])',
    '{"a": {"b": 1, "c": {"b": 1}}}',
  ],
  ['json.patch({"a": 1}, [{"op": "test", "path": "/a", "value": 1}, {"op": "remove", "path": "/a"}])', "{}"],
  ['json.patch({"a": 1}, [{"op": "test", "path": "/a", "value": 2}])', "undefined"],
  ['json.patch({"a": 1}, [{"op": "add", "path": "", "value": 7}])', "7"],
  ['json.patch({"a": [1]}, [{"op": "add", "path": "/a/3", "value": 7}])', "undefined"],
  ['json.patch({"a": [1]}, [{"op": "add", "path": "/a/01", "value": 7}])', "undefined"],
  ['json.patch({"a": 1}, [{"op": "add", "path": "/a/b", "value": 7}])', "undefined"],
  ['json.patch({1, 2}, [{"op": "remove", "path": [1]}, {"op": "add", "path": [3], "value": 3}])', "{2, 3}"],
  ['json.patch({1, 2}, [{"op": "add", "path": [3], "value": 4}])', "undefined"],
  ['json.patch({{"a": 1}}, [{"op": "add", "path": [{"a": 1}, "b"], "value": 2}])', '{{"a": 1, "b": 2}}'],
  ['json.patch({"a": 1}, [{"op": "jump", "path": "/a"}])', "undefined"],
  ['json.patch({"a": 1}, [{"op": "move", "path": "/a"}])', "undefined"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const call = callerOf(standardBuiltins);

test("a document that is removed as a whole is undefined", () => {
  expect(call("json.patch", { a: 1 }, [{ op: "remove", path: "" }])).toBeUndefined();
  expect(
    failureOf(() =>
      call("json.patch", 1, [
        { op: "remove", path: "" },
        { op: "remove", path: "" },
      ]),
    ).kind,
  ).toBe("builtin");
});

test.each([
  [[1], "an operation is not an object"],
  [[{ op: "add", value: 1 }], "missing required attribute 'path'"],
  [[{ path: "/a" }], "missing required attribute 'op'"],
  [[{ op: "add", path: "/a" }], "missing required attribute 'value'"],
  [[{ op: "copy", path: "/a" }], "missing required attribute 'from'"],
])("%j is refused", (operations, message) => {
  expect(failureOf(() => call("json.patch", {}, operations))).toEqual({ kind: "builtin", message });
});

test("what is patched stays as it was", () => {
  const document = { a: [1, 2] };
  call("json.patch", document, [{ op: "remove", path: "/a/0" }]);
  expect(document).toEqual({ a: [1, 2] });
});
