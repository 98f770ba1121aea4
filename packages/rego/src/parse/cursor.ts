// SPDX-License-Identifier: Apache-2.0
// Where the parser stands: tokens, which words are keywords now, how deep it is, and how it fails and goes back.

import type { Location, RegoVersion } from "../ast.ts";
import type { Diagnostic } from "../errors.ts";
import type { Lexed, Token } from "./lexer.ts";

/** Bounds on what is parsed. */
export interface ParseLimits {
  /** UTF-16 units of a text. */
  readonly length: number;
  /** How deep terms, bodies and chains of operators nest. */
  readonly depth: number;
}

export const PARSE_LIMITS: ParseLimits = { length: 1024 * 1024, depth: 200 };

/** Words that mean something in every version. */
const KEYWORDS = [
  "package",
  "import",
  "as",
  "default",
  "else",
  "not",
  "some",
  "with",
  "null",
  "true",
  "false",
];
/** Keywords of v1 that v0 has to import. */
export const V1_KEYWORDS: readonly string[] = ["in", "every", "contains", "if"];
/** Keywords that every version has to import. */
export const FUTURE_KEYWORDS: readonly string[] = ["not", "and", "or"];

/** How often one token is looked at, on average, before a text is given up. Real ones need fewer than ten. */
const MAX_LOOKS = 100;

/** Thrown inside the parser only. No `Error`: it is thrown for each rule body that might have been a set. */
export class Failure {
  readonly diagnostic: Diagnostic;
  /** The token that did not fit. */
  readonly index: number;
  /** Not to be tried in another way. */
  readonly final: boolean;

  constructor(diagnostic: Diagnostic, index: number, final = false) {
    this.diagnostic = diagnostic;
    this.index = index;
    this.final = final;
  }
}

/** What a try puts back. */
export interface Mark {
  readonly index: number;
  readonly wildcards: number;
  readonly depth: number;
}

export class Cursor {
  readonly version: RegoVersion;
  readonly lexed: Lexed;
  readonly limits: ParseLimits;
  readonly keywords: Set<string>;
  /** `not` is a form of its own, which `import future.keywords.not` asks for. */
  notForms = false;
  index = 0;
  /** How many `_` there were. */
  wildcards = 0;
  /** How deep the tree is of what was parsed last. */
  height = 0;
  #depth = 0;
  #looks = 0;
  /** The keyword that is read as a name, as in `if.x`. */
  #named = -1;

  constructor(lexed: Lexed, version: RegoVersion, limits: ParseLimits) {
    this.lexed = lexed;
    this.version = version;
    this.limits = limits;
    this.keywords = new Set(version === "v1" ? [...KEYWORDS, ...V1_KEYWORDS] : KEYWORDS);
  }

  get token(): Token {
    return this.tokenAt(this.index);
  }

  tokenAt(index: number): Token {
    const { tokens } = this.lexed;
    return tokens[Math.min(Math.max(index, 0), tokens.length - 1)] as Token;
  }

  /** The kind of the token, which for a keyword is the word, for others that are words `name`. */
  get kind(): string {
    return this.kindAt(this.index);
  }

  kindAt(index: number): string {
    const { kind, text } = this.tokenAt(index);
    if (kind !== "word") return kind;
    return this.keywords.has(text) && index !== this.#named ? text : "name";
  }

  at(...kinds: readonly string[]): boolean {
    return kinds.includes(this.kind);
  }

  /** The token is of this kind and touches the one before. */
  touches(kind: string): boolean {
    return this.kind === kind && !this.token.space;
  }

  /** Steps over a token and gives it. */
  next(): Token {
    const { token } = this;
    if (token.kind !== "eof") this.index++;
    if (++this.#looks > MAX_LOOKS * this.lexed.tokens.length) {
      this.failFinally("the text is too entangled to be read");
    }
    return token;
  }

  /** Steps over the token if it is of this kind. */
  take(kind: string): boolean {
    if (this.kind !== kind) return false;
    this.next();
    return true;
  }

