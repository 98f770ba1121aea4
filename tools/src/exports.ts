// SPDX-License-Identifier: Apache-2.0
// The exports gate: each subpath exists, built and in source; README.md lists it; no page names one that is missing.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  filesBelow,
  type Package,
  splitSpecifier,
  targetsOf,
  type Violation,
  type Workspace,
} from "./workspace.ts";

interface Mention {
  readonly specifier: string;
  readonly line: number;
}

/** Everything the exports gate finds. Expects the build. */
export function checkExports(workspace: Workspace): Violation[] {
  const pages = filesBelow(workspace.root, ".", /\.md$/).filter((file) => !file.startsWith("packages/"));
  return [
    ...workspace.packages
      .filter((pack) => pack.manifest.private !== true)
      .flatMap((pack) => [...checkTargets(workspace, pack), ...checkReadme(workspace, pack)]),
    ...pages.flatMap((file) => missingOnes(workspace, file, mentionsOn(workspace, file))),
  ];
}

function checkTargets(workspace: Workspace, pack: Package): Violation[] {
  const { exports = {}, imports = {}, bin = {} } = pack.manifest;
  const named = [...Object.entries(exports), ...Object.entries(imports), ...Object.entries(bin)];
  return named.flatMap(([name, target]) =>
    targetsOf(target)
      .filter((found) => !existsSync(join(workspace.root, pack.folder, found.path)))
      .map((found) => ({
        file: `${pack.folder}/package.json`,
        message: `${name} leads to ${found.path}, which does not exist`,
      })),
  );
}

function checkReadme(workspace: Workspace, pack: Package): Violation[] {
  const file = `${pack.folder}/README.md`;
  if (!existsSync(join(workspace.root, file))) return [{ file, message: "is missing" }];
  const mentions = mentionsOn(workspace, file);
  const mentioned = new Set(mentions.map(({ specifier }) => specifier));
  const unlisted = Object.keys(pack.manifest.exports ?? {})
    .map((subpath) => (subpath === "." ? pack.name : `${pack.name}${subpath.slice(1)}`))
    // The command line is used by its name, not imported.
    .filter((specifier) => !mentioned.has(specifier) && specifier !== "adyton")
    .map((specifier) => ({ file, message: `does not mention ${specifier}` }));
  return [...unlisted, ...missingOnes(workspace, file, mentions)];
}

/** Mentions of subpaths that no package has. */
function missingOnes(workspace: Workspace, file: string, mentions: readonly Mention[]): Violation[] {
  return mentions.flatMap(({ specifier, line }) => {
    const [name, subpath] = splitSpecifier(specifier);
    const target = workspace.packages.find((pack) => pack.name === name);
    if (target === undefined)
      return [{ file, line, message: `names ${specifier}: there is no package ${name}` }];
    if (subpath === "." || target.manifest.exports?.[subpath] !== undefined) return [];
    return [{ file, line, message: `names ${specifier}, which ${name} does not export` }];
  });
}

/** Names of this house's packages and subpaths on a page, in prose and code. `@adyton/source` is a condition. */
function mentionsOn(workspace: Workspace, file: string): Mention[] {
  const lines = readFileSync(join(workspace.root, file), "utf8").split("\n");
  return lines.flatMap((text, i) =>
    [...text.matchAll(/@adyton\/[a-z0-9-]+(?:\/[a-z0-9-]+)*/g)]
      .map(([specifier]) => ({ specifier, line: i + 1 }))
      .filter(({ specifier }) => specifier !== "@adyton/source"),
  );
}
