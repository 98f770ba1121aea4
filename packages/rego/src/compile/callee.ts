// SPDX-License-Identifier: Apache-2.0
// What a call calls: a built-in function, or a function of the policy; with the number of arguments it takes.

import type { Location } from "../ast.ts";
import type { Diagnostic, RegoErrorCode } from "../errors.ts";
import { DEPRECATED, REFUSED } from "./names.ts";
import { type Callee, findNode, nodesBelow, type Program, pathText, type RuleNode } from "./program.ts";

export interface CalleeProblem {
  readonly code: RegoErrorCode;
  readonly message: string;
  readonly hint?: string;
}

/** The built-in function of this name, or what is wrong with it. `strict`: in v1 deprecated ones are refused. */
export function findBuiltin(program: Program, name: string, strict: boolean): Callee | CalleeProblem {
  const refused = REFUSED.get(name);
  if (refused !== undefined) {
    return {
      code: "REGO_TYPE",
      message: `unsafe built-in function calls in expression: ${name}`,
      hint: refused,
    };
  }
  const builtin = program.builtins.get(name);
  const instead = DEPRECATED.get(name);
  if (builtin !== undefined && strict && instead !== undefined) {
    return {
      code: "REGO_TYPE",
      message: `deprecated built-in function calls in expression: ${name}`,
      hint: `use ${instead}, or read the module as v0`,
    };
  }
  return builtin === undefined ? undefinedFunction(program, name) : { kind: "builtin", builtin };
}

/** The function of the policy at a path below `data`. */
export function findFunction(program: Program, path: readonly string[]): Callee | CalleeProblem {
  const node = findNode(program.root, path);
  if (node === undefined || node.arity === undefined) return undefinedFunction(program, pathText(path));
  return { kind: "function", node };
}

export function isCallee(found: Callee | CalleeProblem): found is Callee {
  return "kind" in found;
}

export function arityOf(callee: Callee): number {
  return callee.kind === "builtin" ? callee.builtin.type.args.length : (callee.node.arity ?? 0);
}

export function nameOf(callee: Callee): string {
  return callee.kind === "builtin" ? callee.builtin.name : pathText(callee.node.path);
}

/** Whether there is no value to use: `print`. */
export function isVoid(callee: Callee): boolean {
  return callee.kind === "builtin" && callee.builtin.type.result === undefined;
}

function undefinedFunction(program: Program, name: string): CalleeProblem {
  const near = nearest(name, program);
  return {
    code: "REGO_TYPE",
    message: `undefined function ${name}`,
    ...(near === undefined ? {} : { hint: `did you mean ${near}?` }),
  };
}

/** How many names were looked for: a text full of them is not worth the time. */
const searches = new WeakMap<Program, number>();
const MAX_SEARCHES = 20;

/** A known name that differs by a letter or two. */
function nearest(name: string, program: Program): string | undefined {
  const before = searches.get(program) ?? 0;
  if (before >= MAX_SEARCHES) return undefined;
  searches.set(program, before + 1);
  const known = [
    ...program.builtins.keys(),
    ...[...nodesBelow(program.root)].filter(isFunction).map(({ path }) => pathText(path)),
  ];
  return known.find((other) => !other.startsWith("internal.") && isNear(name, other));
}

function isFunction(node: RuleNode): boolean {
  return node.arity !== undefined;
}

function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1 || a.length < 3) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return Math.max(a.length, b.length) - start - end <= 2;
}

/** The refusal of a wrong number of arguments. */
export function arityProblem(callee: Callee, got: number, location: Location): Diagnostic {
  const wanted = arityOf(callee);
  const message = `function ${nameOf(callee)} has arity ${wanted}, got ${got} argument${got === 1 ? "" : "s"}`;
  return { code: "REGO_TYPE", message, location };
}
