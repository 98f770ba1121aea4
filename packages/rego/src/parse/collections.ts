// SPDX-License-Identifier: Apache-2.0
// Arrays, sets, objects and their comprehensions. `{a | b}` is a comprehension, `{a | b, c}` a set of two members: which
// one it is shows only later, so the comprehension is tried first.

import type { Body, Expr, Term } from "../ast.ts";
import { Failure } from "./cursor.ts";
import type { Token } from "./lexer.ts";
import { ScalarParser } from "./scalars.ts";

export abstract class CollectionParser extends ScalarParser {
  abstract body(end: string, opener: Token): Body;
  abstract literal(): Expr;
  abstract operation(pairs?: boolean): Term;
  abstract term(): Term;

  array(): Term {
    const opener = this.next();
    const items = (terms: Term[]): Term => ({
      kind: "array",
      items: terms,
      location: this.since(opener.start),
    });
    if (this.take("]")) return items([]);
    // A leading comma is an old liberty of the language.
    const comma = this.take(",");
    const mark = this.mark();
    const head = this.term();
    if (this.at("]", ",")) {
      if (this.take(",")) return items(this.list([head], "]", opener, this.height));
      this.next();
      this.grow(this.height);
      return items([head]);
    }
    if (this.kind === "|" && !comma) {
      const body = this.#comprehensionBody("]", opener);
      if (body !== undefined) {
        return { kind: "array-comprehension", term: head, body, location: this.since(opener.start) };
      }
    }
    this.reset(mark);
    return items(this.list([], "]", opener));
  }

  /**
   * After the head of a comprehension: `|` and the body. Undefined when the sign was the operator: `{a | b, c}` is a
   * set of two members, `{a | b}` a comprehension.
   */
  #comprehensionBody(end: "]" | "}", opener: Token): Body | undefined {
    const body = this.attempt(() => this.#comprehension(end, opener));
    if (!(body instanceof Failure)) return body;
    if (this.kindAt(body.index) !== ",") throw body;
    return undefined;
  }

  #comprehension(end: "]" | "}", opener: Token): Body {
    const { height } = this;
    this.next();
    const body = this.body(end, opener);
    this.next();
    this.grow(height, this.height);
    return body;
  }

  setOrObject(): Term {
    const opener = this.next();
    if (this.take("}")) return { kind: "object", entries: [], location: this.since(opener.start) };
    const comprehends = !this.take(",");
    const mark = this.mark();
    let head = this.term();
    if (this.kind === "|" && comprehends) {
      const body = this.#comprehensionBody("}", opener);
      if (body !== undefined) {
        return { kind: "set-comprehension", term: head, body, location: this.since(opener.start) };
      }
    }
    if (!this.at("}", ",", ":")) {
      this.reset(mark);
      head = this.operation(false);
    }
    if (this.kind === ":") return this.#object(head, opener, comprehends);
    let items = [head];
    if (this.take("}")) this.grow(this.height);
    else if (this.take(",")) items = this.list(items, "}", opener, this.height);
    else this.close("}", opener, "expected `,` or `}`", this.hintInTerm());
    return { kind: "set", items, location: this.since(opener.start) };
  }

  #object(key: Term, opener: Token, comprehends: boolean): Term {
    const { height } = this;
    this.next();
    const mark = this.mark();
    let value = this.term();
    let highest = Math.max(height, this.height);
    let failure: Failure | undefined;
    if (this.kind === "|" && comprehends) {
      const body = this.attempt(() => this.#comprehension("}", opener));
      if (!(body instanceof Failure)) {
        this.grow(highest, this.height);
        return { kind: "object-comprehension", key, value, body, location: this.since(opener.start) };
      }
      failure = body;
    }
    if (!this.at("}", ",")) {
      this.reset(mark);
      value = this.operation(false);
      highest = Math.max(highest, this.height);
      // No operator after all: what was wrong with the comprehension is what matters.
      if (failure !== undefined && !this.at("}", ",")) throw failure;
    }
    const entries: [Term, Term][] = [[key, value]];
    while (!this.take("}")) {
      if (!this.take(",")) this.close("}", opener, "expected `,` or `}`", this.hintInTerm());
      if (this.take("}")) break;
      const next = this.operation(false);
      highest = Math.max(highest, this.height);
      if (this.kind !== ":") this.fail("expected `:`", "an object has a value for each key; a set has none");
      this.next();
      entries.push([next, this.operation(false)]);
      highest = Math.max(highest, this.height);
    }
    this.grow(highest);
    return { kind: "object", entries, location: this.since(opener.start) };
  }

  /** Terms up to the closing sign, which is stepped over. A comma may stand after the last one. */
  list(terms: Term[], end: string, opener: Token, height = 0): Term[] {
    let highest = height;
    while (!this.take(end)) {
      if (this.at(")", "]", "}", "eof")) this.close(end, opener, "");
      terms.push(this.operation(false));
      highest = Math.max(highest, this.height);
      if (this.take(end)) break;
      if (!this.take(",")) this.close(end, opener, `expected \`,\` or \`${end}\``, this.hintInTerm());
    }
    this.grow(highest);
    return terms;
  }

  hintInTerm(): string | undefined {
    if (this.at("=", ":=")) return "inside a term, compare with `==`";
    return undefined;
  }
}
