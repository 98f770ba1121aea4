// SPDX-License-Identifier: Apache-2.0
// Policies in Rego as they are set: texts with their tests become policies that judge, or errors that say what is
// wrong with line and column.

import { createHash } from "node:crypto";
import { type Finding, modulesBeside } from "@adyton/appraisal";
import { toHex } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject } from "@adyton/core/json";
import {
  type Builtin,
  compile,
  type Diagnostic,
  type EvaluateOptions,
  type Limits,
  type Module,
  parseModule,
  type Query,
  RegoError,
  type RegoVersion,
  renderDiagnostics,
} from "@adyton/rego";
import { cryptoBuiltins } from "@adyton/rego/crypto";
import { graphqlBuiltins } from "@adyton/rego/graphql";
import { schemaBuiltins } from "@adyton/rego/schema";
import { runTests, type TestResult } from "@adyton/rego/testing";
import { yamlBuiltins } from "@adyton/rego/yaml";
import { BrokerError } from "./errors.ts";
import type { ResourceDecision, ResourcePolicy } from "./policy.ts";
import { refusedConditions } from "./policy-trace.ts";

/** What was set under a name. */
export interface PolicyText {
  /** In messages: `resource.rego`. */
  readonly file: string;
  readonly text: string;
  /** Rules that begin with `test_`. */
  readonly tests?: string;
}

/** What policies can call besides the language's own functions: as `adyton policy` has them. */
export const POLICY_BUILTINS: readonly Builtin[] = [
  ...cryptoBuiltins,
  ...graphqlBuiltins,
  ...schemaBuiltins,
  ...yamlBuiltins,
];
/** Of one decision: about a fifth of a second at worst. */
export const POLICY_LIMITS: Partial<Limits> = { steps: 2_000_000, cells: 1_000_000, depth: 200 };
/** Of one test. */
const TEST_LIMITS: Partial<Limits> = { steps: 5_000_000, cells: 2_000_000, depth: 200 };
/** Of all tests together: nobody else is answered meanwhile. */
const TESTS_MS = 10_000;
const MAX_FAILED_TESTS = 8;
/** In the audit log. */
const MAX_TOLD_TESTS = 100;
const MAX_DIAGNOSTICS = 10;

/** SHA-384 of a policy's text, hex: by this the audit log and tokens name it. */
export function policyDigest(text: string): string {
  return toHex(new Uint8Array(createHash("sha384").update(text).digest()));
}

/**
 * Trustee's resource policy: `data.policy.allow` over `data` = `{plugin, "resource-path", query}` and `input` = the
 * claims of the attestation result. Only the value `true` releases. Throws `POLICY_INVALID`.
 */
export function regoResourcePolicy(id: string, policy: PolicyText): ResourcePolicy {
  const { file, text } = policy;
  const query = wrapped(policy, () => {
    const modules = [moduleOf(file, text)];
    checkRule(modules, file, "allow");
    return compile({ modules, builtins: POLICY_BUILTINS, limits: POLICY_LIMITS }).prepare(
      "data.policy.allow",
    );
  });
  return {
    id,
    sha384: policyDigest(text),
    allow: ({ plugin, path, query: asked, claims, now }) => {
      const input: unknown = claims;
      if (!isJsonObject(input)) throw new TypeError("claims are no JSON object");
      const data = { plugin, "resource-path": path, query: asked };
      return decided(query, { input, data, now }, { [file]: text });
    },
  };
}

/**
 * Runs the tests of a policy, if it has any. Answers how many passed. Throws `POLICY_INVALID` or `POLICY_TESTS_FAILED`.
 * `elapsed` tells milliseconds.
 */
export function testPolicy(
  policy: PolicyText,
  now: Date,
  builtins: readonly Builtin[],
  elapsed: () => number = () => performance.now(),
): number {
  const { file, text, tests } = policy;
  const testFile = testFileOf(file);
  const results = wrapped(policy, () => {
    const own = moduleOf(file, text);
    const modules = [
      own,
      ...(tests === undefined ? [] : [moduleOf(testFile, tests)]),
      ...modulesBeside([own]),
    ];
    const end = elapsed() + TESTS_MS;
    const onResult = (): void => {
      if (elapsed() > end)
        throw invalid(`its tests take more than ${TESTS_MS / 1000} s`, [], "Give it fewer or shorter tests.");
    };
    return runTests({ modules, builtins, limits: TEST_LIMITS, now, onResult }).results;
  });
  const bad = results.filter(({ outcome }) => outcome === "fail" || outcome === "error");
  if (bad.length > 0) throw failedTests(bad);
  const passed = results.filter(({ outcome }) => outcome === "pass").length;
  if (tests !== undefined && passed === 0) {
    throw invalid(`${testFile} holds no test`, [], "Begin the names of tests with test_.");
  }
  return passed;
}

