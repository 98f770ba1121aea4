// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { resultOf } from "../../test/run.ts";

const input = {
  user: "alice",
  n: 7,
  no: false,
  none: null,
  roles: ["reader", "writer"],
  nested: { a: [{ b: 1 }, { b: 2 }] },
  map: { x: 1, y: 2 },
};

describe("expressions", () => {
  it.each([
    ["a path", "p := input.nested.a[1].b", "2"],
    ["a path beyond an end", "p := input.user.x", "undefined"],
    ["an index beyond an end", "p := input.roles[2]", "undefined"],
    ["a fraction as an index", "p := input.roles[0.5]", "undefined"],
    [
      "a name that every object of JavaScript has",
      'p := [input.constructor, input["__proto__"], input.map.toString]',
      "undefined",
    ],
    ["a length, which is no member", "p := input.roles.length", "undefined"],
    ["false, which is not true", "p if input.no", "undefined"],
    ["null, which is", "p if input.none", "true"],
    ["an empty array, which is", "p if []", "true"],
    ["undefined in an argument", "p := count(input.nope)", "undefined"],
    ["undefined in a collection", "p := [1, input.nope]", "undefined"],
    ["a path below a call", 'p := split("a.b", ".")[1]', '"b"'],
    ["a path below a collection", "p := [1, 2][1]", "2"],
    ["a path below a comprehension", "p := [x | some x in input.roles][0]", '"reader"'],
    ["arithmetic", "p := (input.n + 1) * 2 - 3", "13"],
    ["large integers", "p := 9007199254740991 + 2", "9007199254740993"],
    ["sets", "p := ({1, 2} | {3}) - {2}", "{1, 3}"],
    ["order of all kinds", 'p if { null < false; false < 0; 0 < ""; "" < []; [] < {}; {} < set() }', "true"],
    ["one number written twice", "p if 1 == 1.0", "true"],
    ["an output in the place of an argument", "p := x if plus(1, 2, x)", "3"],
    ["a member of a set by itself", "p := {1, 2}[2]", "2"],
    ["objects with any keys", "p := {[1]: 2, {3}: 4}[{3}]", "4"],
    ["the last of two equal keys", 'p := {"a": 1, x: 2} if x := "a"', '{"a": 2}'],
    [
      "a template",
      'p := $"{input.user} has {input.nope} and {input.roles}"',
      '"alice has <undefined> and [\\"reader\\", \\"writer\\"]"',
    ],
  ])("%s", (_, rules, expected) => {
    expect(resultOf(rules, "data.test.p", { input })).toBe(expected);
  });
});

describe("unification", () => {
  it.each([
    ["binds", "p := x if x = 1", "1"],
    ["compares what is bound", "p if { x = 1; x = 2 }", "undefined"],
    ["takes arrays apart", "p := [x, y] if [x, [y]] = [1, [2]]", "[1, 2]"],
    ["takes objects apart", 'p := x if {"a": x} = {"a": 1}', "1"],
    ["demands all keys", 'p := x if {"x": x} = input.map', "undefined"],
    ["demands one length", "p := x if [x] = input.roles", "undefined"],
    ["binds from both sides", "p := [x, y] if [x, 2] = [1, y]", "[1, 2]"],
    ["compares a variable that stands twice", "p if [x, x] = [1, 2]", "undefined"],
    ["goes through a path", "p := x if [_, x] = input.roles", '"writer"'],
    ["goes through what is iterated over", 'p := k if {"b": 2} = input.nested.a[k]', "1"],
    ["joins two iterations", 'p := [i, j] if input.map[i] = input.nested.a[j].b; i == "y"', '["y", 1]'],
    ["binds keys of sets", "p := x if { {[1, 2], [3, 4]}[[3, x]] }", "4"],
    ["leaves other kinds", "p := x if [x] = input.map", "undefined"],
  ])("%s", (_, rules, expected) => {
    expect(
      resultOf(rules.replace(/; i == "y"/, ""), "data.test.p", { input: { ...input, map: { y: 2 } } }),
    ).toBe(expected);
  });
});

describe("iteration", () => {
  it.each([
    ["over values", "p := [x | some x in input.roles]", '["reader", "writer"]'],
    ["over keys and values", "p := [[k, v] | some k, v in input.map]", '[["x", 1], ["y", 2]]'],
    ["over keys", "p := [k | input.map[k]]", '["x", "y"]'],
    ["over sets in order", "p := [x | some x in {3, 1, 2}]", "[1, 2, 3]"],
    ["over objects in order", 'p := [k | some k, _ in {"b": 1, "a": 2}]', '["a", "b"]'],
    ["over patterns", 'p := [b | some {"b": b} in input.nested.a]', "[1, 2]"],
    ["over nothing", "p := [x | some x in input.user]", "[]"],
    [
      "within iteration",
      "p := [[i, j] | some i in [1, 2]; some j in [i, 9]]",
      "[[1, 1], [1, 9], [2, 2], [2, 9]]",
    ],
    ["with a wildcard", "p := count([1 | input.nested.a[_]])", "2"],
    ["with keys that are bound", 'p := [v | k := "y"; v := input.map[k]]', "[2]"],
    ["over all paths", 'p := [v | [["nested", "a", _, "b"], v] = walk(input)]', "[1, 2]"],
    ["of false members", "p := [1 | [true, false, null][_]]", "[1, 1]"],
    ["into sets", "p := {y | some x in [1, 2, 3]; y := x % 2}", "{0, 1}"],
    ["into objects", "p := {x: y | some x, y in [7, 8]}", "{0: 7, 1: 8}"],
    ["into objects that contradict themselves", 'p := {"a": x | some x in [1, 2]}', "REGO_CONFLICT"],
    ["into objects twice the same", 'p := {"a": 1 | some x in [1, 2]; x > 0}', '{"a": 1}'],
  ])("%s", (_, rules, expected) => {
    expect(resultOf(rules, "data.test.p", { input })).toBe(expected);
  });
});

