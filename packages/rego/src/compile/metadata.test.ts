// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { compile, RegoError } from "../index.ts";
import { showValue } from "../show.ts";
import { yamlBuiltins } from "../yaml.ts";

function shown(query: string, ...modules: string[]): string {
  const policy = compile({
    modules: Object.fromEntries(modules.map((text, i) => [`${i}.rego`, text])),
    builtins: yamlBuiltins,
  });
  const value = policy.prepare(query).value();
  return value === undefined ? "undefined" : showValue(value);
}

const RULE = `# METADATA
# title: One
# authors:
# - Jane Doe <jane@example.com>
# - { name: John }
p := rego.metadata.rule()
`;

describe("annotations", () => {
  it("of a rule", () => {
    expect(shown("data.a.p", `package a\n\n${RULE}`)).toBe(
      '{"authors": [{"email": "jane@example.com", "name": "Jane Doe"}, {"name": "John"}], "scope": "rule", "title": "One"}',
    );
    expect(shown("data.a.p", "package a\np := rego.metadata.rule()")).toBe("{}");
  });

  it("of a rule, its document, its package and what is above", () => {
    const above = "# METADATA\n# scope: subpackages\n# title: Above\npackage a";
    const here = `# METADATA
# title: Here
package a.b

# METADATA
# scope: document
# title: All of p
p := 1 if false

# METADATA
# title: This one
p := x if { x := rego.metadata.chain() }`;
    expect(
      shown('[[e.path, object.get(e, ["annotations", "title"], "")] | some e in data.a.b.p]', above, here),
    ).toBe(
      '[[["a", "b", "p"], "This one"], [["a", "b", "p"], "All of p"], [["a", "b"], "Here"], [["a"], "Above"]]',
    );
  });

  it.each<[string, string, boolean]>([
    ["without YAML", `package a\n\n${RULE}`, false],
    ["with what is no YAML", "package a\n\n# METADATA\n# title: [\np := rego.metadata.rule()", true],
  ])("cannot be had %s", (_, text, yaml) => {
    expect(() => compile({ modules: { "a.rego": text }, builtins: yaml ? yamlBuiltins : [] })).toThrow(
      RegoError,
    );
  });

  it("are no matter of a query", () => {
    expect(() => compile({ modules: {} }).prepare("rego.metadata.rule()")).toThrow(/of no use here/);
  });
});
