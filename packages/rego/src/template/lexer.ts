// SPDX-License-Identifier: Apache-2.0
// Templates of Go's package text/template as tokens: text, and what stands in actions.

import { BuiltinFailure } from "../builtin.ts";

export type TokenKind =
  /** Outside of actions. */
  | "text"
  | "open"
  | "close"
  | "end"
  | "word"
  /** `$`, `$x` */
  | "variable"
  /** `.x`, without the point. */
  | "field"
  | "."
  | "string"
  | "number"
  | "("
  | ")"
  | "|"
  | ","
  | ":="
  | "=";

export interface Token {
  readonly kind: TokenKind;
  /** The value of a string, the text of all else. */
  readonly text: string;
  /** Space stands before it. */
  readonly spaced: boolean;
}

const INSIDE =
  /(\s*)(?:("(?:[^"\\\n]|\\.)*"|`[^`]*`)|('(?:[^'\\\n]|\\[^\n]+?)')|([+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?))(?![\p{L}\p{Nd}_])|(\$[\p{L}\p{Nd}_]*)|\.([\p{L}_][\p{L}\p{Nd}_]*)|([\p{L}_][\p{L}\p{Nd}_]*)|(:=|[.()|,=]))/uy;
const COMMENT = /\{\{(?:-[ \t\r\n])?\/\*(?:(?!\*\/).)*\*\/([ \t\r\n]-)?\}\}/suy;

/** The failure of a template. */
export function templateFailure(message: string): BuiltinFailure {
  return new BuiltinFailure("builtin", `template: ${message}`);
}

/** All tokens, with one of kind "end" behind them. Throws `BuiltinFailure`. */
export function templateTokens(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let trim = false;
  for (let at = 0; ; ) {
    const open = source.indexOf("{{", at);
    let text = source.slice(at, open < 0 ? source.length : open);
    if (trim) text = text.replace(/^[ \t\r\n]+/, "");
    if (open < 0) {
      tokens.push({ kind: "text", text, spaced: false }, { kind: "end", text: "", spaced: false });
      return tokens;
    }
    const trimLeft = /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4));
    tokens.push({ kind: "text", text: trimLeft ? withoutTail(text) : text, spaced: false });
    COMMENT.lastIndex = open;
    const comment = COMMENT.exec(source);
    if (comment !== null) {
      trim = comment[1] !== undefined;
      at = COMMENT.lastIndex;
      continue;
    }
    tokens.push({ kind: "open", text: "{{", spaced: false });
    [at, trim] = action(source, open + (trimLeft ? 3 : 2), tokens);
  }
}

/** One action from behind its braces; gives the place behind it, and whether to trim what follows. */
function action(source: string, from: number, tokens: Token[]): [number, boolean] {
  const close = /\s*?(\s-)?\}\}/uy;
  for (let at = from; ; ) {
    close.lastIndex = at;
    const end = close.exec(source);
    if (end !== null) {
      tokens.push({ kind: "close", text: "}}", spaced: false });
      return [close.lastIndex, end[1] !== undefined];
    }
    INSIDE.lastIndex = at;
    const match = INSIDE.exec(source);
    if (match === null)
      throw templateFailure(`unexpected ${JSON.stringify(source.slice(at, at + 10))} in action`);
    tokens.push(tokenOf(match));
    at = INSIDE.lastIndex;
  }
}

function tokenOf([, space = "", string, char, number, variable, field, word, sign]: RegExpExecArray): Token {
  const spaced = space !== "";
  if (string !== undefined) return { kind: "string", text: unquoted(string), spaced };
  if (char !== undefined) {
    const text = unquoted(char);
    if (Array.from(text).length !== 1) throw templateFailure(`malformed character constant: ${char}`);
    return { kind: "number", text: String(text.codePointAt(0)), spaced };
  }
  if (number !== undefined) return { kind: "number", text: number.replaceAll("_", ""), spaced };
  if (variable !== undefined) return { kind: "variable", text: variable, spaced };
  if (field !== undefined) return { kind: "field", text: field, spaced };
  if (word !== undefined) return { kind: "word", text: word, spaced };
  return { kind: sign as TokenKind, text: sign ?? "", spaced };
}

const ESCAPE = /\\(?:([abfnrtv\\'"])|x([\da-fA-F]{2})|([0-7]{3})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.?))/gsu;
const SIMPLE: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

function unquoted(literal: string): string {
  const inner = literal.slice(1, -1);
  if (literal.startsWith("`")) return inner.replaceAll("\r", "");
  return inner.replace(
    ESCAPE,
    (whole, simple?: string, byte?: string, octal?: string, ...codes: string[]) => {
      if (simple !== undefined) return SIMPLE[simple] ?? simple;
      const digits = byte ?? octal ?? codes[0] ?? codes[1];
      const code = digits === undefined ? -1 : Number.parseInt(digits, octal === undefined ? 16 : 8);
      // Bytes beyond ASCII would be parts of characters.
      const last = byte === undefined && octal === undefined ? 0x10ffff : 0x7f;
      if (code < 0 || code > last || (code >= 0xd800 && code < 0xe000))
        throw templateFailure(`invalid escape ${whole}`);
      return String.fromCodePoint(code);
    },
  );
}

function withoutTail(text: string): string {
  let end = text.length;
  while (end > 0 && " \t\r\n".includes(text[end - 1] ?? "")) end--;
  return text.slice(0, end);
}
