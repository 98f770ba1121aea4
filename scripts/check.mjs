// SPDX-License-Identifier: Apache-2.0
// npm run check [-- --only a,b | --skip a,b | --list]: every gate, in order, all of them even when one fails.
// If it is not here, it is not a rule.

import { parseArgs } from "node:util";
import { ensureInstalled, ensureNode, root, run, tool } from "./_ensure.mjs";

const node = process.execPath;
const gate = (name) => [node, `${root}/tools/dist/main.js`, name];

/** [name, what it proves, command, whether it needs the build] */
const GATES = [
  [
    "lint",
    "format, lint, awaited promises",
    [node, tool("@biomejs/biome", "bin/biome"), "check", "."],
    false,
  ],
  ["build", "every package compiles", [node, tool("typescript", "bin/tsc"), "-b"], false],
  [
    "types",
    "every test type-checks",
    [node, tool("typescript", "bin/tsc"), "-p", "tsconfig.tests.json"],
    false,
  ],
  ["hygiene", "licence lines, file sizes, nothing of a machine, nothing unfinished", gate("hygiene"), true],
  ["floors", "imports point down, browser packages stay browser packages, no cycles", gate("floors"), true],
  ["unused", "no file and no export without a reader", gate("unused"), true],
  ["names", "one public name means one thing", gate("names"), true],
  ["exports", "each subpath exists and its README knows it", gate("exports"), true],
  ["error-codes", "each code is documented, thrown and tested", gate("error-codes"), true],
  ["features", "each row of the feature table names tests that are there", gate("features"), true],
  ["packages", "publint and are-the-types-wrong on each package", gate("packages"), true],
  ["size", "browser bundles stay small", gate("size"), true],
  ["examples", "each TypeScript block of the docs compiles and runs", gate("examples"), true],
  [
    "tests",
    "tests with coverage, in Node and in Chromium",
    [node, tool("vitest", "vitest.mjs"), "run", "--coverage"],
    true,
  ],
];

ensureNode();
const wanted = selected();
await ensureInstalled();

const outcomes = [];
let built = true;
for (const [name, proves, [command, ...args], needsBuild] of wanted) {
  console.log(`\n── ${name}: ${proves}`);
  const started = performance.now();
  // The gates below the build read what it made; on a broken build they would only repeat its errors.
  const code = needsBuild && !built ? undefined : await run(command, args);
  if (name === "build") built = code === 0;
  const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  outcomes.push([
    name,
    code === 0 ? "ok" : code === undefined ? "not run: the build failed" : `failed (${code})`,
    seconds,
  ]);
  if (code !== undefined && code > 128) break;
}

console.log("\n── summary");
for (const [name, outcome, seconds] of outcomes)
  console.log(`${name.padEnd(12)} ${seconds.padStart(8)}  ${outcome}`);
const failed = outcomes.filter(([, outcome]) => outcome !== "ok").map(([name]) => name);
if (failed.length > 0) {
  console.log(`\nNot clean: ${failed.join(", ")}. One gate alone: npm run check -- --only ${failed[0]}`);
  process.exit(1);
}
console.log(`\n${outcomes.length} gates passed.`);

/** The gates that the arguments ask for. */
function selected() {
  const { values } = parseArgs({
    options: { only: { type: "string" }, skip: { type: "string" }, list: { type: "boolean" } },
  });
  const names = GATES.map(([name]) => name);
  if (values.list) {
    for (const [name, proves] of GATES) console.log(`${name.padEnd(12)} ${proves}`);
    process.exit(0);
  }
  const only = values.only?.split(",");
  const skip = values.skip?.split(",") ?? [];
  const unknown = [...(only ?? []), ...skip].filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(`There is no gate ${unknown.join(", ")}; there are ${names.join(", ")}.`);
    process.exit(1);
  }
  const chosen = GATES.filter(([name]) => (only?.includes(name) ?? true) && !skip.includes(name));
  // A gate that reads the build brings the build along.
  const needsBuild = chosen.some(([, , , needs]) => needs) && !skip.includes("build");
  return GATES.filter((entry) => chosen.includes(entry) || (needsBuild && entry[0] === "build"));
}
