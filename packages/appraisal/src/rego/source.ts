// SPDX-License-Identifier: Apache-2.0
// What explanations need to know of a policy's text: rules by name, remarks by place, expressions as written.

import type { Expr, Location, Module, Rule, Term } from "@adyton/rego";
import { branchesOf, nameOfRule, pathText, type Remark, remarksOf, termsIn } from "./syntax.ts";

export class Source {
  readonly #texts: Readonly<Record<string, string>>;
  readonly #rules = new Map<string, Rule[]>();
  readonly #remarks = new Map<string, ReadonlyMap<number, Remark>>();
  readonly #called = new WeakMap<Expr, readonly string[]>();
  readonly #demands = new WeakMap<Expr, string | null>();

  constructor(modules: readonly Module[], texts: Readonly<Record<string, string>>) {
    this.#texts = texts;
    for (const module of modules) {
      this.#remarks.set(module.file, remarksOf(module, texts[module.file]));
      for (const rule of module.rules) {
        const name = nameOfRule(rule);
        this.#rules.set(name, [...(this.#rules.get(name) ?? []), rule]);
      }
    }
  }

  rules(name: string): readonly Rule[] {
    return this.#rules.get(name) ?? [];
  }

  /** The comment directly above a place, if it has a meaning. */
  remarkAt({ file, row }: Location): Remark | undefined {
    return this.#remarks.get(file)?.get(row);
  }

  /** The first comment above a rule of this name that does not merely set a default. */
  remarkOf(name: string): Remark | undefined {
    for (const rule of this.rules(name)) {
      const remark = rule.default ? undefined : this.remarkAt(rule.location);
      if (remark !== undefined) return remark;
    }
    return undefined;
  }

  /** The path of a claim: `input.snp.vmpl`, also where the policy calls `input.snp` by a name of its own. */
  claimPath(term: Term): string | undefined {
    const path = pathText(term);
    if (path === undefined || path.startsWith("input")) return path;
    const [, name = "", rest = ""] = /^(?:data\.policy\.)?(\w+)(.*)$/s.exec(path) ?? [];
    const [rule, ...others] = this.rules(name);
    const value = rule?.head.value;
    if (value === undefined || others.length > 0 || rule?.implicitBody !== true) return path;
    const meant = pathText(value);
    return meant?.startsWith("input") === true ? meant + rest : path;
  }

  /** As written, in one line. */
  textOf({ file, offset, end }: Location): string {
    const text = (this.#texts[file] ?? "").slice(offset, end);
    return text.replace(/\s+/g, " ").trim();
  }

  /** Rules of the policy that an expression names. */
  called(expr: Expr): readonly string[] {
    let names = this.#called.get(expr);
    if (names === undefined) {
      const found = new Set<string>();
      for (const term of termsIn(expr)) {
        const name =
          term.kind === "var"
            ? term.name
            : term.kind === "call"
              ? term.operator.at(-1)
              : term.kind === "ref" && term.head.kind === "var" && term.head.name === "data"
                ? term.path
                    .map((part) => (part.kind === "scalar" ? String(part.value) : ""))
                    .find((part) => this.#rules.has(part))
                : undefined;
        if (name !== undefined && this.#rules.has(name)) found.add(name);
      }
      names = [...found];
      this.#called.set(expr, names);
    }
    return names;
  }

  /** The rule that an expression is nothing but a use of: `debug_is_off`, `known("a", input.b)`. */
  use(expr: Expr): string | undefined {
    const { form } = expr;
    if (form.kind !== "term") return undefined;
    const { term } = form;
    const name =
      term.kind === "var"
        ? term.name
        : term.kind === "call" && term.infix === undefined
          ? term.operator.at(-1)
          : term.kind === "ref"
            ? this.called(expr)[0]
            : undefined;
    return name !== undefined && this.#rules.has(name) ? name : undefined;
  }

  /** The member of `data.rules` that decides an expression, through whatever it calls. */
  demandOf(expr: Expr): string | undefined {
    const known = this.#demands.get(expr);
    if (known !== undefined) return known ?? undefined;
    const found = this.#demand(expr, new Set());
    this.#demands.set(expr, found ?? null);
    return found;
  }

  #demand(expr: Expr, seen: Set<string>): string | undefined {
    for (const term of termsIn(expr)) {
      if (term.kind !== "ref" || term.head.kind !== "var" || term.head.name !== "data") continue;
      const [first, second] = term.path;
      if (first?.kind === "scalar" && first.value === "rules" && second?.kind === "scalar") {
        return String(second.value);
      }
    }
    for (const name of this.called(expr)) {
      if (seen.has(name)) continue;
      seen.add(name);
      for (const rule of this.rules(name).flatMap(branchesOf)) {
        for (const part of [...headOf(rule), ...rule.body]) {
          const found = this.#demand(part, seen);
          if (found !== undefined) return found;
        }
      }
    }
    return undefined;
  }
}

/** The value of a head as an expression, so that it is searched like one. */
function headOf({ head, location }: Rule): Expr[] {
  if (head.value === undefined) return [];
  return [{ form: { kind: "term", term: head.value }, negated: false, with: [], location }];
}
