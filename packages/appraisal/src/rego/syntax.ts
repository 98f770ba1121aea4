// SPDX-License-Identifier: Apache-2.0
// Walking and changing syntax trees of policies.

import type { Body, Expr, Module, Rule, Term } from "@adyton/rego";

type Node = Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Kinds that are terms and no forms of expressions. */
const TERMS: ReadonlySet<unknown> = new Set([
  "scalar",
  "var",
  "ref",
  "array",
  "set",
  "object",
  "call",
  "array-comprehension",
  "set-comprehension",
  "object-comprehension",
  "template",
]);

function isTerm(value: unknown): value is Term {
  return isNode(value) && TERMS.has(value.kind) && "location" in value;
}

/** Every term of a tree, the outer ones first. */
export function termsIn(tree: Expr | Body | Term): Term[] {
  const found: Term[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      value.forEach(visit);
    } else if (isNode(value)) {
      if (isTerm(value)) found.push(value);
      for (const name in value) if (name !== "location") visit(value[name]);
    }
  };
  visit(tree);
  return found;
}

/** The tree with each term replaced, the inner ones first. */
export function mapTerms<T extends Expr | Term>(tree: T, replace: (term: Term) => Term): T {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (!isNode(value)) return value;
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    const copy = Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, name === "location" ? member : visit(member)]),
    );
    return isTerm(copy) ? replace(copy) : copy;
  };
  return visit(tree) as T;
}

/** The name of a rule: the first part of its head. */
export function nameOfRule(rule: Rule): string {
  const [first] = rule.head.ref;
  return first?.kind === "scalar" && typeof first.value === "string"
    ? first.value
    : first?.kind === "var"
      ? first.name
      : "";
}

/** A rule and its `else` branches. */
export function branchesOf(rule: Rule): Rule[] {
  return rule.else === undefined ? [rule] : [rule, ...branchesOf(rule.else)];
}

/** `input.a["b-c"]` of a reference whose path is known; undefined for any other term. */
export function pathText(term: Term): string | undefined {
  if (term.kind === "var") return term.name;
  if (term.kind !== "ref" || term.head.kind !== "var") return undefined;
  let text = term.head.name;
  for (const part of term.path) {
    if (part.kind === "var") text += part.wildcard === true ? "[_]" : `[${part.name}]`;
    else if (part.kind !== "scalar") return undefined;
    else if (typeof part.value === "string" && /^[A-Za-z_]\w*$/.test(part.value)) text += `.${part.value}`;
    else text += `[${JSON.stringify(String(part.value))}]`;
  }
  return text;
}

/** What comments above a line say: their meaning, and after "Next:" what to try. */
export interface Remark {
  readonly meaning: string;
  readonly next?: string;
}

/** By line, the comment that stands directly above it. */
export function remarksOf(module: Module, text: string | undefined): ReadonlyMap<number, Remark> {
  const own = new Map<number, string>();
  const lines = text?.split("\n") ?? [];
  for (const { text: comment, location } of module.comments) {
    // A comment behind an expression is no heading of the next.
    const before = lines[location.row - 1]?.slice(0, location.column - 1).trim() ?? "";
    if (before === "") own.set(location.row, comment.trim());
  }
  const remarks = new Map<number, Remark>();
  for (const row of own.keys()) {
    if (own.has(row + 1)) continue;
    const parts: string[] = [];
    for (let at = row; own.has(at); at--) parts.unshift(own.get(at) ?? "");
    if (parts.some((part) => part.startsWith("METADATA") || /^-{3}|^#{2}/.test(part))) continue;
    const at = parts.findIndex((part) => /^next:/i.test(part));
    const meaning = (at < 0 ? parts : parts.slice(0, at)).join(" ").trim();
    const next =
      at < 0
        ? undefined
        : parts
            .slice(at)
            .join(" ")
            .replace(/^next:\s*/i, "");
    remarks.set(row + 1, { meaning, ...(next === undefined ? {} : { next }) });
  }
  return remarks;
}
