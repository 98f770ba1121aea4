// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { RegoError } from "../errors.ts";
import type { Value } from "../value.ts";
import { regex } from "./regex.ts";

const call = callerOf(regex);

describe("functions on regular expressions", () => {
  it.each<[string, Value[], Value]>([
    ["regex.match", ["^a+$", "aaa"], true],
    ["re_match", ["b", "abc"], true],
    ["regex.is_valid", ["a(b"], false],
    ["regex.is_valid", ["a(b)"], true],
    ["regex.is_valid", [1], false],
    ["regex.split", [",\\s*", "a, b,c"], ["a", "b", "c"]],
    ["regex.split", ["", "aé"], ["a", "é"]],
    ["regex.split", ["a", ""], [""]],
    ["regex.split", ["", ""], []],
    ["regex.split", ["a", "a"], ["", ""]],
    ["regex.split", ["x*", "axbxc"], ["a", "b", "c"]],
    ["regex.find_n", ["a.", "abacad", 2], ["ab", "ac"]],
    ["regex.find_n", ["a.", "abacad", -1], ["ab", "ac", "ad"]],
    ["regex.find_n", ["a.", "abacad", 0], []],
    ["regex.find_n", ["x", "abacad", -1], []],
    [
      "regex.find_all_string_submatch_n",
      ["(a)(x)?(.)", "abac", -1],
      [
        ["ab", "a", "", "b"],
        ["ac", "a", "", "c"],
      ],
    ],
    ["regex.find_all_string_submatch_n", ["(a)", "aa", 1], [["a", "a"]]],
    ["regex.replace", ["-ab-axxb-", "a(x*)b", "$1"], "--xx-"],
    ["regex.replace", ["-ab-axxb-", "a(x*)b", "\u0024{1}W$$"], "-W$-xxW$-"],
    ["regex.replace", ["-ab-", "a(x*)b", "$1W"], "--"],
    ["regex.replace", ["ab", "(?P<first>a)(?P<last>b)", "$last$first$9$other"], "ba"],
    ["regex.replace", ["ab", "(?P<n>x)?(?P<n>a)", "<$n>"], "<a>b"],
    ["regex.replace", ["abc", "", "-"], "-a-b-c-"],
    ["regex.replace", ["abc", "x", "-"], "abc"],
    ["regex.replace", ["a", "a", "$ \u0024{ \u0024{1 $0"], "$ \u0024{ \u0024{1 a"],
    ["regex.template_match", ["urn:foo:{.*}", "urn:foo:bar", "{", "}"], true],
    ["regex.template_match", ["urn:foo:<[a-z]{2}>", "urn:foo:bar", "<", ">"], false],
    ["regex.template_match", ["a.c", "abc", "{", "}"], false],
    ["regex.template_match", ["{a{2}}", "aa", "{", "}"], true],
  ])("%s%j", (name, args, expected) => {
    expect(call(name, ...args)).toEqual(expected);
  });

  it.each<[string, Value[], string, string]>([
    ["regex.match", [1, "a"], "type", "operand 1 must be string but got number"],
    ["regex.match", ["a", null], "type", "operand 2 must be string but got null"],
    [
      "regex.find_n",
      ["a", "a", 1.5],
      "type",
      "operand 3 must be integer number but got floating-point number",
    ],
    ["regex.split", ["(", "a"], "builtin", "error parsing regexp: missing closing ): `(`"],
    [
      "regex.replace",
      ["a", "?", ""],
      "builtin",
      "error parsing regexp: missing argument to repetition operator: `?`",
    ],
    ["regex.template_match", ["a{b", "", "{", "}"], "builtin", 'unbalanced braces in "a{b"'],
    ["regex.template_match", ["a}b", "", "{", "}"], "builtin", 'unbalanced braces in "a}b"'],
    [
      "regex.template_match",
      ["a{(}b", "", "{", "}"],
      "builtin",
      "error parsing regexp: missing closing ): `^($`",
    ],
    [
      "regex.template_match",
      ["a", "a", "{{", "}"],
      "builtin",
      "start delimiter has to be exactly one character long",
    ],
    [
      "regex.template_match",
      ["a", "a", "{", "é"],
      "builtin",
      "end delimiter has to be exactly one character long",
    ],
  ])("%s%j fails", (name, args, kind, message) => {
    expect(failureOf(() => call(name, ...args))).toEqual({ kind, message });
  });

  it("ends a pattern that is too large in a limit, not in an undefined value", () => {
    const large = "(?:a{1000}b)?".repeat(60);
    expect(() => call("regex.match", large, "")).toThrow(RegoError);
    expect(call("regex.is_valid", large)).toBe(true);
  });

  it("ends when the steps are used up", () => {
    const short = callerOf(regex, { steps: 1000 });
    expect(() => short("regex.find_n", "a.*b|a", "a".repeat(5000), -1)).toThrow(RangeError);
    expect(() => short("regex.replace", "a".repeat(500), "a", "b".repeat(100))).toThrow(RangeError);
  });
});

describe("regex.globs_match", () => {
  it.each<[string, string, boolean]>([
    ["a", "a", true],
    ["a", "b", false],
    ["", "", true],
    ["", "a", false],
    ["a.a.", ".b.b", true],
    ["[a-z]+", "[0-9]*", false],
    ["a*bad*", "a+.*d+", true],
    ["[a]b*", "[b]b*", false],
    ["\\*", "a", false],
    ["\\*", "\\*", true],
    ["[]", ".", true],
    ["[]", "a", false],
    ["b[ac-f]", "bd", true],
    ["é+", "é", true],
    [".", "[b]+b+", false],
    ["\\*[b]+", ".+[b]+a*.+", true],
    ["a*a*b", "ab", true],
  ])("%j, %j: %j", (first, second, expected) => {
    expect(call("regex.globs_match", first, second)).toBe(expected);
  });

  it.each(["*", "a**", "]", "[a", "[a-]", "[-a]", "[c-a]", "[a--b]", "\\", "[a\\", "a\\"])(
    "refuses %j",
    (glob) => {
      expect(failureOf(() => call("regex.globs_match", glob, "a")).kind).toBe("builtin");
      expect(failureOf(() => call("regex.globs_match", "a", glob)).message).toContain("input:");
    },
  );

  it("costs the product of the lengths, not the powers of them", () => {
    const stars = "a*.*b*".repeat(300);
    const few = callerOf(regex, { steps: 400_000 });
    expect(few("regex.globs_match", stars, stars)).toBe(true);
    expect(() => few("regex.globs_match", stars.repeat(9), stars.repeat(9))).toThrow(RangeError);
  });
});
