// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resultOf } from "../../test/run.ts";

describe("complete rules", () => {
  it.each([
    ["a constant", "p := 1", "1"],
    ["true, when nothing is said", "p if 1 < 2", "true"],
    ["undefined", "p if false", "undefined"],
    ["a default", "default p := 3\np := 1 if false", "3"],
    ["no default where there is a value", "default p := 3\np := 1 if true", "1"],
    ["a default that is computed", "default p := [x | some x in [1, 2]]\np := 1 if false", "[1, 2]"],
    ["one of two", "p := 1 if input.x == 1\np := 2 if input.x == 2", "2"],
    ["the same from two", "p := x if x := 1\np := 1 if true", "1"],
    ["two values", "p := 1 if true\np := 2 if true", "REGO_CONFLICT"],
    ["two values of one body", "p := x if some x in [1, 2]", "REGO_CONFLICT"],
    ["the same twice of one body", "p := x if { some y in [1, 2]; x := y * 0 }", "0"],
    ["an else", "p := 1 if false else := 2 if input.x == 2 else := 3", "2"],
    ["the first that holds", "p := 1 if input.x == 2 else := 2 if true", "1"],
    ["an else without a value", "p if false else := 5", "5"],
    ["no else", "p := 1 if false else := 2 if false", "undefined"],
    ["two chains that contradict each other", "p := 1 if false else := 2\np := 3 if true", "REGO_CONFLICT"],
    ["a value that is undefined", "p := input.nope", "undefined"],
    ["a default for a value that is undefined", "default p := 0\np := input.nope", "0"],
    ["below a path", "p.a.b := 1\np.a.c := 2", '{"a": {"b": 1, "c": 2}}'],
    ["a number as a key", "p[1] := 2", "{1: 2}"],
  ])("%s", (_, rules, expected) => {
    expect(resultOf(rules, "data.test.p", { input: { x: 2 } })).toBe(expected);
  });
});

describe("functions", () => {
  it.each([
    ["of arguments", "f(x, y) := x - y\np := f(3, 1)", "2"],
    ["of nothing but true", "f(x) if x > 1\np := [f(2), f(3)]", "[true, true]"],
    ["that are undefined", "f(x) if x > 1\np := f(1)", "undefined"],
    ["that are false", "f(x) := x > 1\np if f(1)", "undefined"],
    ["of constants", 'f("a") := 1\nf("b") := 2\np := f("b")', "2"],
    ["of patterns", 'f([x, {"k": y}]) := x + y\np := f([1, {"k": 2}])', "3"],
    ["of patterns that do not fit", "f([x]) := x\np := f([1, 2])", "undefined"],
    ["of one variable twice", "f(x, x) := x\np := [f(1, 1)]", "[1]"],
    ["of one variable twice, not the same", "f(x, x) := x\np := f(1, 2)", "undefined"],
    ["of a wildcard", "f(_) := 1\np := f([])", "1"],
    ["of functions", "f(x) := x + 1\np := f(f(f(0)))", "3"],
    ["of themselves side by side", "f(x, y) := x - y\np := f(f(9, 1), f(3, 1))", "6"],
    ["with an else", 'f(x) := "big" if x > 10 else := "small"\np := [f(11), f(1)]', '["big", "small"]'],
    ["with a default", "default f(_) := 0\nf(x) := 1 if x > 10\np := [f(11), f(1)]", "[1, 0]"],
    ["that contradict themselves", "f(x) := 1\nf(x) := 2 if x > 1\np := f(2)", "REGO_CONFLICT"],
    ["that agree", "f(x) := 1\nf(x) := y if y := x - 1\np := f(2)", "1"],
    ["of another path", "a.b.f(x) := x\np := a.b.f(1)", "1"],
    [
      "that close over nothing",
      "f(x) := [y | some y in x; y > z] if z := 1\np := [f([1, 2]), f([2, 3])]",
      "[[2], [2, 3]]",
    ],
    ["with an argument that is undefined", "f(x) := 1\np := f(input.nope)", "undefined"],
    ["as no value", "f(x) := 1\np := data.test.f", "undefined"],
    ["not in the package's document", "f(x) := 1\np := 2", "2"],
    [
      "that are large choices",
      `${Array.from({ length: 50 }, (__, i) => `f("k${i}", _) := ${i}`).join("\n")}\np := f("k37", 0)`,
      "37",
    ],
  ])("%s", (_, rules, expected) => {
    expect(resultOf(rules, "data.test.p")).toBe(expected);
  });

  it("leaves functions out of documents", () => {
    expect(resultOf("f(x) := 1\np := f(2)", "data.test")).toBe('{"p": 1}');
  });
});

