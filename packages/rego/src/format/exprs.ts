// SPDX-License-Identifier: Apache-2.0
// Layout of expressions and bodies.

import type { Body, Expr, Location, Operand, TemplateTerm, Term } from "../ast.ts";
import { leadsWithUnion, TermFormatter } from "./terms.ts";

/** Where an expression stands, and so what may not lead it. */
interface Place {
  /** After a brace: a bar would make a comprehension. */
  readonly bar?: boolean;
  /** In the place of an operand: a brace would open a body. */
  readonly brace?: boolean;
  /** On a line after another expression: a minus would go with that. */
  readonly minus?: boolean;
}

const CLEAR: Place = {};
const FIRST: Place = { bar: true };
const LATER: Place = { minus: true };

type LogicalForm = Extract<Expr["form"], { readonly kind: "and" | "or" }>;

export class ExprFormatter extends TermFormatter {
  /** The expressions of a body, each on a line of its own; blank lines between them stay. */
  override expressions(body: Body): void {
    let row = Number.POSITIVE_INFINITY;
    for (const [i, expr] of body.entries()) {
      if (this.rowOf(expr.location.offset) > row + 1) this.blankLine();
      this.comeTo(expr.location.offset);
      this.expr(expr, i === 0 ? FIRST : LATER);
      this.endLine();
      row = this.endRow(expr.location);
    }
  }

  override inline(body: Body): void {
    for (const [i, expr] of body.entries()) {
      if (i > 0) this.write("; ");
      this.expr(expr, i === 0 ? FIRST : CLEAR);
    }
  }

  override templateExpression(part: TemplateTerm["parts"][number]): void {
    if (typeof part !== "string") this.expr(part);
  }

  expr(expr: Expr, place: Place = CLEAR): void {
    this.orVerbatim(expr.location, () => {
      this.comeTo(expr.location.offset);
      if (expr.negated) this.write("not ");
      this.#form(expr, expr.negated ? CLEAR : place);
      this.#with(expr);
      this.passed(expr.location);
    });
  }

