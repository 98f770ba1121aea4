// SPDX-License-Identifier: Apache-2.0
// Findings as a person reads them: place, message, the line with a caret below, and what to try.

import type { Location } from "./ast.ts";
import type { Diagnostic } from "./errors.ts";

export interface RenderOptions {
  /** Colour with the escape sequences of terminals. */
  readonly color?: boolean;
}

/** Longer lines are cut around what is pointed at. */
const MAX_WIDTH = 120;

/** One block of lines for each finding. `sources` holds the text of each file; a finding elsewhere has no line. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: Readonly<Record<string, string>>,
  options: RenderOptions = {},
): string {
  const paint = (code: number, text: string): string =>
    options.color ? `\u001b[${code}m${text}\u001b[0m` : text;
  const blocks = diagnostics.map(({ code, message, location, hint }) => {
    const place = location === undefined ? "" : `${location.file}:${location.row}:${location.column}: `;
    const lines = [`${paint(1, place)}${paint(31, "error")} ${message} [${code}]`];
    const source =
      location !== undefined && Object.hasOwn(sources, location.file) ? sources[location.file] : undefined;
    if (location !== undefined && source !== undefined) {
      const [text, caret] = excerpt(source, location);
      const gutter = String(location.row);
      lines.push(
        `${paint(34, ` ${gutter} |`)} ${text}`,
        `${paint(34, ` ${" ".repeat(gutter.length)} |`)} ${paint(31, caret)}`,
      );
    }
    if (hint !== undefined) lines.push(`${paint(36, "hint:")} ${hint}`);
    return lines.join("\n");
  });
  return blocks.length === 0 ? "" : `${blocks.join("\n\n")}\n`;
}

/** The line, and carets under the whole span as far as it goes on that line. Tabs are shown as spaces. */
function excerpt(source: string, { offset, end, column }: Location): [text: string, caret: string] {
  const from = offset - column + 1;
  const newline = source.indexOf("\n", from);
  const line = source.slice(from, newline < 0 ? source.length : newline).replace(/\r$/, "");
  const cut = line.length > MAX_WIDTH ? Math.max(0, column - 1 - MAX_WIDTH / 2) : 0;
  const [before, span, after] = [
    line.slice(cut, column - 1),
    line.slice(column - 1, Math.min(end - from, cut + MAX_WIDTH)),
    line.slice(Math.max(column - 1, end - from), cut + MAX_WIDTH),
  ].map(shown);
  const text = `${cut > 0 ? "…" : ""}${before}${span}${after}${line.length > cut + MAX_WIDTH ? "…" : ""}`;
  return [
    text,
    " ".repeat(width(before ?? "") + (cut > 0 ? 1 : 0)) + "^".repeat(Math.max(1, width(span ?? ""))),
  ];
}

/** Without what moves or hides things in a terminal. */
function shown(text: string): string {
  return text.replaceAll("\t", "    ").replace(/\p{C}/gu, "\ufffd");
}

/** Columns in a terminal: code points, two for those that are wide there. */
function width(text: string): number {
  let columns = 0;
  for (const char of text)
    columns += /\p{M}/u.test(char)
      ? 0
      : /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
            char,
          )
        ? 2
        : 1;
  return columns;
}