describe("partial rules", () => {
  it.each([
    ["a set", "p contains x if some x in [1, 2, 1]", "data.test.p", "{1, 2}"],
    ["an empty set", "p contains 1 if false", "data.test.p", "set()"],
    ["a set of several rules", "p contains 1\np contains 2", "data.test.p", "{1, 2}"],
    ["one member", "p contains x if some x in [1, 2]", "data.test.p[2]", "2"],
    ["no member", "p contains x if some x in [1, 2]", "data.test.p[3]", "undefined"],
    ["a member that is a pattern", "p contains [x, 1] if some x in [1, 2]", "data.test.p[[2, 1]]", "[2, 1]"],
    ["an object", "p[x] := y if some x, y in [7, 8]", "data.test.p", "{0: 7, 1: 8}"],
    ["one key", "p[x] := y if some x, y in [7, 8]", "data.test.p[1]", "8"],
    ["no key", "p[x] := y if some x, y in [7, 8]", "data.test.p[2]", "undefined"],
    ["an object that contradicts itself", 'p["a"] := x if some x in [1, 2]', "data.test.p", "REGO_CONFLICT"],
    [
      "an object whose rules do",
      'p[x] := 1 if x := "a"\np[y] := 2 if y := "a"',
      "data.test.p",
      "REGO_CONFLICT",
    ],
    [
      "an object whose other keys do",
      'p[x] := y if { some y in [1, 2]; x := "a" }\np[x] := 3 if x := "b"',
      "data.test.p.b",
      "3",
    ],
    [
      "keys within keys",
      "p[x].q[y] := z if { some x in [1, 2]; some y in [3]; z := x + y }",
      "data.test.p",
      '{1: {"q": {3: 4}}, 2: {"q": {3: 5}}}',
    ],
    [
      "part of those",
      "p[x].q[y] := z if { some x in [1, 2]; some y in [3]; z := x + y }",
      "data.test.p[2].q",
      "{3: 5}",
    ],
    [
      "one of those",
      "p[x].q[y] := z if { some x in [1, 2]; some y in [3]; z := x + y }",
      "data.test.p[2].q[3]",
      "5",
    ],
    [
      "sets within keys",
      'p[x] contains y if { some x in ["a", "b"]; some y in [1, 2] }',
      "data.test.p",
      '{"a": {1, 2}, "b": {1, 2}}',
    ],
    [
      "a member of those",
      'p[x] contains y if { some x in ["a", "b"]; some y in [1, 2] }',
      "data.test.p.a[2]",
      "2",
    ],
    [
      "a constant key beside variable ones",
      'p[x] := 1 if x := "a"\np.b := 2',
      "data.test.p",
      '{"a": 1, "b": 2}',
    ],
    [
      "a choice beside variable keys",
      'p[x] := 1 if x := "a"\np.b := 2 if false else := 3',
      "data.test.p",
      '{"a": 1, "b": 3}',
    ],
    [
      "a set beside variable keys",
      'p[x] contains 1 if some x in ["a", "b"]\np.b contains 2',
      "data.test.p",
      '{"a": {1}, "b": {1, 2}}',
    ],
    ["a value on the way", 'p[x] := 1 if x := "a"\np[x].b := 2 if x := "a"', "data.test.p", "REGO_CONFLICT"],
    ["a path as a key", "p[input.k] := 1", "data.test.p", '{"key": 1}'],
    ["iteration over keys", "p[x] := y if some x, y in [7, 8]", "[k | data.test.p[k] == 8]", "[1]"],
    ["iteration over members", "p contains x if some x in [2, 1]", "[x | some x in data.test.p]", "[1, 2]"],
    ["members that are false", "p[x] := false if some x in [1]", "[x | some _, x in data.test.p]", "[false]"],
  ])("%s", (_, rules, query, expected) => {
    expect(resultOf(rules, query, { input: { k: "key" } })).toBe(expected);
  });

  it("evaluates what one key needs, and no more", () => {
    const lines: string[] = [];
    const rules = 'p contains x if { some x in ["a", "b", "c"]; print(x) }\nq if { p.a; p.a; p.b }';
    resultOf(rules, "data.test.q", { print: (message) => lines.push(message) });
    expect(lines).toEqual(["a", "b"]);
  });
});

