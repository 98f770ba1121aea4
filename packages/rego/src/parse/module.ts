// SPDX-License-Identifier: Apache-2.0
// Modules and queries: packages, imports, rules; and how parsing goes on after an error.

import type { Body, Comment, Expr, Import, Location, Module, RegoVersion, Rule, Term } from "../ast.ts";
import { type Diagnostic, RegoError } from "../errors.ts";
import {
  diagnosticOf,
  Failure,
  FUTURE_KEYWORDS,
  PARSE_LIMITS,
  type ParseLimits,
  V1_KEYWORDS,
} from "./cursor.ts";
import { isRoot } from "./ground.ts";
import { type Lexed, lex } from "./lexer.ts";
import { RuleParser } from "./rules.ts";

export type { ParseLimits } from "./cursor.ts";

export interface ParseOptions {
  /** The name that locations carry. */
  readonly file?: string;
  /** By default v1. */
  readonly version?: RegoVersion;
  readonly limits?: Partial<ParseLimits>;
}

/** Errors beyond these help nobody. */
const MAX_DIAGNOSTICS = 10;

/**
 * Parses a module. Throws a `RegoError` with `REGO_PARSE` that holds what is wrong in each statement, up to ten findings,
 * also when the text is longer or nests deeper than the limits allow.
 */
export function parseModule(text: string, options: ParseOptions = {}): Module {
  return new ModuleParser(text, options).module();
}

/** Parses a query: expressions parted by line ends or semicolons. Throws `REGO_PARSE`. */
export function parseQuery(text: string, options: ParseOptions = {}): Body {
  return new ModuleParser(text, options).query();
}

/** Parses one term. Throws `REGO_PARSE`. */
export function parseTerm(text: string, options: ParseOptions = {}): Term {
  return new ModuleParser(text, options).onlyTerm();
}

class ModuleParser extends RuleParser {
  readonly #text: string;
  readonly #options: ParseOptions;
  readonly #diagnostics: Diagnostic[] = [];
  /** v1 was imported. */
  #raised = false;
  #path: { names: readonly string[]; location: Location } | undefined;
  readonly #imports: Import[] = [];
  readonly #rules: Rule[] = [];
  /** Of `lexed.comments`, how many stand before the statement that is read. */
  #comments = 0;

  constructor(text: string, options: ParseOptions, strict: boolean = options.version !== "v0") {
    const { file = "", version = "v1" } = options;
    const limits = { ...PARSE_LIMITS, ...options.limits };
    super(lexWithin(text, file, limits), version, limits);
    this.#text = text;
    this.#options = options;
    this.#diagnostics.push(...this.lexed.diagnostics);
    this.strict = strict;
  }

  module(): Module {
    let more = true;
    while (more && this.token.kind !== "eof") more = this.#guard(() => this.#statement());
    // `import rego.v1` holds for what stands before it, too.
    if (this.#raised && !this.strict) return new ModuleParser(this.#text, this.#options, true).module();
    if (this.#path === undefined && this.#diagnostics.length === 0) {
      this.#diagnostics.push(
        diagnosticOf(this.locate(0, 0), "the module is empty", "begin with `package name`"),
      );
    }
    this.#throwFindings();
    const path = this.#path ?? { names: [], location: this.locate(0, 0) };
    return {
      file: this.#options.file ?? "",
      version: this.strict ? "v1" : "v0",
      path: path.names,
      packageLocation: path.location,
      imports: this.#imports,
      rules: this.#rules,
      comments: this.lexed.comments,
    };
  }

