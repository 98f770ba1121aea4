// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RegoError } from "../errors.ts";
import { quoteMeta, Regex, regexOf } from "./regex.ts";
import { PatternError } from "./scan.ts";

const free = (): void => {};

/** Spans of all matches. */
function spans(pattern: string, text: string): string {
  return [...new Regex(pattern).matches(text, free)].map(([from, to]) => `${from}-${to}`).join(" ");
}

/** Groups of the first match, "-" where one took no part. */
function groups(pattern: string, text: string): (string | undefined)[] {
  const [slots = []] = new Regex(pattern).matches(text, free, true);
  const found: (string | undefined)[] = [];
  for (let i = 0; i < slots.length; i += 2) {
    found.push((slots[i] ?? -1) < 0 ? undefined : text.slice(slots[i], slots[i + 1]));
  }
  return found;
}

function steps(run: (spend: (count: number) => void) => unknown): number {
  let total = 0;
  run((count) => {
    total += count;
  });
  return total;
}

describe("what a pattern takes", () => {
  it.each<[string, string, string]>([
    ["", "ab", "0-0 1-1 2-2"],
    ["a", "banana", "1-2 3-4 5-6"],
    ["a|ab", "ab", "0-1"],
    ["ab|a", "ab", "0-2"],
    ["a*", "baaac", "0-0 1-4 5-5"],
    ["a*?", "aa", "0-0 1-1 2-2"],
    ["a+?", "aa", "0-1 1-2"],
    ["a??b", "aab", "1-3"],
    ["(?U)a+", "aa", "0-1 1-2"],
    ["(?U)a+?", "aa", "0-2"],
    ["a{2}", "aaaaa", "0-2 2-4"],
    ["a{2,}", "aaaaa", "0-5"],
    ["a{1,2}?", "aaa", "0-1 1-2 2-3"],
    ["a{,2}", "a{,2}", "0-5"],
    ["a{0}b", "ab", "1-2"],
    [".", "a\n😀", "0-1 2-4"],
    ["(?s).", "a\nb", "0-1 1-2 2-3"],
    ["^.", "ab\ncd", "0-1"],
    ["(?m)^.", "ab\ncd", "0-1 3-4"],
    ["(?m).$", "ab\ncd", "1-2 4-5"],
    [".$", "ab\n", ""],
    ["\\Aa", "aa", "0-1"],
    ["a\\z", "aa", "1-2"],
    ["\\ba", "a ba a", "0-1 5-6"],
    ["\\Ba", "a ba a", "3-4"],
    ["\\bé", "é", ""],
    ["[[:alpha:]]+", "ab1é", "0-2"],
    ["[^[:^alpha:]]+", "ab1", "0-2"],
    ["[^a]", "a\nb", "1-2 2-3"],
    ["[]a]", "]", "0-1"],
    ["[^]a]", "]b", "1-2"],
    ["[a\\-z]+", "az-b", "0-3"],
    ["[--/]+", "-./0", "0-3"],
    ["\\pL+", "aλ1", "0-2"],
    ["\\p{Greek}+", "aλς", "1-3"],
    ["\\P{Greek}+", "aλ", "0-1"],
    ["\\p{^Greek}", "aλ", "0-1"],
    ["[\\d\\pL]+", "é1-", "0-2"],
    ["\\p{uppercase letter}", "aB", "1-2"],
    ["\\p{digit}", "a1", "1-2"],
    ["(?i)k", "kK\u212a", "0-1 1-2 2-3"],
    ["(?i)[^k]", "K\u212ab", "2-3"],
    ["(?i)σ", "Σς", "0-1 1-2"],
    ["(?i:a)b", "AbAB", "0-2"],
    ["(?i)a(?-i)b", "AbAB", "0-2"],
    ["(?i)\\W", "\u017f", ""],
    ["\\Qa.b\\E+", "a.bb", "0-4"],
    ["\\Q.", ".a", "0-1"],
    ["\\x41\\x{1F600}\\101\\a", "A😀A\u0007", "0-5"],
    ["(|a)+", "aa", "0-0 1-1 2-2"],
    ["(|a)*", "aa", "0-0 1-1 2-2"],
    ["(a|b)*abb", "ababb", "0-5"],
  ])("%j in %j: %j", (pattern, text, expected) => {
    expect(spans(pattern, text)).toBe(expected);
    expect(new Regex(pattern).test(text, free)).toBe(expected !== "");
  });

  it.each<[string, string, (string | undefined)[]]>([
    ["(a)(b)?", "ac", ["a", "a", undefined]],
    ["(?P<x>a)(?<y>b)", "ab", ["ab", "a", "b"]],
    ["(a|ab)(c|bcd)(d*)", "abcd", ["abcd", "a", "bcd", ""]],
    ["(a*)*", "aa", ["aa", "aa"]],
    ["(a*)+", "b", ["", ""]],
    ["((a)|b)+", "ab", ["ab", "b", "a"]],
    ["(?:(a)|(b)){2}", "ab", ["ab", "a", "b"]],
    ["a(b*)(?:c)", "abbc", ["abbc", "bb"]],
  ])("groups of %j in %j", (pattern, text, expected) => {
    expect(groups(pattern, text)).toEqual(expected);
  });

  it("takes bytes that are no UTF-8 for U+FFFD", () => {
    expect(spans("\ufffd", "a\udc80")).toBe("1-2");
    expect(spans(".", "\udc80\udcff")).toBe("0-1 1-2");
    expect(new Regex("^\ufffd$").test("\udc80", free)).toBe(true);
  });
});

