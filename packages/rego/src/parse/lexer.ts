// SPDX-License-Identifier: Apache-2.0
// Text to tokens. Words are never keywords here: which ones are depends on imports, and the cursor knows those.

import type { Comment, Location } from "../ast.ts";
import type { Diagnostic } from "../errors.ts";

/**
 * A sign is its own kind (`:=`, `[`). `template` is the first piece of a template string, `template-more` each further
 * one, after an expression; a piece before an expression ends with its brace. `illegal` has been reported.
 */
export interface Token {
  readonly kind: string;
  /** As written, quotes included. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** White space or a comment stands before it. */
  readonly space: boolean;
  /** A line ends between the token before and this one. */
  readonly newline: boolean;
}

export interface Lexed {
  /** The last one is `eof`; none at all when a character forbids reading on. */
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
  readonly diagnostics: readonly Diagnostic[];
  locate(start: number, end: number): Location;
}

const BYTE_ORDER_MARK = 0xfeff;
const TOKEN =
  /([ \t\r\n]+)|(#[^\n]*)|([A-Za-z_](?:\w|\p{Nd})*)|(\d+(?:\.\d*)?(?:[eE][+-]?\d*)?(?:[A-Za-z_](?:\w|\p{Nd})*)?)|([:=><!]=|[[\]{}(),:+\-*/%&|=><;.])/uy;
const GOOD_NUMBER = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Reads a whole text. What cannot be read is reported and stands as `illegal`. */
export function lex(text: string, file: string): Lexed {
  const tokens: Token[] = [];
  const comments: Comment[] = [];
  const diagnostics: Diagnostic[] = [];
  const locate = locator(text, file);
  /** Templates that are open, each with the number of braces open in its expression. */
  const templates: { raw: boolean; braces: number }[] = [];
  let at = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
  let space = false;
  let newline = false;

  const push = (kind: string, end: number): void => {
    tokens.push({ kind, text: text.slice(at, end), start: at, end, space, newline });
    at = end;
    space = newline = false;
  };
  const illegal = (end: number, message: string, hint?: string): void => {
    const location = locate(at, end);
    diagnostics.push({ code: "REGO_PARSE", message, location, ...(hint === undefined ? {} : { hint }) });
    push("illegal", end);
  };
  const string = (kind: string, from: number, raw: boolean): void => {
    const template = kind !== "string";
    const end = stringEnd(text, from, raw, template);
    if (end === undefined) {
      const hint = raw
        ? "it ends with a back quote"
        : 'it ends with " on the same line; between back quotes it may be longer';
      illegal(raw ? at + 1 : lineEnd(text, at), "string is not closed", hint);
      // What follows an open raw string is all part of it.
      if (raw) at = text.length;
    } else if (template && text[end - 1] === "{") {
      templates.push({ raw, braces: 0 });
      push(kind, end);
    } else push(kind, end);
  };

  const forbidden = forbiddenAt(text, at);
  if (forbidden >= 0) {
    const location = locate(forbidden, forbidden + 1);
    return { tokens, comments, diagnostics: [illegalCharacter(text, forbidden, location)], locate };
  }
  while (at < text.length) {
    const char = text[at];
    const next = text[at + 1];
    const template = templates.at(-1);
    if (char === "}" && template?.braces === 0) {
      templates.pop();
      string("template-more", at + 1, template.raw);
      continue;
    }
    TOKEN.lastIndex = at;
    const [, blank, comment, word, number, sign] = TOKEN.exec(text) ?? [];
    if (blank !== undefined) {
      at += blank.length;
      space = true;
      newline ||= blank.includes("\n");
    } else if (comment !== undefined) {
      const end = at + comment.length;
      comments.push({ text: comment.slice(1).replace(/\r+$/, ""), location: locate(at, end) });
      at = end;
      space = true;
    } else if (word !== undefined) push("word", at + word.length);
    else if (number !== undefined) {
      const end = at + number.length;
      if (GOOD_NUMBER.test(number)) push("number", end);
      else illegal(end, `\`${number.slice(0, 40)}\` is no number`);
    } else if (char === '"' || char === "`") string("string", at + 1, char === "`");
    else if (char === "$" && (next === '"' || next === "`")) string("template", at + 2, next === "`");
    else if (sign !== undefined) {
      if (template !== undefined) template.braces += sign === "{" ? 1 : sign === "}" ? -1 : 0;
      push(sign, at + sign.length);
    } else {
      const end = at + String.fromCodePoint(text.codePointAt(at) as number).length;
      diagnostics.push(illegalCharacter(text, at, locate(at, end)));
      push("illegal", end);
    }
  }
  push("eof", at);
  return { tokens, comments, diagnostics, locate };
}

/**
 * Where the string ends whose content begins at `from`: after its closing quote or, in a template, after the brace that
 * opens an expression. Undefined when neither comes.
 */
function stringEnd(text: string, from: number, raw: boolean, template: boolean): number | undefined {
  const quote = raw ? "`" : '"';
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === quote || (char === "{" && template)) return at + 1;
    if (char === "\n" && !raw) return undefined;
    if (char === "\\" && (raw ? template && text[at + 1] === "{" : text[at + 1] !== "\n")) at++;
  }
  return undefined;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

/** Where a character stands that may stand nowhere, not even in a comment; or -1. */
function forbiddenAt(text: string, from: number): number {
  const nul = text.indexOf("\0");
  const other = text.slice(from).search(/\ufeff|\p{Cs}/u);
  const found = other < 0 ? -1 : other + from;
  return nul >= 0 && (found < 0 || nul < found) ? nul : found;
}

function illegalCharacter(text: string, at: number, location: Location): Diagnostic {
  const point = text.codePointAt(at) as number;
  const name = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
  const shown = point > 0x20 && point < 0x7f ? `\`${String.fromCodePoint(point)}\`` : name;
  const hint =
    point === 0x21 ? "negation is written `not`" : point === 0xa0 ? "write a plain space" : undefined;
  const message = `illegal character ${shown}`;
  return { code: "REGO_PARSE", message, location, ...(hint === undefined ? {} : { hint }) };
}

/** Finds rows by the places where lines begin. */
function locator(text: string, file: string): (start: number, end: number) => Location {
  const lines = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines.push(at + 1);
  let row = 0;
  return (start, end) => {
    // Most look-ups are near the last one.
    if (start < (lines[row] as number) || start >= (lines[row + 8] ?? Number.POSITIVE_INFINITY)) {
      let high = lines.length;
      row = 0;
      while (row + 1 < high) {
        const middle = (row + high) >> 1;
        if ((lines[middle] as number) <= start) row = middle;
        else high = middle;
      }
    }
    while (start >= (lines[row + 1] ?? Number.POSITIVE_INFINITY)) row++;
    return { file, row: row + 1, column: start - (lines[row] as number) + 1, offset: start, end };
  };
}
