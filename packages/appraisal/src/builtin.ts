// SPDX-License-Identifier: Apache-2.0
// The default policy: a healthy platform without debug that runs known measurements, and nothing else.

import { isZero, toHex } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import type { TeeName } from "@adyton/evidence";
import type { Facts } from "./facts.ts";
import { type Finding, passed, refused } from "./finding.ts";
import {
  type ClaimPlan,
  type FixedCheck,
  type JudgedClaim,
  PLATFORMS,
  type Platform,
  type Way,
} from "./platforms.ts";
import type { Policy, PolicyInput, PolicyOutput } from "./policy.ts";
import { claimAt, judgeReference, type ReferenceCheck, type ReferenceValues, valuesOf } from "./reference.ts";
import { checkRules, judge, type Rules } from "./rules.ts";

/** Trustee's defaults, which stand until everything about a claim holds: unrecognized, unrecognized, unavailable. */
const UNMET: Readonly<Record<JudgedClaim, number>> = { hardware: 97, executables: 33, configuration: 36 };
/** AR4SI: the configuration exposes unacceptable vulnerabilities. */
const UNSUPPORTABLE_CONFIGURATION = 96;
/** Intel's status for a platform without known weaknesses. */
const HEALTHY = ["UpToDate"] as const;

/** The host chooses init-data, so a digest that nobody vouched for is not "known measurements, and nothing else". */
const INIT_DATA: ReferenceCheck = {
  id: "init_data",
  path: ["init_data"],
  compare: "one-of",
  meaning: "init-data digest",
};

/**
 * The default policy for sgx, tdx, snp and sample; any other TEE is refused with a finding.
 *
 * It is stricter than Trustee's where Trustee's leaves a door open: debug is contraindicated, a simulated root is
 * refused unless `allowSimulated`, init-data must be a reference value (`init_data`), and a reference value that has
 * values is never ignored. SNP's hardware is judged by `rules.minTcb`, or by Trustee's four exact version values.
 * Revocation may be unchecked where the vendor's list is seldom at hand (AMD) unless `requireRevocation`.
 * Throws `INVALID_RULES`.
 */
export function builtinPolicy(rules: Rules): Policy {
  const checked = checkRules(structuredClone(rules));
  return Object.freeze({
    id: "adyton-default",
    evaluate: (input: PolicyInput): PolicyOutput => evaluate(input, checked),
  });
}

/** A reference id of the default policy. */
export interface ReferenceId {
  readonly id: string;
  readonly claim: JudgedClaim;
  /** What it is, for people. */
  readonly meaning: string;
  /** The claim must equal a value, or be at least the smallest. */
  readonly compare: "one-of" | "at-least";
  /** Without values for it, no way leads to an affirming claim but another set of ids (SGX) or `minTcb` (SNP). */
  readonly needed: boolean;
}

/** The reference ids that the default policy looks at for a TEE; none for a TEE it cannot judge. */
export function referenceIdsOf(tee: TeeName): readonly ReferenceId[] {
  const platform = PLATFORMS[tee];
  if (platform === undefined) return [];
  const ids = CLAIMS.flatMap((claim) => {
    const { ways, optional = [] } = platform.plans[claim];
    const needed = ways.some((way) => way.ids.length === 0) ? [] : ways.flatMap((way) => way.ids);
    return checksOf(platform, [...ways.flatMap((way) => way.ids), ...optional]).map(
      ({ id, meaning, compare }): ReferenceId => ({
        id,
        claim,
        meaning,
        compare,
        needed: needed.includes(id),
      }),
    );
  });
  const { id, meaning, compare } = INIT_DATA;
  return [...ids, { id, claim: "configuration", meaning, compare, needed: false }];
}

/**
 * The reference values that would accept exactly this evidence: for recording a run that is known to be good. They
 * say nothing about whether it is.
 */
export function referenceValuesFrom(facts: Pick<Facts, "tee" | "claims" | "initDataField">): ReferenceValues {
  const platform = PLATFORMS[facts.tee];
  const found = (platform?.references ?? []).flatMap((check): [string, JsonValue[]][] => {
    const value = claimAt(facts.claims, check);
    return value === undefined ? [] : [[check.id, [value]]];
  });
  return Object.fromEntries([...found, [INIT_DATA.id, [initDataOf(facts)]]]);
}

const CLAIMS: readonly JudgedClaim[] = ["hardware", "executables", "configuration"];

