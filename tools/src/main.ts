// SPDX-License-Identifier: Apache-2.0
// One gate by its name: node tools/dist/main.js <gate>. Prints what it found and exits 1, or says that all is well.

import { fileURLToPath } from "node:url";
import { checkErrorCodes } from "./error-codes.ts";
import { checkExamples } from "./examples.ts";
import { checkExports } from "./exports.ts";
import { checkFeatures } from "./features.ts";
import { checkFloors } from "./floors.ts";
import { checkHygiene } from "./hygiene.ts";
import { checkNames } from "./names.ts";
import { checkPackages } from "./packages.ts";
import { checkSize } from "./size.ts";
import { checkUnused } from "./unused.ts";
import { readWorkspace, type Violation } from "./workspace.ts";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");

const GATES: Readonly<Record<string, () => Violation[] | Promise<Violation[]>>> = {
  "error-codes": () => checkErrorCodes(readWorkspace(root)),
  examples: () => checkExamples(root),
  exports: () => checkExports(readWorkspace(root)),
  features: () => checkFeatures(root),
  floors: () => checkFloors(readWorkspace(root)),
  hygiene: () => checkHygiene(root),
  names: () => checkNames(readWorkspace(root)),
  packages: () => checkPackages(readWorkspace(root)),
  size: () => checkSize(root, console.log),
  unused: () => checkUnused(readWorkspace(root)),
};

const name = process.argv[2] ?? "";
const gate = Object.hasOwn(GATES, name) ? GATES[name] : undefined;
if (gate === undefined) {
  console.error(`There is no gate "${name}"; there are ${Object.keys(GATES).join(", ")}.`);
  process.exit(1);
}
const violations = await gate();
for (const { file, line, message } of violations) {
  console.log(`${line === undefined ? file : `${file}:${line}`}  ${message}`);
}
console.log(violations.length === 0 ? "all is well" : `${violations.length} to mend`);
process.exitCode = violations.length === 0 ? 0 : 1;
