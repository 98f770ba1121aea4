// SPDX-License-Identifier: Apache-2.0
// The error-codes gate: codes are stable API. Each stands in docs/error-codes.md under its package, is thrown and
// asserted by a test; and the page lists no code that is gone.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Literal } from "./source.ts";
import { isTest, type Package, type Violation, type Workspace } from "./workspace.ts";

const PAGE = "docs/error-codes.md";

interface Declared extends Literal {
  readonly file: string;
}

/** Everything the error-codes gate finds. */
export function checkErrorCodes(workspace: Workspace): Violation[] {
  const file = join(workspace.root, PAGE);
  if (!existsSync(file)) return [{ file: PAGE, message: "is missing" }];
  const documented = readPage(readFileSync(file, "utf8"));
  const literals = (inTests: boolean): Set<string> =>
    new Set(
      workspace.packages
        .flatMap((pack) => pack.sources.filter((source) => isTest(source.path) === inTests))
        .flatMap((source) => source.literals.map(({ text }) => text)),
    );
  const asserted = literals(true);
  // Anywhere: appraisal throws codes of evidence, the broker those of both.
  const thrown = literals(false);
  const violations: Violation[] = [];
  for (const pack of workspace.packages.filter((candidate) => candidate.manifest.private !== true)) {
    const declared = codesOf(pack);
    const onPage = documented.get(pack.name) ?? [];
    for (const code of declared) {
      const report = (message: string): void => {
        violations.push({ file: code.file, line: code.line, message: `${code.text} ${message}` });
      };
      if (!onPage.some(({ text }) => text === code.text)) report(`is not in ${PAGE} under ${pack.name}`);
      if (!thrown.has(code.text)) report("is never thrown");
      else if (!asserted.has(code.text)) report("is asserted by no test");
    }
    for (const entry of onPage) {
      if (declared.some(({ text }) => text === entry.text)) continue;
      violations.push({ file: PAGE, line: entry.line, message: `${entry.text} is no code of ${pack.name}` });
    }
  }
  for (const name of documented.keys()) {
    if (workspace.packages.some((pack) => pack.name === name)) continue;
    violations.push({ file: PAGE, message: `has a section for ${name}, which is no package` });
  }
  return violations;
}

/** The members of every exported union called `…ErrorCode`. */
function codesOf(pack: Package): Declared[] {
  return pack.sources
    .filter((source) => !isTest(source.path))
    .flatMap((source) =>
      [...source.unions]
        .filter(([name]) => name.endsWith("ErrorCode"))
        .flatMap(([, members]) => members.map((member) => ({ ...member, file: source.path }))),
    );
}

/** Codes by package: first cells of tables under the heading that names the package. */
function readPage(text: string): Map<string, Literal[]> {
  const sections = new Map<string, Literal[]>();
  let current: Literal[] | undefined;
  text.split("\n").forEach((line, i) => {
    const heading = /^## `([^`]+)`/.exec(line);
    if (heading?.[1] !== undefined) {
      current = [];
      sections.set(heading[1], current);
    } else if (line.startsWith("## ")) current = undefined;
    const row = /^\| `([A-Z0-9_]+)` \|/.exec(line);
    if (row?.[1] !== undefined) current?.push({ text: row[1], line: i + 1 });
  });
  return sections;
}
