// SPDX-License-Identifier: Apache-2.0
// `with`: what each target means, and whether it can be replaced.

import type { Term, With } from "../ast.ts";
import type { Value } from "../value.ts";
import { type CalleeProblem, findBuiltin, findFunction, isCallee } from "./callee.ts";
import { isFixed, REFUSED } from "./names.ts";
import { type Callee, findNode, type Operand, type RefOperand, type Replacement } from "./program.ts";
import type { Scope } from "./scope.ts";
import type { Sink } from "./sink.ts";
import type { TermLowering } from "./terms.ts";

/** Lowers the replacements of one expression; what their values need goes into the sink, outside of them. */
export function replacementsOf(
  lowering: TermLowering,
  sources: readonly With[],
  scope: Scope,
  sink: Sink,
): Replacement[] {
  return sources.flatMap((source) => {
    const target = targetOf(lowering, source.target, scope, sink);
    if ("message" in target) {
      lowering.report({ ...target, location: source.target.location });
      return [];
    }
    const replaced =
      target.kind === "builtin" || target.kind === "function"
        ? valueCallee(lowering, source.value, scope)
        : undefined;
    const value = replaced ?? lowering.settled(lowering.term(source.value, scope, sink), sink);
    return [{ target, value, location: source.location }];
  });
}

function targetOf(
  lowering: TermLowering,
  term: Term,
  scope: Scope,
  sink: Sink,
): Replacement["target"] | CalleeProblem {
  const name = dottedName(term);
  const root = rootOf(term);
  if (name !== undefined && root === undefined) {
    const builtin = findBuiltin(lowering.program, name.join("."), false);
    if (isCallee(builtin)) return checkReplaced(builtin);
  }
  const operand: Operand = root ?? lowering.term(term, scope, sink);
  if (operand.kind !== "ref" || typeof operand.head !== "string") {
    return {
      code: "REGO_TYPE",
      message: "with keyword target must reference existing input, data, or a function",
    };
  }
  const path = constants(operand.path);
  if (path === undefined || !path.every((key) => typeof key === "string")) {
    return {
      code: "REGO_COMPILE",
      message: "with keyword target must be a path of constant names",
      hint: "replace the array or object that holds the member",
    };
  }
  if (operand.head === "input") return { kind: "input", path };
  const { root: tree } = lowering.program;
  for (let i = 1; i < path.length; i++) {
    if ((findNode(tree, path.slice(0, i))?.clauses.length ?? 0) > 0) {
      return { code: "REGO_COMPILE", message: "with keyword cannot partially replace virtual document(s)" };
    }
  }
  const node = findNode(tree, path);
  return node?.arity === undefined ? { kind: "data", path } : { kind: "function", node };
}

/** A function by its name alone, where one is to stand in for another. */
function valueCallee(lowering: TermLowering, term: Term, scope: Scope): Callee | undefined {
  const name = dottedName(term);
  if (name === undefined || (name[0] !== undefined && scope.find(name[0]) !== undefined)) return undefined;
  if (name[0] !== "data" && name[0] !== "input") {
    const builtin = findBuiltin(lowering.program, name.join("."), false);
    if (isCallee(builtin)) return builtin;
    if (REFUSED.has(name.join("."))) lowering.report({ ...builtin, location: term.location });
  }
  const operand = lowering.term(term, scope, { list: [], with: [] });
  if (operand.kind !== "ref" || operand.head !== "data") return undefined;
  const path = constants(operand.path)?.filter((key) => typeof key === "string");
  if (path?.length !== operand.path.length) return undefined;
  const found = findFunction(lowering.program, path);
  return isCallee(found) ? found : undefined;
}

function checkReplaced(callee: Callee): Callee | CalleeProblem {
  if (callee.kind !== "builtin") return callee;
  const { name, type, each } = callee.builtin;
  const refuse = (reason: string): CalleeProblem => ({
    code: "REGO_COMPILE",
    message: `with keyword replacing built-in function: ${reason}`,
  });
  if (isFixed(name)) return refuse(`replacement of "${name}" invalid`);
  if (each !== undefined) return refuse("target must not be a relation");
  if (type.result === undefined) return refuse("target must not be a void function");
  return callee;
}

/** A target below `input` or `data`, which means the document even where a variable has its name. */
function rootOf(term: Term): RefOperand | undefined {
  const [head, path] = term.kind === "ref" ? [term.head, term.path] : [term, []];
  if (head.kind !== "var" || (head.name !== "input" && head.name !== "data")) return undefined;
  const { location } = term;
  const keys = path.map(
    (key): Operand =>
      key.kind === "scalar"
        ? { kind: "value", value: key.value, location }
        : { kind: "array", items: [], location },
  );
  return { kind: "ref", head: head.name, path: keys, location };
}

/** `a.b.c` as its names; undefined for anything else. */
function dottedName(term: Term): string[] | undefined {
  if (term.kind === "var") return [term.name];
  if (term.kind !== "ref" || term.head.kind !== "var") return undefined;
  const names = [term.head.name];
  for (const part of term.path) {
    if (part.kind !== "scalar" || typeof part.value !== "string") return undefined;
    names.push(part.value);
  }
  return names;
}

function constants(path: readonly Operand[]): Value[] | undefined {
  const values: Value[] = [];
  for (const part of path) {
    if (part.kind !== "value") return undefined;
    values.push(part.value);
  }
  return values;
}
