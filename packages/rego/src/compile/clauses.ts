// SPDX-License-Identifier: Apache-2.0
// From the rules of a module to clauses: the head is lowered after the body, into which goes what the head must compute.

import type { Module, Rule, Term } from "../ast.ts";
import { GIVEN_SLOT } from "./head.ts";
import { Lowering } from "./lower.ts";
import type { Metadata } from "./metadata.ts";
import type { Clause, Operand, Program, Report, Statement } from "./program.ts";
import { declaredNames, Scope, Variables } from "./scope.ts";
import { needsEvaluation, type Sink } from "./sink.ts";

/** The globals of a module: its rules and those of its package elsewhere, and its imports. */
export function globalsOf(module: Module, names: Iterable<string>): Map<string, readonly string[]> {
  const globals = new Map<string, readonly string[]>();
  for (const name of names) globals.set(name, ["data", ...module.path, name]);
  for (const { path, alias } of module.imports) {
    if (path[0] !== "data" && path[0] !== "input") continue;
    globals.set(alias ?? path.at(-1) ?? "", path);
  }
  return globals;
}

export function lowerRule(
  program: Program,
  module: Module,
  globals: ReadonlyMap<string, readonly string[]>,
  rule: Rule,
  report: Report,
  metadata: Metadata,
): Clause {
  // The first places are for the result, and for what is given: arguments, or keys of the head and a member.
  const { args: patterns = [], ref } = rule.head;
  const variables = new Variables({ size: GIVEN_SLOT + Math.max(patterns.length, ref.length + 1) });
  const lowering = new Lowering(
    program,
    { version: module.version, globals, describe: metadata.describe(module, rule) },
    variables,
    report,
  );
  const base = new Scope(new Set());
  const support: Statement[] = [];
  const args = rule.head.args?.map((arg) => argument(lowering, arg, base, { list: support, with: [] }));
  return clauseOf(lowering, module, rule, base, args, support);
}

function clauseOf(
  lowering: Lowering,
  module: Module,
  rule: Rule,
  base: Scope,
  args: readonly Operand[] | undefined,
  support: readonly Statement[],
): Clause {
  const { head, location } = rule;
  // Arguments are of the scope of the body, so that `:=` cannot declare them again.
  const scope = base.copy(declaredNames(rule.body));
  const body = [...(rule.implicitBody ? [] : lowering.body(rule.body, scope)), ...support];
  const sink: Sink = { list: body, with: [] };
  const settle = (term: Term) => lowering.settled(lowering.term(term, scope, sink), sink);

  const ref: Operand[] = module.path.map((value) => ({ kind: "value", value, location }));
  for (const term of head.ref) {
    const operand = settle(term);
    ref.push(operand.kind === "value" || operand.kind === "local" ? operand : lowering.bound(operand, sink));
  }
  const ground = ref.findIndex(({ kind }) => kind !== "value");
  const contains = head.contains === undefined ? undefined : settle(head.contains);
  const value: Operand =
    head.value === undefined ? { kind: "value", value: true, location } : settle(head.value);
  lowering.checkUsed(scope);
  const next = rule.else;
  return {
    source: rule,
    module,
    default: rule.default,
    ref,
    ground: ground < 0 ? ref.length : ground,
    ...(args === undefined ? {} : { args }),
    ...(contains === undefined ? { value } : { contains }),
    body,
    ...(next === undefined ? {} : { else: clauseOf(lowering, module, next, base, args, support) }),
    frame: lowering.variables.frame,
    location,
  };
}

/** A pattern in the place of an argument: its variables are new, but for those that occur twice. */
function argument(lowering: Lowering, term: Term, scope: Scope, sink: Sink): Operand {
  const { location } = term;
  switch (term.kind) {
    case "var": {
      const known = scope.find(term.name)?.local;
      if (known !== undefined) known.uses++;
      const local = known ?? lowering.declare(term.name, term, scope, "argument", term.wildcard === true);
      return { kind: "local", local, location, term };
    }
    case "array":
      return {
        kind: "array",
        items: term.items.map((item) => argument(lowering, item, scope, sink)),
        location,
        term,
      };
    case "object":
      return {
        kind: "object",
        entries: term.entries.map(
          ([key, value]) =>
            [lowering.term(key, scope, sink), argument(lowering, value, scope, sink)] as const,
        ),
        location,
        term,
      };
    case "call":
      lowering.report({ code: "REGO_COMPILE", message: "rule arguments cannot contain calls", location });
      return { kind: "value", value: null, location };
    default: {
      const operand = lowering.term(term, scope, sink);
      return needsEvaluation(operand) ? lowering.bound(operand, sink) : operand;
    }
  }
}
