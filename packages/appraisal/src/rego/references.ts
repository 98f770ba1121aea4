// SPDX-License-Identifier: Apache-2.0
// `query_reference_value(id)`. Trustee's store holds a value or a list under an id, and its policies say by how they
// use it which they mean: `x in query_reference_value(id)` or `x == query_reference_value(id)`. Here every id has a
// list, so calls are parted by their use before the policy is compiled.

import type { JsonValue } from "@adyton/core/json";
import {
  ANY,
  type Body,
  type Builtin,
  type Expr,
  type Module,
  type Rule,
  STRING,
  type Term,
  takes,
} from "@adyton/rego";
import { type ReferenceValues, valuesOf } from "../reference.ts";
import { mapTerms, termsIn } from "./syntax.ts";

const QUERY = "query_reference_value";
/** The only value of an id; its list where there are several, undefined where there is none. */
const ONE = "query_reference_value.one";
/** The list of an id; null where there is none, as Trustee has it. */
const ALL = "query_reference_value.all";
const COMPARING: ReadonlySet<string> = new Set(["equal", "neq", "lt", "lte", "gt", "gte", "eq"]);
const SCALAR_TESTS: ReadonlySet<string> = new Set(["is_number", "is_string", "is_boolean", "to_number"]);
const HEX = /^(?:[0-9a-fA-F]{2})+$/;

/** The functions, over the reference values that `current` gives; `asked` hears of each call. */
export function referenceBuiltins(current: () => ReferenceValues, asked: (id: string) => void): Builtin[] {
  const values = (id: string): readonly JsonValue[] => {
    asked(id);
    return withLowerCase(valuesOf(current(), id));
  };
  const define = (name: string, call: (id: string) => JsonValue | undefined): Builtin => ({
    name,
    type: takes([STRING], ANY),
    call,
    nondeterministic: true,
  });
  return [
    define(QUERY, (id) => [...values(id)]),
    define(ALL, (id) => orNull(values(id))),
    define(ONE, (id) => {
      const all = valuesOf(current(), id);
      asked(id);
      return all.length === 0 ? undefined : all.length === 1 ? all[0] : [...all];
    }),
  ];
}

function orNull(values: readonly JsonValue[]): JsonValue {
  return values.length === 0 ? null : [...values];
}

/** Claims are hex in lower case; whoever registers values may write upper case. */
function withLowerCase(values: readonly JsonValue[]): readonly JsonValue[] {
  const more = values.flatMap((value) => {
    if (typeof value !== "string" || !HEX.test(value)) return [];
    const lower = value.toLowerCase();
    return lower === value ? [] : [lower];
  });
  return more.length === 0 ? values : [...values, ...more];
}

/** A module as Trustee means it. */
export function withTrusteeQueries(module: Module): Module {
  return { ...module, rules: module.rules.map(ruleOf) };
}

function ruleOf(rule: Rule): Rule {
  return {
    ...rule,
    body: bodyOf(rule.body),
    ...(rule.else === undefined ? {} : { else: ruleOf(rule.else) }),
  };
}

function bodyOf(body: Body): Body {
  const scalars = new Set<string>();
  for (const expr of body) {
    for (const term of termsIn(expr)) {
      if (term.kind !== "call" || !(isComparison(term) || SCALAR_TESTS.has(term.operator.join("."))))
        continue;
      for (const arg of term.args) if (arg.kind === "var") scalars.add(arg.name);
    }
  }
  return body.map((expr) => exprOf(expr, scalars));
}

function exprOf(expr: Expr, scalars: ReadonlySet<string>): Expr {
  const { form } = expr;
  if (form.kind === "assign" || form.kind === "unify") {
    const named = form.left.kind === "var" && isQuery(form.right);
    const one = named ? form.left.kind === "var" && scalars.has(form.left.name) : form.kind === "unify";
    const right = isQuery(form.right) ? renamed(form.right, one ? ONE : ALL) : convert(form.right);
    const left = isQuery(form.left) ? renamed(form.left, ONE) : convert(form.left);
    return { ...expr, form: { ...form, left, right } };
  }
  return mapTerms(expr, convertOne);
}

function convert(term: Term): Term {
  return mapTerms(term, convertOne);
}

/** Innermost first: calls that stand directly in a comparison ask for one value. */
function convertOne(term: Term): Term {
  if (term.kind !== "call") return term;
  if (isComparison(term)) {
    // `query_reference_value(id) == null` asks whether there is none.
    const about = term.args.some((arg) => arg.kind === "scalar" && arg.value === null) ? ALL : ONE;
    return { ...term, args: term.args.map((arg) => (isQuery(arg) ? renamed(arg, about) : arg)) };
  }
  return isQuery(term) && term.operator[0] === QUERY && term.operator.length === 1
    ? renamed(term, ALL)
    : term;
}

function isComparison(term: Term): boolean {
  return term.kind === "call" && COMPARING.has(term.operator.join("."));
}

function isQuery(term: Term): boolean {
  return term.kind === "call" && term.operator[0] === QUERY;
}

function renamed(term: Term, name: string): Term {
  return term.kind === "call" ? { ...term, operator: name.split(".") } : term;
}
