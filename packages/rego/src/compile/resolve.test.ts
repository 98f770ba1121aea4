// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { findingsIn, type RunOptions, resultOf } from "../../test/run.ts";
import { compile, RegoError } from "../index.ts";

describe("names", () => {
  it.each<[string, string, string, string]>([
    ["a rule of the package", "q := 1\np := q", "data.test.p", "1"],
    ["a rule below another name", "a.b.c := 1\np := a.b.c", "data.test.p", "1"],
    ["an argument before a rule of its name", "x := 1\nf(x) := x\np := f(2)", "data.test.p", "2"],
    ["a local before a rule of its name", "x := 1\np := y if { x := 2; y := x }", "data.test.p", "2"],
    [
      "a local of a comprehension, not outside",
      "x := 1\np := [y, x] if { y := [x | x := 2] }",
      "data.test.p",
      "[[2], 1]",
    ],
    [
      "a variable of a body in its comprehensions",
      "p := y if { x := 1; y := [z | z := x] }",
      "data.test.p",
      "[1]",
    ],
    [
      "two locals of one name in two comprehensions",
      "p := [[x | x := 1], [x | x := 2]]",
      "data.test.p",
      "[[1], [2]]",
    ],
    [
      "`some` hides an outer variable",
      "p := y if { x := 1; y := [x | some x in [2]] }",
      "data.test.p",
      "[2]",
    ],
    [
      "`every` hides an outer variable",
      "p if { x := 1; every x in [2] { x == 2 }; x == 1 }",
      "data.test.p",
      "true",
    ],
    [
      "a local of a head's comprehension",
      "p := [x | some x in q] if { q := [1, 2] }",
      "data.test.p",
      "[1, 2]",
    ],
    ["a rule named like a function", "count(x) := 7\np := count([])", "data.test.p", "7"],
    ["a variable named like a function", "p := count if { count := 2 }", "data.test.p", "2"],
    ["wildcards that are not one another", "p if { [_, _] = [1, 2] }", "data.test.p", "true"],
    ["a query's own variables", "p := 1", "x := data.test.p; y := x + 1; y", "true"],
  ])("%s", (_, rules, query, expected) => {
    expect(resultOf(rules, query)).toBe(expected);
  });

  it.each<[string, string, RunOptions, string]>([
    ["a package", "import data.lib\np := lib.q", { modules: ["package lib\nq := 2"] }, "2"],
    [
      "another name for it",
      "import data.lib as other\np := other.f(1)",
      { modules: ["package lib\nf(x) := x"] },
      "1",
    ],
    ["a rule", "import data.lib.q\np := q", { modules: ["package lib\nq := 2"] }, "2"],
    ["a function", "import data.lib.f\np := f(3)", { modules: ["package lib\nf(x) := x"] }, "3"],
    ["a base document", "import data.users\np := users.bob", { data: { users: { bob: 1 } } }, "1"],
    ["a part of the input", "import input.a.b\np := b", { input: { a: { b: 5 } } }, "5"],
    ["the input under another name", "import input as request\np := request.a", { input: { a: 5 } }, "5"],
    ["a local before an import", "import data.x\np := x if { x := 1 }", { data: { x: 2 } }, "1"],
    ["the package in another file", "p := q", { modules: ["package test\nq := 4"] }, "4"],
    ["keywords in v0", "import future.keywords.in\np { 1 in [1] }", { version: "v0" }, "true"],
    ["v1 in v0", "import rego.v1\np if 1 in [1]", { version: "v0" }, "true"],
  ])("imports: %s", (_, rules, options, expected) => {
    expect(resultOf(rules, "data.test.p", options)).toBe(expected);
  });
});

