// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { EXIT } from "../exit.ts";
import { run } from "../main.ts";

const POLICY = `package policy

default allow := false

allow if {
	input.user == "alice"
	input.measure in data.known.measures
}
`;
const TESTS = `package policy_test

import data.policy

test_good if policy.allow with input as {"user": "alice", "measure": "d1"}
test_bad if policy.allow with input as {"user": "bob", "measure": "d1"}
`;

let folder = "";
const write = async (name: string, text: string): Promise<void> => {
  await mkdir(join(folder, name, ".."), { recursive: true });
  await writeFile(join(folder, name), text);
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adyton-policy-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await rm(folder, { recursive: true, force: true });
  await write("p/policy.rego", POLICY);
  await write("p/policy_test.rego", TESTS);
  await write("p/known/data.json", '{"measures": ["d1"]}');
});

async function adyton(...words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const io = createBufferIo({ cwd: folder, env: {} });
  const code = await run(["policy", ...words], io);
  const { stdout, stderr } = io.output();
  return { code, out: stdout, err: stderr };
}
const json = async (...words: readonly string[]): Promise<unknown> =>
  JSON.parse((await adyton(...words, "--json")).out);

describe("test", () => {
  it("shows what failed, where and why, and exits 5", async () => {
    const { code, out } = await adyton("test", "p");
    expect(code).toBe(EXIT.policy);
    expect(out).toBe(
      [
        "FAIL  data.policy_test.test_bad",
        '  p/policy_test.rego:6  policy.allow with input as {"user": "bob", "measure": "d1"}',
        "    policy.allow is false",
        "1 passed, 1 failed",
        "",
      ].join("\n"),
    );
  });

  it("runs the tests that are named, with coverage and a threshold", async () => {
    const { code, out, err } = await adyton("test", "p", "--run", "good$", "--threshold", "80", "--verbose");
    expect(out).toContain(
      "PASS  data.policy_test.test_good\np/policy.rego: 75 %, not lines 3\ncoverage: 75 %\n1 passed\n",
    );
    expect(err).toContain("Coverage is 75 %, expected at least 80 %");
    expect(code).toBe(EXIT.policy);
    expect((await adyton("test", "p", "--run", "good$", "--threshold", "75")).code).toBe(EXIT.ok);
  });

  it("answers in JSON", async () => {
    expect(await json("test", "p")).toMatchObject({
      passed: 1,
      failed: 1,
      results: [{ outcome: "pass" }, { outcome: "fail", failure: { location: { row: 6 } } }],
    });
  });

  it("does not take nothing for success", async () => {
    const { code, err } = await adyton("test", "p", "--run", "nothing");
    expect(code).toBe(EXIT.policy);
    expect(err).toContain("begin with test_");
    expect((await adyton("test", "p", "--run", "(")).code).toBe(EXIT.misuse);
  });
});

describe("eval", () => {
  const input = (text: string): Promise<void> => write("input.json", text);

  it("decides", async () => {
    await input('{"user": "alice", "measure": "d1"}');
    const decide = ["eval", "data.policy.allow", "--data", "p", "--input", "input.json", "--fail"];
    expect(await adyton(...decide)).toMatchObject({ code: EXIT.ok, out: "true\n" });
    await input('{"user": "alice", "measure": "d2"}');
    expect(await adyton(...decide)).toMatchObject({ code: EXIT.policy, out: "false\n" });
    const { err } = await adyton(...decide, "--explain", "fails");
    expect(err).toContain('fail  p/policy.rego:7  input.measure in data.known.measures  found "d2", ["d1"]');
  });

  it("shows variables, sets and what is undefined", async () => {
    expect((await adyton("eval", "x := {2, 1}; y := count(x)")).out).toBe("x  [1,2]\ny  2\n");
    expect(await json("eval", "some x in [1, 2]")).toEqual({
      results: [
        { values: [true], bindings: { x: 1 } },
        { values: [true], bindings: { x: 2 } },
      ],
    });
    expect(await adyton("eval", "input.x")).toMatchObject({
      out: "",
      err: expect.stringContaining("undefined"),
    });
  });

  it("knows the functions of cryptography, YAML, GraphQL and JSON schemas, and the time it is told", async () => {
    expect((await adyton("eval", 'crypto.sha256("")')).out).toContain("e3b0c442");
    expect((await adyton("eval", 'yaml.unmarshal("a: 1").a')).out).toBe("1\n");
    expect((await adyton("eval", 'graphql.is_valid("{ a }", "type Query { a: Int }")')).out).toBe("true\n");
    expect((await adyton("eval", 'json.match_schema("1", {"type": "string"})[0]')).out).toBe("false\n");
    expect((await adyton("eval", "time.now_ns()", "--now", "1970-01-01T00:00:01Z")).out).toBe("1000000000\n");
  });

  it("ends where it is told to, and at errors when they are strict", async () => {
    const long = "count([1 | some x in numbers.range(1, 1000); some y in numbers.range(1, 1000); x > y])";
    const { code, err } = await adyton("eval", long, "--limit-steps", "1000");
    expect(code).not.toBe(EXIT.ok);
    expect(err).toContain("REGO_LIMIT");
    expect((await adyton("eval", "1 / 0", "--strict-errors")).err).toContain("REGO_BUILTIN");
  });
});

