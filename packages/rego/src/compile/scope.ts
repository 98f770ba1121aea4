// SPDX-License-Identifier: Apache-2.0
// Which variable a name means: declared ones (`some`, `:=`, arguments) belong to their body, others to the whole rule.

import type { Body, Location, Operand as SourceOperand, Term } from "../ast.ts";
import type { Frame, Local } from "./program.ts";

/** How a name came into a scope; what is `seen` was used without a declaration. */
export type Occurrence = "argument" | "seen" | "assigned" | "declared";

const ALREADY: Record<Occurrence, string> = {
  argument: "redeclared",
  seen: "referenced above",
  assigned: "assigned above",
  declared: "declared above",
};

/** All variables of one rule or query. */
export class Variables {
  readonly frame: Frame;
  readonly #plain = new Map<string, Local>();

  constructor(frame: Frame) {
    this.frame = frame;
  }

  make(name: string, generated: boolean, location: Location, term?: Term): Local {
    const slot = this.frame.size++;
    return { name, generated, location, slot, uses: 0, ...(term === undefined ? {} : { term }) };
  }

  /** The variable that a name means where nothing declares it: one for the whole rule. */
  plain(name: string, generated: boolean, location: Location): Local {
    let local = this.#plain.get(name);
    if (local === undefined) {
      local = this.make(name, generated, location);
      this.#plain.set(name, local);
    }
    return local;
  }
}

/** One body, or the head of a rule. */
export class Scope {
  readonly #outer: Scope | undefined;
  readonly #names = new Map<string, { readonly local: Local; readonly how: Occurrence }>();
  /** Names that some statement of the body declares: they never mean a rule or an import, not even before. */
  readonly #declares: ReadonlySet<string>;

  constructor(declares: ReadonlySet<string>, outer?: Scope) {
    this.#declares = declares;
    this.#outer = outer;
  }

  find(name: string): { readonly local: Local; readonly how: Occurrence } | undefined {
    return this.#names.get(name) ?? this.#outer?.find(name);
  }

  /** Whether a statement of this body, or of one around it, declares the name. */
  declares(name: string): boolean {
    return this.#declares.has(name) || (this.#outer?.declares(name) ?? false);
  }

  /** Why the name cannot be declared here, if it cannot. */
  conflict(name: string): string | undefined {
    const known = this.#names.get(name);
    if (known === undefined) return undefined;
    return `${known.how === "argument" ? "arg" : "var"} ${name} ${ALREADY[known.how]}`;
  }

  add(name: string, local: Local, how: Occurrence): void {
    this.#names.set(name, { local, how });
  }

  /** The same names in a scope of its own, with what another body declares. */
  copy(declares: ReadonlySet<string>): Scope {
    const copy = new Scope(new Set([...this.#names.keys(), ...declares]), this.#outer);
    for (const [name, known] of this.#names) copy.#names.set(name, known);
    return copy;
  }

  /** Variables that `some` and `every` declared here. */
  declared(): Local[] {
    return [...this.#names.values()].filter(({ how }) => how === "declared").map(({ local }) => local);
  }
}

/** The names that statements of a body declare, those of nested bodies included, comprehensions not. */
export function declaredNames(body: Body, names: Set<string> = new Set()): Set<string> {
  for (const { form } of body) {
    switch (form.kind) {
      case "assign":
        patternNames(form.left, names);
        break;
      case "some":
        for (const { name } of form.variables) names.add(name);
        break;
      case "some-in":
        if (form.key !== undefined) patternNames(form.key, names);
        patternNames(form.value, names);
        break;
      case "every":
        declaredNames(form.body, names);
        break;
      case "and":
      case "or":
        for (const operand of [form.left, form.right] satisfies SourceOperand[])
          declaredNames(operand.body, names);
        break;
      case "not":
        declaredNames(form.operand.body, names);
        break;
      case "term":
      case "unify":
        break;
    }
  }
  return names;
}

/** Variables that a pattern binds: itself, items of arrays, values of objects. */
export function patternNames(term: Term, names: Set<string> = new Set()): Set<string> {
  switch (term.kind) {
    case "var":
      names.add(term.name);
      break;
    case "array":
      for (const item of term.items) patternNames(item, names);
      break;
    case "object":
      for (const [, value] of term.entries) patternNames(value, names);
      break;
    default:
      break;
  }
  return names;
}
