// SPDX-License-Identifier: Apache-2.0
// From the syntax tree to statements: names become locals and paths, and each call stands alone, before what uses it.

import type { Body, Expr, Location, Module, RegoVersion, Operand as SourceOperand, Term } from "../ast.ts";
import {
  arityOf,
  arityProblem,
  type CalleeProblem,
  findBuiltin,
  findFunction,
  isCallee,
  isVoid,
  nameOf,
} from "./callee.ts";
import type {
  Callee,
  ComprehensionOperand,
  Form,
  Local,
  LocalOperand,
  Operand,
  Program,
  RefOperand,
  Replacement,
  Report,
  Statement,
} from "./program.ts";
import { replacementsOf } from "./replace.ts";
import { declaredNames, patternNames, Scope, type Variables } from "./scope.ts";

/** Where statements go, and what they have in common. */
export interface Sink {
  readonly list: Statement[];
  readonly with: readonly Replacement[];
  readonly origin?: Expr;
}

/** What a name at the top of a module means: a path that begins with `data` or `input`. */
export type Globals = ReadonlyMap<string, readonly string[]>;

/** Lowers the rules of one module, or one query. */
export class Lowering {
  readonly program: Program;
  readonly variables: Variables;
  readonly version: RegoVersion;
  readonly report: Report;
  readonly #globals: Globals;

  constructor(
    program: Program,
    of: { readonly version: RegoVersion; readonly globals: Globals; readonly module?: Module },
    variables: Variables,
    report: Report,
  ) {
    this.program = program;
    this.variables = variables;
    this.version = of.version;
    this.report = report;
    this.#globals = of.globals;
  }

  /** A body in a scope of its own. */
  nested(source: Body, outer: Scope): { readonly body: Statement[]; readonly scope: Scope } {
    const scope = new Scope(declaredNames(source), outer);
    return { body: this.body(source, scope), scope };
  }

  /** A body in a scope that is there already. */
  body(source: Body, scope: Scope): Statement[] {
    const list: Statement[] = [];
    for (const expr of source) this.#expr(expr, scope, list);
    return list;
  }

  /** Reports what `some` and `every` declared for nothing. */
  checkUsed(scope: Scope): void {
    for (const { name, uses, generated, location } of scope.declared()) {
      if (uses === 0 && !generated) {
        this.#error(location, `declared var ${name} unused`, "remove it, or write `_` in its place");
      }
    }
  }

  /** A term: what must be called for it goes into the sink before. */
  term(term: Term, scope: Scope, sink: Sink): Operand {
    const { location } = term;
    switch (term.kind) {
      case "scalar":
        return { kind: "value", value: term.value, location, term };
      case "var":
        return this.#name(term.name, term.wildcard === true, scope, term);
      case "ref":
        return this.#ref(term, scope, sink);
      case "array":
      case "set":
        return {
          kind: term.kind,
          items: term.items.map((item) => this.term(item, scope, sink)),
          location,
          term,
        };
      case "object":
        return {
          kind: "object",
          entries: term.entries.map(
            ([key, value]) => [this.term(key, scope, sink), this.term(value, scope, sink)] as const,
          ),
          location,
          term,
        };
      case "call":
        return this.#callTerm(term, scope, sink);
      case "array-comprehension":
        return this.#comprehension("array", undefined, term.term, term, scope);
      case "set-comprehension":
        return this.#comprehension("set", undefined, term.term, term, scope);
      case "object-comprehension":
        return this.#comprehension("object", term.key, term.value, term, scope);
      case "template":
        return {
          kind: "template",
          parts: term.parts.map((part) => (typeof part === "string" ? part : this.#capture(part, scope))),
          location,
          term,
        };
    }
  }

  /** The operand, or a generated local that the sink binds to it where it needs evaluation. */
  settled(operand: Operand, sink: Sink): Operand {
    return needsEvaluation(operand) ? this.bound(operand, sink) : operand;
  }

  /** A generated local that the sink binds to the operand. */
  bound(operand: Operand, sink: Sink): LocalOperand {
    const local = this.#generated(operand.location, operand.term);
    emit(sink, { kind: "unify", left: local, right: operand, assign: false }, operand.location);
    return local;
  }

  #generated(location: Location, term?: Term): LocalOperand {
    return { kind: "local", local: this.variables.make("", true, location, term), location };
  }

  #error(location: Location, message: string, hint?: string): void {
    this.report({ code: "REGO_COMPILE", message, location, ...(hint === undefined ? {} : { hint }) });
  }