describe("check", () => {
  it("shows the line, a caret and a hint", async () => {
    await write("bad.rego", "package bad\n\nallow {\n\ttrue\n}\n");
    const { code, out } = await adyton("check", "bad.rego");
    expect(code).toBe(EXIT.misuse);
    expect(out).toContain(
      "bad.rego:3:1: error `if` is required before a rule body [REGO_PARSE]\n 3 | allow {\n   | ^",
    );
    expect(out).toContain("hint: ");
    expect((await adyton("check", "bad.rego", "--v0")).code).toBe(EXIT.ok);
  });

  it("finds what binds nothing, in every file", async () => {
    await write("q/a.rego", "package a\n\np if x == 1\n");
    expect(await json("check", "q")).toMatchObject({
      ok: false,
      diagnostics: [{ code: "REGO_UNSAFE_VARIABLE", location: { file: "q/a.rego", row: 3 } }],
    });
    expect(await json("check", "p")).toEqual({ ok: true, modules: 2, diagnostics: [] });
  });

  it("judges by schemas, of one file or of a folder", async () => {
    await write("input.json", '{"properties": {"user": {"type": "string"}, "measure": {"type": "string"}}}');
    await write("schemas/acl/list.yaml", "properties: {alice: {type: number}}");
    await write(
      "s.rego",
      "# METADATA\n# schemas:\n# - data.acl: schema.acl.list\npackage s\n\np if data.acl.bob\n\nq if input.usr\n",
    );
    expect((await adyton("check", "s.rego")).code).toBe(EXIT.ok);
    expect((await adyton("check", "s.rego", "--schema", "schemas")).out).toContain("data.acl.bob");
    expect((await adyton("check", "s.rego", "--schema", "nowhere.json")).err).toContain("FILE_NOT_FOUND");
    await write("t.rego", "package t\n\nq if input.usr\n");
    expect(await json("check", "t.rego", "--schema", "input.json")).toMatchObject({
      ok: false,
      diagnostics: [{ code: "REGO_TYPE", location: { row: 3 }, hint: 'its keys are "user", "measure"' }],
    });
    expect(await json("check", "p", "--schema", "input.json")).toMatchObject({ ok: true });
  });
});

describe("fmt", () => {
  it("prints, names or changes", async () => {
    const loose = "package   q\np   if {   input.x   }\n";
    await write("q.rego", loose);
    expect((await adyton("fmt", "q.rego")).out).toBe("package q\n\np if input.x\n");
    expect(await adyton("fmt", "--check", "q.rego")).toMatchObject({ code: EXIT.policy, out: "q.rego\n" });
    expect(await readFile(join(folder, "q.rego"), "utf8")).toBe(loose);
    await adyton("fmt", "--write", "q.rego");
    expect(await adyton("fmt", "--check", "q.rego")).toMatchObject({ code: EXIT.ok, out: "" });
  });
});

describe("files", () => {
  it.each([
    ["data that is no object", "d.json", "[1]"],
    ["data that is no JSON", "d.json", "{"],
    ["data that another file contradicts", "p/known.json", '{"known": {"measures": []}}'],
  ])("refuses %s", async (_what, name, text) => {
    await write(name, text);
    const { code, err } = await adyton("test", "p", ...(name.startsWith("p/") ? [] : [name]));
    expect(code).toBe(EXIT.malformed);
    expect(err).toContain("INVALID_DOCUMENT");
  });

  it("refuses what is not there", async () => {
    expect((await adyton("check", "nowhere.rego")).err).toContain("FILE_NOT_FOUND");
  });
});