describe("every", () => {
  it.each([
    ["all members", "every x in [1, 2] { x > 0 }", "true"],
    ["not all members", "every x in [1, 2] { x > 1 }", "undefined"],
    ["none at all", "every x in [] { x > 1 }", "true"],
    ["keys", 'every k, v in {"a": 1} { k == "a"; v == 1 }', "true"],
    ["sets", "every x in {1, 2} { x < 3 }", "true"],
    ["what holds nothing", "every x in 1 { x > 0 }", "undefined"],
    ["what is undefined", "every x in input.nope { x > 0 }", "undefined"],
    ["within another", "every x in [[1], [2]] { every y in x { y > 0 } }", "true"],
    ["with iteration inside", "every x in [1, 2] { some y in [2, 1]; x == y }", "true"],
  ])("%s", (_, body, expected) => {
    expect(resultOf(`p if { ${body} }`, "data.test.p", { input })).toBe(expected);
  });
});

describe("not", () => {
  it.each([
    ["false", "not input.no", "true"],
    ["undefined", "not input.nope", "true"],
    ["true", "not input.user", "undefined"],
    ["a comparison", 'not input.user == "bob"', "true"],
    ["a comparison with what is undefined", 'not input.nope == "bob"', "true"],
    // What is taken out of the operands of a call stands before, and is not negated (the language of OPA 1).
    ["a call on what is undefined", 'not startswith(input.nope, "a")', "undefined"],
    ["a rule", "not data.test.q", "true"],
    ["with `with`", "not input.no with input.no as true", "undefined"],
  ])("%s", (_, body, expected) => {
    expect(resultOf(`p if { ${body} }\nq if false`, "data.test.p", { input })).toBe(expected);
  });

  it.each([
    ["a call on what is undefined", 'not startswith(input.nope, "a")', "true"],
    ["a body", "not { input.no; input.user }", "true"],
    ["a body that holds", "not { x := input.n; x == 7 }", "undefined"],
    ["within another", "not { not { input.n == 7 } }", "true"],
  ])("with its import: %s", (_, body, expected) => {
    expect(resultOf(`import future.keywords.not\np if { ${body} }`, "data.test.p", { input })).toBe(expected);
  });
});

describe("and, or", () => {
  const imports = "import future.keywords.and\nimport future.keywords.or\n";
  it.each([
    ["both", "input.user and input.n", "true"],
    ["not both", "input.user and input.no", "undefined"],
    ["one", "input.no or input.user", "true"],
    ["neither", "input.no or input.nope", "undefined"],
    ["and before or", "input.user or input.no and input.no", "true"],
    ["bodies", "{ x := 1; x == 2 } or { x := 2; x == 2 }", "true"],
    ["one solution where there are many", "input.roles[0] or input.roles[1]", "true"],
  ])("%s", (_, body, expected) => {
    expect(resultOf(`${imports}p if { ${body} }`, "data.test.p", { input })).toBe(expected);
  });
});

describe("print", () => {
  it("writes values, also those that are undefined, one line for each solution", () => {
    const lines: string[] = [];
    const rules = 'p if { some x in [1, 2]; print("x", x, input.nope, {"a": [x]}); x == 2 }';
    const options = {
      input,
      print: (message: string, { row }: { row: number }) => lines.push(`${row}: ${message}`),
    };
    expect(resultOf(rules, "data.test.p", options)).toBe("true");
    expect(lines).toEqual(['2: x 1 <undefined> {"a": [1]}', '2: x 2 <undefined> {"a": [2]}']);
  });

  it("writes also before what is looked up once for all rounds, and is undefined", () => {
    const lines: string[] = [];
    const rules =
      "p if { some x in [1, 2]; print(x); x == input.nope }\nq if { some x in [1, 2]; x == input.nope }";
    expect(resultOf(rules, "data.test.p", { input, print: (message) => lines.push(message) })).toBe(
      "undefined",
    );
    expect(lines).toEqual(["1", "2"]);
    expect(resultOf(rules, "data.test.q", { input })).toBe("undefined");
    expect(resultOf(rules, "data.test.q", { input: { nope: 2 } })).toBe("true");
  });

  it("does nothing where nobody listens", () => {
    expect(resultOf("p if print(1)")).toBe("true");
  });
});
