// SPDX-License-Identifier: Apache-2.0
// A prepared query: a body that is evaluated as often as wanted.

import type { Body, Expr, Term } from "../ast.ts";
import type { Program, QueryProgram } from "../compile/program.ts";
import { countLocals } from "../compile/variables.ts";
import { MeterError, meter, type Value } from "../value.ts";
import { BodyCoder } from "./body.ts";
import { chain } from "./coder.ts";
import type { Limits } from "./limits.ts";
import type { Machine } from "./machine.ts";
import { type EvaluateOptions, Evaluation, type Step } from "./state.ts";

/** One solution of a query. */
export interface Answer {
  /** For each expression its value; `true` for those that have none, such as `x := 1`. */
  readonly values: readonly Value[];
  /** The variables of the query; those of comprehensions and `every` are their own affair. */
  readonly bindings: Readonly<Record<string, Value>>;
}

/** What the policies of one compilation share. */
export interface Shared {
  readonly plain: Machine;
  /** Made when it is first asked for. */
  traced: Machine | undefined;
  readonly limits: Limits;
  readonly strict: boolean;
}

export class Query {
  readonly #shared: Shared;
  readonly #query: QueryProgram;
  /** Where the values of expressions are kept; undefined for those without. */
  readonly #captured: readonly (number | undefined)[];
  readonly #free: Evaluation[] = [];
  #first: Step | undefined;
  #all: Step | undefined;
  #traced: Step | undefined;
  #answers: Answer[] = [];
  #value: Value | undefined;

  constructor(shared: Shared, query: QueryProgram, captured: readonly (number | undefined)[]) {
    this.#shared = shared;
    this.#query = query;
    this.#captured = captured;
  }

  /**
   * Every solution, in Rego's order of what is iterated over. None: the query is undefined. Throws a `RegoError`:
   * REGO_CONFLICT, REGO_LIMIT, REGO_MISUSE, and in strict mode REGO_BUILTIN and REGO_BUILTIN_TYPE.
   */
  evaluate(options: EvaluateOptions = {}): readonly Answer[] {
    const outer = this.#answers;
    const answers: Answer[] = [];
    this.#answers = answers;
    try {
      if (options.trace === undefined) {
        this.#all ??= this.#step(this.#shared.plain, (e) => this.#collect(e));
        this.#run(this.#all, options);
      } else {
        this.#shared.traced ??= this.#shared.plain.traced();
        this.#traced ??= this.#step(this.#shared.traced, (e) => this.#collect(e));
        this.#run(this.#traced, options);
      }
    } finally {
      this.#answers = outer;
    }
    return answers;
  }

  /**
   * The value of the query's only expression in its first solution; undefined when there is none. The quickest way to a
   * decision: `policy.prepare("data.policy.allow").value({ input })`. Throws as `evaluate` does.
   */
  value(options: EvaluateOptions = {}): Value | undefined {
    if (options.trace !== undefined) return this.evaluate(options)[0]?.values[0];
    this.#first ??= this.#step(this.#shared.plain, (e) => this.#keep(e));
    this.#value = undefined;
    const found = this.#run(this.#first, options);
    const value = this.#value;
    this.#value = undefined;
    return found ? value : undefined;
  }

  #run(step: Step, options: EvaluateOptions): boolean {
    const { limits, strict } = this.#shared;
    const e = this.#free.pop() ?? new Evaluation();
    e.begin(options, limits, strict);
    const outer = meter.left;
    meter.left = e.maxSteps;
    try {
      return step(e);
    } catch (error) {
      if (error instanceof MeterError) throw e.limit("steps");
      // The engine's own limits: the stack, the length of strings and arrays, the size of big integers.
      if (error instanceof RangeError || (error instanceof Error && error.name === "InternalError")) {
        throw e.overflow(error);
      }
      throw error;
    } finally {
      meter.left = outer;
      e.end();
      this.#free.push(e);
    }
  }

  #step(machine: Machine, done: Step): Step {
    const { body, frame } = this.#query;
    const coder = new BodyCoder(machine, frame, undefined, countLocals(body), true);
    const run = chain(coder.parts(body), done);
    return (e) => {
      e.reserve(frame.size);
      return run(e);
    };
  }

  #keep(e: Evaluation): boolean {
    const slot = this.#captured[0];
    this.#value = slot === undefined ? true : e.slots[e.base + slot];
    return true;
  }

  #collect(e: Evaluation): boolean {
    const bindings: Record<string, Value> = {};
    for (const { name, slot } of this.#query.locals) {
      const value = e.slots[e.base + slot];
      if (value !== undefined) bindings[name] = value;
    }
    const values = this.#captured.map((slot) =>
      slot === undefined ? true : (e.slots[e.base + slot] ?? true),
    );
    this.#answers.push({ values, bindings });
    return false;
  }
}

/**
 * The query with the value of each expression that has one bound to a variable. Alone and without iteration an expression
 * may be false; otherwise one that is false has no solution.
 */
export function capturing(
  program: Program,
  source: Body,
): { readonly body: Body; readonly names: readonly (string | undefined)[] } {
  const names = source.map((expr, i) => (hasValue(program, expr) ? `$value${i}` : undefined));
  const strict = source.length > 1 || source.some(iterates);
  const body = source.map((expr, i): Expr => {
    const name = names[i];
    if (name === undefined || expr.form.kind !== "term") return expr;
    return { ...expr, form: { kind: "unify", left: variable(name, expr), right: expr.form.term } };
  });
  const checks = source.flatMap((expr, i): Expr[] => {
    const name = names[i];
    if (name === undefined || !strict) return [];
    return [
      {
        form: { kind: "term", term: variable(name, expr) },
        negated: false,
        with: [],
        location: expr.location,
      },
    ];
  });
  return { body: [...body, ...checks], names };
}

function variable(name: string, { location }: Expr): Term {
  return { kind: "var", name, wildcard: true, location };
}

function hasValue(program: Program, { form, negated }: Expr): boolean {
  if (negated || form.kind !== "term") return false;
  if (form.term.kind !== "call") return true;
  const builtin = program.builtins.get(form.term.operator.join("."));
  if (builtin === undefined) return true;
  return builtin.type.result !== undefined && form.term.args.length === builtin.type.args.length;
}

function iterates({ form }: Expr): boolean {
  return form.kind === "term" && termIterates(form.term);
}

function termIterates(term: Term): boolean {
  switch (term.kind) {
    case "ref":
      return term.path.some((part) => part.kind === "var" || termIterates(part)) || termIterates(term.head);
    case "call":
      return term.operator.join(".") === "walk" || term.args.some(termIterates);
    case "array":
    case "set":
      return term.items.some(termIterates);
    case "object":
      return term.entries.some(([key, value]) => termIterates(key) || termIterates(value));
    default:
      return false;
  }
}
