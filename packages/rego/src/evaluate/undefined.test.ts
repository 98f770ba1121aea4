// SPDX-License-Identifier: Apache-2.0
// What has no value: neither a comparison nor a negation makes a truth of it, except where the language says so. Each row
// is what OPA gives.
import { describe, expect, it } from "vitest";
import { compile } from "../index.ts";

const INPUT = { a: ["c"], b: "zz", d: 1, obj: {} };

/** Whether `data.p.allow` is defined, in plain evaluation and in a traced one. */
function holds(body: string): readonly boolean[] {
  const text = `package p\n\nallow if {\n${body}\n}\n\nf(x) if x == 1\n\nq[k] := 1 if some k in ["a"]\n`;
  const query = compile({ modules: { "p.rego": text } }).prepare("data.p.allow");
  return [undefined, () => {}].map(
    (trace) => query.value({ input: INPUT, ...(trace === undefined ? {} : { trace }) }) !== undefined,
  );
}

describe("not: true where there is nothing to compare, undefined where an argument has no value", () => {
  it.each([
    ["not input.zzz", true],
    ["not input[input.a]", true],
    ['not input.zzz == "a"', true],
    ['not "a" == input.zzz', true],
    ['not input[input.a] == "x"', true],
    ['not input.obj[input.b] == "A"', true],
    ["not input.zzz == input.yyy", true],
    ["not input.d == 1", false],
    ["not input.d == 2", true],
    ['not startswith(input.zzz, "a")', false],
    ['not startswith(input.b, "a")', true],
    ["not input.zzz > 1", false],
    ["not input.zzz != 1", false],
    ["not 1 in input.zzz", false],
    ["not 1 in input.a", true],
    ["not count(input.zzz) > 1", false],
    ["not count(input.a) > 1", true],
    ["not f(input.zzz)", false],
    ["not f(input.d)", false],
    ["not f(2)", true],
    ['not upper(input.zzz) == "A"', false],
    ["not input.zzz + 1 == 2", false],
    ["not [input.zzz] == [1]", false],
    ['not {"x": input.zzz} == {"x": 1}', false],
    ["not is_string(upper(input.zzz))", false],
    ["not data.p.q[input.b] > 1", false],
    ["not data.p.q[input.b]", true],
  ])("%s: %s", (body, expected) => {
    expect(holds(body)).toEqual([expected, expected]);
  });
});

describe("equality as a value: undefined where a side is", () => {
  it.each([
    ["x := (input.zzz == 1)", false],
    ["x := (1 == input.zzz)", false],
    ["x := (input.zzz == input.yyy)", false],
    ["x := (f(2) == true)", false],
    ["(input.zzz == 1) == false", false],
    ["count([input.zzz == 1]) == 1", false],
    ["(input.d == 2) == false", true],
    ["(input.d == 1) == true", true],
    ["count([input.d == 2]) == 1", true],
  ])("%s: %s", (body, expected) => {
    expect(holds(body)).toEqual([expected, expected]);
  });
});
