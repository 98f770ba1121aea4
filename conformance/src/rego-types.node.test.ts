// SPDX-License-Identifier: Apache-2.0
// The type checker beside `opa check`: every function with every kind of argument, every kind of value compared with every
// other and looked into. One rule on each line; the lines that are refused must be the same.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, RegoError } from "@adyton/rego";
import { standardBuiltins } from "@adyton/rego/builtins";
import { cryptoBuiltins } from "@adyton/rego/crypto";
import { yamlBuiltins } from "@adyton/rego/yaml";
import { describe, expect, it } from "vitest";
import { NO_PROGRAM, opaProgram } from "./rego/opa.ts";

if (opaProgram === undefined) console.warn(NO_PROGRAM);

const TERMS = [
  ...[
    "null",
    "true",
    "1",
    '"a"',
    "[]",
    "[1]",
    '["a"]',
    '[1, "a"]',
    "set()",
    "{1}",
    '{"a"}',
    "{}",
    '{"a": 1}',
    '{"b": "c"}',
  ],
  ...[
    "{1: 2}",
    "input.x",
    "[x | x := 1]",
    '{x | x := "a"}',
    '{"k": x | x := 1}',
    "rule",
    "partial",
    "keyed",
    "f(1)",
  ],
];
const KEYS = ["0", "1", "5", '"a"', "true", "[1]", "input.k"];
const HEAD = `package test

rule := [1, "a"]
partial contains 1
keyed[x] := "v" if some x in ["a"]
f(_) := {"r": 1}
`;

/** Functions that one of the two refuses as such, or that no name calls. */
const NOT_CALLED =
  /^(?:internal\.|print$|eq$|assign$|and$|or$|any$|all$|re_match$|set_diff$|cast_|net\.cidr_overlap$|http|opa\.runtime|rego\.)/;

const builtins = [...cryptoBuiltins, ...yamlBuiltins];
const rules: string[] = [
  ...TERMS.flatMap((left) => TERMS.map((right) => `${left} == ${right}`)),
  ...TERMS.flatMap((term) => KEYS.map((key) => `x := ${term}; x[${key}]`)),
  ...[...standardBuiltins, ...builtins].flatMap(({ name, type }) => calls(name, type.args.length)),
];

/** Each argument of each kind, the others of every kind in turn. */
function calls(name: string, arity: number): string[] {
  if (arity === 0 || NOT_CALLED.test(name)) return [];
  return Array.from({ length: arity }, (_, at) => at).flatMap((at) =>
    TERMS.map((term) => {
      const args = Array.from({ length: arity }, (_, i) => (i === at ? term : "input.any"));
      return `${name}(${args.join(", ")})`;
    }),
  );
}

/** Why lines differ on purpose. */
const DIFFERENCES: readonly { readonly rule: RegExp; readonly why: string }[] = [
  { rule: /^set\(\) == set\(\)$/, why: "an empty set equals an empty set" },
  { rule: /^x := set\(\); x\[/, why: "looking into an empty set finds nothing, which is no error" },
];

/** Line numbers with a type error. */
function theirs(program: string, file: string): Set<number> {
  const output = run(program, ["check", "-f", "json", "--max-errors", "1000000", file]);
  const { errors = [] } = JSON.parse(output) as { errors?: { code: string; location: { row: number } }[] };
  return new Set(errors.filter(({ code }) => code === "rego_type_error").map(({ location }) => location.row));
}

function run(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, {
      encoding: "utf8",
      maxBuffer: 1e9,
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return stdout?.trim() || stderr || "{}";
  }
}

function ours(text: string): Set<number> {
  try {
    compile({ modules: { "types.rego": text }, builtins });
    return new Set();
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    return new Set(
      error.diagnostics.filter(({ code }) => code === "REGO_TYPE").map(({ location }) => location?.row ?? 0),
    );
  }
}

describe.skipIf(opaProgram === undefined)("type errors", () => {
  it(`are OPA's in ${rules.length} rules`, () => {
    const folder = mkdtempSync(join(tmpdir(), "adyton-types-"));
    try {
      const lines = rules.map((rule, i) => `p${i} if { ${rule} }`);
      const text = `${HEAD}${lines.join("\n")}\n`;
      const file = join(folder, "types.rego");
      writeFileSync(file, text);
      const [left, right] = [ours(text), theirs(opaProgram ?? "", file)];
      const first = HEAD.split("\n").length;
      const different = rules.flatMap((rule, i) => {
        const row = first + i;
        if (left.has(row) === right.has(row) || DIFFERENCES.some((each) => each.rule.test(rule))) return [];
        return [`${rule}: ${left.has(row) ? "only we refuse it" : "only OPA refuses it"}`];
      });
      expect(different).toEqual([]);
      expect(right.size).toBeGreaterThan(500);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