  #problem(problem: CalleeProblem, location: Location): void {
    this.report({ ...problem, location });
  }

  #name(name: string, wildcard: boolean, scope: Scope, term: Term): Operand {
    const { location } = term;
    const known = scope.find(name);
    if (known !== undefined) {
      known.local.uses++;
      return { kind: "local", local: known.local, location, term };
    }
    if (isRoot(name)) return { kind: "ref", head: name, path: [], location, term };
    const path = scope.declares(name) ? undefined : this.#globals.get(name);
    if (path !== undefined) return globalRef(path, term);
    const local = this.variables.plain(name, wildcard, location);
    scope.add(name, local, "seen");
    local.uses++;
    return { kind: "local", local, location, term };
  }

  #ref(term: Term & { readonly kind: "ref" }, scope: Scope, sink: Sink): Operand {
    const { location } = term;
    const head = this.term(term.head, scope, sink);
    const path = term.path.map((part) => this.term(part, scope, sink));
    return below(this.#rooted(head, sink), path, location, term);
  }

  /** What a path can begin with. */
  #rooted(operand: Operand, sink: Sink): RefOperand | LocalOperand {
    return operand.kind === "ref" || operand.kind === "local" ? operand : this.bound(operand, sink);
  }

  #comprehension(
    of: ComprehensionOperand["of"],
    key: Term | undefined,
    value: Term,
    term: Term & { readonly body: Body },
    outer: Scope,
  ): ComprehensionOperand {
    const { body, scope } = this.nested(term.body, outer);
    const sink: Sink = { list: body, with: [] };
    const settle = (part: Term) => this.settled(this.term(part, scope, sink), sink);
    const lowered = {
      kind: "comprehension" as const,
      of,
      ...(key === undefined ? {} : { key: settle(key) }),
      value: settle(value),
      body,
      location: term.location,
      term,
    };
    this.checkUsed(scope);
    return lowered;
  }

  /** `{x | x = term}`: one that is undefined does not fail what it stands in. */
  #capture(source: Expr | Term, outer: Scope): ComprehensionOperand {
    const body: Statement[] = [];
    const [term, expr] = "form" in source ? [termOf(source), source] : [source, undefined];
    const replaced =
      expr === undefined
        ? []
        : replacementsOf(this, expr.with, outer, { list: body, with: [], origin: expr });
    const sink: Sink = { list: body, with: replaced, ...(expr === undefined ? {} : { origin: expr }) };
    const value = this.bound(this.term(term, outer, sink), sink);
    return { kind: "comprehension", of: "set", value, body, location: source.location };
  }

  #callTerm(term: Term & { readonly kind: "call" }, scope: Scope, sink: Sink): Operand {
    const output = this.#generated(term.location, term);
    const callee = this.callee(term, scope);
    const args = term.args.map((arg) => this.term(arg, scope, sink));
    if (callee === undefined) return output;
    if (args.length !== arityOf(callee)) this.report(arityProblem(callee, args.length, term.location));
    if (isVoid(callee)) this.#error(term.location, `function ${nameOf(callee)} has no value to use`);
    emit(sink, { kind: "call", callee, args, output }, term.location, true);
    return output;
  }

  /** What a call means; undefined when that has been reported. */
  callee(term: Term & { readonly kind: "call" }, scope: Scope): Callee | undefined {
    const { operator, infix, location } = term;
    const [first = "", ...rest] = operator;
    const known = infix === undefined ? scope.find(first) : undefined;
    if (known !== undefined && known.how !== "seen") {
      this.#error(
        location,
        `called function ${operator.join(".")} shadowed`,
        "give the variable another name",
      );
      return undefined;
    }
    const global = infix === undefined && !scope.declares(first) ? this.#globals.get(first) : undefined;
    const path = [...(global ?? [first]), ...rest];
    const found =
      path[0] === "data"
        ? findFunction(this.program, path.slice(1))
        : findBuiltin(this.program, path.join("."), this.version === "v1");
    if (isCallee(found)) return found;
    this.#problem(found, location);
    return undefined;
  }

  #expr(expr: Expr, scope: Scope, list: Statement[]): void {
    const { form, location } = expr;
    const plain: Sink = { list, with: [], origin: expr };
    const replacements = replacementsOf(this, expr.with, scope, plain);
    const sink: Sink = { list, with: replacements, origin: expr };
    const put = (made: Form) =>
      list.push({
        form: made,
        negated: expr.negated,
        with: replacements,
        generated: false,
        origin: expr,
        location,
      });
    switch (form.kind) {
      case "term":
        if (form.term.kind === "call") this.#callExpr(form.term, scope, sink, put);
        else put({ kind: "test", term: this.term(form.term, scope, sink) });
        break;
      case "unify": {
        const left = this.term(form.left, scope, sink);
        put({ kind: "unify", left, right: this.term(form.right, scope, sink), assign: false });
        break;
      }
      case "assign": {
        if (expr.negated) {
          this.#error(location, "cannot assign vars inside negated expression");
          break;
        }
        const right = this.term(form.right, scope, sink);
        const left = this.#pattern(form.left, scope, sink);
        put({ kind: "unify", left, right, assign: true });
        break;
      }
      case "some":
        for (const variable of form.variables) this.declare(variable.name, variable, scope, "declared");
        break;
      case "some-in":
        this.#someIn(form, scope, sink, put);
        break;
      case "every": {
        const domain = this.bound(this.term(form.domain, scope, sink), sink);
        const inner = new Scope(declaredNames(form.body), scope);
        const key = form.key === undefined ? undefined : this.#loopVariable(form.key, inner);
        const value = this.#loopVariable(form.value, inner);
        const body = this.body(form.body, inner);
        this.checkUsed(inner);
        put({ kind: "every", ...(key === undefined ? {} : { key }), value, domain, body });
        break;
      }
      case "not":
        put({ kind: "not", ...this.#operand(form.operand, scope, "negated expression") });
        break;
      case "and":
      case "or": {
        const place = `implicit ${form.kind} operand`;
        const left = this.#operand(form.left, scope, place);
        const right = this.#operand(form.right, scope, place);
        put({
          kind: form.kind,
          left: left.body,
          right: right.body,
          leftBraces: left.braces,
          rightBraces: right.braces,
        });
        break;
      }
    }
  }

  /** With braces a scope of its own; without, nothing can be declared. */
  #operand(operand: SourceOperand, outer: Scope, place: string): { body: Statement[]; braces: boolean } {
    const { body: source, braces } = operand;
    if (!braces) {
      for (const { form, location } of source) {
        if (form.kind === "assign") this.#error(location, `cannot assign vars inside ${place}`);
      }
      return {
        body: this.body(
          source.filter(({ form }) => form.kind !== "assign"),
          outer,
        ),
        braces,
      };
    }
    const { body, scope } = this.nested(source, outer);
    this.checkUsed(scope);
    return { body, braces };
  }

  #callExpr(
    term: Term & { readonly kind: "call" },
    scope: Scope,
    sink: Sink,
    put: (form: Form) => void,
  ): void {
    const callee = this.callee(term, scope);
    if (callee?.kind === "builtin" && callee.builtin.name === "print") {
      put({ kind: "print", args: term.args.map((arg) => this.#capture(arg, scope)) });
      return;
    }
    const args = term.args.map((arg) => this.term(arg, scope, sink));
    if (callee === undefined) return;
    const arity = arityOf(callee);
    if (args.length !== arity && args.length !== arity + 1) {
      this.report(arityProblem(callee, args.length, term.location));
      return;
    }
    const output = args.length > arity ? args.pop() : undefined;
    put({ kind: "call", callee, args, ...(output === undefined ? {} : { output }) });
  }

  #someIn(
    form: Extract<Expr["form"], { kind: "some-in" }>,
    scope: Scope,
    sink: Sink,
    put: (form: Form) => void,
  ): void {
    const domain = this.#rooted(this.term(form.domain, scope, sink), sink);
    const used = new Set<Local>();
    collectLocals(domain, used);
    const declareAll = (pattern: Term) => {
      for (const name of patternNames(pattern)) {
        if (name.startsWith("$")) continue;
        const known = scope.find(name);
        if (known !== undefined && used.has(known.local)) {
          this.#error(pattern.location, `var ${name} assigned before`);
        } else {
          this.declare(name, pattern, scope, "declared");
        }
      }
    };
    if (form.key !== undefined) declareAll(form.key);
    declareAll(form.value);
    const key =
      form.key === undefined ? this.#generated(form.domain.location) : this.term(form.key, scope, sink);
    const left = this.term(form.value, scope, sink);
    put({
      kind: "unify",
      left,
      right: below(domain, [key], form.domain.location, form.domain),
      assign: false,
    });
  }

  /** The left side of `:=`: its variables are new. */
  #pattern(term: Term, scope: Scope, sink: Sink): Operand {
    const { location } = term;
    switch (term.kind) {
      case "var": {
        const local = this.declare(term.name, term, scope, "assigned", term.wildcard === true);
        return { kind: "local", local, location, term };
      }
      case "scalar":
        return this.term(term, scope, sink);
      case "array":
        return {
          kind: "array",
          items: term.items.map((item) => this.#pattern(item, scope, sink)),
          location,
          term,
        };
      case "object":
        return {
          kind: "object",
          entries: term.entries.map(
            ([key, value]) => [this.term(key, scope, sink), this.#pattern(value, scope, sink)] as const,
          ),
          location,
          term,
        };
      default:
        this.#error(location, `cannot assign to ${term.kind}`, "write `==` to compare, or `=` to unify");
        return this.#generated(location);
    }
  }

  /** A new variable in the scope; where that cannot be, it is reported, and the variable is new all the same. */
  declare(
    name: string,
    term: Term,
    scope: Scope,
    how: "declared" | "assigned" | "argument",
    generated = false,
  ): Local {
    const { location } = term;
    const conflict = scope.conflict(name);
    if (conflict !== undefined) this.#error(location, conflict, "give it another name");
    if (this.version === "v1" && isRoot(name)) {
      this.#error(location, `variables must not shadow ${name} (use a different variable name)`);
    }
    const local = this.variables.make(name, generated, location);
    scope.add(name, local, how);
    return local;
  }

  #loopVariable(term: Term & { readonly kind: "var" }, scope: Scope): Local {
    return this.declare(term.name, term, scope, "declared", term.wildcard === true);
  }
}

/** Adds a statement to a sink. */
export function emit(sink: Sink, form: Form, location: Location, generated = true): void {
  sink.list.push({
    form,
    negated: false,
    with: sink.with,
    generated,
    ...(sink.origin === undefined ? {} : { origin: sink.origin }),
    location,
  });
}

/** A path below another operand, in one reference where that is one already. */
export function below(
  head: RefOperand | LocalOperand,
  path: readonly Operand[],
  location: Location,
  term?: Term,
): RefOperand {
  const source = term === undefined ? {} : { term };
  return head.kind === "ref"
    ? { kind: "ref", head: head.head, path: [...head.path, ...path], location, ...source }
    : { kind: "ref", head: head.local, path, location, ...source };
}

/** References and comprehensions, anywhere in it. */
export function needsEvaluation(operand: Operand): boolean {
  switch (operand.kind) {
    case "value":
    case "local":
      return false;
    case "array":
    case "set":
      return operand.items.some(needsEvaluation);
    case "object":
      return operand.entries.some(([key, value]) => needsEvaluation(key) || needsEvaluation(value));
    case "ref":
    case "comprehension":
    case "template":
      return true;
  }
}

function collectLocals(operand: Operand, into: Set<Local>): void {
  if (operand.kind === "local") into.add(operand.local);
  if (operand.kind !== "ref") return;
  if (typeof operand.head !== "string") into.add(operand.head);
  for (const part of operand.path) collectLocals(part, into);
}

function globalRef(path: readonly string[], term: Term): Operand {
  const { location } = term;
  const [root, ...rest] = path;
  return {
    kind: "ref",
    head: root === "input" ? "input" : "data",
    path: rest.map((value) => ({ kind: "value", value, location })),
    location,
    term,
  };
}

function isRoot(name: string): name is "input" | "data" {
  return name === "input" || name === "data";
}

/** The term of an expression in a template. */
function termOf({ form, location }: Expr): Term {
  return form.kind === "term" ? form.term : { kind: "scalar", value: null, location };
}
