// SPDX-License-Identifier: Apache-2.0
// The floors gate: arrows point down, browser-safe packages stay so, nobody reaches into another's rooms.

import { posix } from "node:path";
import { cyclesIn } from "./cycles.ts";
import type { ImportOf, Source } from "./source.ts";
import {
  isTest,
  type Package,
  splitSpecifier,
  targetsOf,
  type Violation,
  type Workspace,
} from "./workspace.ts";

/**
 * The house, from the ground up. A package imports only from floors below its own. A new package is a name here.
 * The attester stands half a storey above the simulator, because the software TEE signs with the simulator's vendor.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["@adyton/core"],
  ["@adyton/evidence", "@adyton/rego"],
  ["@adyton/endorsements", "@adyton/appraisal", "@adyton/simulator"],
  ["@adyton/attester"],
  ["@adyton/client"],
  ["@adyton/broker"],
  ["adyton"],
];

/** Everything the floors gate finds. */
export function checkFloors(
  workspace: Workspace,
  floors: readonly (readonly string[])[] = FLOORS,
): Violation[] {
  return [
    ...workspace.packages.flatMap((pack) => [
      ...(pack.manifest.private === true ? [] : checkPlace(pack, floors)),
      ...pack.sources.flatMap((source) =>
        source.imports.flatMap((found) => checkImport(workspace, pack, source, found, floors)),
      ),
      ...(pack.manifest.adyton?.browser === true ? checkBrowserSafe(pack) : []),
      ...checkUnusedDependencies(pack),
    ]),
    ...cyclesIn(workspace),
  ];
}

function checkPlace(pack: Package, floors: readonly (readonly string[])[]): Violation[] {
  if (floors.some((floor) => floor.includes(pack.name))) return [];
  return [
    {
      file: `${pack.folder}/package.json`,
      message: `${pack.name} has no floor: add it to tools/src/floors.ts`,
    },
  ];
}

function checkImport(
  workspace: Workspace,
  pack: Package,
  source: Source,
  found: ImportOf,
  floors: readonly (readonly string[])[],
): Violation[] {
  const wrong = (message: string): Violation[] => [{ file: source.path, line: found.line, message }];
  const { specifier } = found;
  if (specifier.startsWith("node:") || specifier.startsWith("#")) return [];
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(source.path), specifier);
    return target.startsWith(`${pack.folder}/`)
      ? []
      : wrong(`${specifier} leaves ${pack.name}: import another package by its name`);
  }
  const [name, subpath] = splitSpecifier(specifier);
  if (pack.manifest.optionalDependencies?.[name] !== undefined) {
    // What may be missing must not keep the package from loading. Tests run where everything is installed.
    return found.lazy || found.typeOnly || isTest(source.path)
      ? []
      : wrong(`${name} is an optional dependency: import it when it is needed, with import()`);
  }
  if (!isDeclared(workspace, pack, source, name)) return wrong(`${name} is not a dependency of ${pack.name}`);
  const target = workspace.packages.find((candidate) => candidate.name === name);
  if (target === undefined || target === pack) return [];
  if (target.manifest.exports?.[subpath] === undefined)
    return wrong(`${specifier} is not exported by ${name}`);
  // Tests may stand on any floor: evidence is tested with the simulator above it.
  if (isTest(source.path) || pack.manifest.private === true) return [];
  if (target.manifest.private === true) return wrong(`${name} is private to tests and tools`);
  const levelOf = (which: string): number => floors.findIndex((floor) => floor.includes(which));
  if (levelOf(name) >= levelOf(pack.name)) {
    return wrong(
      `${pack.name} (floor ${levelOf(pack.name)}) may not import ${name} (floor ${levelOf(name)})`,
    );
  }
  if (pack.manifest.adyton?.browser === true && target.manifest.adyton?.browser !== true) {
    return wrong(`${pack.name} is browser-safe and ${name} is not`);
  }
  return [];
}

function isDeclared(workspace: Workspace, pack: Package, source: Source, name: string): boolean {
  const { manifest } = pack;
  if (name === pack.name || manifest.dependencies?.[name] !== undefined) return true;
  if (manifest.peerDependencies?.[name] !== undefined) return true;
  if (!isTest(source.path) && manifest.private !== true) return false;
  return (
    manifest.devDependencies?.[name] !== undefined || workspace.manifest.devDependencies?.[name] !== undefined
  );
}

function checkUnusedDependencies(pack: Package): Violation[] {
  const used = new Set(
    pack.sources.flatMap((source) => source.imports.map((found) => splitSpecifier(found.specifier)[0])),
  );
  const { dependencies, optionalDependencies } = pack.manifest;
  return Object.keys({ ...dependencies, ...optionalDependencies })
    .filter((name) => !used.has(name))
    .map((name) => ({
      file: `${pack.folder}/package.json`,
      message: `${name} is a dependency that nothing imports`,
    }));
}

/** No `node:` module and no Node global, save in files that only the `node` condition of `imports` leads to. */
function checkBrowserSafe(pack: Package): Violation[] {
  const nodeOnly = new Set(
    Object.values(pack.manifest.imports ?? {}).flatMap((target) =>
      targetsOf(target)
        .filter((found) => found.conditions.includes("node"))
        .map((found) => posix.join(pack.folder, found.path)),
    ),
  );
  const violations: Violation[] = [];
  for (const source of pack.sources) {
    if (nodeOnly.has(source.path) || source.path.endsWith(".node.test.ts")) continue;
    const report = (line: number, message: string): void => {
      violations.push({ file: source.path, line, message: `${message} in browser-safe ${pack.name}` });
    };
    for (const found of source.imports) {
      if (found.specifier.startsWith("node:")) report(found.line, `${found.specifier} is imported`);
      const target = posix.join(posix.dirname(source.path), found.specifier);
      if (!found.typeOnly && nodeOnly.has(target))
        report(found.line, `${found.specifier} is for Node alone; imported`);
    }
    for (const found of source.nodeGlobals) report(found.line, `${found.text} is used`);
  }
  return violations;
}
