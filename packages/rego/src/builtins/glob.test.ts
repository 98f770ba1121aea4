// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { BuiltinFailure } from "../builtin.ts";
import type { Value } from "../value.ts";
import { glob } from "./glob.ts";

const call = callerOf(glob);

describe("glob.match", () => {
  it.each<[string, Value, string, boolean]>([
    ["*.github.com", [], "api.github.com", true],
    ["*.github.com", [], "api.cdn.github.com", false],
    ["*", null, "a.b", true],
    ["**.github.com", ["."], "api.cdn.github.com", true],
    ["*hub.com", null, "api.cdn.github.com", true],
    ["*:github:com", [":"], "api:github:com", true],
    ["a?c", [], "abc", true],
    ["a?c", [], "a.c", false],
    ["a?c", null, "a😀c", true],
    ["[abc]at", [], "cat", true],
    ["[!abc]at", [], "cat", false],
    ["[!abc]at", ["."], ".at", true],
    ["[a-c]at", [], "bat", true],
    ["[!a-c]at", [], "fat", true],
    ["[a-c]at", [], "-at", false],
    ["[ab-c]", [], "-", true],
    ["[]-a]", [], "^", true],
    ["[\\]a]", [], "]", true],
    ["{cat,bat,[fr]at}", [], "rat", true],
    ["{cat,bat,[fr]at}", [], "at", false],
    ["{a,}b", [], "b", true],
    ["{a{b,c}*,d}e", [], "acce", true],
    ["a,b}", [], "a,b}", true],
    ["\\*\\?", [], "*?", true],
    ["", [], "", true],
    ["", [], "a", false],
    ["a", [], "ab", false],
    ["a*", ["é"], "aéb", false],
    ["a**", ["é"], "aéb", true],
    ["\n*", [], "\n\n", true],
    ["***", ["."], "a.b", true],
  ])("%j, %j, %j: %j", (pattern, delimiters, text, expected) => {
    expect(call("glob.match", pattern, delimiters, text)).toBe(expected);
  });

  it.each<[Value, Value, Value, string, string]>([
    ["{a", [], "", "builtin", "unclosed `{`"],
    ["[a", [], "", "builtin", "expected close range character"],
    ["[]", [], "", "builtin", "could not parse range"],
    ["[a-", [], "", "builtin", "unexpected end of input"],
    ["[c-a]", [], "", "builtin", "range hi character is less than lo"],
    ["[a-bc]", [], "", "builtin", "expected close range character"],
    ["\\", [], "", "builtin", "trailing backslash"],
    ["\udc80", [], "", "builtin", "invalid UTF-8 sequence"],
    ["{".repeat(301), [], "", "builtin", "groups nest too deeply"],
    [1, [], "", "type", "operand 1 must be string"],
    ["a", "b", "", "type", "operand 2 must be one of {array, null}"],
    ["a", [1], "", "type", "operand 2 must be array of strings"],
    ["a", ["ab"], "", "type", "operand 2 must be array of runes"],
    ["a", [], true, "type", "operand 3 must be string"],
  ])("%.20j, %j, %j fails", (pattern, delimiters, text, kind, message) => {
    const failure = failureOf(() => call("glob.match", pattern, delimiters, text));
    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(message);
  });

  it("costs no more than the text is long", () => {
    const short = callerOf(glob, { steps: 20_000 });
    expect(short("glob.match", `${"a*".repeat(50)}b`, null, "a".repeat(1000))).toBe(false);
    expect(() => short("glob.match", `${"a*".repeat(50)}b`, null, "a".repeat(100_000))).toThrow(RangeError);
  });

  it("takes what was quoted for itself, and fails in its own way for the rest", () => {
    const text = fc
      .array(fc.constantFrom(..."ab*?[]{}\\,!-é."), { maxLength: 12 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, text, (pattern, subject) => {
        const quoted = call("glob.quote_meta", pattern) as string;
        expect(call("glob.match", quoted, [], pattern)).toBe(true);
        expect(call("glob.match", quoted, [], subject)).toBe(pattern === subject);
        try {
          expect(call("glob.match", pattern, [], subject)).toBeTypeOf("boolean");
        } catch (error) {
          expect(error).toBeInstanceOf(BuiltinFailure);
        }
      }),
    );
  });
});

describe("glob.quote_meta", () => {
  it("puts a backslash before what is special", () => {
    expect(call("glob.quote_meta", "a*b?{c}[d],!\\-é")).toBe("a\\*b\\?\\{c\\}\\[d\\],!\\\\-é");
  });
});
