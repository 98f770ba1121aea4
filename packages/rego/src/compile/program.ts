// SPDX-License-Identifier: Apache-2.0
// The resolved program: what the compiler knows of a policy before it becomes closures, and what the type checker reads.
// Every name is a local, a path below `input` or `data`, or a function; every call is a statement of its own.

import type { Expr, Location, Module, RegoVersion, Rule, Term } from "../ast.ts";
import type { Builtin } from "../builtin.ts";
import type { Diagnostic } from "../errors.ts";
import { type Key, keyOf, type Value } from "../value.ts";

/** A variable of one rule or query. Two of one name in different scopes are two locals. */
export interface Local {
  readonly name: string;
  /** Made by the compiler, or a wildcard: not a name to show or to answer with. */
  readonly generated: boolean;
  readonly location: Location;
  /** Position in the frame of its rule. */
  readonly slot: number;
  /** How often the source names it after its declaration. */
  uses: number;
  /** What a generated local stands for. */
  readonly term?: Term;
}

export type Operand =
  | ValueOperand
  | LocalOperand
  | RefOperand
  | ArrayOperand
  | SetOperand
  | ObjectOperand
  | ComprehensionOperand
  | TemplateOperand;

interface OperandBase {
  readonly location: Location;
  /** As written, where the operand stands for a term of the source. */
  readonly term?: Term;
}

export interface ValueOperand extends OperandBase {
  readonly kind: "value";
  readonly value: Value;
}

export interface LocalOperand extends OperandBase {
  readonly kind: "local";
  readonly local: Local;
}

/** `input`, `data` or a local, and the path below it, which is empty only for the two documents. */
export interface RefOperand extends OperandBase {
  readonly kind: "ref";
  readonly head: "input" | "data" | Local;
  readonly path: readonly Operand[];
}

export interface ArrayOperand extends OperandBase {
  readonly kind: "array";
  readonly items: readonly Operand[];
}

export interface SetOperand extends OperandBase {
  readonly kind: "set";
  readonly items: readonly Operand[];
}

export interface ObjectOperand extends OperandBase {
  readonly kind: "object";
  readonly entries: readonly (readonly [key: Operand, value: Operand])[];
}

export interface ComprehensionOperand extends OperandBase {
  readonly kind: "comprehension";
  readonly of: "array" | "set" | "object";
  /** Of an object. */
  readonly key?: Operand;
  readonly value: Operand;
  /** Put in order by the safety check. */
  body: Statement[];
}

/** `$"…"`: each part that is no text has one value at most; without one it prints `<undefined>`. */
export interface TemplateOperand extends OperandBase {
  readonly kind: "template";
  readonly parts: readonly (string | ComprehensionOperand)[];
}

/** What is called: a built-in function, or a function of the policy, whose rules are those of `node`. */
export type Callee =
  | { readonly kind: "builtin"; readonly builtin: Builtin }
  | { readonly kind: "function"; readonly node: RuleNode };

export type Form =
  | { readonly kind: "test"; readonly term: Operand }
  /** `assign`: written with `:=`, the locals on the left are new. */
  | { readonly kind: "unify"; readonly left: Operand; readonly right: Operand; readonly assign: boolean }
  /** Without `output` a call is true when its value is defined and not false. */
  | {
      readonly kind: "call";
      readonly callee: Callee;
      readonly args: readonly Operand[];
      readonly output?: Operand;
    }
  | { readonly kind: "print"; readonly args: readonly ComprehensionOperand[] }
  | {
      readonly kind: "every";
      readonly key?: Local;
      readonly value: Local;
      readonly domain: Operand;
      body: Statement[];
    }
  /** No solution of a body. */
  | { readonly kind: "not"; body: Statement[]; readonly braces: boolean }
  | {
      readonly kind: "and" | "or";
      left: Statement[];
      right: Statement[];
      readonly leftBraces: boolean;
      readonly rightBraces: boolean;
    };

