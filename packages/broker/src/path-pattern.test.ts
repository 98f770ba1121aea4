// SPDX-License-Identifier: Apache-2.0
// Patterns of names: what fits, what covers what, and which of two is more specific.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bySpecificity, coversPath, fitsPath, isPathPattern } from "./path-pattern.ts";

describe("a pattern of names", () => {
  it.each([
    ["**", "a/b/c", true],
    ["**", "a", true],
    ["a/**", "a/b/c", true],
    ["a/**", "a/b", true],
    ["a/**", "a", false],
    ["a/**", "ab/c", false],
    ["a*/**", "ab/c", true],
    ["a/*/c", "a/b/c", true],
    ["a/*/c", "a/b/d", false],
    ["a/*", "a/b/c", false],
    ["a/b/c", "a/b/c", true],
    ["a/b/c", "a/b/c/d", false],
    ["A", "a", false],
    ["a.c", "abc", false],
  ])("%s fits %s: %s", (pattern, name, fits) => {
    expect(fitsPath(pattern, name)).toBe(fits);
  });

  it.each(["", "/a", "a//b", "a/", "**/a", "a*b", "a/***", "*a", "a b", "ä", "a".repeat(257)])(
    "%j is none",
    (pattern) => {
      expect(isPathPattern(pattern)).toBe(false);
    },
  );

  it.each([
    ["**", "a/**", true],
    ["a/**", "a/b/**", true],
    ["a/**", "a/*", true],
    ["a/*", "a/**", false],
    ["a/*", "a/b*", true],
    ["a/b*", "a/*", false],
    ["a/b/**", "a/**", false],
    ["a/**", "**", false],
    ["a/b", "a/b", true],
  ])("%s covers %s: %s", (outer, inner, covers) => {
    expect(coversPath(outer, inner)).toBe(covers);
  });

  const part = fc.constantFrom("a", "b", "ab", "abc", "a*", "ab*", "*");
  const pattern = fc
    .tuple(fc.array(part, { maxLength: 3 }), fc.boolean())
    .map(([parts, open]) => (open || parts.length === 0 ? [...parts, "**"] : parts).join("/"));
  const name = fc
    .array(fc.constantFrom("a", "b", "ab", "abc"), { minLength: 1, maxLength: 4 })
    .map((p) => p.join("/"));

  it("that covers another fits what that one fits", () => {
    fc.assert(
      fc.property(pattern, pattern, name, (outer, inner, text) => {
        fc.pre(coversPath(outer, inner) && fitsPath(inner, text));
        expect(fitsPath(outer, text)).toBe(true);
      }),
    );
  });

  it("is more or less specific than any other that fits the same name, whatever the order", () => {
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { maxLength: 6 }), name, (patterns, text) => {
        const fitting = patterns.filter((one) => fitsPath(one, text));
        const [first] = [...fitting].sort(bySpecificity);
        const [again] = [...fitting].reverse().sort(bySpecificity);
        expect(again).toBe(first);
        for (const other of fitting)
          if (first !== undefined) expect(coversPath(first, other)).toBe(other === first);
      }),
    );
  });
});
