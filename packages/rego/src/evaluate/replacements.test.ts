// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findingsIn, resultOf } from "../../test/run.ts";

const input = { a: { b: 1 }, c: 2, list: [1] };
const data = { base: { x: 1, y: { z: 2 } }, other: 3 };

describe("with", () => {
  it.each([
    ["all of the input", "p := x if { x := input with input as 9 }", "9"],
    [
      "a part of the input",
      "p := x if { x := input with input.a.b as 9 }",
      '{"a": {"b": 9}, "c": 2, "list": [1]}',
    ],
    ["a part that was not there", "p := x if { x := input.n.m with input.n.m as 9 }", "9"],
    ["a part below what holds nothing", "p := x if { x := input.c with input.c.d as 9 }", '{"d": 9}'],
    ["several parts", "p := x if { x := [input.a, input.c] with input.a as 1 with input.c as 3 }", "[1, 3]"],
    ["all of the data", "p := 1", "1", 'data.n with data as {"n": 1}'],
    ["a base document", "p := x if { x := data.base with data.base.y.z as 9 }", '{"x": 1, "y": {"z": 9}}'],
    ["a rule", "q := 1\np := x if { x := q with q as 9 }", "9"],
    ["a rule for other rules", "q := 1\nr := q + 1\np := x if { x := r with data.test.q as 9 }", "10"],
    ["a rule in its package", "p := x if { x := data.lib with data.lib.q as 9 }", '{"q": 9, "r": 10}'],
    ["a set", "s contains 1\np := x if { x := s with s as {2, 3} }", "{2, 3}"],
    ["a member of a set, tested", "s contains 1\np if { s[2] with s as {2, 3} }", "true"],
    ["a package", 'p := x if { x := data.lib.q with data.lib as {"q": 9} }', "9"],
    [
      "a package, iterated over",
      'p := [k | data.lib[k]] if { true }\nr := x if { x := [k | data.lib[k]] with data.lib as {"n": 1} }',
      '["n"]',
      "data.test.r",
    ],
    ["a function by a value", "f(x) := x\np := y if { y := f(1) with f as 9 }", "9"],
    ["a function by another", "f(x) := x\ng(x) := x + 1\np := y if { y := f(1) with f as g }", "2"],
    ["a function by a built-in one", "f(x) := x\np := y if { y := f([1, 2]) with f as count }", "2"],
    ["a built-in function by a value", "p := y if { y := count([]) with count as 9 }", "9"],
    [
      "a built-in function by one of the policy",
      "g(x) := [x]\np := y if { y := count(1) with count as g }",
      "[1]",
    ],
    ["a built-in function by another", 'p := y if { y := upper("aB") with upper as lower }', '"ab"'],
    ["a function that others call", "f(x) := x\nh(x) := f(x) * 2\np := y if { y := h(1) with f as 9 }", "18"],
    [
      "a function by one that calls it",
      "f(x) := x\ng(x) := f(x) + 1\nh(x) := f(x)\np := y if { y := h(1) with f as g }",
      "2",
    ],
    [
      "a function by one that goes through another caller",
      "f(x) := x\nh(x) := f(x) + 10\ng(x) := h(x) + 1\np := y if { y := h(1) with f as g }",
      "22",
    ],
    ["the clock", "p := y if { y := time.now_ns() with time.now_ns as 5 }", "5"],
    ["an operator", "p if { 1 < 0 with lt as true }", "true"],
    ["for `not`", "q if input.c == 2\np if { not q with input.c as 3 }", "true"],
    ["for `every`", "p if { every x in input.list { x == 5 } with input.list as [5] }", "true"],
    ["for iteration", "p := [x | some x in input.list with input.list as [7, 8]]", "[7, 8]"],
    ["by what iteration binds", "p := [y | some x in [1, 2]; y := input.c with input.c as x]", "[1, 2]"],
    ["by a part of what it replaces", "p := y if { y := input.c with input.c as input.a.b }", "1"],
    ["by what is undefined", "p := y if { y := 1 with input.c as input.nope }", "undefined"],
    [
      "within another",
      'q := x if { x := [input.a, input.c] with input.c as 8 }\np := y if { y := q with input as {"a": 7, "c": 0} }',
      "[7, 8]",
    ],
    [
      "rules that do not ask for the input",
      "q := count(data.base)\np := [x, q] if { x := q with input as 1 }",
      "[2, 2]",
    ],
  ])("replaces %s", (_, rules, expected, query = "data.test.p") => {
    const modules = ["package lib\nq := 1\nr := q + 1"];
    expect(resultOf(rules, query, { input, data, modules, now: 7n })).toBe(expected);
  });

  it.each([
    ["in the next expression", "p := [x, y] if { x := input.c with input.c as 9; y := input.c }", "[9, 2]"],
    [
      "in what follows each solution",
      "p := [[x, input.list] | some x in input.list with input.list as [7, 8]]",
      "[[7, [1]], [8, [1]]]",
    ],
    [
      "after a rule was evaluated under it",
      "q := input.c\np := [x, y] if { x := q with input.c as 9; y := q }",
      "[9, 2]",
    ],
    [
      "after a rule was evaluated before it",
      "q := input.c\np := [w, x, y] if { w := q; x := q with input.c as 9; y := q }",
      "[2, 9, 2]",
    ],
    ["after no solution", "p := input.c if { not q with input.c as 9 }\nq if input.c == 1", "2"],
    [
      "after a function was replaced",
      "f(x) := x\np := [x, y] if { x := f(1) with f as 9; y := f(1) }",
      "[9, 1]",
    ],
    ["after a rule was hidden", "q := 1\np := [x, y] if { x := q with q as 9; y := q }", "[9, 1]"],
  ])("restores %s", (_, rules, expected) => {
    expect(resultOf(rules, "data.test.p", { input, data })).toBe(expected);
  });

  it.each([
    [
      "a part of a rule",
      "q := {}\np if { true with data.test.q.x as 1 }",
      "REGO_COMPILE",
      /partially replace/,
    ],
    [
      "what is neither input, data nor a function",
      "p if { true with nope as 1 }",
      "REGO_TYPE",
      /must reference existing input, data, or a function/,
    ],
    [
      "a path with a variable",
      'p if { x := "a"; true with input[x] as 1 }',
      "REGO_COMPILE",
      /constant names/,
    ],
    ["a member of an array", "p if { true with input.list[0] as 1 }", "REGO_COMPILE", /constant names/],
    ["membership", "p if { true with internal.member_2 as 1 }", "REGO_COMPILE", /invalid/],
    ["a relation", "p if { true with walk as 1 }", "REGO_COMPILE", /relation/],
    ["`print`", "p if { true with print as 1 }", "REGO_COMPILE", /void/],
    [
      "by a function that is refused",
      "p := x if { x := time.now_ns() with time.now_ns as opa.runtime }",
      "REGO_TYPE",
      /opa\.runtime/,
    ],
  ])("cannot replace %s", (_, rules, code, message) => {
    const [found = ""] = findingsIn(rules);
    expect(found).toMatch(message);
    expect(found.split(" ")[0]).toBe(code);
  });

  it("leaves no trace, wherever it stands", () => {
    const value = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.array(fc.integer()));
    const target = fc.constantFrom(
      "input",
      "input.c",
      "input.a.b",
      "data.base",
      "data.base.x",
      "data.test.q",
      "f",
      "count",
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(target, value), { minLength: 1, maxLength: 4 }), (replacements) => {
        const clauses = replacements
          .map(([name, stand]) => `with ${name} as ${JSON.stringify(stand)}`)
          .join(" ");
        const rules = (between: string) =>
          `q := [input.c, data.base.x, count([1])]\nf(x) := [x, q]\np := [before, after] if { before := [input, data.base, q, f(1)]; ${between} after := [input, data.base, q, f(1)] }`;
        const plain = resultOf(rules(""), "data.test.p", { input, data });
        expect(
          resultOf(rules(`_ = [1 | q; f(1); count([])] ${clauses};`), "data.test.p", { input, data }),
        ).toBe(plain);
      }),
      { numRuns: 100 },
    );
  });
});
