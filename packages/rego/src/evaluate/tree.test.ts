// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { resultOf } from "../../test/run.ts";

const data = {
  base: { x: 1, list: [{ k: "a" }, { k: "b" }], 5: "five" },
  test: { extra: 1, q: "hidden" },
  lib: { deep: { base: true } },
};
const modules = [
  "package lib.deep\nr := 2\ns contains 1\nf(x) := x\nu if false",
  "package lib.other\nt := 3",
  "package empty",
];

describe("below data", () => {
  it.each([
    ["a base document", "data.base.x", "1"],
    ["a member of it", "data.base.list[1].k", '"b"'],
    ["what is not there", "data.nope.x", "undefined"],
    ["a rule", "data.lib.deep.r", "2"],
    ["a rule before a base document", "data.test.q", "1"],
    ["base documents beside rules", "data.test.extra", "1"],
    ["a rule that is undefined", "data.lib.deep.u", "undefined"],
    ["a package: rules and base documents", "data.lib.deep", '{"base": true, "r": 2, "s": {1}}'],
    ["packages within", "data.lib", '{"deep": {"base": true, "r": 2, "s": {1}}, "other": {"t": 3}}'],
    ["a package without rules", "data.empty", "{}"],
    ["iteration over packages", "[k | data.lib[k]]", '["deep", "other"]'],
    ["iteration over rules", "[k | some k, _ in data.lib.deep]", '["base", "r", "s"]'],
    [
      "iteration through packages",
      "[[i, j] | data.lib[i][j]]",
      '[["deep", "base"], ["deep", "r"], ["deep", "s"], ["other", "t"]]',
    ],
    ["iteration through a rule", "[x | data.lib[_].s[x]]", "[1]"],
    [
      "a name that is computed",
      '[v | some n in ["deep", "other", "none"]; v := data.lib[n]]',
      '[{"base": true, "r": 2, "s": {1}}, {"t": 3}]',
    ],
    [
      "a rule by a name that is computed",
      '[v | some n in ["r", "base", "f"]; v := data.lib.deep[n]]',
      "[2, true]",
    ],
    ["part of a rule by a name that is computed", '[v | some n in ["s"]; v := data.lib.deep[n][1]]', "[1]"],
    ["an integer for a name", "data.base[5]", '"five"'],
    ["an integer for a name, computed", "[v | some n in [5, 6]; v := data.base[n]]", '["five"]'],
    ["base documents iterated over", "[k | data.base.list[_].k = k]", '["a", "b"]'],
    ["system packages, which do not show", "[k | data[k]]", '["base", "lib", "test", "empty"]'],
  ])("%s", (_, query, expected) => {
    expect(resultOf("q := 1", query, { data, modules: [...modules, "package system.x\ny := 1"] })).toBe(
      expected,
    );
  });

  it("uses documents as they are", () => {
    const document = Object.freeze({ a: Object.freeze([Object.freeze({ b: 1 })]) });
    expect(resultOf("p := data.doc.a[0]", "data.test.p", { data: { doc: document } })).toBe('{"b": 1}');
    expect(resultOf("p := input", "data.test.p", { input: Object.create(null) })).toBe("{}");
  });
});
