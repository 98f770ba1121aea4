// SPDX-License-Identifier: Apache-2.0
// The hygiene gate over every tracked file: licence lines, file sizes, nothing of one machine, nothing unfinished.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Violation } from "./workspace.ts";

const SPDX = "// SPDX-License-Identifier: Apache-2.0";
/** Code beyond this length wants to be two files. */
const MAX_LINES = 400;

/** Patterns are written so that they do not match themselves. */
const FORBIDDEN: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/(?<![\w.~-])\/(?:work|home|root|Users)\/[\w.-]+/, "a path of one machine"],
  [/\b[A-Z]:\\Users\\/, "a path of one machine"],
  [/\b(?:TO[D]O|FIX[M]E|X[X]X)\b/, "unfinished work"],
  [/^(?:<{7}|>{7}) /, "a merge conflict"],
  [/@ts-(?:ig[n]ore|no[c]heck)/, "a silenced compiler"],
  [/biome-ig[n]ore/, "a silenced linter"],
  [/\bas unk[n]own as\b/, "a cast that no type stands behind"],
];

/** Everything the hygiene gate finds among `paths`; by default the files that git tracks. */
export function checkHygiene(root: string, paths: readonly string[] = trackedFiles(root)): Violation[] {
  return paths.flatMap((path) => {
    if (!existsSync(join(root, path))) return [];
    if (path === "package-lock.json") return checkLock(root, path);
    if (!/\.(?:ts|mjs|json|md|yml|sh)$|^\.ci\/|^\.npmrc$/.test(path)) return [];
    const lines = readFileSync(join(root, path), "utf8").split("\n");
    return [...checkCode(path, lines), ...lines.flatMap((line, i) => checkLine(path, line, i + 1))];
  });
}

function checkCode(file: string, lines: readonly string[]): Violation[] {
  if (!/\.(?:ts|mjs)$/.test(file)) return [];
  const first = lines[0]?.startsWith("#!") === true ? lines[1] : lines[0];
  return [
    ...(first === SPDX ? [] : [{ file, line: 1, message: `does not start with "${SPDX}"` }]),
    ...(lines.length <= MAX_LINES || file.endsWith(".test.ts")
      ? []
      : [{ file, message: `has ${lines.length} lines; split it at ${MAX_LINES}` }]),
  ];
}

function checkLine(file: string, text: string, line: number): Violation[] {
  return FORBIDDEN.filter(([pattern]) => pattern.test(text)).map(([, why]) => ({
    file,
    line,
    message: `${why}: ${text.trim().slice(0, 80)}`,
  }));
}

/** Every package comes from whatever registry npm is set to use, so no address stands here, and every one has its hash. */
function checkLock(root: string, file: string): Violation[] {
  const { packages } = JSON.parse(readFileSync(join(root, file), "utf8")) as {
    packages: Record<string, { resolved?: string; integrity?: string; link?: boolean }>;
  };
  return Object.entries(packages).flatMap(([path, entry]) => {
    if (!path.includes("node_modules/") || entry.link === true) return [];
    const found: Violation[] = [];
    if (entry.resolved !== undefined) {
      found.push({ file, message: `${path} comes from ${entry.resolved}` });
    }
    if (entry.integrity === undefined) found.push({ file, message: `${path} has no integrity` });
    return found;
  });
}

function trackedFiles(root: string): string[] {
  return execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
}
