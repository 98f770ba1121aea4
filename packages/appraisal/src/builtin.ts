// SPDX-License-Identifier: Apache-2.0
// The default policy: a healthy platform without debug that runs known measurements, and nothing else. The judgement
// is Rego's, in policies/; here it is compiled, and here are the reference values it looks at.

import { isZero, toHex } from "@adyton/core/bytes";
import type { JsonValue } from "@adyton/core/json";
import type { TeeName } from "@adyton/evidence";
import type { Facts } from "./facts.ts";
import { type JudgedClaim, REFERENCES } from "./platforms.ts";
import { defaultPolicyFor, minimumPolicyFor } from "./policies/index.ts";
import type { Policy, PolicyInput, PolicyOutput } from "./policy.ts";
import { claimAt, type ReferenceCheck, type ReferenceValues } from "./reference.ts";
import { rulesDocument } from "./rego/documents.ts";
import { RegoEvaluation } from "./rego-policy.ts";
import { checkRules, type Rules } from "./rules.ts";

/** The host chooses init-data, so a digest that nobody vouched for is not "known measurements, and nothing else". */
const INIT_DATA: ReferenceCheck = {
  id: "init_data",
  path: ["init_data"],
  compare: "one-of",
  meaning: "init-data digest",
};

/**
 * The default policy for every TEE, in Rego: `defaultPolicyFor(tee)` gives its text.
 *
 * It is stricter than Trustee's where Trustee's leaves a door open: debug is contraindicated, a simulated root is
 * refused unless `allowSimulated`, init-data must be a reference value (`init_data`), and a reference value that has
 * values is never ignored. SNP's hardware is judged by `rules.minTcb`, or by Trustee's four exact version values.
 * Revocation may be unchecked where the vendor's list is seldom at hand (AMD) unless `requireRevocation`.
 * Throws `INVALID_RULES`.
 */
export function builtinPolicy(rules: Rules): Policy {
  const data = { rules: rulesDocument(checkRules(structuredClone(rules))) };
  return Object.freeze({
    id: ID,
    evaluate: (input: PolicyInput): PolicyOutput => policyFor(input.facts.tee).evaluate(input, data),
  });
}

/**
 * The part of the default policy that needs no reference values: who vouches, debug, and what `rules` say of the TCB. It
 * states `hardware` and `configuration` and nothing of what runs. Unlike `builtinPolicy` it accepts every status unless
 * `acceptedTcbStatuses` is given. Only rules that were given have a finding when they hold, besides debug and root.
 * Throws `INVALID_RULES`.
 */
export function minimumPolicy(rules: Rules): Policy {
  const checked = checkRules(structuredClone(rules));
  const data = { rules: rulesDocument(checked) };
  const told = new Set(["allowDebug", "allowSimulated", ...Object.keys(data.rules)]);
  if (checked.requireRevocation !== true) told.delete("requireRevocation");
  return Object.freeze({
    id: MINIMUM_ID,
    evaluate: (input: PolicyInput): PolicyOutput => {
      const published = input.facts.tcb.status !== null;
      const policy = compiledOf(`minimum ${published}`, MINIMUM_ID, () => minimumPolicyFor(published));
      const output = policy.evaluate(input, data);
      return { ...output, findings: output.findings.filter(({ ok, rule }) => !ok || told.has(rule)) };
    },
  });
}

const ID = "adyton-default";
const MINIMUM_ID = "adyton-minimum";
/** Compiled when first needed, and the same for all rules. */
const compiled = new Map<string, RegoEvaluation>();

function policyFor(tee: TeeName): RegoEvaluation {
  return compiledOf(tee, ID, () => defaultPolicyFor(tee));
}

function compiledOf(
  key: string,
  id: string,
  modules: () => Readonly<Record<string, string>>,
): RegoEvaluation {
  let policy = compiled.get(key);
  if (policy === undefined) {
    policy = new RegoEvaluation({ id, modules: modules(), version: "v1", form: "adyton" });
    compiled.set(key, policy);
  }
  return policy;
}

/** A reference id of the default policy. */
export interface ReferenceId {
  readonly id: string;
  readonly claim: JudgedClaim;
  /** What it is, for people. */
  readonly meaning: string;
  /** The claim must equal a value, or be at least the smallest. */
  readonly compare: "one-of" | "at-least";
  /** Without values for it, nothing leads to an affirming claim but another set of ids (SGX, TPM) or `minTcb` (SNP). */
  readonly needed: boolean;
}

/** The reference ids that the default policy looks at for a TEE. */
export function referenceIdsOf(tee: TeeName): readonly ReferenceId[] {
  const ids = REFERENCES[tee].map(({ id, claim, meaning, compare, needed = false }) => ({
    id,
    claim,
    meaning,
    compare,
    needed,
  }));
  const { id, meaning, compare } = INIT_DATA;
  return [...ids, { id, claim: "configuration", meaning, compare, needed: false }];
}

/**
 * The reference values that would accept exactly this evidence: for recording a run that is known to be good. They
 * say nothing about whether it is.
 */
export function referenceValuesFrom(facts: Pick<Facts, "tee" | "claims" | "initDataField">): ReferenceValues {
  const found = REFERENCES[facts.tee].flatMap((check): [string, JsonValue[]][] => {
    if (check.values !== undefined) return [[check.id, check.values(facts.claims)]];
    const value = claimAt(facts.claims, check);
    return value === undefined ? [] : [[check.id, [value]]];
  });
  return Object.fromEntries([...found, [INIT_DATA.id, [initDataOf(facts)]]]);
}

/** Hex of the field, or "" when there is no init-data. */
function initDataOf({ initDataField }: Pick<Facts, "initDataField">): string {
  return initDataField === null || isZero(initDataField) ? "" : toHex(initDataField);
}
