// SPDX-License-Identifier: Apache-2.0
// Programs with something wrong: a token left out, doubled, replaced, put in, or a space too many or too few.

import type { Random } from "./random.ts";

const TOKEN = /"(?:\\.|[^"\\\n])*"|`[^`]*`|#[^\n]*|\w+|[:=!<>]=|[^\s\w]|\s+/g;
const OTHERS: readonly string[] = [
  ..."if contains in every some not with as default else import package { } [ ] ( ) , ; : = := == | & + - * / % < != .".split(
    " ",
  ),
  ...[
    "\n",
    " ",
    "x",
    "_",
    "1",
    '"s"',
    "`r`",
    '$"a{x}b"',
    "true",
    "null",
    "set()",
    "input",
    "data",
    "and",
    "or",
    "# c\n",
  ],
  ...["import future.keywords.and\n", "import future.keywords\n", "import rego.v1\n"],
];

/** The text with one or two things wrong. Some of what comes out is right again. */
export function breakText(text: string, random: Random): string {
  let broken = text;
  for (let changes = 1 + random.below(2); changes > 0; changes--) {
    const tokens = broken.match(TOKEN) ?? [];
    if (tokens.length === 0) return broken;
    const at = random.below(tokens.length);
    const found = tokens[at] ?? "";
    const other = random.chance(0.3) ? random.pick(tokens) : random.pick(OTHERS);
    const instead = random.weighted<readonly string[]>([
      [2, () => []],
      [1, () => [found, found]],
      [2, () => [other]],
      [2, () => [other, random.chance(0.7) ? " " : "", found]],
      [1, () => [random.pick(["", "\n", " "])]],
    ]);
    broken = [...tokens.slice(0, at), ...instead, ...tokens.slice(at + 1)].join("");
  }
  return broken;
}
