// SPDX-License-Identifier: Apache-2.0
// What holds for terms whatever they are evaluated with.

import type { Expr, Term } from "../ast.ts";

/** Whether the term has no variables; `input`, `data` and heads of references do not count as any. */
export function isGround(term: Term): boolean {
  switch (term.kind) {
    case "scalar":
      return true;
    case "var":
      return isRoot(term);
    case "ref":
      return term.path.every(isGround);
    case "array":
    case "set":
      return term.items.every(isGround);
    case "object":
      return term.entries.every(([key, value]) => isGround(key) && isGround(value));
    case "call":
      return term.args.every(isGround);
    default:
      return false;
  }
}

/** Whether the term is `input` or `data`. */
export function isRoot(term: Term): boolean {
  return term.kind === "var" && (term.name === "input" || term.name === "data");
}

/** A variable, reference or call inside a term, outside comprehensions; or undefined. */
export function dynamicPart(term: Term): Term | undefined {
  switch (term.kind) {
    case "var":
    case "ref":
    case "call":
      return term;
    case "array":
    case "set":
      return first(term.items);
    case "object":
      return first(term.entries.flat());
    case "template":
      return first(term.parts.flatMap((part) => (typeof part === "string" ? [] : termsOf(part))));
    default:
      return undefined;
  }
}

function first(terms: readonly Term[]): Term | undefined {
  for (const term of terms) {
    const found = dynamicPart(term);
    if (found !== undefined) return found;
  }
  return undefined;
}

function termsOf({ form }: Expr): Term[] {
  if (form.kind === "term") return [form.term];
  if (form.kind === "and" || form.kind === "or")
    return [form.left, form.right].flatMap(({ body }) => body.flatMap(termsOf));
  return form.kind === "not" ? form.operand.body.flatMap(termsOf) : [];
}
