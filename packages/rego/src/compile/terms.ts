// SPDX-License-Identifier: Apache-2.0
// Terms become operands: names become locals and paths, and each call a statement before what uses it.

import type { Body, Expr, Location, RegoVersion, Term } from "../ast.ts";
import { arityOf, arityProblem, findBuiltin, findFunction, isCallee, isVoid, nameOf } from "./callee.ts";
import { type Describe, isMetadata } from "./metadata.ts";
import type {
  Callee,
  ComprehensionOperand,
  Local,
  LocalOperand,
  Operand,
  Program,
  RefOperand,
  Report,
  Statement,
} from "./program.ts";
import { replacementsOf } from "./replace.ts";
import { declaredNames, Scope, type Variables } from "./scope.ts";
import { below, emit, globalRef, isRoot, needsEvaluation, type Sink } from "./sink.ts";

/** What a name at the top of a module means: a path that begins with `data` or `input`. */
export type Globals = ReadonlyMap<string, readonly string[]>;

/** The module, or the query, whose terms are lowered. */
export interface Place {
  readonly version: RegoVersion;
  readonly globals: Globals;
  /** What `rego.metadata` says here. */
  readonly describe?: Describe;
}

export abstract class TermLowering {
  readonly program: Program;
  readonly variables: Variables;
  readonly version: RegoVersion;
  readonly report: Report;
  readonly #place: Place;

  constructor(program: Program, place: Place, variables: Variables, report: Report) {
    this.program = program;
    this.variables = variables;
    this.version = place.version;
    this.report = report;
    this.#place = place;
  }

  /** A body in a scope that is there already. */
  abstract body(source: Body, scope: Scope): Statement[];

  /** A body in a scope of its own. */
  nested(source: Body, outer: Scope): { readonly body: Statement[]; readonly scope: Scope } {
    const scope = new Scope(declaredNames(source), outer);
    return { body: this.body(source, scope), scope };
  }

  /** Reports what `some` and `every` declared for nothing. */
  checkUsed(scope: Scope): void {
    for (const { name, uses, generated, location } of scope.declared()) {
      if (uses === 0 && !generated) {
        this.error(location, `declared var ${name} unused`, "remove it, or write `_` in its place");
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
          parts: term.parts.map((part) => (typeof part === "string" ? part : this.capture(part, scope))),
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
    const local = this.generated(operand.location, operand.term);
    emit(sink, { kind: "unify", left: local, right: operand, assign: false }, operand.location);
    return local;
  }

  protected generated(location: Location, term?: Term): LocalOperand {
    return { kind: "local", local: this.variables.make("", true, location, term), location };
  }

  protected error(location: Location, message: string, hint?: string): void {
    this.report({ code: "REGO_COMPILE", message, location, ...(hint === undefined ? {} : { hint }) });
  }

  #name(name: string, wildcard: boolean, scope: Scope, term: Term): Operand {
    const { location } = term;
    const known = scope.find(name);
    if (known !== undefined) {
      known.local.uses++;
      return { kind: "local", local: known.local, location, term };
    }
    if (isRoot(name)) return { kind: "ref", head: name, path: [], location, term };
    const path = scope.declares(name) ? undefined : this.#place.globals.get(name);
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
    return below(this.rooted(head, sink), path, location, term);
  }

  /** What a path can begin with. */
  protected rooted(operand: Operand, sink: Sink): RefOperand | LocalOperand {
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
  protected capture(source: Expr | Term, outer: Scope): ComprehensionOperand {
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
    if (isMetadata(term)) return this.#metadata(term);
    const output = this.generated(term.location, term);
    const callee = this.callee(term, scope);
    const args = term.args.map((arg) => this.term(arg, scope, sink));
    if (callee === undefined) return output;
    if (args.length !== arityOf(callee)) this.report(arityProblem(callee, args.length, term.location));
    if (isVoid(callee)) this.error(term.location, `function ${nameOf(callee)} has no value to use`);
    emit(sink, { kind: "call", callee, args, output }, term.location, true);
    return output;
  }

  /** Calls that are known before evaluation: what the comments above say. */
  #metadata({ operator, location }: Term & { readonly kind: "call" }): Operand {
    const found = this.#place.describe?.(operator.at(-1) === "rule" ? "rule" : "chain");
    if (found !== undefined && !("message" in found)) return { kind: "value", value: found.value, location };
    const name = operator.join(".");
    this.report({ code: "REGO_COMPILE", message: `${name} is of no use here`, ...found, location });
    return this.generated(location);
  }

  /** What a call means; undefined when that has been reported. */
  callee(term: Term & { readonly kind: "call" }, scope: Scope): Callee | undefined {
    const { operator, infix, location } = term;
    const [first = "", ...rest] = operator;
    const known = infix === undefined ? scope.find(first) : undefined;
    if (known !== undefined && known.how !== "seen") {
      this.error(
        location,
        `called function ${operator.join(".")} shadowed`,
        "give the variable another name",
      );
      return undefined;
    }
    const global = infix === undefined && !scope.declares(first) ? this.#place.globals.get(first) : undefined;
    const path = [...(global ?? [first]), ...rest];
    const found =
      path[0] === "data"
        ? findFunction(this.program, path.slice(1))
        : findBuiltin(this.program, path.join("."), this.version === "v1");
    if (isCallee(found)) return found;
    this.report({ ...found, location });
    return undefined;
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
    if (conflict !== undefined) this.error(location, conflict, "give it another name");
    if (this.version === "v1" && isRoot(name)) {
      this.error(location, `variables must not shadow ${name} (use a different variable name)`);
    }
    const local = this.variables.make(name, generated, location);
    scope.add(name, local, how);
    return local;
  }
}

/** The term of an expression in a template. */
function termOf({ form, location }: Expr): Term {
  return form.kind === "term" ? form.term : { kind: "scalar", value: null, location };
}
