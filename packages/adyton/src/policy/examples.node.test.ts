// SPDX-License-Identifier: Apache-2.0
// The policies of examples/: sound, laid out, tested, and of the form that their names say.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { regoPolicy } from "@adyton/appraisal";
import { describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";

const cwd = resolve(import.meta.dirname, "../../../..");
const FOLDER = "examples/policies";
const policiesIn = (folder: string): string[] =>
  readdirSync(join(cwd, FOLDER, folder)).filter((name) => /(?<!_test)\.rego$/.test(name));

async function policy(...words: string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  const io = createBufferIo({ cwd, env: {} });
  return { exit: await run(["policy", ...words], io), ...io.output() };
}

describe("the example policies", () => {
  it("pass their tests, which come by every line", async () => {
    const { exit, stdout } = await policy("test", FOLDER, "--json", "--coverage");
    const { passed, failed, errors, coverage } = JSON.parse(stdout);
    const notCovered = Object.entries(coverage.files as Record<string, { notCovered: number[] }>).flatMap(
      ([file, of]) => (of.notCovered.length === 0 ? [] : [[file, of.notCovered]]),
    );
    expect(notCovered).toEqual([]);
    expect([exit, failed, errors]).toEqual([0, 0, 0]);
    expect(passed).toBeGreaterThan(40);
    // Laid out as every reader of Rego knows it; what stands beside Veraison's policies is not told of.
    expect(Object.keys(coverage.files).every((file) => file.startsWith(FOLDER))).toBe(true);
  });

  it("are sound", async () => {
    expect(await policy("check", FOLDER)).toMatchObject({ exit: 0, stdout: "" });
  });

  it("are laid out as `adyton policy fmt` would", async () => {
    expect(await policy("fmt", "--check", FOLDER)).toMatchObject({ exit: 0, stdout: "" });
  });

  it.each(policiesIn("attestation"))("%s is an attestation policy of its form", (file) => {
    const text = readFileSync(join(cwd, FOLDER, "attestation", file), "utf8");
    const { form } = regoPolicy({ id: file, modules: { [file]: text } });
    expect(form).toBe(/^(?:verdictd|veraison)/.exec(file)?.[0] ?? "trustee");
  });

  it.each(policiesIn("resource"))("%s decides on releases, and refuses by default", async (file) => {
    const path = `${FOLDER}/resource/${file}`;
    const { exit, stdout } = await policy("eval", "data.policy.allow", "--data", path, "--json");
    expect([exit, JSON.parse(stdout)]).toEqual([0, { results: [{ values: [false], bindings: {} }] }]);
  });

  it("have tests, each policy its own", () => {
    for (const folder of ["attestation", "resource"]) {
      const all = readdirSync(join(cwd, FOLDER, folder));
      for (const file of policiesIn(folder)) expect(all).toContain(file.replace(".rego", "_test.rego"));
    }
  });
});
