// SPDX-License-Identifier: Apache-2.0
// Expressions become statements, in the order in which they are written.

import type { Body, Expr, Operand as SourceOperand, Term } from "../ast.ts";
import { kindOf } from "../value.ts";
import { arityOf, arityProblem } from "./callee.ts";
import type { Form, Local, Operand, Statement } from "./program.ts";
import { replacementsOf } from "./replace.ts";
import { declaredNames, patternNames, Scope } from "./scope.ts";
import { below, type Sink } from "./sink.ts";
import { TermLowering } from "./terms.ts";

/** Lowers the rules of one module, or one query. */
export class Lowering extends TermLowering {
  /** A body in a scope that is there already. */
  override body(source: Body, scope: Scope): Statement[] {
    const list: Statement[] = [];
    for (const expr of source) this.#expr(expr, scope, list);
    return list;
  }

  #expr(expr: Expr, scope: Scope, list: Statement[]): void {
    const { form, location } = expr;
    const plain: Sink = { list, with: [], origin: expr };
    const replacements = replacementsOf(this, expr.with, scope, plain);
    const sink: Sink = { list, with: replacements, origin: expr };
    const put = (made: Form) =>
      list.push({
        form: made,
        negated: expr.negated,
        with: replacements,
        generated: false,
        origin: expr,
        location,
      });
    switch (form.kind) {
      case "term":
        if (form.term.kind === "call") this.#callExpr(form.term, scope, sink, put);
        else put({ kind: "test", term: this.term(form.term, scope, sink) });
        break;
      case "unify": {
        const left = this.term(form.left, scope, sink);
        put({ kind: "unify", left, right: this.term(form.right, scope, sink), assign: false });
        break;
      }
      case "assign": {
        if (expr.negated) {
          this.error(location, "cannot assign vars inside negated expression");
          break;
        }
        const right = this.term(form.right, scope, sink);
        const left = this.#pattern(form.left, scope, sink);
        put({ kind: "unify", left, right, assign: true });
        break;
      }
      case "some":
        for (const variable of form.variables) this.declare(variable.name, variable, scope, "declared");
        break;
      case "some-in":
        this.#someIn(form, scope, sink, put);
        break;
      case "every": {
        const domain = this.bound(this.term(form.domain, scope, sink), sink);
        const inner = new Scope(declaredNames(form.body), scope);
        const key = form.key === undefined ? undefined : this.#loopVariable(form.key, inner);
        const value = this.#loopVariable(form.value, inner);
        const body = this.body(form.body, inner);
        this.checkUsed(inner);
        put({ kind: "every", ...(key === undefined ? {} : { key }), value, domain, body });
        break;
      }
      case "not":
        put({ kind: "not", ...this.#operand(form.operand, scope, "negated expression") });
        break;
      case "and":
      case "or": {
        const place = `implicit ${form.kind} operand`;
        const left = this.#operand(form.left, scope, place);
        const right = this.#operand(form.right, scope, place);
        put({
          kind: form.kind,
          left: left.body,
          right: right.body,
          leftBraces: left.braces,
          rightBraces: right.braces,
        });
        break;
      }
    }
  }

  /** With braces a scope of its own; without, nothing can be declared. */
  #operand(operand: SourceOperand, outer: Scope, place: string): { body: Statement[]; braces: boolean } {
    const { body: source, braces } = operand;
    if (!braces) {
      for (const { form, location } of source) {
        if (form.kind === "assign") this.error(location, `cannot assign vars inside ${place}`);
      }
      return {
        body: this.body(
          source.filter(({ form }) => form.kind !== "assign"),
          outer,
        ),
        braces,
      };
    }
    const { body, scope } = this.nested(source, outer);
    this.checkUsed(scope);
    return { body, braces };
  }

  #callExpr(
    term: Term & { readonly kind: "call" },
    scope: Scope,
    sink: Sink,
    put: (form: Form) => void,
  ): void {
    const callee = this.callee(term, scope);
    if (callee?.kind === "builtin" && callee.builtin.name === "print") {
      put({ kind: "print", args: term.args.map((arg) => this.capture(arg, scope)) });
      return;
    }
    const args = term.args.map((arg) => this.term(arg, scope, sink));
    if (callee === undefined) return;
    const arity = arityOf(callee);
    if (args.length !== arity && args.length !== arity + 1) {
      this.report(arityProblem(callee, args.length, term.location));
      return;
    }
    const output = args.length > arity ? args.pop() : undefined;
    put({ kind: "call", callee, args, ...(output === undefined ? {} : { output }) });
  }

  #someIn(
    form: Extract<Expr["form"], { kind: "some-in" }>,
    scope: Scope,
    sink: Sink,
    put: (form: Form) => void,
  ): void {
    const domain = this.rooted(this.term(form.domain, scope, sink), sink);
    const used = new Set<Local>();
    collectLocals(domain, used);
    const declareAll = (pattern: Term) => {
      for (const name of patternNames(pattern)) {
        if (name.startsWith("$")) continue;
        const known = scope.find(name);
        if (known !== undefined && used.has(known.local)) {
          this.error(pattern.location, `var ${name} assigned before`);
        } else {
          this.declare(name, pattern, scope, "declared");
        }
      }
    };
    if (form.key !== undefined) declareAll(form.key);
    declareAll(form.value);
    const key =
      form.key === undefined ? this.generated(form.domain.location) : this.term(form.key, scope, sink);
    const left = this.term(form.value, scope, sink);
    put({
      kind: "unify",
      left,
      right: below(domain, [key], form.domain.location, form.domain),
      assign: false,
    });
  }

  /** The left side of `:=`: its variables are new. */
  #pattern(term: Term, scope: Scope, sink: Sink): Operand {
    const { location } = term;
    switch (term.kind) {
      case "var": {
        const local = this.declare(term.name, term, scope, "assigned", term.wildcard === true);
        return { kind: "local", local, location, term };
      }
      case "array":
        return {
          kind: "array",
          items: term.items.map((item) => this.#pattern(item, scope, sink)),
          location,
          term,
        };
      case "object":
        return {
          kind: "object",
          entries: term.entries.map(
            ([key, value]) => [this.term(key, scope, sink), this.#pattern(value, scope, sink)] as const,
          ),
          location,
          term,
        };
      default:
        this.error(
          location,
          `cannot assign to ${kindOfTerm(term)}`,
          "write `==` to compare, or `=` to unify",
        );
        return this.generated(location);
    }
  }

  #loopVariable(term: Term & { readonly kind: "var" }, scope: Scope): Local {
    return this.declare(term.name, term, scope, "declared", term.wildcard === true);
  }
}

/** What a term is, in the words of messages. */
function kindOfTerm(term: Term): string {
  return term.kind === "scalar" ? kindOf(term.value) : term.kind.replace("-", " ");
}

function collectLocals(operand: Operand, into: Set<Local>): void {
  if (operand.kind === "local") into.add(operand.local);
  if (operand.kind !== "ref") return;
  if (typeof operand.head !== "string") into.add(operand.head);
  for (const part of operand.path) collectLocals(part, into);
}
