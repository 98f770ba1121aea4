// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../test/call.ts";
import { RegoObject, RegoSet, type Value } from "./value.ts";
import { yamlBuiltins } from "./yaml.ts";

const call = callerOf(yamlBuiltins);
const read = (text: string): Value | undefined => call("yaml.unmarshal", text);
const write = (value: Value): string => call("yaml.marshal", value) as string;

describe("yaml.unmarshal: scalars as the reference reads them", () => {
  it.each<[string, Value]>([
    ["", null],
    ["~", null],
    ["Null", null],
    ["nUll", "nUll"],
    ["True", true],
    ["FALSE", false],
    ["yes", "yes"],
    ["12", 12],
    ["+5", 5],
    ["-0", 0],
    ["010", 8],
    ["08", 8],
    ["0o17", 15],
    ["0x1F", 31],
    ["0b11", 3],
    ["1_000", 1000],
    ["18446744073709551615", 18446744073709551615n],
    ["123456789012345678901234567890", 123456789012345680000000000000n],
    ["1.10", 1.1],
    [".5", 0.5],
    ["-.5", -0.5],
    ["1.", 1],
    ["1e3", 1000],
    ["1E400", "1E400"],
    ["190:20:30", "190:20:30"],
    ["2020-01-01", "2020-01-01"],
    ["1.2.3", "1.2.3"],
    ["0x", "0x"],
    ["'12'", "12"],
    ['"\\x41"', "A"],
    ["!!str 12", "12"],
    ["!mine 12", "12"],
    ["!!int 12", 12],
    ["!!binary aGVsbG8=", "hello"],
    ["|\n a\n b\n", "a\nb\n"],
    ["|\n a\n b", "a\nb"],
    [">-\n a\n b\n", "a b"],
  ])("%j", (text, expected) => {
    expect(read(text)).toEqual(expected);
    expect(call("yaml.is_valid", text)).toBe(true);
  });
});