function evaluate({ facts, referenceValues }: PolicyInput, rules: Rules): PolicyOutput {
  const platform = PLATFORMS[facts.tee];
  if (platform === undefined) {
    return { trustworthiness: UNMET, findings: [unknownTee(facts.tee)] };
  }
  const judged = judge(facts, rulesFor(platform, rules));
  const debug = judged.filter(({ rule }) => rule === "allowDebug");
  const platformFindings = judged.filter(({ rule }) => rule !== "allowDebug");
  const decide = (
    claim: JudgedClaim,
    plan: ClaimPlan,
    first: readonly Finding[],
  ): [number, readonly Finding[]] => {
    const { way, findings } = judgePlan(plan, platform, facts.claims, referenceValues);
    const all = [...first, ...findings];
    return [way !== undefined && all.every(({ ok }) => ok) ? way.value : UNMET[claim], all];
  };
  const { plans } = platform;
  const [hardware, aboutHardware] = decide("hardware", hardwarePlan(platform, rules), platformFindings);
  const [executables, aboutExecutables] = decide("executables", plans.executables, []);
  const [configuration, aboutConfiguration] = decide("configuration", plans.configuration, [
    ...debug,
    ...judgeInitData(facts, referenceValues),
  ]);
  return {
    trustworthiness: {
      hardware,
      executables,
      configuration: debug.every(({ ok }) => ok) ? configuration : UNSUPPORTABLE_CONFIGURATION,
    },
    findings: [...aboutHardware, ...aboutExecutables, ...aboutConfiguration],
    extensions: { "ear.trustee.identifiers": { validated: identifiersOf(platform, facts.claims) } },
  };
}

/** Rules of the platform's kind; Intel's status must be UpToDate unless the rules say otherwise. */
function rulesFor(platform: Platform, rules: Rules): Rules {
  const { acceptedTcbStatuses, minTcbDate, minEvaluationNumber, acceptedAdvisories, minTcb, ...common } =
    rules;
  switch (platform.tcb) {
    case "status":
      return {
        ...common,
        acceptedTcbStatuses: acceptedTcbStatuses ?? HEALTHY,
        ...(minTcbDate === undefined ? {} : { minTcbDate }),
        ...(minEvaluationNumber === undefined ? {} : { minEvaluationNumber }),
        ...(acceptedAdvisories === undefined ? {} : { acceptedAdvisories }),
      };
    case "versions":
      return { ...common, ...(minTcb === undefined ? {} : { minTcb }) };
    case "references":
      return common;
  }
}

/** With `minTcb`, exact versions of the TCB need no reference values, but those that are given must still match. */
function hardwarePlan(platform: Platform, rules: Rules): ClaimPlan {
  const plan = platform.plans.hardware;
  if (platform.tcb !== "versions" || rules.minTcb === undefined) return plan;
  return { ...plan, ways: [...plan.ways, { value: 2, ids: [] }] };
}

function judgePlan(
  plan: ClaimPlan,
  platform: Platform,
  claims: JsonObject,
  references: ReferenceValues,
): { way: Way | undefined; findings: readonly Finding[] } {
  const stated = (id: string): boolean => valuesOf(references, id).length > 0;
  const way = plan.ways.find(({ ids }) => ids.every(stated));
  const ids = [...new Set([...plan.ways.flatMap((candidate) => candidate.ids), ...(plan.optional ?? [])])];
  const looked =
    way === undefined ? [...ids.filter(stated), ...missingOf(plan.ways, stated)] : ids.filter(stated);
  return {
    way,
    findings: [
      ...(plan.fixed ?? []).map((check) => judgeFixed(check, claims)),
      ...checksOf(platform, looked).map((check) => judgeReference(check, claims, references)),
    ],
  };
}

/** What is missing on the way that is nearest to complete. */
function missingOf(ways: readonly Way[], stated: (id: string) => boolean): readonly string[] {
  const missing = ways.map(({ ids }) => ids.filter((id) => !stated(id)));
  return missing.reduce((least, next) => (next.length < least.length ? next : least), missing[0] ?? []);
}

function judgeFixed(check: FixedCheck, claims: JsonObject): Finding {
  const rule = `claim:${check.path.join(".")}`;
  const found = claimAt(claims, check);
  const facts = { found, expected: check.equals };
  if (found === check.equals)
    return passed(rule, `${check.path.join(".")} is ${JSON.stringify(found)}.`, facts);
  return refused(
    rule,
    found === undefined ? `The evidence does not say ${check.path.join(".")}.` : check.danger,
    check.next,
    facts,
  );
}

function judgeInitData(facts: Facts, references: ReferenceValues): readonly Finding[] {
  const claims = { init_data: initDataOf(facts) };
  if (claims.init_data === "" && valuesOf(references, INIT_DATA.id).length === 0) {
    return [passed("reference:init_data", "There is no init-data.")];
  }
  return [judgeReference(INIT_DATA, claims, references)];
}

/** Hex of the field, or "" when there is no init-data. */
function initDataOf({ initDataField }: Pick<Facts, "initDataField">): string {
  return initDataField === null || isZero(initDataField) ? "" : toHex(initDataField);
}

function identifiersOf(platform: Platform, claims: JsonObject): JsonObject {
  return Object.fromEntries(
    platform.identifiers.flatMap(([name, path]) => {
      const value = claimAt(claims, { path });
      return value === undefined || isJsonObject(value) ? [] : [[name, value]];
    }),
  );
}

function checksOf(platform: Platform, ids: readonly string[]): readonly ReferenceCheck[] {
  return platform.references.filter(({ id }) => ids.includes(id));
}

function unknownTee(tee: TeeName): Finding {
  return refused(
    "tee",
    `The default policy cannot judge ${tee}.`,
    `Use a policy of your own for ${tee}; the default one knows ${Object.keys(PLATFORMS).join(", ")}.`,
    { found: tee, expected: Object.keys(PLATFORMS) },
  );
}
