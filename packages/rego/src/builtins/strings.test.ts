// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { numberOf } from "../number.ts";
import { RegoObject, RegoSet, type Value } from "../value.ts";
import { strings } from "./strings.ts";

const call = callerOf(strings);
const set = (...members: Value[]): RegoSet => RegoSet.of(members);

describe("functions on strings", () => {
  it.each<[string, Value[], Value]>([
    ["concat", [",", ["a", "b"]], "a,b"],
    ["concat", [",", set("b", "a")], "a,b"],
    ["concat", [",", []], ""],
    ["contains", ["abc", "bc"], true],
    ["contains", ["abc", "x"], false],
    ["contains", ["abc", ""], true],
    ["startswith", ["abc", "ab"], true],
    ["startswith", ["abc", "bc"], false],
    ["endswith", ["abc", "bc"], true],
    ["endswith", ["abc", "ab"], false],
    ["format_int", [15.9, 16], "f"],
    ["format_int", [-15.9, 16], "-f"],
    ["format_int", [-255, 2], "-11111111"],
    ["format_int", [8, 8], "10"],
    ["format_int", [-0.5, 10], "0"],
    ["format_int", [18446744073709551617n, 16], "10000000000000001"],
    ["format_int", [numberOf("12345678901234567.75"), 10], "12345678901234567"],
    ["format_int", [numberOf("7.99999999999999999999999999"), 10], "8"],
    ["indexof", ["a😀b", "b"], 2],
    ["indexof", ["abc", "x"], -1],
    ["indexof_n", ["a😀b😀", "😀"], [1, 3]],
    ["indexof_n", ["aaa", "aa"], [0, 1]],
    ["indexof_n", ["abc", "x"], []],
    ["lower", ["ÀΣΑΣ İẞ"], "àσασ iß"],
    ["lower", ["ABC"], "abc"],
    ["upper", ["ßŉᾳᾀῃῳııǆ"], "ßŉᾼᾈῌῼIIǄ"],
    ["upper", ["abc"], "ABC"],
    ["replace", ["aaa", "aa", "b"], "ba"],
    ["replace", ["abc", "", "-"], "-a-b-c-"],
    ["replace", ["", "", "-"], "-"],
    ["replace", ["a$&", "a", "$&"], "$&$&"],
    ["replace", ["abc", "x", "y"], "abc"],
    ["strings.replace_n", [{ a: "1", ab: "2", b: "3" }, "abba"], "1331"],
    ["strings.replace_n", [{ "": "-", a: "x" }, "aba"], "-x-b-x-"],
    ["strings.replace_n", [{ "<": "&lt;", "&": "&amp;" }, "<&>"], "&lt;&amp;>"],
    ["strings.replace_n", [{}, "abc"], "abc"],
    ["split", ["a,b,", ","], ["a", "b", ""]],
    ["split", ["a😀", ""], ["a", "😀"]],
    ["split", ["", ""], []],
    ["split", ["", ","], [""]],
    ["strings.split_n", ["a,b,c", ",", 2], ["a", "b"]],
    ["strings.split_n", ["a,b,c", ",", -2], ["b", "c"]],
    ["strings.split_n", ["a,b,c", ",", 0], []],
    ["strings.split_n", ["a,b,c", ",", 9], ["a", "b", "c"]],
    ["strings.split_n", ["a,b", "", -2], [",", "b"]],
    ["substring", ["hé😀lo", 1, 2], "é😀"],
    ["substring", ["abc", 1, -1], "bc"],
    ["substring", ["abc", 5, 1], ""],
    ["substring", ["abc", 1, 99], "bc"],
    ["substring", ["", 3, 1], ""],
    ["trim", ["  é a ", " "], "é a"],
    ["trim", ["😀a😀😀", "😀"], "a"],
    ["trim", ["abc", ""], "abc"],
    ["trim_left", ["ééaé", "é"], "aé"],
    ["trim_right", ["abab", "ab"], ""],
    ["trim_prefix", ["aab", "a"], "ab"],
    ["trim_prefix", ["aab", "b"], "aab"],
    ["trim_suffix", ["abb", "b"], "ab"],
    ["trim_suffix", ["abb", ""], "abb"],
    ["trim_space", ["\u0085\u00a0\ufeff x\u3000\n"], "\ufeff x"],
    ["strings.reverse", ["aé😀"], "😀éa"],
    ["strings.count", ["aaa", "aa"], 1],
    ["strings.count", ["a😀", ""], 3],
    ["strings.any_prefix_match", ["abc", "ab"], true],
    ["strings.any_prefix_match", [["x", "abc"], set("y", "ab")], true],
    [
      "strings.any_prefix_match",
      [
        ["x", "abc"],
        ["y", "b"],
      ],
      false,
    ],
    ["strings.any_prefix_match", [[], "a"], false],
    ["strings.any_suffix_match", [set("x", "abc"), ["y", "bc"]], true],
    ["strings.any_suffix_match", ["abc", ["ab", "x"]], false],
  ])("%s: row %#", (name, args, expected) => {
    expect(call(name, ...args)).toEqual(expected);
  });

  it.each<[string, Value[], string, string]>([
    ["concat", [",", "ab"], "type", "operand 2 must be one of {set, array} but got string"],
    ["concat", [",", ["a", 1]], "type", "operand 2 must be array of strings but got array containing number"],
    ["contains", [1, ""], "type", "operand 1 must be string but got number"],
    ["endswith", ["", {}], "type", "operand 2 must be string but got object"],
    ["format_int", ["1", 10], "type", "operand 1 must be number but got string"],
    ["format_int", [1, 3], "type", "operand 2 must be one of {2, 8, 10, 16}"],
    ["indexof", ["a", ""], "builtin", "empty search character"],
    ["indexof_n", ["a", ""], "builtin", "empty search character"],
    ["lower", [true], "type", "operand 1 must be string but got boolean"],
    ["strings.replace_n", [[], "a"], "type", "operand 1 must be object but got array"],
    ["strings.replace_n", [{ a: 1 }, "a"], "type", "operand 1 non-string value found in pattern object"],
    [
      "strings.replace_n",
      [RegoObject.of([[1, "a"]]), "a"],
      "type",
      "operand 1 non-string key found in pattern object",
    ],
    [
      "strings.split_n",
      ["a", ",", 0.5],
      "type",
      "operand 3 must be integer number but got floating-point number",
    ],
    ["substring", ["a", -1, 1], "builtin", "negative offset"],
    [
      "strings.any_prefix_match",
      [1, ""],
      "type",
      "operand 1 must be one of {string, set, array} but got number",
    ],
    [
      "strings.any_suffix_match",
      ["", [1]],
      "type",
      "operand 2 must be array of strings but got array containing number",
    ],
  ])("%s fails: row %#", (name, args, kind, message) => {
    expect(failureOf(() => call(name, ...args))).toEqual({ kind, message });
  });

  it.each<[string, Value[]]>([
    ["concat", ["x".repeat(1000), Array.from({ length: 1000 }, () => "")]],
    ["replace", ["a".repeat(1000), "a", "b".repeat(1000)]],
    ["strings.replace_n", [{ "": "b".repeat(1000) }, "a".repeat(1000)]],
    ["indexof_n", ["a".repeat(10_000), "a".repeat(5000)]],
    ["upper", ["a".repeat(1_000_000)]],
  ])("%s counts what it makes", (name, args) => {
    expect(() => callerOf(strings, { steps: 10_000 })(name, ...args)).toThrow(RangeError);
  });

  it("finds the prefix that a search one by one finds", () => {
    const texts = fc.array(
      fc.array(fc.constantFrom("a", "b", "é", "😀"), { maxLength: 4 }).map((parts) => parts.join("")),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(texts, texts, (search, base) => {
        const starts = search.some((text) => base.some((part) => text.startsWith(part)));
        expect(call("strings.any_prefix_match", search, base)).toBe(starts);
        const ends = search.some((text) => base.some((part) => text.endsWith(part)));
        expect(call("strings.any_suffix_match", search, base)).toBe(ends);
      }),
    );
  });

  it("puts together again what it parted", () => {
    const text = fc
      .array(fc.constantFrom("a", ",", "é", "😀"), { maxLength: 9 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.constantFrom(",", "a", "é,"), (whole, delimiter) => {
        expect(call("concat", delimiter, call("split", whole, delimiter) ?? null)).toBe(whole);
        expect(call("strings.reverse", call("strings.reverse", whole) ?? null)).toBe(whole);
      }),
    );
  });
});
