// SPDX-License-Identifier: Apache-2.0
// Types out of JSON schemas beside `opa check -s`: under annotations of every scope, every kind of place in a document is
// looked into and compared. One rule on each line; the lines that are refused must be the same.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { compile, RegoError, type Value } from "@adyton/rego";
import { schemaTypes } from "@adyton/rego/schema";
import { yamlBuiltins } from "@adyton/rego/yaml";
import { describe, expect, it } from "vitest";
import { NO_PROGRAM, opaProgram } from "./rego/opa.ts";

if (opaProgram === undefined) console.warn(NO_PROGRAM);

const STRING = { type: "string" };
const NUMBER = { type: "number" };
const SCHEMAS: Readonly<Record<string, Value>> = {
  input: {
    type: "object",
    properties: {
      text: STRING,
      whole: { type: "integer" },
      truth: { type: "boolean" },
      nothing: { type: "null" },
      maybe: { type: ["null", "string"] },
      several: { type: ["string", "number"] },
      listed: { enum: ["a", "b"] },
      list: { type: "array", items: STRING },
      pair: { type: "array", items: [STRING, NUMBER] },
      open: { type: "object" },
      bare: { properties: { x: NUMBER } },
      bareList: { items: NUMBER },
      extra: { type: "object", properties: { x: NUMBER }, additionalProperties: STRING },
      either: { anyOf: [STRING, { type: "object", properties: { x: NUMBER } }] },
      core: { type: "object", properties: { y: STRING }, anyOf: [{ properties: { x: NUMBER } }] },
      one: { oneOf: [STRING, NUMBER] },
      all: { allOf: [{ properties: { x: NUMBER } }, { properties: { y: STRING } }] },
      allTyped: {
        type: "object",
        properties: { z: STRING },
        allOf: [{ properties: { x: NUMBER } }, { properties: { y: STRING } }],
      },
      chosen: { allOf: [{ anyOf: [STRING, NUMBER] }] },
      tree: { $ref: "#/definitions/tree" },
      friend: { $ref: "#/definitions/person" },
      deep: { type: "object", properties: { a: { type: "object", properties: { x: NUMBER } } } },
    },
    definitions: {
      person: { type: "object", properties: { x: NUMBER, name: STRING } },
      tree: { type: "object", properties: { left: { $ref: "#/definitions/tree" }, x: NUMBER } },
    },
  },
  text: STRING,
  number: NUMBER,
  any: {},
  "acl/list": { type: "object", properties: { alice: { type: "array", items: STRING } } },
  "acl/open-list": { type: "object", patternProperties: { "^a": STRING } },
  clash: { allOf: [STRING, NUMBER] },
  wrong: { type: "nope" },
};

const NAMES = Object.keys((SCHEMAS.input as { properties: object }).properties);
const BODIES: readonly string[] = [
  ...[...NAMES, "missing"].flatMap((name) => [
    `input.${name}`,
    `input.${name}.x`,
    `input.${name}.y`,
    `input.${name}.missing`,
    `input.${name}[0]`,
    `input.${name}[1] == 1`,
    `input.${name}[_] == 1`,
    `some k; input.${name}[k] == "a"`,
    `input.${name} == 1`,
    `input.${name} == "a"`,
    `input.${name} == null`,
    `input.${name} == ["a", "b"]`,
    `input.${name} == {"x": 1}`,
    `startswith(input.${name}, "a")`,
    `count(input.${name}) > 0`,
    `x := input.${name}; x.x.y`,
    `input["${name}"].x == "a"`,
    `some x in input.${name}; x == true`,
    `not input.${name}.missing`,
    `every x in input.${name} { x.foo }`,
    `y := [x | x := input.${name}.missing]`,
  ]),
  ...[
    "input",
    "input == 1",
    'input == "a"',
    "input[x]",
    "input[x].foo.bar",
    "input[0]",
    "input.tree.left.x.y",
  ],
  ...[
    "data.acl",
    "data.acl.alice",
    "data.acl.bob",
    "data.acl.alice[_] == 1",
    "data.acl.alice.x",
    "data.other",
  ],
  ...["data.acl == 1", "some x; data.acl[x] == 1", "data.acl.ally.x", "data.acl.deep.x.y"],
  ...[
    "input.text == 1 with input as {}",
    "input.text == 1 with input.text as 1",
    "input.missing with input as {}",
  ],
  ...["input.missing with input.missing as 1", "input.text.x with input.whole as 1"],
  ...["data.acl.bob with data.acl as {}"],
  ...["input.new.deep.x", "input.new.deep == 1", "input.new.other", "input.text.deep", "input.deep.a.x == 1"],
  ...["input.deep.a.x.y", "input.deep.a.z", "input.deep.b", "input.deep.a.x == true"],
];

function block(lines: readonly string[]): string {
  return ["# METADATA", ...lines.map((line) => `# ${line}`), ""].join("\n");
}

function schemas(scope: string, ...entries: readonly string[]): string {
  return block([`scope: ${scope}`, "schemas:", ...entries.map((entry) => `- ${entry}`)]);
}

interface Scenario {
  readonly name: string;
  /** Above the package, and above each rule. */
  readonly above?: string;
  readonly rule?: string;
  readonly path?: string;
}

