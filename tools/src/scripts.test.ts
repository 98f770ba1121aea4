// SPDX-License-Identifier: Apache-2.0
// The scripts behind npm start, test, check and bench run before anything is installed or built: as programs, here too.
import { spawn, spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { makeTree } from "./testing/tree.ts";

const ENSURE = new URL("../../scripts/_ensure.mjs", import.meta.url).href;
const CHECK = fileURLToPath(new URL("../../scripts/check.mjs", import.meta.url));

/** Runs a module that has everything of _ensure.mjs in `e`, from a folder that is not the repository. */
function evaluate(code: string): { status: number | null; stdout: string; stderr: string } {
  const module = `import * as e from ${JSON.stringify(ENSURE)};\n${code}`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", module], {
    cwd: tmpdir(),
    encoding: "utf8",
  });
}

describe("ensureNode", () => {
  it.each(["20.19.0", "20.20.1", "22.0.0", "24.3.0"])("lets Node %s pass", (version) => {
    expect(evaluate(`e.ensureNode("${version}");`)).toMatchObject({ status: 0, stderr: "" });
  });

  it.each(["18.20.8", "20.18.3"])("tells who has Node %s what to do", (version) => {
    const { status, stderr } = evaluate(`e.ensureNode("${version}");`);
    expect(status).toBe(1);
    expect(stderr).toContain(`needs Node 20.19 or newer; this is Node ${version}`);
    expect(stderr).toContain("https://nodejs.org");
  });
});

describe("missingPackage", () => {
  const LOCK = {
    "": {},
    "packages/a": { version: "1.0.0" },
    "node_modules/a": { link: true, resolved: "packages/a" },
    "node_modules/b": { version: "2.0.0" },
    "node_modules/c": { version: "3.0.0", optional: true },
  };
  const lock = (packages: object): string => JSON.stringify({ packages });
  const whyIn = (files: Record<string, string>): string =>
    evaluate(`console.log(e.missingPackage(${JSON.stringify(makeTree(files))}));`).stdout.trim();
  const WHOLE = {
    "package-lock.json": lock(LOCK),
    "node_modules/.package-lock.json": lock({ "node_modules/b": { version: "2.0.0" } }),
    "node_modules/a/x": "",
    "node_modules/b/x": "",
  };

  it("is content with what the lock asks for, optional packages apart", () => {
    expect(whyIn(WHOLE)).toBe("undefined");
  });

  it.each<[string, Record<string, string>, string]>([
    ["nothing is installed", { "package-lock.json": lock(LOCK) }, "none are here yet"],
    [
      "the lock asks for another version",
      { ...WHOLE, "package-lock.json": lock({ ...LOCK, "node_modules/b": { version: "2.0.1" } }) },
      "b should be 2.0.1",
    ],
    [
      "the lock asks for a further package",
      { ...WHOLE, "package-lock.json": lock({ ...LOCK, "node_modules/@t/d": { link: true } }) },
      "@t/d is missing",
    ],
  ])("sees that %s", (_rule, files, expected) => {
    expect(whyIn(files)).toBe(expected);
  });
});

describe("run", () => {
  it("passes exit codes on", () => {
    expect(evaluate('process.exit(await e.run(process.execPath, ["-e", "process.exit(7)"]));').status).toBe(
      7,
    );
  });

  it("says when a program does not start", () => {
    const { status, stderr } = evaluate('process.exit(await e.run("no-such-program", []));');
    expect(status).toBe(127);
    expect(stderr).toContain("Cannot run no-such-program");
  });

  it("hands a signal on and tells it in the exit code", async () => {
    const inner = 'console.log("ready"); setInterval(() => {}, 1000);';
    const outer = `import { run } from ${JSON.stringify(ENSURE)};
process.exit(await run(process.execPath, ["-e", ${JSON.stringify(inner)}]));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", outer], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const code = await new Promise((resolve) => {
      child.stdout.once("data", () => child.kill("SIGTERM"));
      child.once("close", resolve);
    });
    expect(code).toBe(128 + 15);
  });
});

it("check refuses a gate that does not exist, before it installs anything", () => {
  const { status, stderr } = spawnSync(process.execPath, [CHECK, "--only", "lint,nothing"], {
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stderr).toContain("There is no gate nothing; there are lint, build, types");
});
