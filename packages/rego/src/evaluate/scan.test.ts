// SPDX-License-Identifier: Apache-2.0
// Lists of members of every kind, searched for one of them: what is passed over at once is what would not be found.

import { describe, expect, it } from "vitest";
import { resultOf } from "../../test/run.ts";
import { compile } from "../compile.ts";

const LIST = `
list := [1, 1.0, 2, "a", "1", null, true, false, [], ["a"], {"k": "a"}, {"k": 1, "z": "k"}, {"k": null}, {"k": ["a"]},
	{"j": "a"}, {1: "k", "k": "a"}, {"k", "a"}, 9007199254740993, {"k": 9007199254740993}, {"k": true}, {"k": 0.5}]
`;

const input = {
  a: "a",
  one: 1,
  yes: true,
  nothing: null,
  list: ["a"],
  half: 0.5,
  k: "k",
  big: 9007199254740992,
};

describe("a list is searched", () => {
  it.each([
    ["for a text", "x == input.a", '["a"]'],
    ["for a text that is constant", 'x == "a"', '["a"]'],
    ["for a number", "x == input.one", "[1, 1]"],
    ["for a large number", "x == 9007199254740992 + 1", "[9007199254740993]"],
    ["for a truth", "x == input.yes", "[true]"],
    ["for null", "x == input.nothing", "[null]"],
    ["for a list", "x == input.list", '[["a"]]'],
    ["for what is not there", "x == input.nope", "[]"],
    ["for another", "not x == input.a; is_string(x)", '["1"]'],
    ["from the other side", "input.a = x", '["a"]'],
    ["for a member of its members", "x.k == input.a", '[{"k": "a"}, {1: "k", "k": "a"}]'],
    ["for one under a key that is constant", 'x["k"] == 1', '[{"k": 1, "z": "k"}]'],
    ["for one that is null", "x.k == input.nothing", '[{"k": null}]'],
    ["for one that is a list", "x.k == input.list", '[{"k": ["a"]}]'],
    ["for one that is a fraction", "x.k == input.half", '[{"k": 0.5}]'],
    ["for one that is a large number", "x.k == 9007199254740992 + 1", '[{"k": 9007199254740993}]'],
    ["for one that is true", "x.k == input.yes", '[{"k": true}]'],
    ["for one of a set", "x.a == input.a", '[{"a", "k"}]'],
    ["for a name that every list has", "x.length == input.one", "[]"],
    ["for one that is another of its members", "x.z == input.k", '[{"k": 1, "z": "k"}]'],
    ["for one that is itself", "x.k == x", "[]"],
    ["for two", "x.k == input.one; x.z == input.k", '[{"k": 1, "z": "k"}]'],
  ])("%s", (_, condition, expected) => {
    expect(resultOf(`${LIST}\np := [x | some x in list; ${condition}]`, "data.test.p", { input })).toBe(
      expected,
    );
  });

  it.each([
    ["by a wildcard", "p if input.a == list[_]", "true"],
    ["by a wildcard, in vain", 'p if list[_] == "b"', "undefined"],
    ["by position", "p := [i | list[i] == input.one]", "[0, 1]"],
    ["by position, below", "p := [i | list[i].k == input.a]", "[10, 15]"],
    ["by position, which is also what is sought", "p := [i | some i, x in [1, 1, 5]; x == i]", "[1]"],
    ["by a member that is also what is sought", "p := [x | some x in [[1], 2]; x[0] == x]", "[]"],
    ["within another", "p := [[x, y] | some x in [1, 2]; some y in [2, 1]; y == x]", "[[1, 1], [2, 2]]"],
    ["where a call gives what is sought", 'p := [x | some x in list; x == lower("A")]', '["a"]'],
    [
      "where what is sought has other documents",
      'p if { some x in list; x == input.a with input.a as "1" }',
      "true",
    ],
    ["where it is an object", 'p := [v | some v in {"a": 1, "b": 2}; v == input.one]', "[1]"],
    ["where it is a set", "p := [v | some v in {1, 2}; v == input.one]", "[1]"],
    ["where it is no collection", "p if { some v in input.one; v == input.one }", "undefined"],
  ])("%s", (_, rules, expected) => {
    expect(resultOf(`${LIST}\n${rules}`, "data.test.p", { input })).toBe(expected);
  });

  it("by own members only", () => {
    const policy = compile({
      modules: { "a.rego": "package a\n\np := [x | some x in input.list; x.role == input.role]" },
    });
    const query = policy.prepare("data.a.p");
    const list = [{ role: "admin" }, {}, Object.create({ role: "admin" }), { role: "user" }];
    expect(query.value({ input: { list, role: "admin" } })).toEqual([{ role: "admin" }]);
    Object.defineProperty(Object.prototype, "role", { value: "admin", configurable: true });
    try {
      expect(query.value({ input: { list: [{}, { role: "user" }], role: "admin" } })).toEqual([]);
    } finally {
      Reflect.deleteProperty(Object.prototype, "role");
    }
  });

  it("within the limit of steps, one for each member", () => {
    const policy = compile({ modules: { "a.rego": 'package a\n\np if { some x in input; x == "b" }' } });
    const query = policy.prepare("data.a.p");
    const input = Array.from({ length: 1000 }, () => "a");
    expect(query.value({ input, limits: { steps: 1010 } })).toBeUndefined();
    expect(() => query.value({ input, limits: { steps: 990 } })).toThrow(
      expect.objectContaining({ code: "REGO_LIMIT" }),
    );
  });
});
