// SPDX-License-Identifier: Apache-2.0
// Terms: references, calls, groups, template strings, and what operators make of them.

import type { Expr, Term } from "../ast.ts";
import { CollectionParser } from "./collections.ts";
import { Failure, type Mark } from "./cursor.ts";
import { templateText } from "./strings.ts";

/** Functions behind operators, and how tight they bind (Policy Reference, "Operator Precedence"). */
const OPERATORS: Readonly<Record<string, readonly [name: string, strength: number]>> = {
  "==": ["equal", 1],
  "!=": ["neq", 1],
  "<": ["lt", 1],
  ">": ["gt", 1],
  "<=": ["lte", 1],
  ">=": ["gte", 1],
  "|": ["or", 2],
  "&": ["and", 3],
  "+": ["plus", 4],
  "-": ["minus", 4],
  "*": ["mul", 5],
  "/": ["div", 5],
  "%": ["rem", 5],
};

interface Remembered {
  readonly result: Term | Failure;
  readonly after: Mark;
  readonly height: number;
}

export abstract class TermParser extends CollectionParser {
  /** Terms in brackets by their first token: what is read again after a wrong guess is not read anew. */
  readonly #remembered = new Map<number, Remembered>();

  /** A term with operators; `x in xs`, and with `pairs` also `k, v in xs`. */
  operation(pairs = true): Term {
    let left = this.#infix(1);
    for (;;) {
      const { height } = this;
      const pair = pairs && this.kind === "," ? this.attempt(() => this.#pairIn(left)) : undefined;
      if (pair !== undefined && !(pair instanceof Failure)) left = pair;
      // A keyword before a dot begins the next expression: with.x, in["y"].
      else if (!this.nameKeyword() && this.kind === "in") {
        const infix = this.next().text;
        const right = this.#infix(1);
        this.grow(height, this.height);
        left = this.#call(["internal", "member_2"], [left, right], infix);
      } else {
        this.height = height;
        return left;
      }
      if (this.kind !== "in") return left;
    }
  }

  /** One term: nothing with an operator, unless in parentheses. */
  term(): Term {
    const { index } = this;
    if (!this.at("(", "[", "{")) return this.nest(() => this.#term());
    const known = this.#remembered.get(index);
    if (known !== undefined) {
      ({ index: this.index, wildcards: this.wildcards } = known.after);
      this.height = known.height;
      if (known.result instanceof Failure) throw known.result;
      return known.result;
    }
    try {
      const result = this.nest(() => this.#term());
      this.#remembered.set(index, { result, after: this.mark(), height: this.height });
      return result;
    } catch (failure) {
      if (failure instanceof Failure) {
        this.#remembered.set(index, { result: failure, after: this.mark(), height: 0 });
      }
      throw failure;
    }
  }

  /** What dots and brackets add to a head, each touching what stands before; with `loose` all but the first. */
  path(loose = false): Term[] {
    const path: Term[] = [];
    let { height } = this;
    for (;;) {
      const joins = (loose && path.length === 0) || !this.token.space;
      if (joins && this.kind === ".") {
        this.next();
        const { token } = this;
        if (token.kind !== "word" || token.space) this.fail("expected a name after the dot");
        this.next();
        path.push({ kind: "scalar", value: token.text, location: this.since(token.start) });
      } else if (joins && this.kind === "[") {
        const opener = this.next();
        path.push(this.operation());
        height = Math.max(height, this.height);
        this.close("]", opener, "expected `]` after the key");
      } else break;
    }
    if (path.length > 0) this.grow(height);
    return path;
  }

  /** Arguments between parentheses. */
  args(): Term[] {
    const opener = this.next();
    return this.list([], ")", opener);
  }

  #infix(strength: number): Term {
    let left = this.term();
    let { height } = this;
    for (;;) {
      const { text } = this.token;
      const operator = this.kind === text && Object.hasOwn(OPERATORS, text) ? OPERATORS[text] : undefined;
      if (operator === undefined || operator[1] < strength) {
        this.height = height;
        return left;
      }
      this.next();
      const right = this.#infix(operator[1] + 1);
      this.grow(height, this.height);
      height = this.height;
      left = this.#call([operator[0]], [left, right], text);
    }
  }

  #pairIn(key: Term): Term {
    const { height } = this;
    this.next();
    const value = this.#infix(1);
    const between = this.height;
    const infix = this.expect("in").text;
    const domain = this.#infix(1);
    this.grow(height, between, this.height);
    return this.#call(["internal", "member_3"], [key, value, domain], infix);
  }

  #call(operator: readonly string[], args: readonly Term[], infix: string): Term {
    const location = this.since(args[0]?.location.offset ?? 0);
    return { kind: "call", operator, args, infix, location };
  }

