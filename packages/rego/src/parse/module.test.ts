// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Module, RegoVersion, Rule } from "../ast.ts";
import { printBody, printModule, printTerm } from "../print.ts";
import { parseModule, parseQuery, parseTerm } from "./module.ts";

/** Rules in the printer's form, one to a line where they have one. */
function rules(text: string, version: RegoVersion = "v1"): string {
  const module = parseModule(`package p\n${text}`, { version });
  return printModule({ ...module, imports: [] })
    .replace(/^package p\n\n/, "")
    .trimEnd();
}

function onlyRule(text: string, version: RegoVersion = "v1"): Rule {
  const [rule, ...more] = parseModule(`package p\n${text}`, { version }).rules;
  if (rule === undefined || more.length > 0) throw new Error("expected one rule");
  return rule;
}

describe("terms", () => {
  it.each([
    // Policy Reference, "Operator Precedence".
    ["1 + 2 * 3 == 7", "1 + 2 * 3 == 7"],
    ["(1 + 2) * 3", "(1 + 2) * 3"],
    ["1 - (2 - 3) - 4", "1 - (2 - 3) - 4"],
    ["a | b & c - d / e", "a | b & c - d / e"],
    ["(a | b) & c", "(a | b) & c"],
    ["x == y == z", "x == y == z"],
    ["1 in [2] == [1]", "1 in [2] == [1]"],
    ["(x in y) in z", "(x in y) in z"],
    ["k, v in xs", "k, v in xs"],
    ["[1, 2 in [2]]", "[1, 2 in [2]]"],
    ["[(1, 2 in [2])]", "[(1, 2 in [2])]"],
    ["-x.y", "0 - x.y"],
    ["-1", "-1"],
    ["a - -1", "a - -1"],
    ["- .5", "-0.5"],
    ["1e3", "1000"],
    ["1.50", "1.5"],
    ["123456789012345678901234567890", "123456789012345678901234567890"],
    ["0.1234567890123456789012345", "0.1234567890123456789012345"],
    ['"\\u0041\\n\\/\\ud800"', '"A\\n/\ufffd"'],
    ["`raw \\n text`", "`raw \\n text`"],
    ["null", "null"],
    ["set()", "set()"],
    ["{}", "{}"],
    ["[ , 1, 2, ]", "[1, 2]"],
    ["{ , 1, 2, }", "{1, 2}"],
    ['{"a": 1, b: c | d, }', '{"a": 1, b: (c | d)}'],
    ["{a | b, c}", "{(a | b), c}"],
    ["{a | b}", "{a | b}"],
    ["{(a | b)}", "{(a | b)}"],
    ["[a | b; c]", "[a | b; c]"],
    ["[a | b, c]", "[(a | b), c]"],
    ["{a: b | c}", "{a: b | c}"],
    ["{a: b | c, d: e}", "{a: (b | c), d: e}"],
    ["{a + 1: b | c}", "{a + 1: b | c}"],
    ["{x | x := {y | y := {z | z, w}}}", "{x | x := {y | y := {(z | z), w}}}"],
    ['input["a b"].c[_][x]', 'input["a b"].c[_][x]'],
    ["data.lib.f(x, [y])[0].z", "data.lib.f(x, [y])[0].z"],
    ['data["a b"].f(1)', 'data["a b"].f(1)'],
    ["{1, 2}[x]", "{1, 2}[x]"],
    ["[1, 2][_]", "[1, 2][_]"],
    ["(a + b).c", "(a + b).c"],
    ["a.if.in.contains", "a.if.in.contains"],
    ["contains(x, y)", "contains(x, y)"],
    ['$"a {x} \\{ {1 + 2}"', '$"a {x} \\{ {1 + 2}"'],
    ['$"{$"{x}"}{y with input as 1}"', '$"{$"{x}"}{y with input as 1}"'],
    ["$`a\n{x} \\{ \\n`", "$`a\n{x} \\{ \\n`"],
    ['$""', '$""'],
  ])("reads %s", (text, printed) => {
    const term = parseTerm(text);
    expect(printTerm(term)).toBe(printed);
    expect(printTerm(parseTerm(printTerm(term)))).toBe(printed);
  });
  it("tells a raw string from one with escapes, and gives each wildcard a name of its own", () => {
    expect(parseTerm("`a`")).toMatchObject({ kind: "scalar", value: "a", raw: true });
    expect(parseTerm('"a"')).not.toHaveProperty("raw");
    expect(parseTerm("[_, _]")).toMatchObject({
      items: [
        { name: "$0", wildcard: true },
        { name: "$1", wildcard: true },
      ],
    });
  });
  it("numbers wildcards anew when a guess was wrong", () => {
    expect(parseTerm("{a | _, [_]}")).toMatchObject({
      items: [{ args: [{ name: "a" }, { name: "$0" }] }, { items: [{ name: "$1" }] }],
    });
  });
});

