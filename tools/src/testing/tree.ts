// SPDX-License-Identifier: Apache-2.0
// A throw-away folder for a test: files by path, gone when the test ends.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { readWorkspace, type Violation, type Workspace } from "../workspace.ts";

/** Writes the files and returns the folder. */
export function makeTree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "adyton-tools-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** A workspace of two packages, `@t/low` and `@t/high`, with files added or replaced. */
export function makeWorkspace(files: Readonly<Record<string, string>> = {}): Workspace {
  return readWorkspace(
    makeTree({
      "package.json": JSON.stringify({ name: "t", workspaces: ["packages/*", "helpers"] }),
      "packages/low/package.json": manifest("@t/low", { browser: true }),
      "packages/low/src/index.ts": "export const low = 1;\n",
      "packages/high/package.json": manifest("@t/high", { dependencies: { "@t/low": "1.0.0" } }),
      "packages/high/src/index.ts": 'import { low } from "@t/low";\nexport const high = low;\n',
      ...files,
    }),
  );
}

/** A package.json with one export, `.`, unless `more` says otherwise. */
export function manifest(
  name: string,
  more: { browser?: boolean; dependencies?: Record<string, string>; [member: string]: unknown } = {},
): string {
  const { browser = false, ...rest } = more;
  return JSON.stringify({
    name,
    version: "1.0.0",
    type: "module",
    exports: { ".": { "@adyton/source": "./src/index.ts", default: "./dist/index.js" } },
    adyton: { browser },
    ...rest,
  });
}

/** The two-floor house of `makeWorkspace`. */
export const TEST_FLOORS: readonly (readonly string[])[] = [["@t/low"], ["@t/high"]];

/** `file:line message` of each violation: what a table of expectations can match. */
export function shown(violations: readonly Violation[]): string[] {
  return violations.map(
    ({ file, line, message }) => `${file}${line === undefined ? "" : `:${line}`} ${message}`,
  );
}
