// SPDX-License-Identifier: Apache-2.0
// From modules to a program: names, scopes, the tree of rules, safety, recursion. What the type checker and the
// evaluator start from.

import type { Expr, Module, RegoVersion } from "../ast.ts";
import type { Builtin } from "../builtin.ts";
import { type Diagnostic, RegoError } from "../errors.ts";
import type { Value } from "../value.ts";
import { globalsOf, lowerRule } from "./clauses.ts";
import { checkConflicts } from "./conflicts.ts";
import { groundKeys } from "./head.ts";
import { hoistBody } from "./hoist.ts";
import { Lowering } from "./lower.ts";
import { Metadata } from "./metadata.ts";
import {
  type Clause,
  type Frame,
  type Local,
  newNode,
  nodeAt,
  nodesBelow,
  type Program,
  type QueryProgram,
  type Report,
  type TypeChecker,
} from "./program.ts";
import { checkRecursion } from "./recursion.ts";
import { checkBody, checkClause } from "./safety.ts";
import { declaredNames, Scope, Variables } from "./scope.ts";
import { constantValues, isRoot } from "./sink.ts";
import { outerLocals } from "./variables.ts";

/** Resolves modules. Throws a RegoError with everything that was found by the first stage that found anything. */
export function resolve(
  modules: readonly Module[],
  builtins: ReadonlyMap<string, Builtin>,
  version: RegoVersion,
  types?: TypeChecker,
): Program {
  const found: Diagnostic[] = [];
  const report: Report = (diagnostic) => found.push(diagnostic);
  const program: Program = {
    version,
    modules,
    root: newNode("data", []),
    nodes: [],
    order: [],
    builtins,
    types,
  };
  plant(program, modules, report);
  throwIf(found);
  lowerAll(program, modules, report);
  throwIf(found);
  checkConflicts(program, report);
  throwIf(found);
  for (const node of program.nodes) for (const clause of node.clauses) checkClause(clause, report);
  throwIf(found);
  for (const node of program.nodes) for (const clause of node.clauses) hoistClause(clause);
  checkRecursion(program, report);
  throwIf(found);
  types?.rules(program, report);
  throwIf(found);
  return program;
}

/** Resolves a query against a program. `globals` are names that it may use as a module would. */
export function resolveQuery(
  program: Program,
  source: readonly Expr[],
  version: RegoVersion,
  globals: ReadonlyMap<string, readonly string[]> = new Map(),
): QueryProgram {
  const found: Diagnostic[] = [];
  const report: Report = (diagnostic) => found.push(diagnostic);
  const frame: Frame = { size: 0 };
  const lowering = new Lowering(program, { version, globals }, new Variables(frame), report);
  const scope = new Scope(declaredNames(source));
  const lowered = lowering.body(source, scope);
  throwIf(found);
  const ordered = checkBody(lowered, new Set(), report);
  throwIf(found);
  const body = hoistBody(frame, ordered);
  const locals = new Set<Local>();
  for (const statement of lowered) for (const local of outerLocals(statement)) locals.add(local);
  const query: QueryProgram = {
    body,
    source,
    frame,
    locals: [...locals].filter(({ generated }) => !generated),
    slots: new Map([...locals].map(({ name, slot }) => [name, slot])),
  };
  program.types?.query(program, query, report);
  throwIf(found);
  return query;
}

/** The tree of rules, each node with its number of arguments: what names in bodies may mean. */
function plant(program: Program, modules: readonly Module[], report: Report): void {
  for (const module of modules) {
    nodeAt(program.root, module.path).packageOf ??= module;
    if (module.version === "v1") checkImports(module, report);
    for (const { head, implicitBody, location } of module.rules) {
      // A call where a rule is expected, most often after a brace too many.
      if (implicitBody && head.args !== undefined && head.value === undefined) {
        const called = constantValues(groundKeys(head)).join(".");
        if (program.builtins.has(called)) {
          report({
            code: "REGO_COMPILE",
            message: "rule name conflicts with built-in function",
            location,
            hint: `${called} is called here outside of a body`,
          });
        }
      }
      const name = head.ref[0];
      if (
        module.version === "v1" &&
        name?.kind === "scalar" &&
        typeof name.value === "string" &&
        isRoot(name.value)
      ) {
        report({
          code: "REGO_COMPILE",
          message: `rules must not shadow ${name.value} (use a different rule name)`,
          location,
        });
      }
      const node = nodeAt(program.root, [...module.path, ...keysOf(head)]);
      node.arity ??= head.args?.length;
    }
  }
}

function lowerAll(program: Program, modules: readonly Module[], report: Report): void {
  const names = new Map<string, Set<string>>();
  for (const module of modules) {
    const key = JSON.stringify(module.path);
    const known = names.get(key) ?? new Set();
    names.set(key, known);
    for (const { head } of module.rules) {
      const [name] = head.ref;
      if (name?.kind === "scalar" && typeof name.value === "string") known.add(name.value);
    }
  }
  const metadata = new Metadata(modules, program.builtins);
  for (const module of modules) {
    const globals = globalsOf(module, names.get(JSON.stringify(module.path)) ?? []);
    for (const rule of module.rules) {
      const clause = lowerRule(program, module, globals, rule, report, metadata);
      nodeAt(program.root, [...module.path, ...keysOf(rule.head)]).clauses.push(clause);
    }
  }
  for (const node of nodesBelow(program.root)) {
    if (node.clauses.length === 0) continue;
    node.id = program.nodes.length;
    program.nodes.push(node);
  }
}

function keysOf(head: Module["rules"][number]["head"]): Value[] {
  return constantValues(groundKeys(head));
}

function hoistClause(clause: Clause): void {
  clause.body = hoistBody(clause.frame, clause.body);
  if (clause.else !== undefined) hoistClause(clause.else);
}

/** In v1 a module imports one name once. */
function checkImports(module: Module, report: Report): void {
  const seen = new Map<string, string>();
  for (const { path, alias, location } of module.imports) {
    if (path[0] !== "data" && path[0] !== "input") continue;
    const name = alias ?? path.at(-1) ?? "";
    const text = path.join(".");
    const known = seen.get(name);
    if (known !== undefined)
      report({
        code: "REGO_COMPILE",
        message: `import must not shadow import ${known}`,
        location,
        hint: "give it another name with `as`",
      });
    seen.set(name, text);
  }
}

function throwIf(found: readonly Diagnostic[]): void {
  const [first, ...more] = [...found].sort(byPlace);
  if (first !== undefined) throw new RegoError([first, ...more]);
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (a.location === undefined || b.location === undefined) return 0;
  if (a.location.file !== b.location.file) return a.location.file < b.location.file ? -1 : 1;
  return a.location.offset - b.location.offset;
}