  /** Steps over the token, which must be of this kind. */
  expect(kind: string, hint?: string): Token {
    if (this.kind !== kind) this.fail(`expected \`${kind}\``, hint);
    return this.next();
  }

  /** Steps over the sign that closes what the token `opener` opened. */
  close(sign: string, opener: Token, expected: string, hint?: string): void {
    if (this.take(sign)) return;
    if (this.#leftOpen(sign)) {
      this.failAt(
        this.locate(opener.start, opener.end),
        `\`${opener.text}\` is never closed`,
        `put \`${sign}\``,
      );
    }
    this.fail(expected, hint);
  }

  /** Something else than `sign` closes here, or the next statement begins. */
  #leftOpen(sign: string): boolean {
    const { kind, newline } = this.token;
    if (kind === "eof") return true;
    if (kind === "word") return newline && this.here().column === 1;
    return kind !== sign && (kind === ")" || kind === "]" || kind === "}");
  }

  /** A keyword before a dot or bracket that touches it is a name: `if.x`, `not["y"]`. */
  nameKeyword(): boolean {
    const { kind, text } = this.token;
    if (kind !== "word" || !this.keywords.has(text) || !this.refFollows(this.index)) return false;
    this.#named = this.index;
    return true;
  }

  /** Reads the word that is next as a name, whatever it is. False when no word is next. */
  nameWord(): boolean {
    if (this.token.kind !== "word") return false;
    this.#named = this.index;
    return true;
  }

  refFollows(index: number): boolean {
    const { kind, space } = this.tokenAt(index + 1);
    return !space && (kind === "." || kind === "[");
  }

  /** From a place to the end of the last token that was stepped over. */
  since(start: number): Location {
    return this.locate(start, Math.max(this.tokenAt(this.index - 1).end, start));
  }

  locate(start: number, end: number): Location {
    return this.lexed.locate(start, end);
  }

  here(): Location {
    return this.locate(this.token.start, this.token.end);
  }

  mark(): Mark {
    return { index: this.index, wildcards: this.wildcards, depth: this.#depth };
  }

  reset({ index, wildcards, depth }: Mark): void {
    this.index = index;
    this.wildcards = wildcards;
    this.#depth = depth;
    this.#named = -1;
  }

  /** Parses; where that fails, goes back and gives the failure. */
  attempt<T>(parse: () => T): T | Failure {
    const mark = this.mark();
    try {
      return parse();
    } catch (failure) {
      if (!(failure instanceof Failure) || failure.final) throw failure;
      this.reset(mark);
      return failure;
    }
  }

  /** Parses something nested. */
  nest<T>(parse: () => T): T {
    if (++this.#depth > this.limits.depth) this.tooDeep();
    const result = parse();
    this.#depth--;
    return result;
  }

  /** Tells how deep the tree is of what is being parsed, when its parts are this deep. */
  grow(...heights: readonly number[]): void {
    this.height = Math.max(0, ...heights) + 1;
    if (this.height > this.limits.depth) this.tooDeep();
  }

  tooDeep(): never {
    this.failFinally(`nested deeper than ${this.limits.depth}`, "move a part into a rule of its own");
  }

  /** Refuses the token that is next. */
  fail(expected: string, hint?: string): never {
    return this.failAt(this.here(), `unexpected ${this.describe()}, ${expected}`, hint);
  }

  failAt(location: Location, message: string, hint?: string): never {
    throw new Failure(diagnosticOf(location, message, hint), this.index);
  }

  failFinally(message: string, hint?: string): never {
    throw new Failure(diagnosticOf(this.here(), message, hint), this.index, true);
  }

  /** The next token in words. */
  describe(): string {
    const { kind, text } = this.token;
    if (kind === "eof") return "end of text";
    if (kind === "number" || kind === "string") return kind;
    if (kind === "template") return "string";
    if (kind === "template-more") return "`}`";
    return this.kind === text && kind === "word" ? `keyword \`${text}\`` : `\`${text.slice(0, 40)}\``;
  }
}

export function diagnosticOf(location: Location, message: string, hint?: string): Diagnostic {
  return { code: "REGO_PARSE", message, location, ...(hint === undefined ? {} : { hint }) };
}
