// SPDX-License-Identifier: Apache-2.0
// The features gate: every row of docs/features.md that says what we do names tests, [title](file), that are there.

import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import type { Violation } from "./workspace.ts";

const PAGE = "docs/features.md";
const TEST_COLUMN = "tests";
const LINK = /\[([^\]]+)\]\(([^)\s]+)\)/g;

/** Everything the features gate finds. Tables whose last column is called otherwise are not looked at. */
export function checkFeatures(root: string): Violation[] {
  const page = join(root, PAGE);
  if (!existsSync(page)) return [{ file: PAGE, message: "is missing" }];
  const violations: Violation[] = [];
  let columns: readonly string[] = [];
  let rows = 0;
  readFileSync(page, "utf8")
    .split("\n")
    .forEach((text, i) => {
      const report = (message: string): void => void violations.push({ file: PAGE, line: i + 1, message });
      const cells = cellsOf(text);
      if (cells.length === 0) columns = [];
      else if (columns.length === 0) columns = cells;
      else if (columns.at(-1) === TEST_COLUMN && !cells.every((cell) => /^:?-+:?$/.test(cell))) {
        rows += 1;
        if (cells.length !== columns.length) report(`has ${cells.length} cells, expected ${columns.length}`);
        const links = [...(cells.at(-1) ?? "").matchAll(LINK)];
        if (links.length === 0) report(`${cells[0]}: names no test`);
        for (const [, title = "", target = ""] of links) {
          const message = faultOf(root, title, target);
          if (message !== undefined) report(`${cells[0]}: ${message}`);
        }
      }
    });
  if (rows === 0) violations.push({ file: PAGE, message: "has no row with a test" });
  return violations;
}

function cellsOf(line: string): readonly string[] {
  return line.startsWith("|")
    ? line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim())
    : [];
}

/** What is wrong with a link to a test, if anything: its title stands in the file as a whole text. */
function faultOf(root: string, title: string, target: string): string | undefined {
  const file = posix.join(posix.dirname(PAGE), target);
  if (!/\.test\.ts$/.test(file)) return `${file} is no test`;
  if (!existsSync(join(root, file))) return `${file} is not there`;
  const source = readFileSync(join(root, file), "utf8");
  return ['"', "`"].some((quote) => source.includes(`${quote}${title}${quote}`))
    ? undefined
    : `${file} has no test called "${title}"`;
}
