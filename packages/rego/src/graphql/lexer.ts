// SPDX-License-Identifier: Apache-2.0
// Tokens of GraphQL (GraphQL specification, October 2021, section 2.1).

import { failure } from "../builtins/define.ts";
import type { Comments } from "./tree.ts";

/** `punctuator`: its value is its text. `end` has none. */
export type TokenKind = "punctuator" | "name" | "int" | "float" | "string" | "block" | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly value: string;
  /** Those between this token and the last. */
  readonly comments: Comments | undefined;
}

const IGNORED = /[\t\n\r ,\ufeff]*/y;
const COMMENT = /#[\t\u0020-\uffff]*/y;
const TOKEN =
  /(\.\.\.|[!$&():=@[\]{}|])|([_A-Za-z]\w*)|(-?(?:0|[1-9]\d*)(?!\d)(\.\d+)?([eE][+-]?\d+)?)|"""|("(?!"")[\t !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[\t !#-[\]-\uffff]*)*")/y;
const ESCAPE = /\\(?:u(.{4})|(.))/g;
const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

export class Lexer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Throws `BuiltinFailure` where no token begins. */
  next(): Token {
    const comments: { readonly Value: string }[] = [];
    for (;;) {
      this.#take(IGNORED);
      const comment = this.#take(COMMENT)?.[0];
      if (comment === undefined) break;
      comments.push({ Value: comment });
    }
    const token = this.#token();
    return { ...token, comments: comments.length === 0 ? undefined : { List: comments } };
  }

  #token(): Omit<Token, "comments"> {
    if (this.#at === this.#text.length) return { kind: "end", value: "" };
    const found = this.#take(TOKEN);
    if (found === undefined) throw failure(`unexpected character in GraphQL string at offset ${this.#at}`);
    const [text, punctuator, name, number, fraction, exponent, string] = found;
    if (punctuator !== undefined) return { kind: "punctuator", value: punctuator };
    if (name !== undefined) return { kind: "name", value: name };
    if (number !== undefined) {
      // What the expression leaves behind: `1.` and `1e`.
      if (exponent === undefined && /[.eE]/.test(this.#text.charAt(this.#at))) {
        throw failure(`number without digits in GraphQL string at offset ${this.#at}`);
      }
      return { kind: fraction === undefined && exponent === undefined ? "int" : "float", value: text };
    }
    if (string !== undefined) return { kind: "string", value: unescaped(string.slice(1, -1)) };
    return { kind: "block", value: this.#block() };
  }

  /** What stands up to the closing quotes: of more than three in a row the last three. */
  #block(): string {
    const start = this.#at;
    const marks = /\\"""|"{3,}/g;
    marks.lastIndex = start;
    let found = marks.exec(this.#text);
    while (found?.[0].startsWith("\\")) found = marks.exec(this.#text);
    if (found === null) throw failure("unterminated block string in GraphQL string");
    this.#at = marks.lastIndex;
    const raw = this.#text.slice(start, this.#at - 3);
    if (!/^[\t\n\r -\uffff]*$/.test(raw)) {
      throw failure("control character in a block string of a GraphQL string");
    }
    return dedented(raw.replaceAll('\\"""', '"""').replace(/\r\n?/g, "\n"));
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }
}

function unescaped(text: string): string {
  return text.replace(ESCAPE, (_all, hex: string | undefined, char: string) => {
    if (hex === undefined) return ESCAPES[char] ?? char;
    // Half a surrogate pair is no character, not even beside the other half.
    return /^d[89a-f]/i.test(hex) ? "\ufffd" : String.fromCharCode(Number.parseInt(hex, 16));
  });
}

/** Section 2.9.4: without the indent that all lines share, and without blank lines at both ends. */
function dedented(raw: string): string {
  const lines = raw.split("\n");
  const isBlank = (line: string | undefined): boolean => line !== undefined && /^[ \t]*$/.test(line);
  // The specification leaves the first line out; the reference counts it.
  const indents = lines.filter((line) => !isBlank(line)).map((line) => line.search(/[^ \t]/));
  const common = indents.reduce((least, indent) => Math.min(least, indent), Number.POSITIVE_INFINITY);
  const cut = lines.map((line, i) => (i === 0 || indents.length === 0 ? line : line.slice(common)));
  while (isBlank(cut[0])) cut.shift();
  while (isBlank(cut.at(-1))) cut.pop();
  return cut.join("\n");
}
