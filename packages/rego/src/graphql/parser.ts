// SPDX-License-Identifier: Apache-2.0
// What queries and schemas have in common: names, values, directives, types (GraphQL specification, October 2021, section 2).

import { failure } from "../builtins/define.ts";
import { Lexer, type Token } from "./lexer.ts";
import {
  type Argument,
  type Child,
  type Comments,
  type Directive,
  KIND,
  type Literal,
  type TypeRef,
} from "./tree.ts";

/** Of selections, values and types. */
const MAX_DEPTH = 200;
const MAX_LENGTH = 1_048_576;

/** A cursor over the tokens of a document. Whatever does not fit throws `BuiltinFailure`. */
export class Parser {
  readonly #lexer: Lexer;
  readonly #spend: (steps: number) => void;
  /** The token at hand. */
  token: Token;
  #depth = 0;

  constructor(text: string, spend: (steps: number) => void) {
    if (text.length > MAX_LENGTH) throw failure(`GraphQL string of more than ${MAX_LENGTH} characters`);
    this.#lexer = new Lexer(text);
    this.#spend = spend;
    this.token = this.#lexer.next();
  }

  take(): Token {
    const { token } = this;
    this.#spend(1);
    this.token = this.#lexer.next();
    return token;
  }

  at(punctuator: string): boolean {
    return this.token.kind === "punctuator" && this.token.value === punctuator;
  }

  atName(name: string): boolean {
    return this.token.kind === "name" && this.token.value === name;
  }

  skip(punctuator: string): boolean {
    const found = this.at(punctuator);
    if (found) this.take();
    return found;
  }

  expect(punctuator: string): Token {
    if (!this.at(punctuator)) throw this.unexpected();
    return this.take();
  }

  keyword(name: string): Token {
    if (!this.atName(name)) throw this.unexpected();
    return this.take();
  }

  name(): string {
    if (this.token.kind !== "name") throw this.unexpected();
    return this.take().value;
  }

  unexpected(): Error {
    const { kind, value } = this.token;
    return failure(`unexpected ${kind} ${JSON.stringify(value.slice(0, 40))} in GraphQL string`);
  }

  /** Counts what stands in what. */
  nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw failure(`GraphQL string nested more than ${MAX_DEPTH} deep`);
    const value = read();
    this.#depth--;
    return value;
  }

  /** Between brackets, none where the first one is missing. The comments are those before the last one. */
  group<T>(
    open: string,
    close: string,
    read: () => T,
  ): { readonly items: readonly T[]; readonly comments: Comments | undefined } {
    if (!this.skip(open)) return { items: [], comments: undefined };
    const items: T[] = [];
    do items.push(read());
    while (!this.at(close));
    return { items, comments: this.take().comments };
  }

  arguments(constant: boolean): readonly Argument[] {
    return this.group("(", ")", () => this.child(constant)).items;
  }

  /** `name: value` */
  child(constant: boolean): Child {
    const { comments } = this.token;
    const name = this.name();
    this.expect(":");
    return { Name: name, Value: this.value(constant), Comment: comments };
  }

  directives(constant: boolean): readonly Directive[] {
    const directives: Directive[] = [];
    while (this.skip("@")) {
      directives.push({ Name: this.name(), Arguments: this.arguments(constant), Location: "" });
    }
    return directives;
  }

  type(): TypeRef {
    if (this.token.kind === "name") return { NamedType: this.name(), NonNull: this.skip("!") };
    this.expect("[");
    const inner = this.nested(() => this.type());
    this.expect("]");
    return { NamedType: "", NonNull: this.skip("!"), Elem: inner };
  }

  value(constant: boolean): Literal {
    const { kind, value, comments } = this.token;
    if (kind === "punctuator") {
      if (value === "$" && !constant) {
        this.take();
        return literal(KIND.variable, this.name());
      }
      if (value === "[") {
        return literal(
          KIND.list,
          "",
          this.#children("]", () => ({ Name: "", Value: this.value(constant) })),
          comments,
        );
      }
      if (value === "{")
        return literal(
          KIND.object,
          "",
          this.#children("}", () => this.child(constant)),
          comments,
        );
    }
    if (kind === "punctuator" || kind === "end") throw this.unexpected();
    this.take();
    if (kind !== "name") return literal(KIND[kind], value);
    if (value === "true" || value === "false") return literal(KIND.boolean, value);
    return literal(value === "null" ? KIND.null : KIND.enum, value);
  }

  #children(close: string, read: () => Child): readonly Child[] {
    return this.nested(() => {
      this.take();
      const children: Child[] = [];
      while (!this.at(close)) children.push(read());
      this.take();
      return children;
    });
  }
}

function literal(kind: number, raw: string, children: readonly Child[] = [], comments?: Comments): Literal {
  return { Raw: raw, Kind: kind, Children: children, ExpectedTypeHasDefault: false, Comment: comments };
}
