// SPDX-License-Identifier: Apache-2.0
// Tests with cases: `test_x[case] if { some case, given in {…}; … }`. A case that fails leaves no trace in the value, so a
// second rule beside the test collects every case that is tried.

import type { Body, Module, Rule, Term } from "../ast.ts";
import { printExpr } from "../print.ts";

const SUFFIX = "$cases";

/** The reference to the cases of a test. */
export function casesNameOf(test: string): string {
  return test + SUFFIX;
}

/** The module, with a set of cases for each of its tests that has any. `nameOf` is undefined for rules that are no test. */
export function withCases(module: Module, nameOf: (rule: Rule) => string | undefined): Module {
  const added = module.rules.flatMap((rule): Rule[] => {
    const name = nameOf(rule);
    const [first, key, ...deeper] = rule.head.ref;
    if (name === undefined || first === undefined || key === undefined || deeper.length > 0) return [];
    const { location } = rule.head;
    const ref: Term[] = [{ kind: "scalar", value: casesNameOf(name), location: first.location }];
    return [
      {
        default: false,
        head: { ref, contains: key, assign: false, location },
        body: binding(key, rule.body),
        implicitBody: rule.implicitBody,
        location: rule.location,
      },
    ];
  });
  return added.length === 0 ? module : { ...module, rules: [...module.rules, ...added] };
}

/** The beginning of the body up to the condition that names the case; of a constant case nothing is needed. */
function binding(key: Term, body: Body): Body {
  if (key.kind === "scalar") return always(key);
  if (key.kind !== "var") return body;
  const name = new RegExp(`(?<![\\w."])${key.name}(?!\\w)`);
  const at = body.findIndex((expr) => expr.form.kind !== "some" && name.test(printExpr(expr)));
  return at < 0 ? body : body.slice(0, at + 1);
}

function always({ location }: Term): Body {
  const term: Term = { kind: "scalar", value: true, location };
  return [{ form: { kind: "term", term }, negated: false, with: [], location }];
}
