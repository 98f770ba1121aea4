// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { RegoVersion } from "../ast.ts";
import { type Diagnostic, RegoError } from "../errors.ts";
import { parseModule, parseQuery, parseTerm } from "./module.ts";

function findings(parse: () => unknown): readonly Diagnostic[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof RegoError) return error.diagnostics;
    throw error;
  }
  return [];
}

/** Place, message and hint of each finding. */
function refusals(text: string, version: RegoVersion): string[] {
  return findings(() => parseModule(text, { version, file: "f" })).map(
    ({ code, message, location, hint = "" }) =>
      `${code} ${location?.row}:${location?.column} ${message} (${hint})`,
  );
}

describe("the parser refuses", () => {
  it.each<[what: string, text: string, where: string, message: RegExp, version?: RegoVersion]>([
    ["a body without if", "allow { x }", "2:1", /`if` is required.*allow if \{ … \}.*v0/],
    ["a set without contains", "p[x] { x }", "2:1", /`if` is required.*p contains … if/],
    ["an else body without if", "p if { a } else { b }", "2:12", /`if` is required/],
    ["a bare member", "p[1]", "2:1", /needs a value or a body.*p contains/],
    ["a bare path", "p.q.r", "2:1", /needs a value or a body/],
    ["a bare name", "p", "2:1", /needs a value or a body.*p if/],
    ["if in v0 without import", "p if { x }", "2:1", /import future.keywords.if/, "v0"],
    ["contains in v0 without import", "p contains x", "2:1", /import future.keywords.contains/, "v0"],
    ["in in v0 without import", "p { x in y }", "2:7", /import future.keywords.in/, "v0"],
    ["every in v0 without import", "p { every x in y { x } }", "2:11", /import future.keywords.every/, "v0"],
    ["template strings in v0", 'p = $"{x}"', "2:5", /template strings are part of v1/, "v0"],
    ["a keyword for a rule", "in := 1", "2:1", /keyword `in`, expected a rule.*cannot name/],
    ["contains for a rule", "contains := 1", "2:1", /`contains` cannot name a rule/],
    [
      "contains for a rule with a body",
      "import future.keywords.contains\ncontains { x }",
      "3:1",
      /keyword/,
      "v0",
    ],
    ["a keyword for a name under rego.v1", "if := 1\nimport rego.v1", "2:1", /`if` cannot name a rule/, "v0"],
    ["a keyword for a variable", "p if { in := 1 }", "2:8", /keyword and cannot name/],
    ["set() for a function", "set() := 1", "2:1", /`set` cannot name a rule/],
    ["a function without parameters or body", "p()", "2:4", /expected a value or body/],
    ["a function that is a set", "f(x) contains y", "2:6", /a function cannot be a set/],
    ["space before a bracket without a body", "p [x] := 1", "2:11", /nothing stands between a name/],
    ["an expression for a rule", "p == 1", "2:1", /needs a value or a body/],
    ["what follows a value", "p := 1; q := 2", "2:7", /unexpected `;`.*put the expression into a body/],
    ["with outside a body", "p := 1 with input as 2", "2:8", /keyword `with`/],
    ["else without a rule", "else := 1", "2:1", /`else` follows a rule/],
    ["else after a set", "p contains x if y else := 1", "2:19", /a set has no `else`/],
    ["else after a variable in the head", "p[x] := 1 if x else := 2", "2:16", /variable in its head/],
    ["else after a reference in the head", "p[input.x] := 1 if x else := 2", "2:22", /a set has no `else`/],
    ["else after a v0 key", 'p["x"] = 1 { x } else = 2 { y }', "2:18", /a set has no `else`/, "v0"],
    ["else without anything", "p if x else", "2:12", /expected a value or a body after `else`/],
    ["a further body after else", "p if { x } else := 1 if { y } { z }", "2:31", /no further bodies/],
    ["a default without a value", "default p.q", "2:1", /a default rule needs a value/],
    ["a default set", "default p contains 1", "2:1", /a default rule needs a value/],
    ["a default that depends", "default p := [input.x]", "2:15", /must be constant/],
    ["a default that depends in a template", 'default p := $"{x}"', "2:17", /must be constant/],
    ["a default with a pattern", "default f([x]) := 1", "2:11", /plain variables/],
    ["a default with input for an argument", "default f(input) := 1", "2:11", /plain variables/],
    ["a default with an argument twice", "default f(x, x) := 1", "2:14", /`x` is repeated/],
    ["an empty v0 body", "p { }", "2:5", /at least one/, "v0"],
    ["a body that is not closed", "p if {\n\tx\n", "2:6", /`{` is never closed/],
    ["an array that is not closed", "p := [1, 2\nq := 1", "2:6", /`\[` is never closed/],
    ["arguments that are not closed", "p if {\n\tf(x\n}", "3:3", /`\(` is never closed/],
    ["arguments that only begin", "p if {\n\tf(\n}", "3:3", /`\(` is never closed/],
    ["a group that is not closed", "p := (1", "2:6", /`\(` is never closed/],
    ["a key that is not closed", "p := x[1", "2:7", /`\[` is never closed/],
    ["too much closed", "p := 1\n}", "3:1", /unexpected `}`, expected a rule/],
    ["two expressions on a line", "p if { x y }", "2:10", /expected a new line/],
    ["if in a body", "p if { x if y }", "2:10", /a body has no `if`/],
    ["= twice", "p if { x = y = z }", "2:14", /has one `=` or `:=`/],
    ["= in a term", "p if { f(x = 1) }", "2:12", /inside a term, compare with `==`/],
    [":= in a term", "p := [x := 1]", "2:9", /inside a term/],
    ["= without a left side", "p if = 1", "2:6", /something must stand on the left/],
    ["&&", "p if x && y", "2:9", /lines of their own/],
    ["||", "p if x || y", "2:9", /several rules of one name/],
    ["or without import", "p if x or y", "2:8", /import future.keywords.or/],
    ["and in a body without import", "p if { x and y }", "2:10", /import future.keywords.and/],
    ["a ;  at the end", "p if { x; }", "2:11", /expected a term/],
    ["some without variables", "p if { some }", "2:13", /`some` declares variables/],
    ["some of a value", "p if { some x == y }", "2:13", /expected `x in xs`/],
    ["some in nothing", "p if { some x in }", "2:18", /expected a term/],
    ["some negated", "p if { not some x in y }", "2:12", /cannot be negated/],
    ["every without a body", "p if { every x in xs }", "2:22", /needs a body/],
    ["every without in", "p if { every xs { x } }", "2:14", /expected `x in xs`/],
    ["every with a pattern", "p if { every [x] in xs { x } }", "2:14", /names its elements with variables/],
    ["every with input for a variable", "p if { every input in xs { x } }", "2:14", /names its elements/],
    ["with without as", "p if { x with input }", "2:21", /expected `as`/],
    ["with for a constant", "p if { x with 1 as 2 }", "2:15", /expected `input`/],
    ["with for a call", "p if { x with f(1) as 2 }", "2:15", /`with` replaces/],
    ["a constant as head of a reference", 'p := "a".b', "2:6", /cannot be the head/],
    ["a group as head of a reference", "p := (a.b).c", "2:6", /a reference in parentheses/],
    ["a call of a constant", "p := 1(2)", "2:6", /cannot be the head/],
    ["a call of an array", "p := [1](2)", "2:6", /can be called/],
    ["a call of a call's member", "p := f(1).x(2)", "2:6", /can be called/],
    ["a call by a variable", "p := data.x[y](1)", "2:6", /can be called/],
    ["a call of a result", "p := f(1)(2)", "2:10", /no further arguments/],
    ["a dot before nothing", "p := x.", "2:8", /expected a name after the dot/],
    ["space after a dot", "p := x. y", "2:9", /expected a name after the dot/],
    ["a set member that is a pair", 'p := {"a": 1, 2}', "2:16", /expected `:`/],
    ["a pair among members", 'p := {1, "a": 2}', "2:13", /expected `,` or `}`/],
    ["a broken comprehension", "p := {x: y | z := 1 w}", "2:21", /expected a new line/],
    ["a leading zero", "p := 01", "2:6", /no zero may lead/],
    ["a fraction without digits", "p := 1.", "2:6", /`1.` is no number/],
    ["an exponent without digits", "p := 1e", "2:6", /`1e` is no number/],
    ["letters after a number", "p := 1a", "2:6", /`1a` is no number/],
    ["two points", "p := .5.5", "2:6", /is no number/],
    ["a minus before nothing", "p := -", "2:7", /expected a number/],
    ["a number too big", "p := 1e999999999", "2:6", /number too big/],
    ["an unknown escape", 'p := "\\q"', "2:6", /illegal escape sequence/],
    ["a short unicode escape", 'p := "\\u12"', "2:6", /illegal escape sequence/],
    ["an unknown escape in a template", 'p := $"\\q"', "2:6", /illegal escape sequence/],
    ["a string over two lines", 'p := "abc\nq := 1', "2:6", /string is not closed.*back quotes/],
    ["a raw string without end", "p := `abc\n", "2:6", /string is not closed/],
    ["a template without end", 'p := $"a{x', "2:11", /expected `}` after the expression/],
    ["a statement in a template", 'p := $"{x := 1}"', "2:9", /takes terms, not statements/],
    ["a negation in a template", 'p := $"{not x}"', "2:9", /takes terms, not statements/],
    ["nothing in a template", 'p := $"{}"', "2:9", /expected a term/],
    ["!", "p if !x", "2:6", /illegal character `!`.*written `not`/],
    ["a character of no token", "p := x ? y", "2:8", /illegal character `\?`/],
    ["a no-break space", "p\u00a0:= 1", "2:2", /illegal character U\+00A0.*plain space/],
    ["NUL in a comment", "# \0", "2:3", /illegal character U\+0000/],
    ["a byte order mark inside", "p := 1\ufeff", "2:7", /illegal character U\+FEFF/],
    ["half a surrogate pair", 'p := "\ud800"', "2:7", /illegal character U\+D800/],
    ["an unknown import", "import foo.bar", "2:8", /begins with data, input, future or rego/],
    ["an unknown future", "import future.keyword", "2:8", /import future.keywords.x/],
    ["an unknown keyword", "import future.keywords.x", "2:8", /and, contains, every, if, in, not, or/],
    ["an alias of future", "import future.keywords.in as x", "2:1", /no alias/],
    ["an unknown rego", "import rego.v3", "2:8", /import rego.v1/],
    ["an alias of rego", "import rego.v1 as x", "2:1", /no alias/],
    ["an import named by a keyword", "import data.if", "2:8", /another name with `as`/],
    ["an alias that is a keyword", "import data.x as if", "2:18", /expected a name after `as`/],
    ["an alias that is input", "import data.x as input", "2:18", /cannot be the name/],
    ["an alias that is a path", "import data.x as y.z", "2:18", /cannot be the name/],
    ["an import of an index", "import data.x[1]", "2:15", /names and strings/],
    ["an import of a call", "import data.f(1)", "2:8", /expected a path/],
    ["an import of nothing", "import 1", "2:8", /expected a path/],
    ["a package twice", "package q", "2:1", /expected it once/],
    [
      "with on an operand",
      "import future.keywords\np if a with input as 1 and b",
      "3:8",
      /cannot stand on an operand/,
    ],
    [
      "with on an operand in a group",
      "import future.keywords\np if (a with input as 1 and b)",
      "3:9",
      /operand/,
    ],
    [
      "a value in braces as operand",
      "import future.keywords\np if a and {1, 2}",
      "3:12",
      /is a body.*parentheses/,
    ],
    [
      "a value in braces as first operand",
      "import future.keywords\np if {\n{1: 2} == x and a\n}",
      "4:1",
      /is a body/,
    ],
    ["a value in braces after not", "import future.keywords\np if not {1, 2}", "3:10", /is a body/],
    ["an empty body as operand", "import future.keywords\np if a or {}", "3:12", /at least one/],
    [
      "a union that could be a comprehension",
      "import future.keywords\np if {\n\ta and {b | c}\n}",
      "4:8",
      /could be a comprehension/,
    ],
    [
      "a body in parentheses",
      "import future.keywords\np if not ({a; b})",
      "3:10",
      /parentheses cannot hold a body/,
    ],
    ["an empty group", "import future.keywords\np if a and ()", "3:13", /expected an expression/],
    ["a group that is not closed", "import future.keywords\np if (a and b", "3:6", /`\(` is never closed/],
    ["an operand that only prints", "import future.keywords\np if print(1) and a", "3:6", /only prints/],
  ])("%s", (_, text, where, message, version = "v1") => {
    const [first] = refusals(`package p\n${text}`, version);
    expect(first).toMatch(/^REGO_PARSE /);
    expect(first).toContain(` ${where} `);
    expect(first).toMatch(message);
  });

  it.each<[what: string, text: string, where: string, message: RegExp]>([
    ["nothing", "", "1:1", /empty/],
    ["only a comment", "# x\n", "1:1", /empty/],
    ["a module without package", "p := 1", "1:1", /`package` first/],
    ["an import before the package", "import data.x\npackage p", "1:1", /`package` first/],
    ["a package without a name", "package", "1:8", /expected a path/],
    ["a package named by a number", "package 1", "1:9", /expected a path/],
    ["a package with an index", "package a[1]", "1:11", /names and strings/],
    ["a package with a minus", "package a-b", "1:9", /expected a path/],
  ])("%s", (_, text, where, message) => {
    const [first] = refusals(text, "v1");
    expect(first).toContain(` ${where} `);
    expect(first).toMatch(message);
  });
});