describe("yaml.unmarshal: collections", () => {
  it.each<[string, Value]>([
    ["a: 1\nb:\n- x\n- {y: [z]}\n", { a: 1, b: ["x", { y: ["z"] }] }],
    ["a: 1\na: 2", { a: 2 }],
    ["1: a\ntrue: b\n1.5: c", { "1": "a", true: "b", "1.5": "c" }],
    ["a: &x [1]\nb: *x", { a: [1], b: [1] }],
    ["a: &x 1\nb: &x 2\nc: *x", { a: 1, b: 2, c: 2 }],
    ["x: &x {a: 1, b: 1}\ny:\n  <<: *x\n  b: 2", { x: { a: 1, b: 1 }, y: { a: 1, b: 2 } }],
    ["- &a {k: 1}\n- &b {k: 2, l: 2}\n- <<: [*a, *b]", [{ k: 1 }, { k: 2, l: 2 }, { k: 1, l: 2 }]],
    ["'<<': {a: 1}", { "<<": { a: 1 } }],
    ["a: 1\n---\nb: 2", { a: 1 }],
    ["__proto__: 1", JSON.parse('{"__proto__":1}') as Value],
    ["!!set {a, b}", { a: null, b: null }],
    ["# nothing", null],
    ["\ufeffa: 1", { a: 1 }],
  ])("%j", (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each([
    ["an open list", "a: ["],
    ["a tab for indentation", "a:\n\t- b"],
    ["a key that is null", "~: a"],
    ["a key that is a list", "[1]: a"],
    ["infinity", "a: .inf"],
    ["no number", ".nan"],
    ["an alias without an anchor", "*a"],
    ["an alias inside what it names", "&a [*a]"],
    ["a merge of a scalar", "<<: 1"],
    ["another version", "%YAML 1.2\n---\na"],
    ["a second document that is broken", "a: 1\n---\n{"],
    ["a tag that does not fit", "!!int a"],
    ["base64 that is none", "!!binary '!'"],
    ["a dedent to nowhere", "  a:\nb: 1"],
  ])("%s is a failure, and not valid", (_title, text) => {
    expect(failureOf(() => read(text))).toMatchObject({ kind: "builtin" });
    expect(call("yaml.is_valid", text)).toBe(false);
  });

  it("what is no string is not valid, and no text", () => {
    expect(call("yaml.is_valid", 1)).toBe(false);
    expect(failureOf(() => call("yaml.unmarshal", 1))).toMatchObject({ kind: "type" });
  });
});

describe("hostile text", () => {
  const bomb = (levels: number, width: number): string =>
    Array.from({ length: levels }, (_, i) => {
      const name = i === 0 ? "x" : `*a${i - 1}`;
      return `- &a${i} [${Array.from({ length: width }, () => name).join(",")}]`;
    }).join("\n");

  it("aliases cost what they stand for", () => {
    expect(failureOf(() => read(bomb(10, 10))).message).toContain("more than 1000000 values");
    expect(() => callerOf(yamlBuiltins, { steps: 5_000 })("yaml.unmarshal", bomb(4, 10))).toThrow(RangeError);
    expect(read(bomb(3, 3))).toHaveLength(3);
  });
  it.each([
    ["lists", "[".repeat(300) + "]".repeat(300)],
    ["lists beyond any stack", "[".repeat(50_000)],
    ["blocks", Array.from({ length: 300 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
    [
      "aliases",
      Array.from({ length: 300 }, (_, i) => (i === 0 ? "- &a0 [x]" : `- &a${i} [*a${i - 1}]`)).join("\n"),
    ],
  ])("nested %s are a failure", (_title, text) => {
    expect(failureOf(() => read(text)).kind).toBe("builtin");
  });
  it("long text is a failure", () => {
    expect(failureOf(() => read("a".repeat(1024 * 1024 + 1))).message).toContain("at most");
  });
  it("any text is read or a failure", () => {
    const text = fc.string({ unit: fc.constantFrom(..."a1:-[]{}&*!|>'\"%@,? \n\t#~<"), maxLength: 60 });
    fc.assert(
      fc.property(text, (yaml) => {
        const valid = call("yaml.is_valid", yaml);
        if (valid === true) read(yaml);
        else expect(failureOf(() => read(yaml)).kind).toBe("builtin");
      }),
      { numRuns: 500 },
    );
  });
});

describe("yaml.marshal", () => {
  it.each<[Value, string]>([
    [null, "null\n"],
    [[], "[]\n"],
    [{}, "{}\n"],
    [["a", ["b", []], { c: 1, d: { e: null } }], "- a\n- - b\n  - []\n- c: 1\n  d:\n    e: null\n"],
    [{ b: [1, [2]], a: "x" }, "a: x\nb:\n  - 1\n  - - 2\n"],
    [{ a10: 1, a9: 2, B: 3, _: 4, "2": 5 }, '_: 4\n"2": 5\nB: 3\na9: 2\na10: 1\n'],
    [RegoSet.of([2, 1]), "- 1\n- 2\n"],
    [
      RegoObject.of([
        [1, "a"],
        [[1], "b"],
      ]),
      "'[1]': b\n\"1\": a\n",
    ],
    ["true", '"true"\n'],
    ["yes", '"yes"\n'],
    ["12:30", '"12:30"\n'],
    ["2020-01-01", '"2020-01-01"\n'],
    ["a: b", "'a: b'\n"],
    ["it's 1", "it's 1\n"],
    ["'x", "'''x'\n"],
    [" a", "' a'\n"],
    ["a\tb", '"a\\tb"\n'],
    ["a\u0000\ud83d\ude00", '"a\\0\\U0001F600"\n'],
    ["a\nb\n", "|\n  a\n  b\n"],
    ["a\nb", "|-\n  a\n  b\n"],
    ["a\n\n", "|+\n  a\n\n"],
    [" a\nb", "|2-\n   a\n  b\n"],
    ["a \nb", '"a \\nb"\n'],
    [{ "a\nb": 1 }, "? |-\n  a\n  b\n: 1\n"],
    [{ ["k".repeat(129)]: [1] }, `? ${"k".repeat(129)}\n: - 1\n`],
    [{ "<<": 1 }, '"<<": 1\n'],
    [
      [1.5, 1500000.5, 1e-5, 1e300, 2n ** 64n, 2n ** 64n - 1n],
      "- 1.5\n- 1.5000005e+06\n- 1e-05\n- 1e+300\n- 1.8446744073709552e+19\n- 18446744073709551615\n",
    ],
  ])("%o", (value, expected) => {
    expect(write(value)).toBe(expected);
  });

  it("what is written is read again", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.string({ unit: fc.constantFrom(..."a1:-[]{}&*!|>'\"%@,? \n\t#~<.0_xeE+"), maxLength: 12 }),
    );
    const { value } = fc.letrec<{ value: Value }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, false),
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
        text,
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(text, tie("value"), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, (original) => {
        // Lone surrogates stand for bytes that YAML cannot say; integers beyond 2^53 come back as bigints.
        const json = JSON.stringify(original);
        fc.pre(json.isWellFormed() && !/\\ud[89a-f]/.test(json));
        const again = JSON.stringify(read(write(original)), (_key, member: unknown) =>
          typeof member === "bigint" ? Number(member) : member,
        );
        expect(JSON.parse(again)).toEqual(JSON.parse(json));
      }),
      { numRuns: 500 },
    );
  });

  it("is counted", () => {
    const poor = callerOf(yamlBuiltins, { steps: 100 });
    expect(() =>
      poor(
        "yaml.marshal",
        Array.from({ length: 200 }, () => 1),
      ),
    ).toThrow(RangeError);
  });
});
