// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { compile } from "../compile.ts";
import { RegoError } from "../errors.ts";
import { schemaTypes } from "../schema.ts";
import type { Value } from "../value.ts";
import { yamlBuiltins } from "../yaml.ts";

const SCHEMAS: Readonly<Record<string, Value>> = {
  input: {
    type: "object",
    properties: { user: { type: "string" }, roles: { type: "array", items: { type: "string" } } },
  },
  "acl/list": { type: "object", properties: { alice: { type: "array", items: { type: "string" } } } },
  number: { type: "number" },
  within: { $ref: "#/definitions/t", definitions: { t: { properties: { t: { $ref: "#/definitions/t" } } } } },
  itself: { $ref: "#" },
  broken: { type: "nope" },
  clash: { allOf: [{ type: "string" }, { type: "number" }] },
};

/** Code and message of what is found first; undefined when nothing is. */
function found(
  modules: Readonly<Record<string, string>>,
  schemas: Readonly<Record<string, Value>> | undefined = SCHEMAS,
  builtins = yamlBuiltins,
): string | undefined {
  try {
    compile({ modules, builtins, schemas: schemaTypes(schemas) });
    return undefined;
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    const [first] = error.diagnostics;
    return `${first?.code} ${first?.message}`;
  }
}

function annotated(scope: string, entry: string): string {
  return `# METADATA\n# scope: ${scope}\n# schemas:\n# - ${entry}\n`;
}

describe("a schema says what stands in a document", () => {
  it.each([
    [
      "of the package",
      `${annotated("package", "input: schema.input")}package a\n\np if input.usr == "a"`,
      "usr",
    ],
    [
      "of all packages",
      `${annotated("subpackages", "input: schema.input")}package a\n\np if input.usr`,
      "usr",
    ],
    [
      "of the rule",
      `package a\n\n${annotated("rule", "input: schema.input")}p if input.roles[_] == 1`,
      "match error",
    ],
    [
      "of its document",
      `package a\n\n${annotated("document", "input: schema.input")}p if input.usr\n\np if true`,
      "usr",
    ],
    ["below data", `package a\n\n${annotated("rule", "data.acl: schema.acl.list")}p if data.acl.bob`, "bob"],
    [
      "in brackets",
      `package a\n\n${annotated("rule", 'data["acl"]: schema["acl"].list')}p if data.acl.bob`,
      "bob",
    ],
    [
      "held by the annotation",
      `package a\n\n${annotated("rule", "input.n: {type: number}")}p if input.n == "a"`,
      "match",
    ],
    [
      "for an argument",
      `${annotated("package", "input: schema.input")}package a\n\np if input.user + 1 > 2`,
      "plus",
    ],
    [
      "in place of another",
      `${annotated("package", "input: schema.input\n# - input.user: schema.number")}package a\n\np if input.user == "a"`,
      "match error",
    ],
  ])("%s", (_, text, message) => {
    expect(found({ "a.rego": text })).toMatch(/^REGO_TYPE /);
    expect(found({ "a.rego": text })).toContain(message);
  });

  it("for what the rules that use it give", () => {
    const text = `${annotated("package", "input: schema.input")}package a\n\nuser := input.user\n\np if user == 1`;
    expect(found({ "a.rego": text })).toContain("match error: string on the left and number on the right");
  });

  it("of all input, in queries as well", () => {
    const schemas = schemaTypes({ "": SCHEMAS.input ?? null });
    const policy = compile({ modules: { "a.rego": "package a\n\np if input.user" }, schemas });
    expect(() => policy.prepare("input.usr")).toThrow(expect.objectContaining({ code: "REGO_TYPE" }));
    expect(policy.prepare("input.user").value({ input: { user: 5 } })).toBe(5);
  });

  it.each([
    [
      "what it allows",
      `${annotated("package", "input: schema.input")}package a\n\np if input.user == input.roles[_]`,
    ],
    [
      "another rule",
      `package a\n\n${annotated("rule", "input: schema.input")}p if input.user\n\nq if input.usr`,
    ],
    ["another package", `package a\n\np if input.usr`],
    [
      "what a with puts there",
      `${annotated("package", "input: schema.input")}package a\n\np if input.usr with input as {"usr": 1}`,
    ],
    [
      "what is within itself",
      `package a\n\n${annotated("rule", "input: schema.within")}p if input.t.t.t.t.t`,
    ],
    ["what is itself", `package a\n\n${annotated("rule", "input: schema.itself")}p if input.x`],
    ["what no comment above a rule says", `package a\n\n# schemas:\n# - input: schema.nowhere\np if input.x`],
  ])("but not of %s", (_, text) => {
    const above = `${annotated("package", "input: schema.input")}package b\n`;
    expect(found({ "a.rego": text, "b.rego": above })).toBeUndefined();
  });

  it("as nobody told it: then references count for nothing", () => {
    const text = `${annotated("package", "input: schema.input")}package a\n\np if input.usr`;
    expect(found({ "a.rego": text }, {})).toContain("undefined schema: schema.input");
    expect(
      compile({ modules: { "a.rego": text }, schemas: schemaTypes(), builtins: yamlBuiltins }),
    ).toBeDefined();
    expect(compile({ modules: { "a.rego": text } })).toBeDefined();
  });
});

describe("what is no schema, or names none, is refused", () => {
  it.each([
    [
      "a schema that is not there",
      "rule",
      "input: schema.nowhere",
      "REGO_TYPE undefined schema: schema.nowhere",
    ],
    ["one that is broken", "rule", "input: schema.broken", "REGO_TYPE "],
    ["one that says two things", "rule", "input: schema.clash", "REGO_TYPE unable to merge these schemas"],
    [
      "a reference to something else",
      "rule",
      "input: data.x",
      "REGO_COMPILE cannot read annotations: invalid schema reference",
    ],
    ["a number", "rule", "input: 5", "REGO_COMPILE cannot read annotations: invalid schema declaration"],
    [
      "another document",
      "rule",
      "output: schema.input",
      "REGO_COMPILE cannot read annotations: invalid document reference",
    ],
    [
      "a path with a variable",
      "rule",
      '"input[x]": schema.input',
      "REGO_COMPILE cannot read annotations: invalid document",
    ],
    ["a path that is none", "rule", '"input[": schema.input', "REGO_COMPILE cannot read annotations"],
    [
      "a scope that does not fit",
      "package",
      "input: schema.input",
      "REGO_COMPILE cannot read annotations: the scope",
    ],
    ["no name at all", "rule", "input", "REGO_COMPILE cannot read annotations: `schemas` has an entry"],
    ["what is no YAML", "rule", "input: [", "REGO_COMPILE cannot read annotations"],
  ])("%s", (_, scope, entry, message) => {
    expect(found({ "a.rego": `package a\n\n${annotated(scope, entry)}p if true` })).toContain(message);
  });

  it("and so is all of it where nothing reads YAML", () => {
    const text = `package a\n\n${annotated("rule", "input: schema.input")}p if true`;
    expect(found({ "a.rego": text }, SCHEMAS, [])).toContain(
      "REGO_COMPILE cannot read annotations: they are YAML",
    );
  });
});
