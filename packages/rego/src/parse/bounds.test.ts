// SPDX-License-Identifier: Apache-2.0
// Whatever the text, the parser ends, soon, with a tree or with REGO_PARSE.

import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { trees } from "../../test/ast.ts";
import { printModule } from "../print.ts";
import { Cursor, PARSE_LIMITS } from "./cursor.ts";
import { lex } from "./lexer.ts";
import { parseModule, parseQuery, parseTerm } from "./module.ts";

const WORDS = (
  'if else contains in every some not with as default import package { } [ ] ( ) , ; : = := == | & + - * / % < != . " ` $" $` \\ # _ x y 1 1.5 "s" `r` null true set() input data and or' +
  " future.keywords rego.v1 \t \u00e9 \u{1f600} ! ? @"
).split(" ");
const soup = fc
  .array(fc.oneof(fc.constantFrom(...WORDS), fc.constantFrom("\n", " ", "\n\n")), { maxLength: 60 })
  .map((words) => words.join(" "));

/** A tree, or REGO_PARSE: anything else fails. */
function tolerates(text: string): void {
  for (const version of ["v0", "v1"] as const) {
    const outcomes = [
      codeOf(() => parseModule(text, { version })),
      codeOf(() => parseModule(`package p\nimport future.keywords\n${text}`, { version })),
      codeOf(() => parseQuery(text, { version })),
      codeOf(() => parseTerm(text, { version })),
    ];
    for (const outcome of outcomes) expect(["nothing", "REGO_PARSE"]).toContain(outcome);
  }
}

describe("any text", () => {
  it("of random tokens is read or refused", () => {
    fc.assert(fc.property(soup, tolerates), { numRuns: 300 });
  });
  it("of random characters is read or refused", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), tolerates), { numRuns: 200 });
    fc.assert(fc.property(fc.string({ unit: "grapheme-ascii", maxLength: 60 }), tolerates), { numRuns: 200 });
  });
  it("that is cut or has a token too few or too many is read or refused", () => {
    fc.assert(
      fc.property(trees.module, fc.nat(), fc.nat(), fc.constantFrom(...WORDS), (module, at, size, word) => {
        const text = printModule(module);
        const start = at % (text.length + 1);
        tolerates(text.slice(0, start));
        tolerates(text.slice(0, start) + text.slice(start + (size % 8)));
        tolerates(`${text.slice(0, start)} ${word} ${text.slice(start)}`);
      }),
      { numRuns: 60 },
    );
  });
});