  #with({ with: list }: Expr): void {
    const [first] = list;
    if (first === undefined) return;
    // Where the expression ends that `with` follows.
    const before = this.source.slice(0, first.location.offset).trimEnd().length - 1;
    let row = this.rowOf(before);
    let indented = false;
    for (const { target, value, location } of list) {
      const own = this.rowOf(location.offset);
      if (own > row) {
        this.endLine();
        if (!indented) this.indent(1);
        indented = true;
        this.comeTo(location.offset);
      } else this.write(" ");
      row = own;
      this.write("with ");
      this.term(target);
      this.write(" as ");
      this.term(value);
    }
    if (indented) this.indent(-1);
  }

  #form({ form, location }: Expr, place: Place): void {
    switch (form.kind) {
      case "term":
        this.#leading(form.term, place, 0);
        break;
      case "unify":
      case "assign":
        this.#leading(form.left, place, 1);
        this.write(form.kind === "unify" ? " = " : " := ");
        this.term(form.right);
        break;
      case "some":
        this.#some(form.variables, location);
        break;
      case "some-in":
        this.write("some ");
        if (form.key !== undefined) {
          this.term(form.key, 2);
          this.write(", ");
        }
        this.term(form.value, 2);
        this.write(" in ");
        this.term(form.domain, 2);
        break;
      case "every":
        this.write("every ");
        if (form.key !== undefined) {
          this.term(form.key);
          this.write(", ");
        }
        this.term(form.value);
        this.write(" in ");
        this.term(form.domain, form.domain.kind === "call" && form.domain.infix === "in" ? 2 : 1);
        this.write(" ");
        this.#braces(form.body, this.rowOf(location.offset));
        break;
      case "not":
        this.write("not ");
        this.#operand(
          form.operand,
          place,
          isLogical(form.operand) || form.operand.body[0]?.form.kind === "not",
        );
        break;
      default:
        this.#logical(form, place);
        break;
    }
  }

  #braces(body: Body, row = this.#openRow(body)): void {
    this.write("{");
    this.bodyWithin(body, row, " ");
    this.write("}");
  }

  /** The row of the brace that opens a body, or -1 where a comment stands between. */
  #openRow(body: Body): number {
    const before = this.source.slice(0, body[0]?.location.offset ?? 0).trimEnd();
    return before.endsWith("{") ? this.rowOf(before.length - 1) : -1;
  }

  #some(variables: readonly Term[], location: Location): void {
    this.write("some");
    let row = this.rowOf(location.offset);
    let indented = false;
    for (const [i, variable] of variables.entries()) {
      const own = this.rowOf(variable.location.offset);
      if (i > 0) this.write(",");
      if (own > row) {
        this.endLine();
        if (!indented) this.indent(1);
        indented = true;
        this.comeTo(variable.location.offset);
      } else this.write(" ");
      row = own;
      this.term(variable);
    }
    if (indented) this.indent(-1);
  }

  /** A term at the beginning of an expression. */
  #leading(term: Term, { bar, brace, minus }: Place, depth: 0 | 1): void {
    const parens =
      (bar && leadsWithUnion(term)) ||
      (brace && leadsWithBrace(term)) ||
      (minus && this.#leadsWithMinus(term));
    if (parens) this.write("(");
    this.term(term, depth);
    if (parens) this.write(")");
  }

  #leadsWithMinus(term: Term): boolean {
    if (term.kind === "call" && term.infix !== undefined && term.args[0])
      return this.#leadsWithMinus(term.args[0]);
    return term.kind === "scalar" && /^[\s(]*-/.test(this.sourceOf(term.location));
  }

  /** In the place of an operand braces hold a body, so a value in braces is put between parentheses. */
  #operand({ body, braces }: Operand, { bar, minus }: Place, grouped: boolean): void {
    const [expr] = body;
    if (braces || expr === undefined) {
      this.#braces(body);
      return;
    }
    const group = grouped || expr.with.length > 0;
    if (group) this.write("(");
    this.expr(expr, group ? { brace: true } : { brace: true, bar: bar === true, minus: minus === true });
    if (group) this.write(")");
  }

  #logical(form: LogicalForm, place: Place): void {
    if (this.#chain(form, place)) this.indent(-1);
  }

  /** Writes `and` and `or` with what stands on both sides. True when lines were indented. */
  #chain({ kind, left, right }: LogicalForm, place: Place): boolean {
    const [inner] = left.body;
    const looser = kind === "and" && inner?.form.kind === "or";
    let indented = false;
    if (
      !left.braces &&
      !looser &&
      (inner?.form.kind === "and" || inner?.form.kind === "or") &&
      inner.with.length === 0
    ) {
      indented = this.#chain(inner.form, place);
    } else this.#operand(left, place, looser);
    this.write(` ${kind}`);
    const end = left.braces
      ? this.nextThing(left.body.at(-1)?.location.end ?? 0)
      : (inner?.location.end ?? 1) - 1;
    const start = right.braces ? this.#openRow(right.body) : this.rowOf(right.body[0]?.location.offset ?? 0);
    if (start > this.rowOf(end)) {
      this.endLine();
      if (!indented) this.indent(1);
      indented = true;
    } else this.write(" ");
    this.#operand(
      right,
      CLEAR,
      right.body[0]?.form.kind === "or" || (kind === "and" && right.body[0]?.form.kind === "and"),
    );
    return indented;
  }
}

function isLogical({ body, braces }: Operand): boolean {
  const kind = body[0]?.form.kind;
  return !braces && (kind === "and" || kind === "or");
}

function leadsWithBrace(term: Term): boolean {
  switch (term.kind) {
    case "set":
      return term.items.length > 0;
    case "object":
    case "set-comprehension":
    case "object-comprehension":
      return true;
    case "ref":
      return leadsWithBrace(term.head);
    case "call":
      return term.infix !== undefined && term.args[0] !== undefined && leadsWithBrace(term.args[0]);
    default:
      return false;
  }
}