describe("what is no pattern", () => {
  it.each([
    ["\udc80", "invalid UTF-8"],
    ["a**", "invalid nested repetition operator: `**`"],
    ["*", "missing argument to repetition operator: `*`"],
    ["(|*)", "missing argument to repetition operator: `*`"],
    ["(a", "missing closing ): `(a`"],
    ["a)", "unexpected ): `a)`"],
    ["[a", "missing closing ]: `[a`"],
    ["[z-a]", "invalid character class range: `z-a`"],
    ["[[:foo:]]", "invalid character class range: `[:foo:]`"],
    ["\\p{Nobody}", "invalid character class range: `\\p{Nobody}`"],
    ["\\p{Grek}", "invalid character class range: `\\p{Grek}`"],
    ["\\p{Greek", "invalid character class range: `\\p{Greek`"],
    ["\\C", "invalid escape sequence: `\\C`"],
    ["\\8", "invalid escape sequence: `\\8`"],
    ["\\x{110000}", "invalid escape sequence"],
    ["\\", "trailing backslash at end of expression: ``"],
    ["(?=a)", "invalid or unsupported Perl syntax: `(?=`"],
    ["(?i", "invalid or unsupported Perl syntax: `(?i`"],
    ["(?-)", "invalid or unsupported Perl syntax: `(?-)`"],
    ["(?P<a-b>x)", "invalid named capture: `(?P<a-b>`"],
    ["(?<a", "invalid named capture: `(?<a`"],
    ["a{1001}", "invalid repeat count: `{1001}`"],
    ["a{2,1}", "invalid repeat count: `{2,1}`"],
    [`a{1,${"9".repeat(400)}}`, "invalid repeat count"],
    ["(a{100}){11}", "invalid repeat count: `{11}`"],
    [`${"(".repeat(1001)}a${")".repeat(1001)}`, "expression nests too deeply"],
  ])("%.30j", (pattern, message) => {
    expect(() => new Regex(pattern)).toThrow(PatternError);
    expect(() => new Regex(pattern)).toThrow(`error parsing regexp: ${message}`);
  });

  it("takes groups that nest as deep as may be", () => {
    expect(new Regex(`${"(".repeat(998)}a${")".repeat(998)}`).test("a", free)).toBe(true);
  });

  it("refuses a pattern that is too large written out", () => {
    expect(() => new Regex("(?:a{1000}b)?".repeat(60))).toThrow(RegoError);
    expect(() => new Regex("(?:a{1000}b)?".repeat(60))).toThrow(
      expect.objectContaining({ code: "REGO_LIMIT" }),
    );
  });

  it("ends in its own error for any text", () => {
    const parts = fc.constantFrom(
      ..."()[]{}|*+?^$.\\-,01aékKQEpPLz:<>=!iPmsU",
      "(?",
      "[[:",
      ":]]",
      "\\x{",
      "\\p{",
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 20 }), fc.string({ maxLength: 8 }), (pieces, text) => {
        try {
          const regex = new Regex(pieces.join(""));
          expect(regex.test(text, free)).toBe(spans(pieces.join(""), text) !== "");
        } catch (error) {
          expect(error).toBeInstanceOf(PatternError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("beside the platform's own", () => {
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "\\w", "\\d", "\\b", "^", "$", ""),
      fc.tuple(tie("pattern"), tie("pattern")).map((parts) => parts.join("")),
      fc.tuple(tie("pattern"), tie("pattern")).map((parts) => `(?:${parts.join("|")})`),
      fc
        .tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "*?", "+?", "{2}", "{0,2}", "{1,}"))
        .map(([inner, operator]) => `(?:${inner})${operator}`),
    ),
  }));
  const text = fc
    .array(fc.constantFrom("a", "b", "c", "1", " "), { maxLength: 10 })
    .map((parts) => parts.join(""));

  it("finds a match where there is one", () => {
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        expect(new Regex(source).test(subject, free)).toBe(new RegExp(source).test(subject));
      }),
      { numRuns: 2000 },
    );
  });

  it("finds by search what the automaton finds, at the same first place", () => {
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const [first] = new Regex(source).matches(subject, free);
        expect(first?.[0] ?? -1).toBe(subject.search(new RegExp(source)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("what it costs", () => {
  it.each([
    ["(a*)*b", "a"],
    ["(a|aa)+$b", "a"],
    ["(x+x+)+y", "x"],
    ["(?:a?){30}a{30}b", "a"],
    ["^(([a-z])+.)+[A-Z]([a-z])+$", "a"],
    ["(.*)(.*)(.*)(.*)(.*)[^.]$", "."],
  ])("%j: in proportion to the text", (pattern, unit) => {
    const regex = new Regex(pattern);
    const cost = (length: number): number => steps((spend) => regex.test(unit.repeat(length), spend));
    expect(cost(20_000)).toBeLessThan(2.2 * cost(10_000));
    const search = (length: number): number =>
      steps((spend) => [...regex.matches(unit.repeat(length), spend, true)].length);
    expect(search(2000)).toBeLessThan(2.2 * search(1000));
  });

  it("is the same whatever was run before, also when states were forgotten", () => {
    const source = "(?:a|b)*a(?:a|b){13}c";
    const text = Array.from({ length: 30_000 }, (_, i) => ((i * i) % 7 < 3 ? "a" : "b")).join("");
    const run = (regex: Regex): number => steps((spend) => regex.test(text, spend));
    const regex = new Regex(source);
    const first = run(regex);
    expect(run(regex)).toBe(first);
    expect(run(new Regex(source))).toBe(first);
  });

  it("is counted while it runs, so that a limit stops it", () => {
    const stop = (): void => {
      throw new RangeError("enough");
    };
    expect(() => new Regex("(a|b)*c").test("ab".repeat(10_000), stop)).toThrow("enough");
    expect(() => [...new Regex("(a|b)*c").matches("ab".repeat(10_000), stop)]).toThrow("enough");
  });

  it("of compiling does not depend on what was kept", () => {
    const cost = (): number => steps((spend) => regexOf("[a-z]{1,20}", spend));
    expect(cost()).toBe(cost());
  });
});

describe("quoteMeta", () => {
  it("makes a pattern of the text alone", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 12 }),
        fc.string({ maxLength: 3 }),
        (text, more) => {
          const regex = new Regex(`^${quoteMeta(text)}$`);
          expect(regex.test(text, free)).toBe(true);
          if (more !== "") expect(regex.test(text + more, free)).toBe(false);
        },
      ),
    );
  });
});