describe("queries", () => {
  it.each([
    ["x := 1; y = x\nz", "x := 1; y = x; z"],
    ["x := 1 y := 2", "x := 1; y := 2"],
    ["eq(x, 1); assign(y, 2); eq(z)", "x = 1; y := 2; eq(z)"],
    ["some x, y; some z in zs; some k, v in {1: 2}", "some x, y; some z in zs; some k, v in {1: 2}"],
    ["every x in xs { x > 1; x < 3 }", "every x in xs { x > 1; x < 3 }"],
    ["every k, v in xs { k }\nwith input as 1", "every k, v in xs { k } with input as 1"],
    ["not a.b with input.x as 1 with data.y as 2", "not a.b with input.x as 1 with data.y as 2"],
    ["if.x == 1\nnot.y\nwith.z", "if.x == 1; not.y; with.z"],
    ["x\n(y)\n[z]", "x; y; [z]"],
    ["a # comment\nb", "a; b"],
  ])("reads %j", (text, printed) => {
    expect(printBody(parseQuery(text))).toBe(printed);
  });
  it("keeps a name that is a keyword only in v1", () => {
    expect(printBody(parseQuery("in; every; if", { version: "v0" }))).toBe("in; every; if");
  });
});

describe("rules", () => {
  it.each<[text: string, printed: string]>([
    ["p := 1", "p := 1"],
    ["p = 1 q := 2", "p = 1\n\nq := 2"],
    ["p if x", "p if {\n\tx\n}"],
    ["p if { x; y }", "p if {\n\tx\n\ty\n}"],
    ["p if {x}", "p if {\n\tx\n}"],
    ["p if {}", "p if {\n\t{}\n}"],
    ["p if {x, y in z}", "p if {\n\tx, y in z\n}"],
    ["p if {x | y}", "p if {\n\t{x | y}\n}"],
    ["p if {x: y}", "p if {\n\t{x: y}\n}"],
    ["p if {{x}}", "p if {\n\t{x}\n}"],
    ["p if {(x | y)}", "p if {\n\t(x | y)\n}"],
    ["p contains x if y", "p contains x if {\n\ty\n}"],
    ['p.q contains "x"', 'p.q contains "x"'],
    ["p[x].q := y if z", "p[x].q := y if {\n\tz\n}"],
    ['p["a b"] if x', 'p["a b"] if {\n\tx\n}'],
    ["f(x, [y, _], {1: z}) := x if y", "f(x, [y, _], {1: z}) := x if {\n\ty\n}"],
    ["f (x) := x if y", "f(x) := x if {\n\ty\n}"],
    ["f(x)", "f(x)"],
    ["default p := {1: [2]}", "default p := {1: [2]}"],
    ["default p := {x | x := input.y}", "default p := {x | x := input.y}"],
    ["default f(_, x) = 1", "default f(_, x) = 1"],
    ["default p", "default p"],
    ["p := 1 if a else := 2 if { b } else := 3", "p := 1 if {\n\ta\n} else := 2 if {\n\tb\n} else := 3"],
    ["p if a else if b else = 4", "p if {\n\ta\n} else if {\n\tb\n} else = 4"],
    ["p if { a } { b }", "p if {\n\ta\n}\n\np if {\n\tb\n}"],
    ["if.x := 1\ncontains.y if z", "if.x := 1\n\ncontains.y if {\n\tz\n}"],
    ["p := 1 if x\nelse.y := 2", "p := 1 if {\n\tx\n}\n\nelse.y := 2"],
    ["p\n:=\n1", "p := 1"],
  ])("of v1: %j", (text, printed) => {
    expect(rules(text)).toBe(printed);
  });
  it.each<[text: string, printed: string]>([
    ["p { x }", "p {\n\tx\n}"],
    ["p[x] { x }", "p[x] {\n\tx\n}"],
    ["p.q { x }", 'p["q"] {\n\tx\n}'],
    ["p[x]", "p[x]"],
    ["p[x] = y { z }", "p[x] = y {\n\tz\n}"],
    ["p.q.r { x }", "p.q.r {\n\tx\n}"],
    ["p.q.r", "p.q.r"],
    ["p { a } { b }", "p {\n\ta\n}\n\np {\n\tb\n}"],
    ["p = 1 { a } else = 2 { b } else { c }", "p = 1 {\n\ta\n} else = 2 {\n\tb\n} else {\n\tc\n}"],
    ["p { every }\nq := in", "p {\n\tevery\n}\n\nq := in"],
    ["import future.keywords.contains\ncontains := 1", "contains := 1"],
  ])("of v0: %j", (text, printed) => {
    expect(rules(text, "v0")).toBe(printed);
  });
  it("of v0 with imported keywords: `if` makes p[x] a key, its absence a member", () => {
    expect(onlyRule("import future.keywords.if\np[x] if x", "v0").head).not.toHaveProperty("contains");
    expect(onlyRule("p[x] { x }", "v0").head).toMatchObject({
      ref: [{ value: "p" }],
      contains: { name: "x" },
    });
  });
  it("say what was not written", () => {
    expect(onlyRule("p := 1")).toMatchObject({ implicitBody: true, default: false, head: { assign: true } });
    expect(onlyRule("p if true")).toMatchObject({ implicitBody: false, head: { assign: false } });
    expect(onlyRule("p if true").head).not.toHaveProperty("value");
    expect(onlyRule("p() if true").head).not.toHaveProperty("args");
  });
});

