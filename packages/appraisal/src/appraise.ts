// SPDX-License-Identifier: Apache-2.0
// Verified evidence + reference values + policy -> attestation result. A result cannot be made any other way.

import { toHex } from "@adyton/core/bytes";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { assertVerified, partNamesOf, type TeeName, type VerifiedEvidence } from "@adyton/evidence";
import { type CheckedInitData, evidenceOf } from "./bindings.ts";
import { AppraisalError, misuse } from "./errors.ts";
import type { Explanation } from "./explanation.ts";
import { type Finding, passed } from "./finding.ts";
import { extensionsOf, type Policy, vectorOf } from "./policy.ts";
import type { ReferenceValues } from "./reference.ts";
import { parseTime } from "./time.ts";
import { statusOf, type TrustTier, type TrustVector, worstTier } from "./trust.ts";

export interface AppraiseOptions {
  readonly policy: Policy;
  readonly referenceValues: ReferenceValues;
  readonly now: Date;
  /**
   * Nonce and key of the session, shown in the result. Pass only what the evidence was verified to bind: verify with
   * `reportData: await reportDataOf(…)`, or take this value from `checkRuntimeData`. A function where each piece of
   * evidence binds its own.
   */
  readonly runtimeData?: JsonObject | ((evidence: VerifiedEvidence) => JsonObject | undefined);
  /** From `checkInitData`, for one of the pieces of evidence. */
  readonly initData?: CheckedInitData;
  /** Who vouches for a reference value: shown in the explanation beside the values that matched. */
  readonly vouchersOf?: (id: string, value: JsonValue) => JsonValue | undefined;
}

/** The judgement on one piece of evidence. */
export interface Appraisal {
  readonly tee: TeeName;
  /** The tier of the worst trust claim. */
  readonly status: TrustTier;
  readonly trustworthiness: TrustVector;
  readonly policyId: string;
  /** The root is no hardware vendor's: flows are proved, secrecy is not. */
  readonly simulated: boolean;
  /** What the policy saw. */
  readonly annotatedEvidence: JsonObject;
  /** Further claims that the policy made. */
  readonly extensions: JsonObject;
  /** Every rule that was looked at, and the warnings of verification. */
  readonly explanation: readonly Finding[];
  /** The tree from the decision down to what decided it; null for policies that tell none. */
  readonly reasons: Explanation | null;
}

declare const brand: unique symbol;

/** The judgement on everything that was presented together. */
export interface AttestationResult {
  readonly [brand]: true;
  /** The worst of all. Only "affirming" is good. */
  readonly status: TrustTier;
  /** True when any of the evidence is. */
  readonly simulated: boolean;
  readonly at: Date;
  /** When the first endorsement expires that the evidence stands on; null when none does. */
  readonly expires: Date | null;
  /** By submodule name: cpu0, cpu1…, gpu0…, switch0…. */
  readonly appraisals: Readonly<Record<string, Appraisal>>;
}

/** Most pieces of evidence in one result. */
const MAX_EVIDENCE = 32;
const results = new WeakSet<object>();

/**
 * Judges one or several pieces of verified evidence. A refusal is no error: it is a result with a bad status and
 * findings that say why. Throws `NOT_VERIFIED` for evidence that is not from verification, `EVIDENCE_STALE` when an
 * endorsement that it stands on has expired by `now`, `INIT_DATA_NOT_CHECKED`, `INVALID_APPRAISAL_INPUT`,
 * `INVALID_REFERENCE_VALUES`, `INVALID_POLICY_OUTPUT`, or what the policy throws.
 */
