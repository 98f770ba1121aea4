// SPDX-License-Identifier: Apache-2.0
// The packages gate: publint and are-the-types-wrong on each package, as npm would pack it.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { type Manifest, readJson, type Violation, type Workspace } from "./workspace.ts";

/** Everything the packages gate finds. Expects the build. */
export async function checkPackages(workspace: Workspace): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const pack of workspace.packages.filter((candidate) => candidate.manifest.private !== true)) {
    const folder = join(workspace.root, pack.folder);
    violations.push(...(await lintPackage(folder, pack.folder)), ...checkTypes(workspace.root, pack.folder));
  }
  return violations;
}

/** publint's findings, suggestions included. */
export async function lintPackage(folder: string, shown: string): Promise<Violation[]> {
  const { messages } = await publint({ pkgDir: folder, level: "suggestion", pack: "npm" });
  const manifest = readJson<Manifest>(join(folder, "package.json"));
  return messages.map((message) => ({
    file: `${shown}/package.json`,
    message: formatMessage(message, manifest, { color: false }) ?? message.code,
  }));
}

function checkTypes(root: string, folder: string): Violation[] {
  const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [attw, "--pack", folder, "--profile", "esm-only", "--format", "ascii", "--no-color", "--no-emoji"],
    { cwd: root, encoding: "utf8" },
  );
  if (status === 0) return [];
  return [{ file: `${folder}/package.json`, message: `are-the-types-wrong:\n${stdout}${stderr}` }];
}
