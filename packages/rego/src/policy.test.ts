// SPDX-License-Identifier: Apache-2.0
import { codeOf } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { type Builtin, BuiltinFailure } from "./builtin.ts";
import { numbers } from "./builtins/numbers.ts";
import { compile, parseModule, RegoError, toJson } from "./index.ts";
import { compileWith } from "./policy.ts";
import { ANY, NUMBER, takes } from "./types.ts";
import { RegoObject, RegoSet, type Value } from "./value.ts";

const small = {
  "a.rego":
    'package policy\n\ndefault allow := false\n\nallow if input.user == "alice"\n\nusers := {"b", "a"}',
};

describe("compile", () => {
  it("takes texts or modules", () => {
    const module = parseModule("package a\np := 1", { file: "a.rego" });
    expect(
      compile({ modules: [module] })
        .prepare("data.a.p")
        .value(),
    ).toBe(1);
    expect(compile({ modules: {} }).prepare("1 + 1").value()).toBe(2);
  });

  it("tells everything that is wrong with all files", () => {
    const modules = { "a.rego": "package a\np := ", "b.rego": "package b\nq == " };
    try {
      compile({ modules });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(RegoError);
      if (!(error instanceof RegoError)) throw error;
      expect(error.code).toBe("REGO_PARSE");
      expect(new Set(error.diagnostics.map(({ location }) => location?.file))).toEqual(
        new Set(["a.rego", "b.rego"]),
      );
    }
  });

  it.each([
    ["REGO_PARSE", "p := "],
    ["REGO_COMPILE", "p if { x := 1; x := 2 }"],
    ["REGO_TYPE", "p := f(1)"],
    ["REGO_UNSAFE_VARIABLE", "p := x"],
    ["REGO_RECURSION", "p := p"],
  ])("throws %s", (code, rule) => {
    expect(codeOf(() => compile({ modules: { "a.rego": `package a\n${rule}` } }))).toBe(code);
  });

  it("holds the limits that it was given", () => {
    const policy = compile({
      modules: { "a.rego": "package a\np := [1 | some x in [1, 2, 3]]" },
      limits: { steps: 2 },
    });
    expect(codeOf(() => policy.prepare("data.a.p").value())).toBe("REGO_LIMIT");
    expect(policy.prepare("data.a.p").value({ limits: { steps: 100 } })).toEqual([1, 1, 1]);
  });

  it("knows no functions but those given, where the engine is all there is", () => {
    const modules = { "a.rego": "package a\np := 1 + 2" };
    expect(compileWith(numbers, { modules }).prepare("data.a.p").value()).toBe(3);
    expect(codeOf(() => compileWith([], { modules }))).toBe("REGO_TYPE");
  });
});

describe("functions of the host", () => {
  const twice: Builtin = {
    name: "host.twice",
    type: takes([NUMBER], NUMBER),
    call: (value: Value) => {
      if (typeof value !== "number") throw new BuiltinFailure("type", "operand 1 must be number");
      if (value < 0) throw new BuiltinFailure("builtin", "must not be negative");
      return value === 0 ? undefined : value * 2;
    },
  };
  const valueOfCall = (call: string, strictBuiltinErrors: boolean) =>
    compile({ modules: { "a.rego": `package a\np := ${call}` }, builtins: [twice], strictBuiltinErrors })
      .prepare("data.a.p")
      .value({ input: { text: "x" } });

  it("are called, and may be undefined or fail", () => {
    expect(valueOfCall("host.twice(2)", false)).toBe(4);
    expect(valueOfCall("host.twice(0)", true)).toBeUndefined();
    expect(valueOfCall("host.twice(-1)", false)).toBeUndefined();
    expect(valueOfCall("host.twice(input.text)", false)).toBeUndefined();
    expect(codeOf(() => valueOfCall("host.twice(-1)", true))).toBe("REGO_BUILTIN");
    expect(codeOf(() => valueOfCall("host.twice(input.text)", true))).toBe("REGO_BUILTIN_TYPE");
  });

  it("stand in for those of the language", () => {
    const plus: Builtin = { name: "plus", type: takes([ANY, ANY], ANY), call: () => "mine" };
    const policy = compile({ modules: { "a.rego": "package a\np := 1 + 2" }, builtins: [plus] });
    expect(policy.prepare("data.a.p").value()).toBe("mine");
  });

  it("may ask a policy themselves", () => {
    const query = compile({ modules: small }).prepare("data.policy.allow");
    const ask: Builtin = {
      name: "host.ask",
      type: takes([ANY], ANY),
      call: (input: Value) => query.value({ input }),
    };
    const policy = compile({
      modules: { "a.rego": 'package a\np := [host.ask({"user": u}) | some u in ["alice", "bob"]]' },
      builtins: [ask],
    });
    expect(policy.prepare("data.a.p").value()).toEqual([true, false]);
  });
});

