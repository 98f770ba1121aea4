// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  ['base64.encode("añ")', "YcOx"],
  ['base64.decode("YcOx")', "añ"],
  ['base64.decode("YcO\\nx")', "añ"],
  ['base64.decode("YQ")', "undefined"],
  ['base64.decode("YR==")', "a"],
  ['base64.is_valid("YQ==")', "true"],
  ['base64.is_valid("YQ=")', "false"],
  ['base64url.encode("??>a")', "Pz8-YQ=="],
  ['base64url.encode_no_pad("??>a")', "Pz8-YQ"],
  ['base64url.decode("Pz8-YQ")', "??>a"],
  ['base64url.decode("Pz8-YQ==")', "??>a"],
  ['base64url.decode("Pz8+YQ")', "undefined"],
  ['hex.encode("añ")', "61c3b1"],
  ['hex.decode("61C3b1")', "añ"],
  ['hex.decode("6")', "undefined"],
  ['hex.encode(hex.decode("00ff80c3"))', "00ff80c3"],
  ['base64.encode(base64.decode("/wD+gA=="))', "/wD+gA=="],
  ['count(hex.decode("ff80"))', "2"],
  ['urlquery.encode("a b&ñ~!")', "a+b%26%C3%B1~%21"],
  ['urlquery.decode("a+b%26%c3%B1")', "a b&ñ"],
  ['urlquery.decode("%zz")', "undefined"],
  ['urlquery.encode_object({"b": ["2", "1"], "a": "x y", "c": {"z"}})', "a=x+y&b=2&b=1&c=z"],
  [
    'urlquery.decode_object("a=1&b=2&a=3&c&=d&&e=%20")',
    '{"": ["d"], "a": ["1", "3"], "b": ["2"], "c": [""], "e": [" "]}',
  ],
  ['urlquery.decode_object("a;b=1")', "undefined"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const call = callerOf(standardBuiltins);

test.each([
  ["base64.decode", "YQ", "builtin"],
  ["base64.decode", "Y!==", "builtin"],
  ["base64url.decode", "a", "builtin"],
  ["base64url.decode", "a/==", "builtin"],
  ["hex.decode", "0g", "builtin"],
  ["urlquery.decode", "%4", "builtin"],
  ["urlquery.decode_object", "a=%", "builtin"],
  ["urlquery.encode_object", "a", "type"],
  ["hex.encode", 1, "type"],
])("%s of %j is a failure", (name, value, kind) => {
  expect(failureOf(() => call(name, value)).kind).toBe(kind);
});

test("values of a query are texts", () => {
  expect(failureOf(() => call("urlquery.encode_object", { a: [1] })).kind).toBe("type");
});

test("every byte passes through", () => {
  const hex = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0")).join("");
  const decoded = call("hex.decode", hex) ?? null;
  expect(call("hex.encode", decoded)).toBe(hex);
  expect(call("hex.encode", call("base64.decode", call("base64.encode", decoded) ?? "") ?? "")).toBe(hex);
  expect(call("hex.encode", call("urlquery.decode", call("urlquery.encode", decoded) ?? "") ?? "")).toBe(hex);
});
