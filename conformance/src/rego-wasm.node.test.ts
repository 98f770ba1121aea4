// SPDX-License-Identifier: Apache-2.0
// Bundles that `opa build -t wasm` makes: what they give through `@adyton/rego/wasm`, beside the same policy from text.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, type PlainObject, toJson, type Value } from "@adyton/rego";
import { cryptoBuiltins } from "@adyton/rego/crypto";
import { type BundlePolicy, loadBundle } from "@adyton/rego/wasm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NO_PROGRAM, opaProgram } from "./rego/opa.ts";

const POLICY = `package example

default allow := false

allow if input.role == "admin"

allow if {
	some grant in data.grants[input.user]
	grant.action == input.action
}

names contains name if some name in input.names

whole := input

double[x] := y if {
	x := input.key
	some y in input.names
}

hash := crypto.sha256(input.user)

matches if regex.match("^a+$", input.user)

parts := net.cidr_expand(input.net)

now := time.now_ns()
`;
const DATA: PlainObject = { grants: { ada: [{ action: "read" }] } };
const ENTRYPOINTS = ["allow", "double", "hash", "matches", "names", "now", "parts", "whole"];

if (opaProgram === undefined) console.warn(NO_PROGRAM);

describe.skipIf(opaProgram === undefined)("a bundle", () => {
  const folder = mkdtempSync(join(tmpdir(), "adyton-wasm-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  let bundle: BundlePolicy;
  let bytes: Uint8Array;

  beforeAll(async () => {
    writeFileSync(join(folder, "policy.rego"), POLICY);
    writeFileSync(join(folder, "data.json"), JSON.stringify(DATA));
    const names = ENTRYPOINTS.flatMap((name) => ["-e", `example/${name}`]);
    const file = join(folder, "bundle.tar.gz");
    execFileSync(
      opaProgram ?? "opa",
      ["build", "-t", "wasm", ...names, "-o", file, "policy.rego", "data.json"],
      {
        cwd: folder,
      },
    );
    bytes = readFileSync(file);
    bundle = await loadBundle(bytes, { builtins: cryptoBuiltins });
  });

  it("names its entry points", () => {
    expect(bundle.entrypoints).toEqual(ENTRYPOINTS.map((name) => `example/${name}`));
    expect(bundle.prepare("example/allow").entrypoint).toBe("example/allow");
    for (const name of [undefined, "example", "example/none"]) {
      expect(() => bundle.prepare(name)).toThrow(expect.objectContaining({ code: "REGO_MISUSE" }));
    }
  });

  it.each<[string, Value]>([
    ["allow", { role: "admin" }],
    ["allow", { user: "ada", action: "read" }],
    ["allow", { user: "ada", action: "write" }],
    ["allow", {}],
    ["names", { names: ["b", "b"] }],
    ["names", {}],
    ["whole", { a: [1, "é", null, { b: 1.5 }] }],
    ["whole", false],
    ["whole", 0],
    ["whole", ""],
    ["whole", null],
    ["double", { key: "k", names: ["n"] }],
    ["hash", { user: "ada" }],
    ["hash", { user: 1 }],
    ["matches", { user: "aaa" }],
    ["matches", { user: "b" }],
    ["parts", { net: "10.0.0.0/30" }],
    ["parts", { net: "nonsense" }],
  ])("%s of %j is what the text gives", (name, input) => {
    const query = compile({ modules: { "policy.rego": POLICY }, builtins: cryptoBuiltins }).prepare(
      `data.example.${name}`,
    );
    const expected = query.value({ input, data: DATA });
    expect(bundle.prepare(`example/${name}`).value({ input })).toEqual(
      expected === undefined ? undefined : toJson(expected),
    );
  });

  it("without input there is none", () => {
    expect(bundle.prepare("example/whole").value()).toBeUndefined();
  });
  it("takes the time from the caller", () => {
    expect(bundle.prepare("example/now").value({ now: new Date(7) })).toBe(7_000_000);
  });
  it("takes other data", async () => {
    const other = await loadBundle(bytes, { data: { grants: { bob: [{ action: "read" }] } } });
    const allow = other.prepare("example/allow");
    expect(allow.value({ input: { user: "bob", action: "read" } })).toBe(true);
    other.setData({});
    expect(allow.value({ input: { user: "bob", action: "read" } })).toBe(false);
  });
  it("tells conflicts", () => {
    const input = { key: "k", names: ["a", "b"] };
    expect(() => bundle.prepare("example/double").value({ input })).toThrow(
      expect.objectContaining({ code: "REGO_CONFLICT" }),
    );
    // And goes on.
    expect(bundle.prepare("example/allow").value({ input: { role: "admin" } })).toBe(true);
  });
  it("does not grow beyond its memory", async () => {
    const small = await loadBundle(bytes, { memory: 1024 * 1024 });
    const input = { names: Array.from({ length: 200_000 }, (_, i) => `${i}`) };
    expect(() => small.prepare("example/names").value({ input })).toThrow(
      expect.objectContaining({ code: "REGO_LIMIT" }),
    );
  });
});
