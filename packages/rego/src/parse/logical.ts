// SPDX-License-Identifier: Apache-2.0
// `and`, `or`, and `not` with a body: `import future.keywords.and` and its like. In the place of an operand braces hold
// a body and parentheses a group; everywhere else they hold what they always did, so some of it is read twice.

import type { Expr, Operand } from "../ast.ts";
import { Failure } from "./cursor.ts";
import type { Token } from "./lexer.ts";
import { LiteralParser } from "./literals.ts";

export abstract class LogicalParser extends LiteralParser {
  override logical(): Expr | undefined {
    if (!this.#active()) return undefined;
    const { index } = this;
    const { start } = this.token;
    if (this.kind === "{") {
      const left = this.attempt(() => {
        const operand = this.#braces();
        if (!this.at("and", "or")) this.fail("expected `and` or `or`");
        return operand;
      });
      if (left instanceof Failure) return undefined;
      this.#refuseUnion(left, index);
      return this.withAfter(this.#chain(left, start));
    }
    const group = this.kind === "(" ? this.#group(false) : undefined;
    return group === undefined ? undefined : this.#tail(group, start);
  }

  override logicalAfter(expr: Expr, start: number): Expr {
    return this.withAfter(this.#chain(single(expr), start));
  }

  override notOperand(start: number): Expr | undefined {
    const operand = this.#operandOfNot(true);
    return operand === undefined ? undefined : this.#tail(single(this.#not(operand, start)), start);
  }

  #active(): boolean {
    return this.keywords.has("and") || this.keywords.has("or");
  }

  /** What stands after `not`, if it is a body or a group. */
  #operandOfNot(groups: boolean): Operand | undefined {
    const { index } = this;
    if (this.kind !== "{") return this.kind === "(" && groups ? this.#group(true) : undefined;
    const operand = this.#bracesOrValue("not");
    this.#refuseUnion(operand, index);
    return operand;
  }

  #not(operand: Operand, start: number): Expr {
    this.grow(this.height);
    return this.exprOf({ kind: "not", operand }, start);
  }

