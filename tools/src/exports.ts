// SPDX-License-Identifier: Apache-2.0
// The exports gate: each subpath exists, built and in source; README.md lists it; README.md names none that is missing.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Package, splitSpecifier, targetsOf, type Violation, type Workspace } from "./workspace.ts";

/** Everything the exports gate finds. Expects the build. */
export function checkExports(workspace: Workspace): Violation[] {
  return workspace.packages
    .filter((pack) => pack.manifest.private !== true)
    .flatMap((pack) => [...checkTargets(workspace, pack), ...checkReadme(workspace, pack)]);
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
  const lines = readFileSync(join(workspace.root, file), "utf8").split("\n");
  const mentions = lines.flatMap((text, i) =>
    mentionsIn(text).map((specifier) => ({ specifier, line: i + 1 })),
  );
  const mentioned = new Set(mentions.map(({ specifier }) => specifier));
  const unlisted = Object.keys(pack.manifest.exports ?? {})
    .map((subpath) => (subpath === "." ? pack.name : `${pack.name}${subpath.slice(1)}`))
    // The command line is used by its name, not imported.
    .filter((specifier) => !mentioned.has(specifier) && specifier !== "adyton")
    .map((specifier) => ({ file, message: `does not mention ${specifier}` }));
  return [...unlisted, ...missingOnes(workspace, file, mentions)];
}

/** Mentions of subpaths that no package has; also used on the pages in docs/. */
export function missingOnes(
  workspace: Workspace,
  file: string,
  mentions: readonly { readonly specifier: string; readonly line: number }[],
): Violation[] {
  return mentions.flatMap(({ specifier, line }) => {
    const [name, subpath] = splitSpecifier(specifier);
    const target = workspace.packages.find((pack) => pack.name === name);
    if (target === undefined)
      return [{ file, line, message: `names ${specifier}: there is no package ${name}` }];
    if (subpath === "." || target.manifest.exports?.[subpath] !== undefined) return [];
    return [{ file, line, message: `names ${specifier}, which ${name} does not export` }];
  });
}

/** Names of this house's packages and subpaths in a line of prose or code. */
export function mentionsIn(line: string): string[] {
  return [...line.matchAll(/@adyton\/[a-z0-9-]+(?:\/[a-z0-9-]+)*/g)].map(([specifier]) => specifier);
}
