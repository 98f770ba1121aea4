// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { findingsIn, resultOf } from "../../test/run.ts";
import { compile } from "../compile.ts";

describe("recursion", () => {
  it.each([
    ["itself", "p := p", "data.test.p -> data.test.p"],
    ["through another", "p := q\nq := p", "data.test.p -> data.test.q -> data.test.p"],
    ["a function", "f(x) := f(x)", "data.test.f -> data.test.f"],
    ["a set", "p contains x if { p[x] }", "data.test.p -> data.test.p"],
    ["in a comprehension", "p := [x | x := p]", "data.test.p -> data.test.p"],
    ["under `not`", "p if not p", "data.test.p -> data.test.p"],
    ["in `every`", "p if { every x in [1] { x == 1; p } }", "data.test.p -> data.test.p"],
    ["in an `else`", "p := 1 if { input.x } else := p", "data.test.p -> data.test.p"],
    [
      "through `with`",
      "p if { q with input as 1 }\nq if { p with input as 2 }",
      "data.test.p -> data.test.q -> data.test.p",
    ],
    [
      "through what stands in for a function",
      "f(x) := x\ng(x) := x if { p }\np if { f(1) with f as g }",
      "data.test.g -> data.test.p -> data.test.g",
    ],
    ["through a variable", "p := data.test[x] if { x := input.name }", "data.test.p -> data.test.p"],
    ["through the package", "p := data.test", "data.test.p -> data.test.p"],
    ["an object of its other keys", 'p[x] := y if { y := p.a; x := "b" }', "data.test.p -> data.test.p"],
  ])("refuses %s", (_, rules, cycle) => {
    const [found] = findingsIn(rules);
    expect(found).toMatch(/^REGO_RECURSION \d+: rule data\.test\.\w+ is recursive: /);
    expect(found).toContain(cycle);
  });

  it.each([
    ["a part of the package that is another", "p := data.test.q.a\nq.a := 1", "1"],
    [
      "keys that cannot be the same",
      'p.a[x] := y if { y := p.b.k; x := "k" }\np.b.k := 1',
      '{"a": {"k": 1}, "b": {"k": 1}}',
    ],
    [
      "a function that a stand-in calls",
      "f(x) := x\ng(x) := f(x) + 1\np := y if { y := f(1) with f as g }",
      "2",
    ],
  ])("lets pass %s", (_, rules, expected) => {
    expect(resultOf(rules)).toBe(expected);
  });

  it("follows long chains", () => {
    const chain = Array.from({ length: 3000 }, (__, i) => `r${i} := r${i + 1}`).join("\n");
    expect(findingsIn(`${chain}\nr3000 := r0`)[0]).toMatch(
      /^REGO_RECURSION 2: rule data\.test\.r0 is recursive: /,
    );
    const policy = compile({ modules: { "test.rego": `package test\n${chain}\nr3000 := input` } });
    const query = policy.prepare("data.test.r0");
    // Evaluated, it is over the limit of rules within rules.
    expect(() => query.value({ input: 1 })).toThrow(expect.objectContaining({ code: "REGO_LIMIT" }));
    expect(policy.prepare("data.test.r2800").value({ input: 1 })).toBe(1);
  });
});
