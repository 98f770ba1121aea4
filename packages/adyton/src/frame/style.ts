// SPDX-License-Identifier: Apache-2.0
// Colour and layout. Colour only underlines what words already say, and only on a terminal that wants it.

import type { Io, Output } from "../io.ts";

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  caution(text: string): string;
}

const plain = (text: string): string => text;
const PLAIN: Style = { bold: plain, dim: plain, good: plain, bad: plain, caution: plain };
const COLOURED: Style = {
  bold: (text) => `\u001b[1m${text}\u001b[22m`,
  dim: (text) => `\u001b[2m${text}\u001b[22m`,
  good: (text) => `\u001b[1;32m${text}\u001b[22;39m`,
  bad: (text) => `\u001b[1;31m${text}\u001b[22;39m`,
  caution: (text) => `\u001b[33m${text}\u001b[39m`,
};

/** Plain unless `output` is a terminal, NO_COLOR is unset or empty (no-color.org) and the terminal is not dumb. */
export function styleOf(output: Output, env: Io["env"]): Style {
  const refused = (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb";
  return output.isTTY && !refused ? COLOURED : PLAIN;
}

/** Breaks `text` at spaces into lines of at most `width`, each after `indent` spaces. Longer words stay whole. */
export function wrap(text: string, width: number, indent = 0): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((each) => " ".repeat(indent) + each).join("\n");
}

/** Two columns: terms, and their meaning wrapped beside them. */
export function definitions(
  rows: readonly (readonly [term: string, meaning: string])[],
  width: number,
): string {
  const longest = Math.min(26, Math.max(...rows.map(([term]) => term.length)));
  const left = 2 + longest + 2;
  return rows
    .map(([term, meaning]) => {
      const body = wrap(meaning, width, left);
      const head = `  ${term}`;
      return head.length + 2 > left ? `${head}\n${body}` : head + body.slice(head.length);
    })
    .join("\n");
}

/** Columns padded to their widest cell, two spaces between, two before. The last column is never padded. */
export function table(rows: readonly (readonly string[])[], indent = 2): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)));
      return `${" ".repeat(indent)}${cells.join("  ")}`.trimEnd();
    })
    .join("\n");
}

/** Text from outside (certificate names, other people's messages) with control and format characters made visible. */
export function printable(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
}
