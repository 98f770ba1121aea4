// SPDX-License-Identifier: Apache-2.0
// The unused gate: every file is reached from an entry of its package or from a test, every exported name has a reader.
// A type needs none where its own file uses it: it stands in a signature.

import type { Source } from "./source.ts";
import { entriesOf, isTest, resolveImport, type Violation, type Workspace } from "./workspace.ts";

/** Everything the unused gate finds. Packages without entries (programs, helpers) have every root file as one. */
export function checkUnused(workspace: Workspace): Violation[] {
  const sources = new Map<string, Source>();
  const entries = new Set<string>();
  /** Names read from a file; `"*"` when any may be. */
  const read = new Map<string, Set<string>>();
  const targets = new Map<string, readonly string[]>();
  for (const pack of workspace.packages) {
    for (const entry of entriesOf(pack)) entries.add(entry);
    for (const source of pack.sources) {
      sources.set(source.path, source);
      if (isTest(source.path) || isProgram(source)) entries.add(source.path);
      const reached: string[] = [];
      for (const found of source.imports) {
        for (const target of resolveImport(workspace, pack, source, found.specifier)) {
          reached.push(target);
          const names = read.get(target) ?? new Set<string>();
          for (const name of found.names === "*" ? ["*"] : found.names) names.add(name);
          read.set(target, names);
        }
      }
      targets.set(source.path, reached);
    }
  }
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const target of targets.get(path) ?? []) visit(target);
  };
  for (const entry of entries) visit(entry);

  const violations: Violation[] = [];
  for (const [path, source] of sources) {
    if (!reached.has(path)) violations.push({ file: path, message: "is imported by nothing" });
    else if (!entries.has(path) && !GENERATED.test(path))
      violations.push(...unusedNames(source, read.get(path) ?? new Set()));
  }
  return violations;
}

function unusedNames(source: Source, read: ReadonlySet<string>): Violation[] {
  if (read.has("*")) return [];
  return source.exports
    .filter((found) => !read.has(found.name) && !found.ownType)
    .map((found) => ({
      file: source.path,
      line: found.line,
      message: `${found.name} is exported and never imported`,
    }));
}

/** What protoc makes exports everything that its .proto names. */
const GENERATED = /_pb\.ts$/;

/** A private package's main module, a thread's or a process's, a fuzz target, what vitest runs before tests. */
const PROGRAM =
  /^(tools|bench|fuzz)\/src\/(main|index|worker|broker-server|broker-load|targets\/[a-z-]+)\.ts$|\.setup\.ts$/;

/** A file that is run, or loaded by its name, not imported. */
function isProgram(source: Source): boolean {
  return source.path.endsWith(".mjs") || PROGRAM.test(source.path);
}