const SCENARIOS: readonly Scenario[] = [
  { name: "none" },
  { name: "package", above: schemas("package", "input: schema.input") },
  {
    name: "default",
    above: block(["schemas:", "- input: schema.input", '- data.acl: schema.acl["open-list"]']),
  },
  { name: "rule", rule: schemas("rule", "input: schema.input", "data.acl: schema.acl.list") },
  { name: "document", rule: schemas("document", "input: schema.input", "data.acl: schema.acl.list") },
  { name: "subpackages", above: schemas("subpackages", "input: schema.input"), path: "whole.part" },
  { name: "below", path: "whole.part.below" },
  {
    name: "beneath",
    path: "whole.part.beneath",
    above: schemas("package", "input.text: schema.number"),
    rule: schemas("rule", "input.text: schema.any", "input.whole: schema.text"),
  },
  {
    name: "overrides",
    above: schemas(
      "package",
      "input: schema.input",
      "input.text: schema.number",
      "input.new.deep: schema.text",
    ),
    rule: schemas("rule", "input.deep.a.x: {type: boolean}", "input.text.deep: {type: object}"),
  },
  {
    name: "partly",
    above: schemas("package", "input.new.deep: schema.text", "input.deep.a: schema.acl.list"),
  },
  { name: "text", above: schemas("package", "input: {type: string}") },
  { name: "base", above: schemas("package", "data: schema.input", "data.acl.deep: schema.text") },
  { name: "lost", rule: schemas("rule", "input: schema.nowhere") },
  { name: "clash", rule: schemas("rule", "input: schema.clash") },
  { name: "wrong", rule: schemas("rule", "input: schema.wrong") },
];

interface Source {
  readonly text: string;
  /** What stands on the rows, from 1. */
  readonly rows: ReadonlyMap<number, string>;
}

function sourceOf({ above = "", name, path = name, rule = "" }: Scenario): Source {
  const rows = new Map<number, string>();
  let text = `${above}package ${path}\n`;
  for (const [i, body] of BODIES.entries()) {
    text += `\n${rule}p${i} if { ${body} }\n`;
    rows.set(text.split("\n").length - 1, body);
  }
  return { text, rows };
}

/** `file:row` of each type error. */
function theirs(folder: string, schemaPath: string | undefined): Set<string> {
  const given = schemaPath === undefined ? [] : ["-s", schemaPath];
  const args = ["check", "-f", "json", "--max-errors", "1000000", ...given, "policies"];
  const output = run(opaProgram ?? "", args, folder);
  const { errors = [] } = JSON.parse(output) as {
    errors?: { code: string; message: string; location: { file: string; row: number } }[];
  };
  expect(errors.map(({ code }) => code).filter((code) => code !== "rego_type_error")).toEqual([]);
  return new Set(errors.map(({ location }) => `${location.file.replace("policies/", "")}:${location.row}`));
}

function run(program: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(program, args, {
      encoding: "utf8",
      maxBuffer: 1e9,
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return stderr?.startsWith("{") === true ? stderr : stdout?.trim() || stderr || "{}";
  }
}

function ours(
  modules: Readonly<Record<string, string>>,
  known: Readonly<Record<string, Value>> | undefined,
): Set<string> {
  try {
    compile({ modules, builtins: yamlBuiltins, schemas: schemaTypes(known) });
    return new Set();
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    expect(error.diagnostics.map(({ code }) => code).filter((code) => code !== "REGO_TYPE")).toEqual([]);
    return new Set(error.diagnostics.map(({ location }) => `${location?.file}:${location?.row}`));
  }
}

/** Why lines differ on purpose. */
const DIFFERENCES: readonly { readonly body: RegExp; readonly why: string }[] = [
  { body: /input\.tree(?:\.left\.|\[k\]|; x ==)/, why: "a schema within itself is anything" },
];

describe.skipIf(opaProgram === undefined)("types out of schemas", () => {
  it.each([
    ["by annotations", SCHEMAS, "schemas"],
    ["of the whole input", { "": SCHEMAS.input ?? {} }, "schemas/input.json"],
    ["held by annotations alone", undefined, undefined],
  ] as const)(
    "%s are OPA's",
    (_, known, schemaPath) => {
      const folder = mkdtempSync(join(tmpdir(), "adyton-schemas-"));
      try {
        const scenarios = SCENARIOS.filter(
          (each) => schemaPath !== "schemas/input.json" || !/schema\./.test(`${each.above}${each.rule}`),
        );
        const sources = new Map(scenarios.map((each) => [`${each.name}.rego`, sourceOf(each)] as const));
        for (const [name, schema] of Object.entries(SCHEMAS))
          write(folder, `schemas/${name}.json`, JSON.stringify(schema));
        for (const [name, { text }] of sources) write(folder, `policies/${name}`, text);
        const right = theirs(folder, schemaPath);

        const left = ours(Object.fromEntries([...sources].map(([name, { text }]) => [name, text])), known);

        const different = [...sources].flatMap(([name, { rows }]) =>
          [...rows].flatMap(([row, body]) => {
            const place = `${name}:${row}`;
            if (left.has(place) === right.has(place) || DIFFERENCES.some((each) => each.body.test(body)))
              return [];
            return [`${name}: ${body}: ${left.has(place) ? "only we refuse it" : "only OPA refuses it"}`];
          }),
        );
        expect(different).toEqual([]);
        expect(right.size).toBeGreaterThan(20);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );
});

function write(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