export function appraise(
  evidence: VerifiedEvidence | readonly VerifiedEvidence[],
  options: AppraiseOptions,
): AttestationResult {
  const all = isList(evidence) ? evidence : [evidence];
  all.forEach(assertVerified);
  const { now, initData } = options;
  if (Number.isNaN(now.getTime())) {
    throw misuse("INVALID_APPRAISAL_INPUT", "Cannot appraise: the time is no date");
  }
  if (all.length === 0 || all.length > MAX_EVIDENCE) {
    throw misuse(
      "INVALID_APPRAISAL_INPUT",
      `Cannot appraise: got ${all.length} pieces of evidence, expected 1 to ${MAX_EVIDENCE}`,
    );
  }
  const bound = initData === undefined ? undefined : evidenceOf(initData);
  if (initData !== undefined && (bound === undefined || !all.includes(bound))) {
    throw misuse(
      "INIT_DATA_NOT_CHECKED",
      "Cannot appraise: the init-data was not checked against this evidence",
      "Pass the value that checkInitData returned for it.",
    );
  }
  const expires = expiryOf(all);
  if (expires !== null && now.getTime() > expires.getTime()) {
    throw new AppraisalError(
      "EVIDENCE_STALE",
      "endorsements",
      `Cannot appraise: the endorsements held until ${expires.toISOString()}, it is ${now.toISOString()}`,
      { detail: { expires, now }, hint: "Verify the evidence again with current endorsements." },
    );
  }
  const names = partNamesOf(all);
  const appraisals = Object.fromEntries(
    all.map((piece, i) => [
      names[i] as string,
      appraiseOne(piece, options, bound === piece ? initData : undefined),
    ]),
  );
  const judged = Object.values(appraisals);
  const result = deepFreeze({
    status: worstTier(judged.map(({ status }) => status)),
    simulated: judged.some(({ simulated }) => simulated),
    at: new Date(now),
    expires,
    appraisals,
  }) as AttestationResult;
  results.add(result);
  return result;
}

/** Throws `NOT_APPRAISED` unless `result` came from `appraise` in this process. */
export function assertAppraised(result: AttestationResult): void {
  if (!results.has(result)) {
    throw misuse(
      "NOT_APPRAISED",
      "Cannot use attestation result: it did not come from appraise",
      "Pass the value that appraise returned, not a copy of it.",
    );
  }
}

function appraiseOne(
  evidence: VerifiedEvidence,
  { policy, referenceValues, now, runtimeData: bound, vouchersOf }: AppraiseOptions,
  initData: CheckedInitData | undefined,
): Appraisal {
  const { tee, trust, warnings, initDataField } = evidence;
  const runtimeData = typeof bound === "function" ? bound(evidence) : bound;
  const document: JsonObject = deepFreeze({
    [tee]: frozenCopy(evidence.claims),
    report_data: toHex(evidence.reportData),
    ...(initDataField === null ? {} : { init_data: toHex(initDataField) }),
    ...(runtimeData === undefined ? {} : { runtime_data_claims: frozenCopy(runtimeData) }),
    ...(initData?.claims === undefined ? {} : { init_data_claims: frozenCopy(initData.claims) }),
  });
  const output = policy.evaluate({
    facts: evidence,
    document,
    referenceValues,
    now,
    ...(vouchersOf === undefined ? {} : { vouchersOf }),
  });
  const trustworthiness = vectorOf(output);
  return {
    tee,
    status: statusOf(trustworthiness),
    trustworthiness,
    policyId: policy.id,
    simulated: trust.simulated,
    annotatedEvidence: document,
    extensions: frozenCopy(extensionsOf(output)),
    explanation: [
      ...output.findings.map(frozenCopy),
      ...(initData === undefined ? [] : [boundInitData(initData)]),
      ...warnings.map(({ code, message }) => passed(`warning:${code}`, message)),
    ],
    reasons: output.explanation === undefined ? null : frozenCopy(output.explanation),
  };
}

function boundInitData({ hash, digest }: CheckedInitData): Finding {
  return passed("init-data", `The evidence binds the init-data document (${hash}).`, { found: digest });
}

/** The earliest end of what the evidence stands on. An end that cannot be read is one that has passed. */
function expiryOf(all: readonly VerifiedEvidence[]): Date | null {
  const ends = all.flatMap(({ endorsements: { earliestExpiry } }) =>
    earliestExpiry === null ? [] : [parseTime(earliestExpiry) ?? 0],
  );
  return ends.length === 0 ? null : new Date(Math.min(...ends));
}

function isList(value: VerifiedEvidence | readonly VerifiedEvidence[]): value is readonly VerifiedEvidence[] {
  return Array.isArray(value);
}

/** A copy that nobody changes. Plain values are copied here, which is several times as fast as `structuredClone`. */
function frozenCopy<T>(value: T): T {
  if (typeof value !== "object" || value === null)
    return typeof value === "function" ? structuredClone(value) : value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as T;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return deepFreeze(structuredClone(value));
  const copy = { ...value };
  for (const key of Object.keys(copy) as (keyof T)[]) copy[key] = frozenCopy(copy[key]);
  return Object.freeze(copy);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value) as JsonValue[]) deepFreeze(item);
  }
  return value;
}
