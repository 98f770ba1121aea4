// SPDX-License-Identifier: Apache-2.0
// The error-codes gate: codes are stable API. Each stands in docs/error-codes.md under its package, is thrown and
// asserted by a test; the page lists no code that is gone, and the category it is thrown with.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Literal, Source } from "./source.ts";
import { isTest, type Package, type Violation, type Workspace } from "./workspace.ts";

const PAGE = "docs/error-codes.md";

interface Declared extends Literal {
  readonly file: string;
}

/** A row of the page. */
interface Entry extends Literal {
  readonly categories: readonly string[];
}

/** Everything the error-codes gate finds. */
export function checkErrorCodes(workspace: Workspace): Violation[] {
  const file = join(workspace.root, PAGE);
  if (!existsSync(file)) return [{ file: PAGE, message: "is missing" }];
  const documented = readPage(readFileSync(file, "utf8"));
  const sources = workspace.packages.flatMap((pack) => pack.sources);
  // Anywhere: appraisal throws codes of evidence, the broker those of both.
  const throwers = sources.filter(({ path }) => !isTest(path));
  const tests = sources.filter(({ path }) => isTest(path));
  const violations: Violation[] = [];
  for (const pack of workspace.packages.filter((candidate) => candidate.manifest.private !== true)) {
    const declared = codesOf(pack);
    const onPage = documented.get(pack.name) ?? [];
    for (const code of declared) {
      const report = (message: string): void => {
        violations.push({ file: code.file, line: code.line, message: `${code.text} ${message}` });
      };
      if (!onPage.some(({ text }) => text === code.text)) report(`is not in ${PAGE} under ${pack.name}`);
      if (!throwers.some((source) => mentions(source, code.text))) report("is never thrown");
      else if (!tests.some((source) => mentions(source, code.text))) report("is asserted by no test");
    }
    for (const entry of onPage) {
      const report = (message: string): void => {
        violations.push({ file: PAGE, line: entry.line, message: `${entry.text} ${message}` });
      };
      if (!declared.some(({ text }) => text === entry.text)) report(`is no code of ${pack.name}`);
      for (const category of categoriesOf(pack, entry.text)) {
        if (!entry.categories.includes(category))
          report(`is thrown as ${category}, which the page does not say`);
      }
    }
  }
  for (const name of documented.keys()) {
    if (workspace.packages.some((pack) => pack.name === name)) continue;
    violations.push({ file: PAGE, message: `has a section for ${name}, which is no package` });
  }
  return violations;
}

/** The code stands in the file, whole or as a template and what it is made of: `${document}_EXPIRED`, "TCB_INFO". */
function mentions({ literals, templates }: Source, code: string): boolean {
  const words = literals.map(({ text }) => text).filter((text) => /^[A-Z0-9_]+$/.test(text));
  return words.includes(code) || templates.some((parts) => makes(parts, words, code));
}

/** The fixed parts of a template with some of the words between them give the code. */
function makes([part = "", ...parts]: readonly string[], words: readonly string[], code: string): boolean {
  if (!code.startsWith(part)) return false;
  const rest = code.slice(part.length);
  if (parts.length === 0) return rest === "";
  return words.some((word) => rest.startsWith(word) && makes(parts, words, rest.slice(word.length)));
}

/** The categories that a package's code writes right behind the code; those it computes are not seen. */
function categoriesOf(pack: Package, code: string): Set<string> {
  const pattern = new RegExp(
    `"${code}",\\s*"(misuse|malformed|not-authentic|endorsements|policy|unavailable)"`,
    "g",
  );
  const texts = pack.sources.filter((source) => !isTest(source.path)).map((source) => source.text);
  return new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1] ?? "")));
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

/** Codes by package: rows of tables under the heading that names the package. */
function readPage(text: string): Map<string, Entry[]> {
  const sections = new Map<string, Entry[]>();
  let current: Entry[] | undefined;
  text.split("\n").forEach((line, i) => {
    const heading = /^## `([^`]+)`/.exec(line);
    if (heading?.[1] !== undefined) {
      current = [];
      sections.set(heading[1], current);
    } else if (line.startsWith("## ")) current = undefined;
    const row = /^\| `([A-Z0-9_]+)` \| ([a-z, -]+) \|/.exec(line);
    if (row?.[1] !== undefined) {
      current?.push({ text: row[1], line: i + 1, categories: row[2]?.split(", ") ?? [] });
    }
  });
  return sections;
}