describe("what is remembered", () => {
  it("evaluates rules once, functions once for each argument", () => {
    const lines: string[] = [];
    const rules = `p := 1 if print("p")
      f(x) := x if print("f", x)
      q := [p, p, f(1), f(2), f(1), f([p]), f([p])]`;
    expect(resultOf(rules, "data.test.q", { print: (message) => lines.push(message) })).toBe(
      "[1, 1, 1, 2, 1, [1], [1]]",
    );
    expect(lines.filter((line) => line === "p")).toHaveLength(1);
    expect(lines.filter((line) => line === "f 1")).toHaveLength(1);
  });

  it("takes linear time where each rule needs the one below twice", () => {
    const rules = Array.from({ length: 100 }, (_, i) => `f${i}(x) := f${i + 1}(x) + f${i + 1}(x)`).join("\n");
    expect(resultOf(`${rules}\nf100(x) := x\np := f0(1)`, "data.test.p", { limits: { steps: 1000 } })).toBe(
      String(2n ** 100n),
    );
  });
});

describe("large choices", () => {
  const rules = Array.from(
    { length: 60 },
    (_, i) => `p := ${i % 7} if { input.role == "r${i % 10}"; input.id in {${i}, ${i + 100}} }`,
  );
  it("give what trying each rule gives", () => {
    const source = `default p := "none"\n${rules.join("\n")}\np := "other" if input.role == true\np := "composite" if input.role == ["r1"]`;
    const scanned = (input: { role: unknown; id: number }) => {
      const found = new Set(
        rules.flatMap((_, i) =>
          input.role === `r${i % 10}` && (input.id === i || input.id === i + 100) ? [i % 7] : [],
        ),
      );
      if (input.role === true) return '"other"';
      if (JSON.stringify(input.role) === '["r1"]') return '"composite"';
      return found.size === 0 ? '"none"' : found.size > 1 ? "REGO_CONFLICT" : String([...found][0]);
    };
    const role = fc.oneof(
      fc.integer({ min: 0, max: 11 }).map((n) => `r${n}`),
      fc.constant(true),
      fc.constant(["r1"]),
      fc.constant(null),
    );
    fc.assert(
      fc.property(role, fc.integer({ min: 0, max: 170 }), (of, id) => {
        expect(resultOf(source, "data.test.p", { input: { role: of, id } })).toBe(scanned({ role: of, id }));
      }),
      { numRuns: 60 },
    );
  });

  it("goes on with else, and finds undefined input", () => {
    const chain = `${rules.slice(0, 10).join("\n")}\np := 1 if input.role == "x" else := 2 if input.role == "y"`;
    expect(resultOf(chain, "data.test.p", { input: { role: "y" } })).toBe("2");
    expect(resultOf(`default p := 0\n${rules.join("\n")}`, "data.test.p", {})).toBe("0");
  });
});

describe("the order of rules", () => {
  const rules = [
    "default allow := false",
    "allow if { some role in roles; role == input.role }",
    "allow if level > 3",
    "roles contains x if some x in input.roles",
    'roles contains "guest"',
    "level := count(roles)",
    "names[x] := upper(x) if some x in roles",
    'kind := "many" if level > 2 else := "few"',
    "f(x) := 1 if x > 2",
    "f(x) := 0 if x <= 2",
    "graded := [f(level), kind]",
  ];
  it("does not matter", () => {
    const input = { role: "b", roles: ["a", "b"] };
    const expected = resultOf(rules.join("\n"), "data.test", { input });
    expect(expected).toContain('"allow": true');
    fc.assert(
      fc.property(fc.shuffledSubarray(rules, { minLength: rules.length }), (shuffled) => {
        expect(resultOf(shuffled.join("\n"), "data.test", { input })).toBe(expected);
      }),
      { numRuns: 40 },
    );
  });
});
