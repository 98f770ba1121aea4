// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bare, trees } from "../test/ast.ts";
import type { Location } from "./ast.ts";
import { parseModule, parseQuery, parseTerm } from "./parse/module.ts";
import { printBody, printModule, printRule, printTerm } from "./print.ts";

const location: Location = { file: "", row: 1, column: 1, offset: 0, end: 0 };

describe("what is printed", () => {
  it("is the same module again", () => {
    fc.assert(
      fc.property(trees.module, (module) => {
        const text = printModule(module);
        const again = parseModule(text);
        expect(bare(again)).toEqual(bare(module));
        expect(printModule(again)).toBe(text);
      }),
      { numRuns: 200 },
    );
  });
  it("is the same term again", () => {
    fc.assert(
      fc.property(trees.term, (term) => {
        expect(
          bare(
            parseModule(`package p\nimport future.keywords\nq := ${printTerm(term)}`).rules[0]?.head.value,
          ),
        ).toEqual(bare(term));
      }),
      { numRuns: 200 },
    );
  });
  it("has no line ends within a term, whatever the source had", () => {
    expect(printTerm(parseTerm("[\n1,\n\tf(\nx,\n)\n]"))).toBe("[1, f(x)]");
    expect(printBody(parseQuery("x\n\n\ny"))).toBe("x; y");
  });
  it("escapes what no text may hold", () => {
    expect(printTerm({ kind: "scalar", value: "\ufeff\0`", raw: true, location })).toBe('"\\ufeff\\u0000`"');
  });
  it("has parentheses only where they are needed", () => {
    for (const text of ["1 + 2 + 3", "1 + 2 * 3", "a == b | c", "f(a | b)", "not a and b"]) {
      const [rule] = parseModule(`package p\nimport future.keywords\nq if ${text}`).rules;
      expect(printBody(rule?.body ?? [])).toBe(text);
    }
  });
});

describe("a rule of v0", () => {
  it.each([
    ["p { x }", "p {\n\tx\n}"],
    ["p[x] { x }", "p[x] {\n\tx\n}"],
    ["import future.keywords\np[x] if x", "p[x] if {\n\tx\n}"],
    ["import future.keywords\np.q contains x", "p.q contains x"],
    ["p = 1 { x } else = 2", "p = 1 {\n\tx\n} else = 2"],
    ["default p = 1", "default p = 1"],
  ])("%j is written as v0 has it", (text, printed) => {
    const [rule] = parseModule(`package p\n${text}`, { version: "v0" }).rules;
    expect(rule && printRule(rule, "v0")).toBe(printed);
  });
});
