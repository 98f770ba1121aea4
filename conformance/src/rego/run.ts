// SPDX-License-Identifier: Apache-2.0
// Runs one case of the compliance suite with `@adyton/rego` and says how the outcome differs from what is wanted.

import { type Answer, type Builtin, compile, RegoError, type Tracer, type Value } from "@adyton/rego";
import { cryptoBuiltins } from "@adyton/rego/crypto";
import { graphqlBuiltins } from "@adyton/rego/graphql";
import { schemaBuiltins } from "@adyton/rego/schema";
import { yamlBuiltins } from "@adyton/rego/yaml";
import type { Case } from "./cases.ts";
import { compareText, jsonForm, textOf } from "./values.ts";

/** Every function set that is not in the engine itself. */
export const ALL_BUILTINS: readonly Builtin[] = [
  ...cryptoBuiltins,
  ...graphqlBuiltins,
  ...schemaBuiltins,
  ...yamlBuiltins,
];

/** What OPA calls our error codes. */
const CODE_OF: Readonly<Record<string, string>> = {
  REGO_CONFLICT: "eval_conflict_error",
  REGO_BUILTIN: "eval_builtin_error",
  REGO_BUILTIN_TYPE: "eval_type_error",
  REGO_WITH: "eval_with_merge_error",
};

export type Outcome =
  | { readonly passed: true }
  /** `where`: the stage that went wrong; `why` is for people. */
  | {
      readonly passed: false;
      readonly where: "compile" | "evaluate" | "result" | "error";
      readonly why: string;
    };

const PASSED: Outcome = { passed: true };

/** With `trace`, evaluation goes the way on which it can be watched: other code, which must give the same. */
export function runCase(wanted: Case, now: bigint, trace?: Tracer): Outcome {
  const failed = (where: "compile" | "evaluate" | "result" | "error", why: string): Outcome => ({
    passed: false,
    where,
    why,
  });
  let answers: readonly Answer[];
  let stage: "compile" | "evaluate" = "compile";
  try {
    const policy = compile({
      modules: Object.fromEntries(wanted.modules.map((text, i) => [`test-${i}.rego`, text])),
      version: wanted.version,
      builtins: ALL_BUILTINS,
      strictBuiltinErrors: wanted.strictError,
    });
    const input = inputOf(wanted);
    // The suite's own runner reads queries as v1, whatever the modules are.
    const query = policy.prepare(wanted.query);
    stage = "evaluate";
    answers = query.evaluate({
      data: wanted.data,
      now,
      ...(input === undefined ? {} : { input }),
      ...(trace === undefined ? {} : { trace }),
    });
  } catch (error) {
    if (!(error instanceof RegoError)) return failed(stage, `untyped: ${describe(error)}`);
    if (stage === "compile") return failed(stage, error.message);
    return errorOutcome(wanted, error);
  }
  if (wanted.wantErrorCode !== undefined || wanted.wantError !== undefined) {
    return failed("error", `no error, wanted ${wanted.wantErrorCode ?? ""} ${wanted.wantError ?? ""}`);
  }
  const [want, got] = [setOf(wanted.wantResult ?? [], wanted), setOf(answers.map(bindingsOf), wanted)];
  return want === got ? PASSED : failed("result", `wanted ${want}\n         got    ${got}`);
}

/** Classes of errors are compared, not their words: ours are our own. */
function errorOutcome(wanted: Case, error: RegoError): Outcome {
  const code = CODE_OF[error.code] ?? error.code;
  const named = wanted.wantErrorCode ?? /\beval_[a-z_]+_error\b/.exec(wanted.wantError ?? "")?.[0];
  if (named === undefined && wanted.wantError === undefined) {
    return { passed: false, where: "evaluate", why: `${code}: ${error.message}` };
  }
  return named === undefined || named === code
    ? PASSED
    : { passed: false, where: "error", why: `wanted ${named}, got ${code}: ${error.message}` };
}

function inputOf(wanted: Case): Value | undefined {
  if (wanted.inputTerm === undefined) return wanted.input;
  // A term of the language may hold what JSON cannot: sets, keys that are no strings.
  return compile({ modules: {} }).prepare(wanted.inputTerm).value({});
}

function bindingsOf(answer: Answer): { readonly [name: string]: Value } {
  return answer.bindings;
}

/** One text for the set of answers. */
function setOf(answers: readonly { readonly [name: string]: Value }[], wanted: Case): string {
  const texts = answers.map((bindings) => {
    const entries = Object.entries(bindings)
      .filter(([name]) => !name.startsWith("$"))
      .filter(([name]) => !wanted.ignoreGeneratedVars || !name.startsWith("__localq"))
      .map(
        ([name, value]) =>
          `${name}: ${textOf(wanted.sortBindings ? sorted(jsonForm(value)) : jsonForm(value))}`,
      );
    return `{${entries.sort(compareText).join(", ")}}`;
  });
  return [...new Set(texts)].sort(compareText).join(" ");
}

function sorted(value: Value): Value {
  return Array.isArray(value) ? [...value].sort((a, b) => compareText(textOf(a), textOf(b))) : value;
}

function describe(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message).split("\n").slice(0, 4).join(" | ")
    : String(error);
}
