// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findingsIn, resultOf } from "../../test/run.ts";

describe("safety", () => {
  it.each([
    ["in the head", "p := x", ["var x is unsafe"]],
    ["in a comparison", "p if x > 1", ["var x is unsafe"]],
    ["in an argument", "p := count(x)", ["var x is unsafe"]],
    ["under `not`", "p if { not input.a[x] == 1 }", ["var x is unsafe"]],
    ["a wildcard under `not`", "p if { not input.a[_] == 1 }", ["var _ is unsafe"]],
    ["in a set", "p if { {x} = {1} }", ["var x is unsafe"]],
    ["as a key", 'p if { {x: 1} = {"a": 1} }', ["var x is unsafe"]],
    ["in a comprehension", "p := [x | y := 1]", ["var x is unsafe"]],
    ["in the body of a comprehension", "p := [1 | x > 1]", ["var x is unsafe"]],
    ["through each other", "p if { x = y; y = x }", ["var x is unsafe", "var y is unsafe"]],
    ["through itself", "p if { x := [y | y := x] }", ["var x is unsafe"]],
    ["the left of `:=` through its right", "p if { x := y; x = 1 }", ["var y is unsafe"]],
    ["in `with`", "p if { input.a == 1 with input.a as x }", ["var x is unsafe"]],
    ["in `every`", "p if { every x in [1] { x < y } }", ["var y is unsafe"]],
    ["the domain of `every`", "p if { every x in y { x == 1 } }", ["var y is unsafe"]],
    ["in an `else`", "p := 1 if { false } else := x", ["var x is unsafe"]],
    ["in a template", 'p := $"{x}"', ["var x is unsafe"]],
    ["a keyword of v1", "p { every }", ["var every is unsafe"], "v0" as const],
  ])("refuses what nothing binds: %s", (_, rules, messages, version?: "v0") => {
    const found = findingsIn(rules, version === undefined ? {} : { version });
    expect(found.map((finding) => finding.replace(/^\w+ \d+: /, ""))).toEqual(messages);
    expect(found.every((finding) => /^REGO_(UNSAFE_VARIABLE|COMPILE)/.test(finding))).toBe(true);
  });

  it.each([
    ["a test before what binds it", "p := x if { x > 1; x = input.a }", "7"],
    ["a negation before what binds it", "p := x if { not x == 1; x = input.a }", "7"],
    ["a closure before what it needs", "p := y if { y = [z | z = x]; x = input.a }", "[7]"],
    ["a call before its argument", "p := y if { y = x + 1; x = input.a }", "8"],
    ["patterns within patterns", 'p := [x, y] if { [x, {"k": y}] = [input.a, {"k": 2}] }', "[7, 2]"],
    ["one side by the other", "p := [x, y] if { [x, 1] = [input.a, y] }", "[7, 1]"],
    ["variables through each other", "p := [x, y] if { [x, y] = [y, input.a] }", "[7, 7]"],
    ["`with` of a value that is bound later", "p if { input.b == 7 with input.b as x; x = input.a }", "true"],
    ["keys that are bound later", "p := y if { input.m[x] = y; x = input.k }", "2"],
    [
      "`not` with what is bound within",
      "import future.keywords.not\np if { not { x := input.a; x == 1 } }",
      "true",
    ],
  ])("orders %s", (_, rules, expected) => {
    expect(resultOf(rules, "data.test.p", { input: { a: 7, k: "q", m: { q: 2 } } })).toBe(expected);
  });

  it("gives one result whatever the order of expressions", () => {
    const body = [
      "x = input.a",
      "y = x + 1",
      "y > 7",
      "not x == 1",
      "z = [v | v = y]",
      "count(z) == 1",
      "w = z[0]",
    ];
    const order = fc.shuffledSubarray(body, { minLength: body.length });
    fc.assert(
      fc.property(order, (expressions) => {
        expect(
          resultOf(`p := [w, z] if { ${expressions.join("; ")} }`, "data.test.p", { input: { a: 7 } }),
        ).toBe("[8, [8]]");
      }),
      { numRuns: 50 },
    );
  });
});
