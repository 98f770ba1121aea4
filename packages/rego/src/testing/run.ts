// SPDX-License-Identifier: Apache-2.0
// Tests of policies, written in Rego: rules whose names begin with `test_`.

import type { Location, Module, Rule } from "../ast.ts";
import { compile } from "../compile.ts";
import { RegoError } from "../errors.ts";
import type { EvaluateOptions } from "../evaluate/state.ts";
import type { TraceEvent } from "../evaluate/trace.ts";
import type { CompiledPolicy, CompileOptions } from "../policy.ts";
import { printTerm } from "../print.ts";
import { showValue } from "../show.ts";
import { entriesOf, isObject, RegoSet, type Value } from "../value.ts";
import { casesNameOf, withCases } from "./cases.ts";
import { CoverageCounter, type PolicyCoverage } from "./coverage.ts";

/** How a test went. A rule that begins with `todo_test_` is skipped. */
export type TestOutcome = "pass" | "fail" | "skip" | "error";

/** The condition at which a test stopped. */
export interface TestFailure {
  readonly location: Location;
  /** What stood in it, for people: `input.user` is "bob". */
  readonly operands: readonly { readonly text: string; readonly value: string }[];
}

export interface TestResult {
  /** `data.policy_test.test_allow`; of a case of a test also its key in brackets. */
  readonly name: string;
  readonly location: Location;
  readonly outcome: TestOutcome;
  /** What `print` wrote. */
  readonly output: readonly string[];
  /** Of a test that failed: where. */
  readonly failure?: TestFailure;
  /** Of a test that could not be evaluated: why. */
  readonly error?: RegoError;
}

export interface TestRun {
  readonly results: readonly TestResult[];
  /** Of all modules but those that hold tests, when it was asked for. */
  readonly coverage?: PolicyCoverage;
}

export interface TestOptions extends Pick<EvaluateOptions, "data" | "now" | "limits"> {
  /** Parsed, so that places in them can be told. */
  readonly modules: readonly Module[];
  readonly builtins?: CompileOptions["builtins"];
  /** Only tests whose name it finds itself in. */
  readonly filter?: (name: string) => boolean;
  readonly coverage?: boolean;
  /** Called as each test ends. */
  readonly onResult?: (result: TestResult) => void;
}

const TEST = /^(todo_)?test_/;

/**
 * Runs the tests in `modules`, each by itself, in the order they stand in. A test passes when it is defined and not false.
 * One of the form `test_x[case]` has a result for each case that its first conditions name. Throws a `RegoError` when the modules do not compile.
 */
export function runTests(options: TestOptions): TestRun {
  const { modules, builtins = [], filter = () => true, onResult = () => undefined } = options;
  const policy = compile({ modules: modules.map((module) => withCases(module, nameOf)), builtins });
  const counter = options.coverage === true ? new CoverageCounter(modules.filter(holdsNoTests)) : undefined;
  const results: TestResult[] = [];
  for (const { name, rule } of testsIn(modules)) {
    if (!filter(name)) continue;
    for (const result of runTest(policy, name, rule, options, counter)) {
      results.push(result);
      onResult(result);
    }
  }
  return counter === undefined ? { results } : { results, coverage: counter.coverage() };
}

function* testsIn(modules: readonly Module[]): Iterable<{ name: string; rule: Rule }> {
  const seen = new Set<string>();
  for (const { path, rules } of modules) {
    for (const rule of rules) {
      const last = nameOf(rule);
      if (last === undefined) continue;
      const name = ["data", ...path, last].join(".");
      if (seen.has(name)) continue;
      seen.add(name);
      yield { name, rule };
    }
  }
}

/** The name of a rule that is a test. */
function nameOf({ default: isDefault, head }: Rule): string | undefined {
  const [first] = head.ref;
  if (isDefault || head.args !== undefined || first?.kind !== "scalar") return undefined;
  return typeof first.value === "string" && TEST.test(first.value) ? first.value : undefined;
}

function holdsNoTests(module: Module): boolean {
  for (const _ of testsIn([module])) return false;
  return true;
}

function runTest(
  policy: CompiledPolicy,
  name: string,
  rule: Rule,
  { data = {}, now, limits }: TestOptions,
  counter: CoverageCounter | undefined,
): readonly TestResult[] {
  const { location } = rule;
  const output: string[] = [];
  const base = { name, location, output };
  if (name.split(".").at(-1)?.startsWith("todo_") === true) return [{ ...base, outcome: "skip" }];
  const query = policy.prepare(referenceTo(name));
  const evaluate = (trace?: (event: TraceEvent) => void): Value | undefined =>
    query.value({
      data,
      ...(now === undefined ? {} : { now }),
      ...(limits === undefined ? {} : { limits }),
      ...(trace === undefined ? { print: (message: string) => output.push(message) } : { trace }),
    });
  try {
    const value = evaluate();
    if (counter !== undefined) evaluate((event) => counter.count(event));
    if (rule.head.ref.length > 1) {
      const tried = policy.prepare(referenceTo(casesNameOf(name))).value({
        data,
        ...(now === undefined ? {} : { now }),
        ...(limits === undefined ? {} : { limits }),
      });
      return casesOf(tried, value).map(([key, good]) => ({
        ...base,
        name: `${name}[${showValue(key)}]`,
        outcome: good ? "pass" : "fail",
      }));
    }
    if (value !== undefined && value !== false) return [{ ...base, outcome: "pass" }];
    const failure = failureOf(rule, evaluate);
    return [{ ...base, outcome: "fail", ...(failure === undefined ? {} : { failure }) }];
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    return [{ ...base, outcome: "error", error }];
  }
}

/** Names may be words of the language: `data["a"]["not"]`. */
function referenceTo(name: string): string {
  const [first = "", ...rest] = name.split(".");
  return first + rest.map((part) => `[${JSON.stringify(part)}]`).join("");
}

/** Each case that was tried, and whether it came to its end. A test without any case has failed as a whole. */
function casesOf(tried: Value | undefined, value: Value | undefined): readonly (readonly [Value, boolean])[] {
  const passed = value !== undefined && isObject(value) ? entriesOf(value) : [];
  const good = RegoSet.of(passed.flatMap(([key, member]) => (member === false ? [] : [key])));
  const all = RegoSet.of([
    ...(tried instanceof RegoSet ? tried.sorted() : []),
    ...passed.map(([key]) => key),
  ]);
  return all.size === 0 ? [["no case", false]] : all.sorted().map((key) => [key, good.has(key)] as const);
}

/** The last condition of the test itself that did not hold: the one that it came furthest with. */
function failureOf(
  rule: Rule,
  evaluate: (trace: (event: TraceEvent) => void) => unknown,
): TestFailure | undefined {
  let failure: TestFailure | undefined;
  const { file, offset, end } = rule.location;
  evaluate((event) => {
    if (event.kind !== "fail" || event.node === undefined || "head" in event.node) return;
    const { location } = event;
    if (location.file !== file || location.offset < offset || location.offset > end) return;
    if (failure !== undefined && location.offset < failure.location.offset) return;
    const operands = (event.operands?.() ?? []).flatMap(({ term, value }) =>
      term.kind === "scalar" || value === undefined
        ? []
        : [{ text: printTerm(term), value: showValue(value) }],
    );
    failure = { location, operands };
  });
  return failure;
}
