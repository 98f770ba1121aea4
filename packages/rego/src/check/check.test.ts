// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { compile } from "../compile.ts";
import { RegoError } from "../errors.ts";

const RULES = `package test

q := {"a": 1}
r contains 1
s := [1, 2]
t := "x"
f(x) := 1
g := {1, 2}
obj[x] := 1 if some x in ["a"]
`;

/** What is found in a rule beside those; undefined when nothing is. */
function found(rule: string): string | undefined {
  try {
    compile({ modules: { "test.rego": RULES + rule } });
    return undefined;
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    expect(error.code).toBe("REGO_TYPE");
    return error.diagnostics[0]?.message;
  }
}

describe("what can never fit is refused", () => {
  it.each([
    ["p if q.b", 'undefined ref: q.b, which looks for "b" in a object<a: number>'],
    ["p if t.foo", 'undefined ref: t.foo, which looks for "foo" in a string'],
    ["p if s[2]", "undefined ref: s[2], which looks for 2 in a array<number, number>"],
    ["p if not t.foo", 'undefined ref: t.foo, which looks for "foo" in a string'],
    ["p if { some k; t[k] }", "undefined ref: t[k], which looks into a string"],
    ["p if r.foo", 'undefined ref: r.foo, which looks for "foo" in a set[number]'],
    ["p if obj.a.foo", 'undefined ref: obj.a.foo, which looks for "foo" in a number'],
    ["p if print(t.foo)", 'undefined ref: t.foo, which looks for "foo" in a string'],
    ['p := $"{t.foo}"', 'undefined ref: t.foo, which looks for "foo" in a string'],
    ["p := [x | x := 1][0].foo", 'undefined ref: [x | x := 1][0].foo, which looks for "foo" in a number'],
    ["p if every x in s { x; t.foo }", 'undefined ref: t.foo, which looks for "foo" in a string'],
    ["p if every x in s { s[x].foo }", 'undefined ref: s[x].foo, which looks for "foo" in a number'],
    ["p if every x in t.foo { x }", 'undefined ref: t.foo, which looks for "foo" in a string'],
    [
      'p if every x in s { x; count([1 | 1 == "a"]) }',
      "match error: number on the left and string on the right can never be equal",
    ],
    ['p if 1 == "a"', "match error: number on the left and string on the right can never be equal"],
    [
      "p if [1, 2] == [1]",
      "match error: array<number, number> on the left and array<number> on the right can never be equal",
    ],
    [
      'p if {"a": 1} = {"b": 2}',
      "match error: object<a: number> on the left and object<b: number> on the right can never be equal",
    ],
    [
      'p if {x | x := 1} == {"a"}',
      "match error: set[number] on the left and set[string] on the right can never be equal",
    ],
    ['p if f("a") == "b"', "match error: number on the left and string on the right can never be equal"],
    [
      'p if { x := s[_]; x == "a" }',
      "match error: number on the left and string on the right can never be equal",
    ],
    [
      'p if { x := {"a": 1, "b": "c"}; x[k] == true }',
      "match error: number or string on the left and boolean on the right can never be equal",
    ],
    ["p := t + 1", "plus: invalid argument(s): have (string, number), want (number, number)"],
    [
      'p := sum([x | x := "a"])',
      "sum: invalid argument(s): have (array[string]), want (array[number] or set[number])",
    ],
    [
      "p if startswith(input.x, 1)",
      "startswith: invalid argument(s): have (any, number), want (string, string)",
    ],
    ['p if { x := to_number("1"); x.foo }', 'undefined ref: x.foo, which looks for "foo" in a number'],
    ["p if { upper(t, 1) }", "match error: upper gives string, which is never number"],
  ])("%s", (rule, message) => {
    expect(found(rule)).toBe(message);
  });

  it("in queries, too", () => {
    const policy = compile({ modules: { "test.rego": RULES } });
    expect(() => policy.prepare("data.test.t.foo")).toThrow(RegoError);
    expect(policy.prepare("data.test.q.a").value()).toBe(1);
  });

  it("with the keys that there are", () => {
    const compiling = (): unknown => compile({ modules: { "test.rego": `${RULES}p if q.b` } });
    expect(compiling).toThrow(expect.objectContaining({ hint: 'its keys are "a"' }));
  });
});

describe("what may fit passes", () => {
  it.each([
    "p if data.test.missing",
    "p if obj.zz",
    'p if 1 > "a"',
    'p if "a" in 5',
    "p if some x in 5",
    "p if every x in 5 { x }",
    "p if every x in s { x.a }",
    'p if every x in s { x == "a" }',
    'p if every x in s { x; startswith(1, "a") }',
    "p if { z := 1; every x in s { x; y := z; y.foo } }",
    "p if every x in s { x; [1][0].foo }",
    'p if { x := input.a; x == 1; x == "a" }',
    'p if { x := {1} | {"a"}; x.foo }',
    'p if { x := object.get(q, "a", 1); x.foo }',
    "p if t == 1 with data.test.t as 1",
    'p if f(1) == "b" with data.test.f as "b"',
    "p := 1 - {1}",
    "p if set() == {1}",
    'm[x] contains y if { some x in ["a"]; some y in [1] }\np if m.a[1]',
    'p := json.marshal_with_options(1, {"pretty": true})',
    'p if { x := json.unmarshal("1"); x.y; x == 1 }',
    "p if { some i; s[i] == 2 }",
    "p if data.other.thing == 1",
  ])("%s", (rule) => {
    expect(found(rule)).toBeUndefined();
  });
});
