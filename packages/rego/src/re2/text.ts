// SPDX-License-Identifier: Apache-2.0
// Texts as the matchers read them: by code point, with the conditions that hold between two of them.

import { BEGIN_LINE, BEGIN_TEXT, END_LINE, END_TEXT, NO_WORD_BOUNDARY, WORD_BOUNDARY } from "./syntax.ts";

/** Stands before the first and behind the last character. */
export const NONE = -1;
const NEWLINE = 10;

/** The code point at a place, U+FFFD for a lone surrogate, `NONE` at the end. */
export function charAt(text: string, at: number): number {
  const c = text.codePointAt(at);
  if (c === undefined) return NONE;
  return c >= 0xd800 && c < 0xe000 ? 0xfffd : c;
}

/** The code point before a place. */
export function charBefore(text: string, at: number): number {
  if (at === 0) return NONE;
  const unit = text.charCodeAt(at - 1);
  return charAt(
    text,
    unit >= 0xdc00 && unit < 0xe000 && (text.codePointAt(at - 2) ?? 0) > 0xffff ? at - 2 : at - 1,
  );
}

/** In UTF-16 units; 0 for `NONE`. */
export function widthOf(c: number): number {
  return c > 0xffff ? 2 : c < 0 ? 0 : 1;
}

/** The conditions that hold between two characters, as bits. */
export function conditionsBetween(before: number, after: number): number {
  return (
    (before < 0 ? BEGIN_TEXT | BEGIN_LINE : before === NEWLINE ? BEGIN_LINE : 0) |
    (after < 0 ? END_TEXT | END_LINE : after === NEWLINE ? END_LINE : 0) |
    (isWord(before) === isWord(after) ? NO_WORD_BOUNDARY : WORD_BOUNDARY)
  );
}

/** ASCII letters, digits, and the underscore. */
export function isWord(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 95;
}

/** Counts visited instructions against the limits of the evaluation: eight are one step. */
export class Work {
  readonly #spend: (steps: number) => void;
  #open = 0;

  constructor(spend: (steps: number) => void) {
    this.#spend = spend;
  }

  add(visited: number): void {
    this.#open += visited;
    if (this.#open >= 4096) this.settle();
  }

  settle(): void {
    this.#spend(Math.ceil(this.#open / 8));
    this.#open = 0;
  }
}