describe("what is refused", () => {
  it.each<[string, string, string[]]>([
    ["a function that is not there", "p := f(1)", ["REGO_TYPE 2: undefined function f"]],
    ["a function of another package", "p := data.lib.f(1)", ["REGO_TYPE 2: undefined function data.lib.f"]],
    ["a value that is called", "q := 1\np := q(1)", ["REGO_TYPE 3: undefined function data.test.q"]],
    [
      "too few arguments",
      "f(x, y) := 1\np := f(1)",
      ["REGO_TYPE 3: function data.test.f has arity 2, got 1 argument"],
    ],
    [
      "too many arguments",
      "p := count([], 1, 2)",
      ["REGO_TYPE 2: function count has arity 1, got 3 arguments"],
    ],
    [
      "the network",
      "p := http.send({})",
      ["REGO_TYPE 2: unsafe built-in function calls in expression: http.send"],
    ],
    [
      "the runtime",
      "p := opa.runtime()",
      ["REGO_TYPE 2: unsafe built-in function calls in expression: opa.runtime"],
    ],
    [
      "name look-up",
      'p := net.lookup_ip_addr("a")',
      ["REGO_TYPE 2: unsafe built-in function calls in expression: net.lookup_ip_addr"],
    ],
    [
      "deprecated functions",
      "p if any([true])",
      ["REGO_TYPE 2: deprecated built-in function calls in expression: any"],
    ],
    [
      "`print` as a value",
      "p := print(1)",
      [
        "REGO_TYPE 2: function print has arity 0, got 1 argument",
        "REGO_COMPILE 2: function print has no value to use",
      ],
    ],
    ["`:=` twice", "p if { x := 1; x := 2 }", ["REGO_COMPILE 2: var x assigned above"]],
    ["`:=` after use", "p if { x > 1; x := 2 }", ["REGO_COMPILE 2: var x referenced above"]],
    ["`some` twice", "p if { some x; some x; x = 1 }", ["REGO_COMPILE 2: var x declared above"]],
    ["an argument again", "f(x) if { x := 1 }", ["REGO_COMPILE 2: arg x redeclared"]],
    [
      "a declared variable in its own domain",
      "p if { x := [1]; some x in x }",
      ["REGO_COMPILE 2: var x assigned before"],
    ],
    ["`some` for nothing", "p if { some x; true }", ["REGO_COMPILE 2: declared var x unused"]],
    ["`every` for nothing", "p if { every x in [1] { true } }", ["REGO_COMPILE 2: declared var x unused"]],
    ["`:=` to a constant", "p if { 1 := 1 }", ["REGO_COMPILE 2: cannot assign to number"]],
    ["`:=` to a path", "p if { input.x := 1 }", ["REGO_COMPILE 2: cannot assign to ref"]],
    [
      "`:=` under `not`",
      "p if { not x := 1 }",
      ["REGO_COMPILE 2: cannot assign vars inside negated expression"],
    ],
    [
      "a call of a variable",
      "p if { count := 1; count([]) == 0 }",
      ["REGO_COMPILE 2: called function count shadowed"],
    ],
    [
      "a rule named input",
      "input := 1",
      ["REGO_COMPILE 2: rules must not shadow input (use a different rule name)"],
    ],
    [
      "a variable named data",
      "p if { data := 1; data == 1 }",
      ["REGO_COMPILE 2: variables must not shadow data (use a different variable name)"],
    ],
    [
      "one import twice",
      "import data.a.x\nimport data.b.x\np := x",
      ["REGO_COMPILE 3: import must not shadow import data.a.x"],
    ],
    ["a value and a function", "p := 1\np(x) := 1", ["REGO_TYPE 2: conflicting rules data.test.p found"]],
    ["a value and a set", "p := 1\np contains 1", ["REGO_TYPE 2: conflicting rules data.test.p found"]],
    [
      "a set and an object",
      "p contains 1\np[x] := 1 if x := 2",
      ["REGO_TYPE 2: conflicting rules data.test.p found"],
    ],
    [
      "functions of other sizes",
      "f(x) := 1\nf(x, y) := 1",
      ["REGO_TYPE 2: conflicting rules data.test.f found"],
    ],
    [
      "two defaults",
      "default p := 1\ndefault p := 2",
      ["REGO_TYPE 3: multiple default rules data.test.p found at 0.rego:2, 0.rego:3"],
    ],
    [
      "a rule below a value",
      "p := {}\np.q := 1",
      ["REGO_TYPE 2: rule data.test.p conflicts with [data.test.p.q (0.rego:3)]"],
    ],
    [
      "a call outside of a body",
      'startswith("a", "a")',
      ["REGO_COMPILE 2: rule name conflicts with built-in function"],
    ],
    ["a call in an argument", "f(count([])) := 1", ["REGO_COMPILE 2: rule arguments cannot contain calls"]],
    [
      "all that is wrong",
      "p if { x := 1; x := 2 }\nq := f(1)",
      ["REGO_COMPILE 2: var x assigned above", "REGO_TYPE 3: undefined function f"],
    ],
  ])("%s", (_, rules, expected) => {
    expect(findingsIn(rules)).toEqual(expected);
  });

  it("refuses a package in the place of a rule", () => {
    expect(findingsIn("p := 1", { modules: ["package test.p"] })).toEqual([
      "REGO_TYPE 1: package data.test.p conflicts with rule data.test.p defined at 0.rego:2",
    ]);
  });

  it("lets v0 shadow documents and use what v1 has no more", () => {
    expect(resultOf("p = x { input := 1; x = input }", "data.test.p", { version: "v0" })).toBe("1");
    expect(resultOf("p { any([true]) }", "data.test.p", { version: "v0" })).toBe("true");
  });

  it("names a function that is written nearly so", () => {
    const hintOf = (rules: string) => {
      try {
        compile({ modules: { "a.rego": `package test\n${rules}` } });
      } catch (error) {
        return error instanceof RegoError ? error.hint : "untyped";
      }
      return "nothing";
    };
    expect(hintOf("p := cuont([])")).toBe("did you mean count?");
    expect(hintOf("helper(x) := x\np := data.test.helpr(1)")).toBe("did you mean data.test.helper?");
    expect(hintOf("p := something_else([])")).toBeUndefined();
  });
});