  query(): Body {
    const body: Expr[] = [];
    this.#guard(() => {
      if (this.token.kind === "eof") this.fail("expected a query");
      while (this.token.kind !== "eof") {
        do body.push(this.literal());
        while (this.take(";"));
      }
    });
    this.#throwFindings();
    return body;
  }

  onlyTerm(): Term {
    let term: Term | undefined;
    this.#guard(() => {
      term = this.operation();
      if (this.token.kind !== "eof") this.fail("expected the end of the term");
    });
    this.#throwFindings();
    if (term === undefined) throw new RegoError([diagnosticOf(this.here(), "expected a term")], "malformed");
    return term;
  }

  /** Runs; keeps what is wrong and goes on with the next statement. False when nothing more is to be read. */
  #guard(parse: () => void): boolean {
    const mark = this.mark();
    try {
      parse();
      return true;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      // What is illegal has been reported.
      if (this.tokenAt(failure.index).kind !== "illegal") this.#diagnostics.push(failure.diagnostic);
      this.reset({
        ...mark,
        index: this.#statementAfter(Math.max(failure.index, mark.index + 1), mark.index),
      });
      return !failure.final && this.#diagnostics.length < MAX_DIAGNOSTICS;
    }
  }

  /** The next token that begins a line and could begin a statement. */
  #statementAfter(from: number, start: number): number {
    let index = Math.max(from, start + 1);
    for (; index < this.lexed.tokens.length - 1; index++) {
      const { kind, newline, start: offset } = this.tokenAt(index);
      if (
        newline &&
        kind === "word" &&
        this.locate(offset, offset).column === 1 &&
        this.kindAt(index) !== "else"
      )
        break;
    }
    return index;
  }

  #throwFindings(): void {
    const [first, ...more] = this.#diagnostics
      .sort((a, b) => (a.location?.offset ?? 0) - (b.location?.offset ?? 0))
      .slice(0, MAX_DIAGNOSTICS);
    if (first !== undefined) throw new RegoError([first, ...more], "malformed");
  }

  #statement(): void {
    const { index } = this;
    const { start } = this.token;
    const reference = this.refFollows(index);
    if (this.kind === "package" && !reference) this.#package();
    else if (this.kind === "import" && !reference) this.#import();
    else {
      const metadata = this.#metadataBefore(start);
      const rules = this.rules();
      const [rule, ...more] = rules;
      if (rule !== undefined)
        this.#rules.push(metadata === undefined ? rule : { ...rule, metadata }, ...more);
    }
    if (this.#path === undefined && this.#diagnostics.length === 0) {
      this.failAt(this.since(start), "expected `package` first", "begin with `package name`");
    }
  }

  #package(): void {
    const { start } = this.next();
    const [name, ...path] = this.#dotted();
    if (this.#path !== undefined || this.#rules.length + this.#imports.length > 0) {
      this.failAt(this.since(start), "unexpected `package`, expected it once, at the beginning");
    }
    this.#path = { names: [name ?? "", ...path], location: this.since(start) };
  }

  /** A path of names: `a.b["c"]`. */
  #dotted(): string[] {
    const { start } = this.token;
    if (!this.nameWord()) this.fail("expected a path");
    const names = [this.next().text];
    for (const part of this.path()) {
      if (part.kind !== "scalar" || typeof part.value !== "string") {
        this.failAt(part.location, "a path consists of names and strings");
      }
      names.push(part.value);
    }
    if (this.touches("(") || this.kind === "-")
      this.failAt(this.since(start), `unexpected ${this.describe()}, expected a path`);
    return names;
  }

  #import(): void {
    const { start } = this.next();
    const begin = this.token.start;
    const path = this.#dotted();
    const location = this.since(begin);
    const [root = "", second, third] = path;
    const alias = this.#alias();
    if (root === "future" || root === "rego") {
      if (alias !== undefined) this.failAt(this.since(start), `imports below \`${root}\` have no alias`);
      if (root === "future") this.#future(second, third, location);
      else this.#rego(path, location);
    } else if (root !== "input" && root !== "data") {
      this.failAt(
        location,
        `cannot import \`${path.join(".")}\``,
        "an import begins with data, input, future or rego",
      );
    } else if (alias === undefined && this.#isKeyword(path.at(-1) ?? "")) {
      this.failAt(location, `an import cannot be named \`${path.at(-1)}\``, "give it another name with `as`");
    }
    this.#imports.push({ path, ...(alias === undefined ? {} : { alias }), location: this.since(start) });
  }

  #alias(): string | undefined {
    if (!this.take("as")) return undefined;
    if (this.kind !== "name") this.fail("expected a name after `as`");
    const name = this.variable();
    if (isRoot(name) || this.touches(".") || this.touches("[") || this.touches("(")) {
      this.failAt(name.location, `\`${name.name}\` cannot be the name of an import`);
    }
    return name.name;
  }

  #isKeyword(word: string): boolean {
    const base = !FUTURE_KEYWORDS.includes(word) || word === "not";
    return (base && this.keywords.has(word)) || (this.version === "v1" && V1_KEYWORDS.includes(word));
  }

  #future(second: string | undefined, keyword: string | undefined, location: Location): void {
    const all = [...V1_KEYWORDS, ...FUTURE_KEYWORDS];
    if (second !== "keywords") this.failAt(location, "unknown import", "write `import future.keywords.x`");
    if (keyword !== undefined && !all.includes(keyword)) {
      this.failAt(
        location,
        `unknown keyword \`${keyword}\``,
        `those that can be imported are ${all.sort().join(", ")}`,
      );
    }
    this.#add(keyword === undefined ? all : keyword === "every" ? ["every", "in"] : [keyword]);
  }

  #rego(path: readonly string[], location: Location): void {
    const [, version, more] = path;
    if (more !== undefined || (version !== "v1" && version !== "v2")) {
      this.failAt(location, `cannot import \`${path.join(".")}\``, "write `import rego.v1`");
    }
    this.#raised = true;
    this.#add(version === "v1" ? V1_KEYWORDS : [...V1_KEYWORDS, ...FUTURE_KEYWORDS]);
  }

  #add(keywords: readonly string[]): void {
    for (const keyword of keywords) this.keywords.add(keyword);
    this.notForms ||= keywords.includes("not");
  }

  /** The text of the last METADATA block between the statement before and this place. */
  #metadataBefore(start: number): string | undefined {
    const { comments } = this.lexed;
    let block: string[] | undefined;
    let before: Comment | undefined;
    for (; this.#comments < comments.length; this.#comments++) {
      const comment = comments[this.#comments] as Comment;
      const { offset, row, column } = comment.location;
      if (offset > start) break;
      if (column === 1 && comment.text.trim() === "METADATA") block = [];
      else if (column !== 1 || (before !== undefined && before.location.row + 1 !== row)) before = undefined;
      else block?.push(comment.text.replace(/^ /, ""));
      before = comment;
    }
    return block?.join("\n");
  }
}

/** Refuses texts that are too long. */
function lexWithin(text: string, file: string, { length }: ParseLimits): Lexed {
  if (text.length <= length) {
    const lexed = lex(text, file);
    const [first] = lexed.diagnostics;
    if (lexed.tokens.length === 0 && first !== undefined) throw new RegoError([first], "malformed");
    return lexed;
  }
  const location = { file, row: 1, column: 1, offset: 0, end: 0 };
  const message = `Cannot parse text: ${text.length} characters, expected at most ${length}`;
  throw new RegoError([diagnosticOf(location, message)], "malformed");
}
