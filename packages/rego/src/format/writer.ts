// SPDX-License-Identifier: Apache-2.0
// What the formatter writes to: lines with their indentation, and the comments of the source, each put where the code
// around it goes.

import type { Comment, Location } from "../ast.ts";

/** Thrown where a comment stands in the middle of what has to be one line. */
class Unlayable {
  readonly comment: Comment;

  constructor(comment: Comment) {
    this.comment = comment;
  }
}

export class Writer {
  readonly source: string;
  readonly #comments: readonly Comment[];
  readonly #lines: readonly number[];
  #text = "";
  #level = 0;
  /** Line ends that come before what is written next: 2 leave a blank line. */
  #ends = 0;
  /** The first comment that is not written. */
  #next = 0;
  /** A comment that waits for the end of the line. */
  #held: Comment | undefined;
  /** The row of the source of what was written last. */
  #row = 0;

  constructor(source: string, comments: readonly Comment[]) {
    this.source = source;
    this.#comments = comments;
    const lines = [0];
    for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) lines.push(at + 1);
    this.#lines = lines;
  }

  /** The row of an offset, from 0. */
  rowOf(offset: number): number {
    let low = 0;
    let high = this.#lines.length;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if ((this.#lines[middle] as number) <= offset) low = middle;
      else high = middle;
    }
    return low;
  }

  /** The row on which a stretch of the source ends. */
  endRow({ offset, end }: Location): number {
    return this.rowOf(Math.max(offset, end - 1));
  }

  sourceOf({ offset, end }: Location): string {
    return this.source.slice(offset, end);
  }

  /** Where the next thing stands that is neither space nor comment. */
  nextThing(from: number): number {
    let at = from;
    for (; at < this.source.length; at++) {
      const char = this.source[at] ?? "";
      if (char === "#") at = Math.max(at, this.source.indexOf("\n", at));
      else if (!/\s/.test(char)) break;
    }
    return at;
  }

  hasComments(from: number, to: number): boolean {
    for (let i = this.#next; i < this.#comments.length; i++) {
      const { offset } = (this.#comments[i] as Comment).location;
      if (offset >= to) return false;
      if (offset >= from) return true;
    }
    return false;
  }

  write(text: string): void {
    if (text === "") return;
    if (this.#text === "") this.#text = "\t".repeat(this.#level);
    else if (this.#ends > 0) {
      this.#endWithHeld();
      this.#text += "\n".repeat(this.#ends) + "\t".repeat(this.#level);
    }
    this.#ends = 0;
    this.#text += text;
  }

  endLine(): void {
    this.#ends = Math.max(this.#ends, 1);
  }

  blankLine(): void {
    this.#ends = 2;
  }

  /** Indents lines that begin from now on by this much more. */
  indent(levels: number): void {
    this.#level += levels;
  }

  /**
   * Comes to a place of the source: writes the comments before it. In the middle of a line one waits for its end; throws
   * `Unlayable` for more.
   */
  comeTo(offset: number): void {
    let last: Comment | undefined;
    for (; this.#next < this.#comments.length; this.#next++) {
      const comment = this.#comments[this.#next] as Comment;
      const row = comment.location.row - 1;
      if (comment.location.offset >= offset) break;
      const first = this.#text === "";
      if (this.#ends === 0 && !first) {
        if (this.#held !== undefined) throw new Unlayable(comment);
        this.#held = comment;
        continue;
      }
      // One on the row of what was written last ends that line.
      if (last === undefined && this.#held === undefined && row === this.#row && !first) {
        this.#held = comment;
        this.#endWithHeld();
        continue;
      }
      if (last !== undefined && this.#apart(last, comment)) this.blankLine();
      this.write(shown(comment));
      this.endLine();
      last = comment;
      this.#row = row;
    }
    if (last !== undefined && offset < this.source.length && this.rowOf(offset) > last.location.row)
      this.blankLine();
    this.#row = this.rowOf(offset);
  }

  #endWithHeld(): void {
    if (this.#held !== undefined) this.#text += ` ${shown(this.#held)}`;
    this.#held = undefined;
  }

  /** Has written what ends there. */
  passed(location: Location): void {
    this.#row = this.endRow(location);
  }

  /** Writes a stretch of the source as it is, comments included. */
  verbatim(location: Location): void {
    this.comeTo(location.offset);
    this.write(this.sourceOf(location));
    while ((this.#comments[this.#next]?.location.offset ?? Number.POSITIVE_INFINITY) < location.end)
      this.#next++;
    this.passed(location);
  }

  /** Writes; where that cannot be done, writes the stretch of the source instead. */
  orVerbatim(location: Location, write: () => void): void {
    const state = [this.#text, this.#level, this.#ends, this.#next, this.#row, this.#held] as const;
    try {
      write();
    } catch (reason) {
      if (!(reason instanceof Unlayable) || reason.comment.location.offset < location.offset) throw reason;
      [this.#text, this.#level, this.#ends, this.#next, this.#row, this.#held] = state;
      this.verbatim(location);
    }
  }

  /** The comment on the row where something ends, which is then written, as it follows on a line; or undefined. */
  takeTrailing(location: Location): string | undefined {
    const comment = this.#comments[this.#next];
    if (comment === undefined || comment.location.row - 1 !== this.endRow(location)) return undefined;
    this.#next++;
    return ` ${shown(comment)}`;
  }

  /** All that was written, with the comments that are left. */
  finish(): string {
    this.endLine();
    this.comeTo(this.source.length + 1);
    this.#endWithHeld();
    return this.#text === "" ? "" : `${this.#text}\n`;
  }

  /** Whether a blank line stands between two comments, or belongs there: before a METADATA block that follows another. */
  #apart(before: Comment, { text, location: { row, column } }: Comment): boolean {
    if (row > before.location.row + 1) return true;
    return column === 1 && text.trim().startsWith("METADATA") && this.#inMetadata(before);
  }

  #inMetadata(comment: Comment): boolean {
    let index = this.#comments.indexOf(comment);
    for (let below = comment; index >= 0; index--) {
      const above = this.#comments[index] as Comment;
      if (above.location.column !== 1 || below.location.row - above.location.row > 1) return false;
      if (above.text.trim().startsWith("METADATA")) return true;
      below = above;
    }
    return false;
  }
}

function shown({ text }: Comment): string {
  return `#${text.trimEnd()}`;
}