describe("queries", () => {
  const policy = compile({ modules: small });

  it("give the value of their expression", () => {
    const allow = policy.prepare("data.policy.allow");
    expect(allow.value({ input: { user: "alice" } })).toBe(true);
    expect(allow.value({ input: { user: "bob" } })).toBe(false);
    expect(allow.value()).toBe(false);
    expect(policy.prepare("data.policy.nope").value()).toBeUndefined();
    expect(policy.prepare("x := 1").value()).toBe(true);
  });

  it.each<[string, unknown]>([
    ["1 == 2", [{ values: [false], bindings: {} }]],
    ["1 == 2; 1 == 1", []],
    ["x := 1; y := x + 1", [{ values: [true, true], bindings: { x: 1, y: 2 } }]],
    ["[true, false][x]", [{ values: [true], bindings: { x: 0 } }]],
    [
      "data.policy.users[x]",
      [
        { values: ["a"], bindings: { x: "a" } },
        { values: ["b"], bindings: { x: "b" } },
      ],
    ],
    ["some x in [1, 2]; x > 1", [{ values: [true, true], bindings: { x: 2 } }]],
    ["input.user; not input.nope", [{ values: ["alice", true], bindings: {} }]],
    ["_ = 1", [{ values: [true], bindings: {} }]],
    ["y := [x | some x in [1]]", [{ values: [true], bindings: { y: [1] } }]],
  ])("%s", (query, expected) => {
    expect(policy.prepare(query).evaluate({ input: { user: "alice" } })).toEqual(expected);
  });

  it("are refused as modules are", () => {
    expect(codeOf(() => policy.prepare("1 +"))).toBe("REGO_PARSE");
    expect(codeOf(() => policy.prepare("x > 1"))).toBe("REGO_UNSAFE_VARIABLE");
    expect(codeOf(() => policy.prepare("f(1)"))).toBe("REGO_TYPE");
  });

  it("need the time only when they ask for it, and then one", () => {
    const now = compile({ modules: {} }).prepare("[time.now_ns(), time.now_ns()]");
    expect(codeOf(() => now.value())).toBe("REGO_MISUSE");
    expect(now.value({ now: 5n })).toEqual([5, 5]);
    expect(now.value({ now: new Date(1) })).toEqual([1_000_000, 1_000_000]);
  });

  it("leave nothing behind for the next one", () => {
    const query = compile({ modules: { "a.rego": "package a\np := input\nq := [p, data.x]" } }).prepare(
      "data.a.q",
    );
    expect(query.value({ input: 1, data: { x: 1 } })).toEqual([1, 1]);
    expect(query.value({ input: 2, data: { x: 1 } })).toEqual([2, 1]);
    expect(query.value({ data: { x: 1 } })).toBeUndefined();
    expect(query.value({ input: 3 })).toBeUndefined();
  });

  it("go on after one that failed", () => {
    const query = compile({ modules: { "a.rego": "package a\np := x if some x in input" } }).prepare(
      "data.a.p",
    );
    expect(codeOf(() => query.value({ input: [1, 2] }))).toBe("REGO_CONFLICT");
    expect(query.value({ input: [1] })).toBe(1);
  });
});

describe("toJson", () => {
  it.each<[Value, unknown]>([
    [RegoSet.of(["b", "a"]), ["a", "b"]],
    [
      RegoObject.of([
        [1, 2],
        [["x"], null],
      ]),
      { "1": 2, '["x"]': null },
    ],
    [2n ** 70n, 2 ** 70],
    [{ a: [true, RegoSet.of([])] }, { a: [true, []] }],
    ["text", "text"],
  ])("row %#", (value, expected) => {
    expect(toJson(value)).toEqual(expected);
  });

  it("ends where shared parts make too much of a value", () => {
    let value: Value = [1];
    for (let i = 0; i < 60; i++) value = [value, value];
    expect(codeOf(() => toJson(value))).toBe("REGO_LIMIT");
  });
});