  #tail(operand: Operand, start: number): Expr {
    const expr = this.at("and", "or") ? this.#chain(operand, start) : (operand.body[0] as Expr);
    return this.withAfter(expr);
  }

  #chain(first: Operand, start: number): Expr {
    let left = this.#and(first, start);
    while (this.take("or"))
      left = this.#join("or", left, (begin) => this.#and(this.#operand("or"), begin), start);
    return left.body[0] as Expr;
  }

  #and(first: Operand, start: number): Operand {
    let left = first;
    while (this.take("and")) left = this.#join("and", left, () => this.#operand("and"), start);
    return left;
  }

  #join(kind: "and" | "or", left: Operand, parse: (start: number) => Operand, start: number): Operand {
    const { height } = this;
    const right = parse(this.token.start);
    this.grow(height, this.height);
    for (const operand of [left, right]) this.#refuseVoid(operand, kind);
    return single(this.exprOf({ kind, left, right }, start));
  }

  /** One operand of `and` or `or`; without a name of the operator, one that is only tried. */
  #operand(operator?: string): Operand {
    const { index } = this;
    const { start } = this.token;
    if (this.kind === "{") {
      const operand = operator === undefined ? this.#braces() : this.#bracesOrValue(operator);
      this.#refuseUnion(operand, index);
      return operand;
    }
    const negated = this.kind === "not" && !this.refFollows(this.index);
    if (negated) this.next();
    if (negated && this.notForms) {
      const operand = this.#operandOfNot(this.#active()) ?? single(this.expression());
      return single(this.#not(operand, start));
    }
    const group = this.kind === "(" && !negated && this.#active() ? this.#group(true) : undefined;
    if (group !== undefined) return group;
    return single({ ...this.expression(), negated, location: this.since(start) });
  }

  #braces(): Operand {
    const opener = this.next();
    const body = this.body("}", opener);
    this.next();
    return { body, braces: true };
  }

  /** A body in braces; refuses a value in braces with a hint. */
  #bracesOrValue(operator: string): Operand {
    const { start } = this.token;
    const operand = this.attempt(() => this.#braces());
    if (!(operand instanceof Failure)) return operand;
    const empty = this.kindAt(this.index + 1) === "}";
    if (!empty && !(this.attempt(() => this.operation()) instanceof Failure)) {
      this.failAt(
        this.since(start),
        `an operand of \`${operator}\` that begins with a brace is a body`,
        "wrap a value in parentheses",
      );
    }
    throw operand;
  }

  /**
   * A group in parentheses, which holds `and`, `or`, a negation, or with `operand` one expression with `with`. Undefined,
   * with nothing read, where the parentheses hold a term.
   */
  #group(operand: boolean): Operand | undefined {
    return this.nest(() => {
      const mark = this.mark();
      const opener = this.next();
      if (this.kind === ")" && operand) this.fail("expected an expression");
      const first = this.attempt(() => this.#operand());
      if (first instanceof Failure) {
        this.reset(mark);
        return undefined;
      }
      const group = this.#groupOf(first, opener, operand);
      if (group === undefined) this.reset(mark);
      return group;
    });
  }

  #groupOf(first: Operand, opener: Token, operand: boolean): Operand | undefined {
    const expr = first.body[0] as Expr;
    const { start } = this.token;
    if (this.at("and", "or")) {
      const inner = this.withAfter(this.#chain(first, expr.location.offset));
      return this.#closed(single(inner), opener);
    }
    if (this.kind === "with" && !first.braces) {
      const inner = this.withAfter(expr);
      if (this.at("and", "or")) {
        this.failAt(
          this.since(start),
          `\`with\` cannot stand on an operand of \`${this.kind}\``,
          "wrap the operand in (…) or {…}, or move `with` to the end for all of it",
        );
      }
      const group = this.#closed(single(inner), opener);
      return operand || this.at("and", "or") ? group : undefined;
    }
    if (first.braces) {
      this.index = this.#indexOf(opener) + 1;
      if (this.attempt(() => this.term()) instanceof Failure) {
        this.failAt(
          this.locate(opener.start, opener.end),
          "parentheses cannot hold a body",
          "drop the parentheses",
        );
      }
      return undefined;
    }
    const { kind } = expr.form;
    return kind === "and" || kind === "or" || kind === "not" || expr.negated
      ? this.#closed(first, opener)
      : undefined;
  }

  #indexOf(token: Token): number {
    let index = this.index;
    while (this.tokenAt(index) !== token) index--;
    return index;
  }

  #closed(operand: Operand, opener: Token): Operand {
    this.close(")", opener, "expected `)`");
    return operand;
  }

  /** `{a | b}` as a body would be an expression, as a value a comprehension. */
  #refuseUnion({ body, braces }: Operand, index: number): void {
    const form = body[0]?.form;
    if (!braces || form?.kind !== "term" || form.term.kind !== "call" || form.term.infix !== "|") return;
    if (this.kindAt(index + 1) === "(") return;
    this.failAt(
      this.since(this.tokenAt(index).start),
      "`{ … | … }` could be a comprehension or a body that holds a union",
      "write ({ … | … }) for the comprehension, {( … | … )} for the union",
    );
  }

  #refuseVoid({ body }: Operand, operator: string): void {
    const prints = body.every(
      ({ form, negated }) =>
        !negated &&
        form.kind === "term" &&
        form.term.kind === "call" &&
        form.term.operator.join(".") === "print",
    );
    if (!prints) return;
    this.failAt(
      body[0]?.location ?? this.here(),
      `an operand of \`${operator}\` that only prints always holds`,
      "move `print` out, or add an expression that can fail",
    );
  }
}

function single(expr: Expr): Operand {
  return { body: [expr], braces: false };
}