/** `resource_test.rego`, beside `resource.rego`. */
export function testFileOf(file: string): string {
  return file.replace(/\.rego$/, "_test.rego");
}

/** Reads v1, and v0 where it is that: policies of both kinds are in the field. Throws v1's `RegoError` when it is none. */
function moduleOf(file: string, text: string): Module {
  const versions: readonly RegoVersion[] = ["v1", "v0"];
  let first: RegoError | undefined;
  for (const version of versions) {
    try {
      return parseModule(text, { file, version });
    } catch (error) {
      if (!(error instanceof RegoError)) throw error;
      first ??= error;
    }
  }
  throw first ?? new Error("unreachable");
}

/** Runs `make`, and turns what is wrong with the policy into `POLICY_INVALID` with places, lines and carets. */
export function wrapped<T>({ file, text, tests }: PolicyText, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    const sources = { [file]: text, ...(tests === undefined ? {} : { [testFileOf(file)]: tests }) };
    // They stand in the audit log for good: who reads the first ones knows what to do.
    const first = error.diagnostics.slice(0, MAX_DIAGNOSTICS);
    throw invalid(`it does not compile\n${renderDiagnostics(first, sources).trimEnd()}`, first.map(factsOf));
  }
}

/** Throws `POLICY_INVALID` unless a rule `data.policy.<name>` is there: without it nothing would ever be decided. */
function checkRule(modules: readonly Module[], file: string, name: string): void {
  const [module] = modules;
  if (module?.path.join(".") !== "policy") {
    throw invalid(`${file} is package ${module?.path.join(".") ?? ""}, expected package policy`, []);
  }
  const found = module.rules.some(({ head: { ref } }) => {
    const [first] = ref;
    return first?.kind === "scalar" && first.value === name;
  });
  if (!found) throw invalid(`${file} has no rule ${name}`, [], `Decide with a rule \`${name} if { … }\`.`);
}

function decided(
  query: Query,
  options: EvaluateOptions,
  sources: Readonly<Record<string, string>>,
): ResourceDecision {
  try {
    if (query.value(options) === true) return { allow: true, findings: [] };
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    const { location } = error.diagnostics[0] ?? {};
    const place = location === undefined ? {} : { file: location.file, line: location.row };
    return {
      allow: false,
      findings: [NOT_DECIDED],
      because: [{ ...place, code: error.code, error: error.message }],
    };
  }
  return { allow: false, findings: [NOT_ALLOWED], because: refusedConditions(query, options, sources) };
}

// The guest learns that it was refused; with which conditions is the relying party's affair.
const NOT_ALLOWED: Finding = {
  rule: "allow",
  ok: false,
  message: "The resource policy does not allow it.",
  next: "Ask the administrator: the audit log names the condition that did not hold.",
};
const NOT_DECIDED: Finding = {
  rule: "allow",
  ok: false,
  message: "The resource policy came to no decision.",
  next: "Ask the administrator: the audit log says why.",
};

function failedTests(bad: readonly TestResult[]): BrokerError {
  const lines = bad.slice(0, MAX_FAILED_TESTS).map(({ name, location, failure, error }) => {
    const at = failure?.location ?? location;
    const why =
      error === undefined ? (failure?.operands ?? []).map((o) => `${o.text} is ${o.value}`) : [error.message];
    return `${at.file}:${at.row}: ${name}${why.length === 0 ? "" : `: ${why.join(", ")}`}`;
  });
  return new BrokerError(
    "POLICY_TESTS_FAILED",
    "misuse",
    `Cannot set the policy: ${bad.length} of its tests failed\n${lines.join("\n")}`,
    {
      detail: { tests: bad.slice(0, MAX_TOLD_TESTS).map(({ name }) => name) },
      hint: "Mend the policy or its tests. The old policy stays.",
    },
  );
}

export function invalid(
  why: string,
  diagnostics: readonly JsonObject[],
  hint: string = "Try it with `adyton policy check`. The old policy stays.",
): BrokerError {
  return new BrokerError("POLICY_INVALID", "misuse", `Cannot set the policy: ${why}`, {
    detail: { diagnostics },
    hint,
  });
}

function factsOf({ code, message, location }: Diagnostic): JsonObject {
  if (location === undefined) return { code, message };
  return { code, message, file: location.file, line: location.row, column: location.column };
}