describe("limits", () => {
  const deep = (text: string): string =>
    codeOf(() => parseModule(`package p\nimport future.keywords\n${text}`));

  it("on the length of a text", () => {
    expect(codeOf(() => parseModule("package p\n", { limits: { length: 10 } }))).toBe("nothing");
    expect(() => parseModule("package p\n", { limits: { length: 9 } })).toThrow(
      /10 characters, expected at most 9/,
    );
    expect(codeOf(() => parseQuery(" ".repeat(1024 * 1024 + 1)))).toBe("REGO_PARSE");
  });
  it.each<[what: string, open: string, inner: string, close: string]>([
    ["arrays", "[", "1", "]"],
    ["sets", "{", "1", "}"],
    ["objects", "{1: ", "1", "}"],
    ["keys", "{", "1", ": 1}"],
    ["groups", "(", "1", ")"],
    ["references", "x[", "1", "]"],
    ["calls", "f(", "1", ")"],
    ["comprehensions", "[x | ", "1", "]"],
    ["set comprehensions", "{x | ", "1", "}"],
    ["object comprehensions", "{x: y | ", "1", "}"],
    ["mixed", "{x | y[[{1: f(", "1", ")}]]}"],
    ["templates", '$"{', "1", '}"'],
  ])("on the depth of %s", (_, open, inner, close) => {
    const nested = (levels: number): string => `q := ${open.repeat(levels)}${inner}${close.repeat(levels)}`;
    expect(deep(nested(25))).toBe("nothing");
    for (const levels of [201, 20_000]) expect(deep(nested(levels))).toBe("REGO_PARSE");
    expect(() => parseModule(`package p\n${nested(201)}`)).toThrow(/nested deeper than 200/);
  });
  it.each<[what: string, open: string, inner: string, close: string]>([
    ["every", "every x in y { ", "z", " }"],
    ["not", "not { ", "z", " }"],
    ["groups of and", "(a and ", "b", ")"],
    ["bodies of and", "{ a and ", "b", " } or c"],
  ])("on the depth of %s", (_, open, inner, close) => {
    const nested = (levels: number): string =>
      `q if {\n${open.repeat(levels)}${inner}${close.repeat(levels)}\n}`;
    expect(deep(nested(10))).toBe("nothing");
    for (const levels of [201, 5_000]) expect(deep(nested(levels))).toBe("REGO_PARSE");
  });
  it.each([
    ["operators", (n: number) => `q := 1${" + 1".repeat(n)}`],
    ["in", (n: number) => `q if x${" in y".repeat(n)}`],
    ["and", (n: number) => `q if x${" and y".repeat(n)}`],
    ["or", (n: number) => `q if x${" or y".repeat(n)}`],
    ["else", (n: number) => `q := 1 if x${" else := 2 if y".repeat(n)}`],
  ])("on chains of %s", (_, chain) => {
    expect(deep(chain(150))).toBe("nothing");
    for (const length of [201, 20_000]) expect(deep(chain(length))).toBe("REGO_PARSE");
  });
  it("no limit on what is only long", () => {
    const many = 5_000;
    expect(deep(`q := [${"x, ".repeat(many)}]`)).toBe("nothing");
    expect(deep(`q if {\n${"x\n".repeat(many)}}`)).toBe("nothing");
    expect(deep("q := 1\n".repeat(many))).toBe("nothing");
    expect(deep(`q := x${".y".repeat(many)}`)).toBe("nothing");
    expect(deep(`q if x${" with input as 1".repeat(many)}`)).toBe("nothing");
    expect(deep(`q := "${"x".repeat(500_000)}"`)).toBe("nothing");
    expect(deep(`# ${"x".repeat(500_000)}${" ".repeat(500_000)}`)).toBe("nothing");
    expect(deep(`q := $"${"{x} ".repeat(many)}"`)).toBe("nothing");
  });
});

describe("guesses", () => {
  // Each level is ambiguous to its end: trying both readings at each would take 2^n steps.
  const inside = 45;
  it.each<[what: string, text: string]>([
    ["of comprehensions that are sets", `${"{a | ".repeat(inside)}b${", c}".repeat(inside)}`],
    ["of comprehensions that are arrays", `${"[a | ".repeat(inside)}b${", c]".repeat(inside)}`],
    ["of comprehensions that are objects", `${"{a: b | ".repeat(inside)}c${", d: e}".repeat(inside)}`],
    ["of comprehensions that fail", `${"{a | ".repeat(inside)}=`],
    ["of objects that fail", `${"{a: b | ".repeat(inside)}=`],
    ["of bodies that fail", `${"{ a; ".repeat(inside)}=`],
    ["of groups that fail", `${"(a and ".repeat(inside)}=`],
    ["of operands that fail", `${"not { ".repeat(inside)}=`],
    ["of groups that are terms", `${"(".repeat(inside)}a${" + 1)".repeat(inside)}`],
    ["of pairs that fail", `${"x[a, ".repeat(inside)}=`],
    ["of bodies that are sets", `${"{".repeat(inside)}a${"} + 1".repeat(inside)}`],
    ["of comprehensions in comprehensions", `${"{a | b; ".repeat(inside)}c${"}".repeat(inside)}`],
  ])("%s cost little", (what, text) => {
    for (const body of [`q := ${text}`, `q if {\n${text}\n}`]) {
      for (const imports of ["", "import future.keywords\n"]) {
        const parse = (): unknown => parseModule(`package p\n${imports}${body}`);
        if (what.endsWith("fail")) expect(parse).toThrow(/unexpected/);
        else expect(codeOf(parse)).toBe("nothing");
      }
    }
  });
  it("that go on without end are given up", () => {
    // Not reached by any text that was found: the bound of last resort.
    const cursor = new Cursor(lex("x", ""), "v1", PARSE_LIMITS);
    const look = (): void => {
      for (let i = 0; i < 1_000; i++) {
        cursor.next();
        cursor.index = 0;
      }
    };
    expect(look).toThrow(expect.objectContaining({ final: true }));
  });
});
