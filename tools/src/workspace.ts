// SPDX-License-Identifier: Apache-2.0
// The repository as the gates see it: its packages, their manifests and sources, and where an import leads.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { readSource, type Source } from "./source.ts";

/** What a gate found wrong. */
export interface Violation {
  /** Relative to the workspace root. */
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}

/** A target of `exports` or `imports`: a path, or targets by condition. */
export type Target = string | { readonly [condition: string]: Target };

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, Target>>;
  readonly imports?: Readonly<Record<string, Target>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  /** May be missing where the package runs. */
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
  readonly adyton?: { readonly browser?: boolean };
}

export interface Package {
  readonly name: string;
  /** Relative to the workspace root, with forward slashes. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly sources: readonly Source[];
}

export interface Workspace {
  readonly root: string;
  readonly manifest: Manifest;
  readonly packages: readonly Package[];
}

/** The condition under which every export names its TypeScript source. */
const SOURCE = "@adyton/source";
const SKIPPED = new Set(["node_modules", "dist", "coverage"]);

/** Reads the workspace below `root`. */
export function readWorkspace(root: string): Workspace {
  const manifest = readJson<Manifest>(join(root, "package.json"));
  const folders = (manifest.workspaces ?? []).flatMap((pattern) => {
    if (!pattern.endsWith("/*")) return [pattern];
    const parent = pattern.slice(0, -2);
    return existsSync(join(root, parent))
      ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`)
      : [];
  });
  const packages = folders
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder): Package => {
      const own = readJson<Manifest>(join(root, folder, "package.json"));
      const sources = filesBelow(root, folder, /\.(ts|mjs)$/).map((path) =>
        readSource(path, readFileSync(join(root, path), "utf8")),
      );
      return { name: own.name, folder, manifest: own, sources };
    });
  return { root, manifest, packages };
}

/** Files below a folder whose name matches, sorted, as paths relative to `root`; nothing built, installed or hidden. */
export function filesBelow(root: string, folder: string, name: RegExp): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      const child = posix.join(path, entry.name);
      if (entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith(".")) visit(child);
      else if (entry.isFile() && name.test(entry.name)) found.push(child);
    }
  };
  visit(folder.split(sep).join("/"));
  return found.sort();
}

/** Reads a JSON file whose shape is ours. */
export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

/** A file that only tests load. */
export function isTest(path: string): boolean {
  return /\.test\.ts$/.test(path) || /\/(testing|tests?)\//.test(`/${path}`);
}

/** `@scope/name/sub/path` as `["@scope/name", "./sub/path"]`; the root is `"."`. */
export function splitSpecifier(specifier: string): readonly [name: string, subpath: string] {
  const parts = specifier.split("/");
  const head = parts.splice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  return [head, parts.length === 0 ? "." : `./${parts.join("/")}`];
}

/** Every path that a target may lead to, with the conditions on the way. */
export function targetsOf(
  target: Target,
  conditions: readonly string[] = [],
): readonly { readonly path: string; readonly conditions: readonly string[] }[] {
  if (typeof target === "string") return [{ path: target, conditions }];
  return Object.entries(target).flatMap(([condition, inner]) => targetsOf(inner, [...conditions, condition]));
}

/** Source files of a package that the world may load: targets of its exports and its programs. */
export function entriesOf(pack: Package): string[] {
  const exported = Object.values(pack.manifest.exports ?? {}).flatMap((target) =>
    targetsOf(target)
      .filter((found) => found.conditions.includes(SOURCE))
      .map((found) => found.path),
  );
  const programs = Object.values(pack.manifest.bin ?? {}).map(sourceOfProgram);
  return [...exported, ...programs].map((path) => posix.join(pack.folder, path));
}

/** `./dist/x.js` as `./src/x.ts`; a launcher in `bin/`, which npm can link before the build, starts `./src/bin.ts`. */
function sourceOfProgram(path: string): string {
  return /^(\.\/)?bin\//.test(path)
    ? "./src/bin.ts"
    : path.replace(/^(\.\/)?dist\//, "./src/").replace(/\.js$/, ".ts");
}

/** Source files that an import may lead to; none for packages from outside. */
export function resolveImport(
  workspace: Workspace,
  from: Package,
  source: Source,
  specifier: string,
): string[] {
  if (specifier.startsWith(".")) return [posix.join(posix.dirname(source.path), specifier)];
  if (specifier.startsWith("#")) {
    return targetsOf(from.manifest.imports?.[specifier] ?? {})
      .filter((found) => found.conditions.includes(SOURCE))
      .map((found) => posix.join(from.folder, found.path));
  }
  const [name, subpath] = splitSpecifier(specifier);
  const target = workspace.packages.find((pack) => pack.name === name);
  return targetsOf(target?.manifest.exports?.[subpath] ?? {})
    .filter((found) => found.conditions.includes(SOURCE))
    .map((found) => posix.join(target?.folder ?? "", found.path));
}