  #term(): Term {
    const { token, kind } = this;
    const start = token.start;
    this.height = 1;
    if (
      (kind === "and" || kind === "or") &&
      this.tokenAt(this.index + 1).kind === "(" &&
      !this.tokenAt(this.index + 1).space
    ) {
      this.nameWord();
    }
    switch (this.kind) {
      case "null":
      case "true":
      case "false":
        this.next();
        return this.#finish(this.scalar(start, kind === "null" ? null : kind === "true"));
      case "name":
      case "contains":
        return this.#finish(this.variable());
      case "-":
        if (this.#nameAt(this.index + 1)) {
          this.next();
          const zero = this.scalar(start, 0);
          const operand = this.#finish(this.variable());
          this.grow(this.height);
          return {
            kind: "call",
            operator: ["minus"],
            args: [zero, operand],
            infix: "-",
            location: this.since(start),
          };
        }
        return this.#finish(this.number());
      case ".":
      case "number":
        return this.#finish(this.number());
      case "string":
        return this.#finish(this.string());
      case "template":
        return this.#finish(this.#template());
      case "[":
        return this.#finish(this.array());
      case "{":
        return this.#finish(this.setOrObject());
      case "(":
        return this.#finish(this.#group());
      default:
        return this.fail("expected a term", this.#hintForTerm());
    }
  }

  #nameAt(index: number): boolean {
    const kind = this.kindAt(index);
    return kind === "name" || kind === "contains";
  }

  #hintForTerm(): string | undefined {
    const { kind, token } = this;
    if (token.kind === "word")
      return `\`${token.text}\` is a keyword and cannot name a variable or rule; choose another name`;
    if (kind === ":=" || kind === "=" || kind === "==") return "something must stand on the left";
    if (kind === ";" || kind === ",") return "a separator stands only between two things";
    const before = this.tokenAt(this.index - 1).text;
    if (kind === "&" && before === "&")
      return "conditions that all hold stand on lines of their own, or between `;`";
    if (kind === "|" && before === "|")
      return "alternatives are several rules of one name, or `import future.keywords.or`";
    return undefined;
  }

  /** A path or a call that touches the term. */
  #finish(head: Term): Term {
    let term = head;
    const start = head.location.offset;
    while (this.touches(".") || this.touches("[") || this.touches("(")) {
      if (term.kind === "scalar" || term.kind === "template" || term.kind === "ref") {
        const what =
          term.kind === "ref" ? "a reference in parentheses" : "a string, number or other constant";
        this.failAt(term.location, `${what} cannot be the head of a reference or call`);
      }
      const path = this.path();
      if (path.length > 0) term = { kind: "ref", head: term, path, location: this.since(start) };
      if (!this.touches("(")) return term;
      term = this.#invoke(term, start);
      // After a call goes only a reference into its result.
      if (this.touches("(")) this.fail("expected no further arguments");
    }
    return term;
  }

  #invoke(callee: Term, start: number): Term {
    const operator = nameOf(callee);
    const { height } = this;
    if (operator === undefined) {
      this.failAt(callee.location, "only what a name or dotted name stands for can be called");
    }
    const args = this.args();
    this.grow(height, this.height);
    const location = this.since(start);
    if (args.length === 0 && operator.length === 1 && operator[0] === "set") {
      return { kind: "set", items: [], location };
    }
    return { kind: "call", operator, args, location };
  }

  #template(): Term {
    const first = this.token;
    if (this.version === "v0") this.fail("expected a term", "template strings are part of v1");
    const raw = first.text.startsWith("$`");
    const parts: (string | Expr)[] = [];
    const heights: number[] = [];
    for (;;) {
      const piece = this.next();
      const text = templateText(piece.text, raw);
      if (text === undefined) this.failEscape(this.since(piece.start));
      if (text !== "") parts.push(text);
      if (!piece.text.endsWith("{")) break;
      const part = this.literal();
      heights.push(this.height);
      const { kind } = part.form;
      if (
        part.negated ||
        kind === "unify" ||
        kind === "assign" ||
        kind === "some" ||
        kind === "some-in" ||
        kind === "every"
      ) {
        this.failAt(
          part.location,
          "a template string takes terms, not statements",
          "give the value a name before, and put the name here",
        );
      }
      parts.push(part);
      if (!this.at("template-more")) this.fail("expected `}` after the expression in the template string");
    }
    this.grow(...heights);
    return { kind: "template", parts, ...(raw ? { raw } : {}), location: this.since(first.start) };
  }

  #group(): Term {
    const opener = this.next();
    const inner = this.operation();
    this.close(")", opener, "expected `)`", this.hintInTerm());
    return { ...inner, location: this.since(opener.start) };
  }
}

/** The dotted name that a term is, or undefined. */
function nameOf(term: Term): string[] | undefined {
  if (term.kind === "var") return term.wildcard ? undefined : [term.name];
  if (term.kind !== "ref" || term.head.kind !== "var" || term.head.wildcard) return undefined;
  const names = [term.head.name];
  for (const part of term.path) {
    if (part.kind !== "scalar" || typeof part.value !== "string") return undefined;
    names.push(part.value);
  }
  return names;
}
