// SPDX-License-Identifier: Apache-2.0
// After the safety check: references and comprehensions inside of operands become statements before, so that each is
// evaluated once and in its place, and a statement holds only constants, locals, and what it is itself about.

import type { ComprehensionOperand, Frame, Operand, Statement } from "./program.ts";
import { Variables } from "./scope.ts";

export function hoistBody(frame: Frame, body: readonly Statement[]): Statement[] {
  return new Hoisting(frame).body(body);
}

class Hoisting {
  readonly #variables: Variables;

  constructor(frame: Frame) {
    this.#variables = new Variables(frame);
  }

  body(body: readonly Statement[]): Statement[] {
    return body.flatMap((statement) => {
      const before: Statement[] = [];
      const form = this.#form(statement, before);
      return [...before, { ...statement, form }];
    });
  }

  #form(statement: Statement, before: Statement[]): Statement["form"] {
    const { form } = statement;
    const all = (operands: readonly Operand[]) =>
      operands.map((operand) => this.#inner(operand, statement, before));
    switch (form.kind) {
      case "test":
        return { ...form, term: this.#outer(form.term, statement, before) };
      case "unify":
        return {
          ...form,
          left: this.#outer(form.left, statement, before),
          right: this.#outer(form.right, statement, before),
        };
      case "call": {
        const [left, right] = form.args;
        const { callee } = form;
        // `not a.b == c` is true where there is no a.b, unlike `not f(a.b)`: only of a comparison's own sides.
        if (
          statement.negated &&
          callee.kind === "builtin" &&
          callee.builtin.name === "equal" &&
          left !== undefined &&
          right !== undefined
        ) {
          return {
            kind: "unify",
            left: this.#outer(left, statement, before),
            right: this.#outer(right, statement, before),
            assign: false,
          };
        }
        const args = all(form.args);
        return form.output === undefined
          ? { ...form, args }
          : { ...form, args, output: this.#inner(form.output, statement, before) };
      }
      case "print":
        return { ...form, args: form.args.map((arg) => this.#comprehension(arg)) };
      case "every":
        return { ...form, domain: this.#inner(form.domain, statement, before), body: this.body(form.body) };
      case "not":
        return { ...form, body: this.body(form.body) };
      case "and":
      case "or":
        return { ...form, left: this.body(form.left), right: this.body(form.right) };
    }
  }

  /** What a statement is itself about: one reference or comprehension stays. */
  #outer(operand: Operand, statement: Statement, before: Statement[]): Operand {
    switch (operand.kind) {
      case "ref":
        return { ...operand, path: operand.path.map((part) => this.#inner(part, statement, before)) };
      case "comprehension":
        return this.#comprehension(operand);
      case "template":
        return {
          ...operand,
          parts: operand.parts.map((part) => (typeof part === "string" ? part : this.#comprehension(part))),
        };
      default:
        return this.#inner(operand, statement, before);
    }
  }

  #inner(operand: Operand, statement: Statement, before: Statement[]): Operand {
    switch (operand.kind) {
      case "value":
      case "local":
        return operand;
      case "array":
      case "set":
        return { ...operand, items: operand.items.map((item) => this.#inner(item, statement, before)) };
      case "object":
        return {
          ...operand,
          entries: operand.entries.map(
            ([key, value]) =>
              [this.#inner(key, statement, before), this.#inner(value, statement, before)] as const,
          ),
        };
      case "ref":
      case "comprehension":
      case "template": {
        const { location, term } = operand;
        const right = this.#outer(operand, statement, before);
        const local = this.#variables.make("", true, location, term);
        const left: Operand = { kind: "local", local, location, ...(term === undefined ? {} : { term }) };
        before.push({
          ...statement,
          form: { kind: "unify", left, right, assign: false },
          negated: false,
          generated: true,
        });
        return left;
      }
    }
  }

  #comprehension(operand: ComprehensionOperand): ComprehensionOperand {
    return { ...operand, body: this.body(operand.body) };
  }
}