describe("several findings", () => {
  it("are told at once, one for each statement", () => {
    const text = "package a\nimport foo\np if { in }\nq := [1\nr := 01\ns := 1\nt if {\n\tx y\n}\n";
    expect(refusals(text, "v1").map((line) => line.split(" ")[1])).toEqual([
      "2:8",
      "3:8",
      "4:6",
      "5:6",
      "8:4",
    ]);
  });
  it("are told with those of the lexer, in order, none twice", () => {
    expect(refusals('package a\np := "\nq := ]\nr := ?\n', "v1").map((line) => line.split(" ")[1])).toEqual([
      "2:6",
      "3:6",
      "4:6",
    ]);
  });
  it("are ten at most", () => {
    expect(refusals(`package a\n${"p := ]\n".repeat(50)}`, "v1")).toHaveLength(10);
    expect(refusals(`package a\n${"p := ?\n".repeat(50)}`, "v1")).toHaveLength(10);
  });
  it("come in one error that says how many there are", () => {
    expect(() => parseModule("package a\np := ]\nq := ]\n", { file: "a.rego" })).toThrow(
      "a.rego:2:6: unexpected `]`, expected a term (and 1 more)",
    );
  });
});

describe("queries and terms refuse", () => {
  it.each([
    ["nothing", "", "1:1"],
    ["an import", "import data.x", "1:1"],
    ["an open bracket", "x[1", "1:2"],
    ["a ; at the end", "x;", "1:3"],
  ])("%s as a query", (_, text, where) => {
    const [first] = findings(() => parseQuery(text));
    expect(`${first?.location?.row}:${first?.location?.column}`).toBe(where);
  });
  it("two terms as one", () => {
    expect(findings(() => parseTerm("1 2"))[0]?.message).toMatch(/expected the end/);
    expect(findings(() => parseTerm("x := 1"))[0]?.message).toMatch(/expected the end/);
  });
});