export interface Statement {
  readonly form: Form;
  /** `not` before a test, a unification or a call. What was taken out of its operands stands before it, not negated. */
  readonly negated: boolean;
  readonly with: readonly Replacement[];
  /** Made by the compiler out of a part of `origin`. */
  readonly generated: boolean;
  /** The expression of the source; absent for what comes from a head. */
  readonly origin?: Expr;
  readonly location: Location;
}

/** One `with`. */
export interface Replacement {
  readonly target: { readonly kind: "input" | "data"; readonly path: readonly Value[] } | Callee;
  /** A function stands in for a function. */
  readonly value: Operand | Callee;
  readonly location: Location;
}

/** One clause of a rule; `else` is tried when the body has no solution. */
export interface Clause {
  readonly source: Rule;
  readonly module: Module;
  readonly default: boolean;
  /** Below `data`, package included: constants, and locals from the first one on that is none. */
  readonly ref: readonly Operand[];
  /** How many of `ref` stand before the first that is no constant. */
  readonly ground: number;
  readonly args?: readonly Operand[];
  /** The member of a partial set. */
  readonly contains?: Operand;
  /** Of all other rules. */
  readonly value?: Operand;
  body: Statement[];
  readonly else?: Clause;
  /** Shared with `else`. */
  readonly frame: Frame;
  readonly location: Location;
}

/** Places for the variables of one rule or query while it is evaluated. */
export interface Frame {
  size: number;
}

/** A place below `data` at which modules or rules stand. */
export interface RuleNode {
  readonly key: Value;
  /** Below `data`. */
  readonly path: readonly Value[];
  readonly children: Map<Key, RuleNode>;
  /** Whose constant prefix ends here. */
  readonly clauses: Clause[];
  /** A package stands here. */
  packageOf: Module | undefined;
  /** Where its value is remembered; -1 without clauses. */
  id: number;
  /** How many arguments, where the rules are functions. */
  arity: number | undefined;
}

/** All of a policy. */
export interface Program {
  readonly version: RegoVersion;
  readonly modules: readonly Module[];
  readonly root: RuleNode;
  /** Those with clauses, at the position that is their id. */
  readonly nodes: RuleNode[];
  /** The same, each after those that it needs. */
  readonly order: RuleNode[];
  readonly builtins: ReadonlyMap<string, Builtin>;
  /** Absent where nobody wants types checked. */
  readonly types: TypeChecker | undefined;
}

/** Reports what can never fit. */
export interface TypeChecker {
  rules(program: Program, report: Report): void;
  query(program: Program, query: QueryProgram, report: Report): void;
}

/** A query is a body with a scope of its own. */
export interface QueryProgram {
  readonly body: Statement[];
  readonly source: readonly Expr[];
  readonly frame: Frame;
  /** What an answer names, in order of appearance. */
  readonly locals: readonly Local[];
  /** Places of the variables that the caller put in, by their names. */
  readonly slots: ReadonlyMap<string, number>;
}

export type Report = (diagnostic: Diagnostic) => void;

export function newNode(key: Value, path: readonly Value[]): RuleNode {
  return { key, path, children: new Map(), clauses: [], packageOf: undefined, id: -1, arity: undefined };
}

/** The node at `path` below `node`, made where there is none. */
export function nodeAt(node: RuleNode, path: readonly Value[]): RuleNode {
  let at = node;
  for (const key of path) {
    const known = at.children.get(keyOf(key));
    const next = known ?? newNode(key, [...at.path, key]);
    if (known === undefined) at.children.set(keyOf(key), next);
    at = next;
  }
  return at;
}

/** The node at `path` below `node`, if there is one. */
export function findNode(node: RuleNode, path: readonly Value[]): RuleNode | undefined {
  let at: RuleNode | undefined = node;
  for (const key of path) at = at?.children.get(keyOf(key));
  return at;
}

/** A node and all below it. */
export function* nodesBelow(node: RuleNode): Generator<RuleNode> {
  yield node;
  for (const child of node.children.values()) yield* nodesBelow(child);
}

/** `data.a.b["c d"]` */
export function pathText(path: readonly Value[]): string {
  let text = "data";
  for (const key of path) {
    text +=
      typeof key === "string" && /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(String(key))}]`;
  }
  return text;
}
