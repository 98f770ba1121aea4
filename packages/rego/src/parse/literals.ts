// SPDX-License-Identifier: Apache-2.0
// Bodies and what stands in them: expressions, `some`, `every`, `with`, negation.

import type { Body, Expr, ExprForm, Term, VarTerm, With } from "../ast.ts";
import { Failure } from "./cursor.ts";
import type { Token } from "./lexer.ts";
import { TermParser } from "./terms.ts";

export abstract class LiteralParser extends TermParser {
  /** Groups and operands of `and` and `or`; gives undefined where nothing of that kind begins. */
  abstract logical(): Expr | undefined;
  /** What `and` or `or` makes of an expression that stands before it. */
  abstract logicalAfter(expr: Expr, start: number): Expr;
  /** `not` before a brace or a group, when `not` is a form of its own. */
  abstract notOperand(start: number): Expr | undefined;

  /** Expressions up to the sign that closes what `opener` opened, which stays. Line ends and semicolons part them. */
  body(end: string, opener: Token): Body {
    return this.nest(() => {
      if (this.kind === end)
        this.fail(
          "expected an expression",
          "a body holds at least one; write `true` for one that always holds",
        );
      const body: Expr[] = [];
      let height = 0;
      for (;;) {
        body.push(this.literal());
        height = Math.max(height, this.height);
        if (this.take(";")) continue;
        if (this.kind === end) break;
        if (this.kind === "eof") this.close(end, opener, "");
        if (!this.token.newline) this.#refuseAfter(end);
      }
      this.grow(height);
      return body;
    });
  }

  /** One expression of a body with what belongs to it. */
  literal(): Expr {
    const { start } = this.token;
    const logical = this.logical();
    if (logical !== undefined) return logical;
    if (this.nameKeyword()) return this.#plain(start, false);
    if (this.take("not")) {
      const not = this.notForms ? this.notOperand(start) : undefined;
      if (not !== undefined) return not;
      if (this.at("some", "every")) {
        this.fail(
          "expected an expression to negate",
          `\`${this.kind}\` cannot be negated; negate a rule that has it as its body`,
        );
      }
      return this.#plain(start, true);
    }
    if (this.kind === "some") return this.#some();
    if (this.kind === "every") return this.#every();
    return this.#plain(start, false);
  }

  /** `x`, `x = y`, `x := y`. */
  expression(): Expr {
    const { start } = this.token;
    const left = this.operation();
    const { height, kind } = this;
    if (kind !== "=" && kind !== ":=") return this.exprOf(formOf(left), start);
    this.next();
    const right = this.operation();
    this.grow(height, this.height);
    return this.exprOf({ kind: kind === "=" ? "unify" : "assign", left, right }, start);
  }

  exprOf(form: ExprForm, start: number, negated = false): Expr {
    return { form, negated, with: [], location: this.since(start) };
  }

  /** Every `with` that follows, added to an expression. */
  withAfter(expr: Expr): Expr {
    if (!this.at("with")) return expr;
    const list: With[] = [];
    let { height } = this;
    while (this.at("with")) {
      const { start } = this.next();
      if (!this.at("name")) this.fail("expected `input`, a path below `data`, or a function after `with`");
      const target = this.term();
      if (target.kind !== "var" && target.kind !== "ref") {
        this.failAt(target.location, "`with` replaces `input`, a path below `data`, or a function");
      }
      this.expect("as", "a replacement is written `with input.x as value`");
      const value = this.operation();
      height = Math.max(height, this.height);
      list.push({ target, value, location: this.since(start) });
    }
    this.grow(height);
    return { ...expr, with: list, location: this.since(expr.location.offset) };
  }

