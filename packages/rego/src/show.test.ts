// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { numberOf } from "./number.ts";
import { quote, showText, showValue } from "./show.ts";
import { RegoObject, RegoSet, type Value } from "./value.ts";

describe("showValue", () => {
  it.each<[Value, string]>([
    [null, "null"],
    [false, "false"],
    [-1.5, "-1.5"],
    [12345678901234567890n, "12345678901234567890"],
    [numberOf("0.33333333333333333334"), "0.33333333333333333334"],
    ["a", '"a"'],
    [[], "[]"],
    [["a", [1]], '["a", [1]]'],
    [{}, "{}"],
    [{ b: 1, a: "x" }, '{"a": "x", "b": 1}'],
    [RegoObject.of([[[1], 2]]), "{[1]: 2}"],
    [RegoSet.of([]), "set()"],
    [RegoSet.of(["b", "a"]), '{"a", "b"}'],
  ])("row %#", (value, expected) => {
    expect(showValue(value)).toBe(expected);
  });

  it("leaves a string as it is where asked for text", () => {
    expect(showText("a\n")).toBe("a\n");
    expect(showText(["a\n"])).toBe('["a\\n"]');
  });
});

describe("quote", () => {
  it.each([
    ["", '""'],
    ['a"\\', '"a\\"\\\\"'],
    ["\u0007\b\t\n\v\f\r", '"\\a\\b\\t\\n\\v\\f\\r"'],
    ["\0\u001f\u007f", '"\\x00\\x1f\\x7f"'],
    ["é😀 \u0301", '"é😀 \u0301"'],
    ["\u00a0\u200b\ufeff\u{e0001}", '"\\u00a0\\u200b\\ufeff\\U000e0001"'],
    ["\udc80\ud800", '"\\x80\ufffd"'],
  ])("%j: %s", (text, expected) => {
    expect(quote(text)).toBe(expected);
  });

  it("keeps to ASCII where asked", () => {
    expect(quote("é😀a\n\ud800", true)).toBe('"\\u00e9\\U0001f600a\\n\\ufffd"');
  });

  it("takes another mark", () => {
    expect(quote("'", false, "'")).toBe("'\\''");
    expect(quote('"', false, "'")).toBe("'\"'");
  });
});