describe("and, or, not as a form", () => {
  it.each([
    ["a and b or c and d", "a and b or c and d"],
    ["a and (b or c)", "a and (b or c)"],
    ["(a or b) and c", "(a or b) and c"],
    ["a or (b or c)", "a or (b or c)"],
    ["((a or b))", "a or b"],
    ["{ a; b } and { c }", "{ a; b } and { c }"],
    ["not { a; b }", "not { a; b }"],
    ["not (a or b)", "not (a or b)"],
    ["not a and b", "not a and b"],
    ["not (a and not { b })", "not (a and not { b })"],
    ["a and b with input as 1", "a and b with input as 1"],
    ["(a with input as 1) and b", "(a with input as 1) and b"],
    ["({1, 2}) and a", "({1, 2}) and a"],
    ["a and ({x | x})", "a and ({x | x})"],
    ["x = 1 and y := 2", "x = 1 and y := 2"],
    ["and(x, y)", "and(x, y)"],
    ["x and (b)", "x and b"],
    ["({})", "{}"],
    ["(a == b)", "a == b"],
    ["{x} == y", "{x} == y"],
    ["{ (a | b) } or c", "{ (a | b) } or c"],
  ])("reads %s", (text, printed) => {
    const read = (body: string): string => {
      const [rule] = parseModule(`package p\nimport future.keywords\nq if {\n${body}\n}`).rules;
      return printBody(rule?.body ?? []);
    };
    expect(read(text)).toBe(printed);
    expect(read(printed)).toBe(printed);
  });
  it("are names where nothing was imported", () => {
    expect(rules("p if { and; or }")).toBe("p if {\n\tand\n\tor\n}");
    expect(onlyRule("p if not x").body[0]).toMatchObject({ negated: true });
    expect(onlyRule("import future.keywords.not\np if not x").body[0]).toMatchObject({
      negated: false,
      form: { kind: "not", operand: { braces: false } },
    });
  });
});

describe("modules", () => {
  const module = (text: string, version: RegoVersion = "v1"): Module => parseModule(text, { version });

  it("have a package and imports", () => {
    const { path, imports } = module(
      'package a.if["b c"]\nimport data.x.y as z\nimport input\nimport future.keywords.in\nimport data["in"].w',
    );
    expect(path).toEqual(["a", "if", "b c"]);
    expect(imports.map(({ path, alias }) => [path.join("/"), alias])).toEqual([
      ["data/x/y", "z"],
      ["input", undefined],
      ["future/keywords/in", undefined],
      ["data/in/w", undefined],
    ]);
  });
  it("of v0 are of v1 after import rego.v1, wherever it stands", () => {
    expect(module("package a").version).toBe("v1");
    expect(module("package a", "v0").version).toBe("v0");
    expect(module("package a\nimport rego.v1\np if x", "v0").version).toBe("v1");
    expect(module("package a\np := 1\nimport rego.v2", "v0").version).toBe("v1");
  });
  it("keep their comments, and give METADATA to the rule below", () => {
    const { comments, rules } = module(
      "# METADATA\n# scope: package\npackage a\n\n# METADATA\n# title: t\n# custom:\n#  x: 1\np := 1 # one\r\n# two\nq := 2\n",
    );
    expect(comments.map(({ text, location }) => [text, location.row, location.column])).toEqual([
      [" METADATA", 1, 1],
      [" scope: package", 2, 1],
      [" METADATA", 5, 1],
      [" title: t", 6, 1],
      [" custom:", 7, 1],
      ["  x: 1", 8, 1],
      [" one", 9, 8],
      [" two", 10, 1],
    ]);
    expect(rules.map(({ metadata }) => metadata)).toEqual(["title: t\ncustom:\n x: 1", undefined]);
  });
  it("know where everything stands, in UTF-16 units", () => {
    const text = 'package a\n\nallow if {\n\t"😀" == input.x[ 1 ]\n}\n';
    const [rule] = module(text).rules;
    const place = ({
      row,
      column,
      offset,
      end,
    }: {
      row: number;
      column: number;
      offset: number;
      end: number;
    }): string => `${row}:${column} ${text.slice(offset, end)}`;
    expect(rule && place(rule.location)).toBe('3:1 allow if {\n\t"😀" == input.x[ 1 ]\n}');
    expect(rule && place(rule.head.location)).toBe("3:1 allow");
    const [expr] = rule?.body ?? [];
    expect(expr && place(expr.location)).toBe('4:2 "😀" == input.x[ 1 ]');
    const right =
      expr?.form.kind === "term" && expr.form.term.kind === "call" ? expr.form.term.args[1] : undefined;
    expect(right && place(right.location)).toBe("4:10 input.x[ 1 ]");
    expect(right?.kind === "ref" && right.path.map(({ location }) => place(location))).toEqual([
      "4:16 x",
      "4:19 1",
    ]);
  });
  it("may begin with a byte order mark and end without a line end", () => {
    expect(module("\ufeffpackage a").path).toEqual(["a"]);
  });
});