  #plain(start: number, negated: boolean): Expr {
    const { index } = this;
    const found = this.expression();
    const wrapped: Expr =
      negated && this.notForms
        ? this.exprOf({ kind: "not", operand: { body: [found], braces: false } }, start)
        : { ...found, negated, location: this.since(start) };
    const expr = this.withAfter(wrapped);
    if (!this.at("and", "or")) return expr;
    const operator = this.kind;
    if (expr.with.length > 0) {
      this.failAt(
        expr.with[0]?.location ?? expr.location,
        `\`with\` cannot stand on an operand of \`${operator}\``,
        "wrap the operand in (…) or {…}, or move `with` to the end for all of it",
      );
    }
    if (!negated && this.kindAt(index) === "{") this.refuseBrace(expr, operator);
    return this.logicalAfter(expr, start);
  }

  refuseBrace(expr: Expr, operator: string): never {
    return this.failAt(
      expr.location,
      `an operand of \`${operator}\` that begins with a brace is a body`,
      "wrap a value in parentheses",
    );
  }

  #some(): Expr {
    const { start } = this.next();
    const mark = this.mark();
    const first = this.attempt(() => this.operation());
    if (!(first instanceof Failure) && first.kind === "call") {
      return this.withAfter(this.exprOf({ kind: "some-in", ...this.#membership(first) }, start));
    }
    this.reset(mark);
    const variables: VarTerm[] = [];
    do {
      if (this.kind !== "name")
        this.fail(
          "expected a variable",
          "`some` declares variables, `some x`, or finds them, `some x in xs`",
        );
      variables.push(this.variable());
    } while (this.take(","));
    if (this.at("in") && first instanceof Failure) throw first;
    this.height = 1;
    return this.exprOf({ kind: "some", variables }, start);
  }

  #every(): Expr {
    const { start } = this.next();
    const term = this.operation();
    const { key, value, domain } = this.#membership(term);
    let { height } = this;
    const variable = (name: Term): VarTerm => {
      if (name.kind === "var" && name.name !== "input" && name.name !== "data") return name;
      return this.failAt(name.location, "`every` names its elements with variables");
    };
    const names = { ...(key === undefined ? {} : { key: variable(key) }), value: variable(value) };
    const opener = this.expect("{", "`every x in xs` needs a body: every x in xs { … }");
    const body = this.body("}", opener);
    this.next();
    height = Math.max(height, this.height);
    this.grow(height);
    return this.withAfter(this.exprOf({ kind: "every", ...names, domain, body }, start));
  }

  #membership(term: Term): { key?: Term; value: Term; domain: Term } {
    if (term.kind === "call" && term.operator[0] === "internal") {
      const [first, second, third] = term.args;
      if (term.operator[1] === "member_2" && first && second && !third)
        return { value: first, domain: second };
      if (term.operator[1] === "member_3" && first && second && third)
        return { key: first, value: second, domain: third };
    }
    return this.failAt(term.location, "expected `x in xs` or `k, v in xs`");
  }

  #refuseAfter(end: string): never {
    const { kind, token } = this;
    const before = this.tokenAt(this.index - 1).text;
    let hint: string | undefined;
    if (kind === ":=" || kind === "=")
      hint = "an expression has one `=` or `:=`; inside a term, compare with `==`";
    else if (before === "every" && !this.keywords.has("every"))
      hint = "`import future.keywords.every`, or use v1";
    else if (kind === "name" && ["in", "and", "or"].includes(token.text)) {
      hint = `\`import future.keywords.${token.text}\` for \`x ${token.text} y\``;
    } else if (kind === "if") hint = "a body has no `if` of its own; make a rule of it";
    this.fail(`expected a new line, \`;\` or \`${end}\``, hint);
  }
}

/** `eq(x, y)` and `assign(x, y)` are the long names of `=` and `:=`. */
function formOf(term: Term): ExprForm {
  if (term.kind === "call" && term.operator.length === 1 && term.args.length === 2) {
    const [left, right] = term.args;
    const [name] = term.operator;
    if (left && right && (name === "eq" || name === "assign")) {
      return { kind: name === "eq" ? "unify" : "assign", left, right };
    }
  }
  return { kind: "term", term };
}
