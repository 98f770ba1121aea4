// SPDX-License-Identifier: Apache-2.0
// The stable JSON answer of `adyton evidence verify`. Fields are added, never changed.

import type { Appraisal, Explanation, Finding } from "@adyton/appraisal";
import type { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject } from "@adyton/core/json";
import type { EndorsementsUsed, Tcb, TeeName, Trust, VerifiedEvidence, Warning } from "@adyton/evidence";
import { EXIT, type ExitCode, exitCodeOf } from "../exit.ts";
import { errorObject } from "../frame/failure.ts";

export interface Verdict {
  /** Null when not even the TEE is known. */
  readonly tee: TeeName | null;
  readonly verdict: "verified" | "rejected";
  /** "OK", "POLICY_REFUSED", or the code of the error that refused the evidence. */
  readonly code: string;
  /** RFC 3339: the time it was verified for. */
  readonly at: string;
  /** Null unless the evidence is authentic. */
  readonly trust: Trust | null;
  readonly simulated: boolean | null;
  readonly debug: boolean | null;
  /** Also known for some evidence that is refused because of it. */
  readonly tcb: Tcb | null;
  /** Null unless the evidence is authentic. */
  readonly claims: JsonObject | null;
  /** Hex. */
  readonly reportData: Uint8Array | null;
  readonly endorsements: (EndorsementsUsed & { readonly read: number; readonly ignored: number }) | null;
  readonly warnings: readonly Warning[];
  /** The rules applied to authentic evidence. */
  readonly findings: readonly Finding[];
  /** What --policy or --reference found; null without them. */
  readonly appraisal: {
    readonly status: string;
    readonly trustworthiness: JsonObject;
    readonly policy: string;
    /** From the decision down to the file, line and value that decided it. */
    readonly reasons: Explanation | null;
  } | null;
  /** One sentence each: the checks that passed, or the one that failed. */
  readonly explanation: readonly string[];
  /** What to try next. */
  readonly next: string | null;
  readonly error: object | null;
}

export interface Sources {
  readonly read: number;
  readonly ignored: number;
}

/** Authentic evidence, judged by the minimum rules and perhaps a policy: verified when every finding is good. */
export function verdictOf(
  evidence: VerifiedEvidence,
  minimum: Appraisal,
  sources: Sources,
  appraisal?: Appraisal,
): Verdict {
  const rules = minimum.explanation.filter(({ rule }) => !rule.startsWith("warning:"));
  const findings = [...rules, ...findingsOf(rules, appraisal)];
  const failed = findings.filter((finding) => !finding.ok);
  const refusal =
    failed.length === 0
      ? null
      : {
          code: "POLICY_REFUSED",
          category: "policy",
          message: failed.map((finding) => finding.message).join(" "),
          detail: { rules: failed.map((finding) => finding.rule) },
          hint: asOptions(failed[0]?.next ?? "") || null,
        };
  return {
    tee: evidence.tee,
    verdict: refusal === null ? "verified" : "rejected",
    code: refusal === null ? "OK" : refusal.code,
    at: evidence.at.toISOString(),
    trust: evidence.trust,
    simulated: evidence.trust.simulated,
    debug: evidence.debug,
    tcb: evidence.tcb,
    claims: evidence.claims,
    reportData: evidence.reportData,
    endorsements: { ...evidence.endorsements, read: sources.read, ignored: sources.ignored },
    warnings: evidence.warnings,
    findings,
    appraisal:
      appraisal === undefined
        ? null
        : {
            status: appraisal.status,
            trustworthiness: { ...appraisal.trustworthiness },
            policy: appraisal.policyId,
            reasons: appraisal.reasons,
          },
    explanation: [...evidence.explanation, ...findings.map((finding) => finding.message)],
    next: refusal?.hint ?? null,
    error: refusal,
  };
}

/** What a policy found beyond the rules; any status but affirming refuses. */
function findingsOf(rules: readonly Finding[], appraisal: Appraisal | undefined): readonly Finding[] {
  if (appraisal === undefined) return [];
  const known = new Set(rules.map(({ rule, ok }) => `${rule} ${ok}`));
  const found = appraisal.explanation.filter(
    ({ rule, ok }) => !rule.startsWith("warning:") && !known.has(`${rule} ${ok}`),
  );
  if (appraisal.status === "affirming" || [...rules, ...found].some(({ ok }) => !ok)) return found;
  return [
    ...found,
    {
      rule: "status",
      ok: false,
      message: `The policy ${appraisal.policyId} does not affirm this evidence: its status is ${appraisal.status}.`,
      next: "Read the policy: none of its rules accepts this evidence.",
    },
  ];
}

/** Evidence that was refused: whatever is known of it, and why. */
export function rejectionOf(error: AdytonError, tee: TeeName | null, at: Date): Verdict {
  return {
    tee,
    verdict: "rejected",
    code: error.code,
    at: at.toISOString(),
    trust: null,
    simulated: null,
    debug: null,
    tcb: tcbIn(error),
    claims: null,
    reportData: null,
    endorsements: null,
    warnings: [],
    findings: [],
    appraisal: null,
    explanation: [`${error.message}.`],
    next: error.hint ?? null,
    error: errorObject(error),
  };
}

/** The exit code of a verdict. */
export function exitOf(verdict: Verdict, error: AdytonError | undefined): ExitCode {
  if (error !== undefined) return exitCodeOf(error.category);
  return verdict.verdict === "verified" ? EXIT.ok : EXIT.policy;
}

/** Rules go by other names on the command line. */
const OPTION_OF_RULE: Readonly<Record<string, string>> = {
  allowDebug: "--allow-debug",
  acceptedTcbStatuses: "--require-tcb",
  minTcbDate: "--min-tcb-date",
  minEvaluationNumber: "--min-evaluation-number",
  minTcb: "--min-tcb",
  requireRevocation: "--require-revocation",
};

function asOptions(text: string): string {
  return text.replace(/\b[a-z]+[A-Z]\w*/g, (word) => OPTION_OF_RULE[word] ?? word);
}

/** A TCB judgement that was reached before the refusal. */
function tcbIn(error: AdytonError): Tcb | null {
  const { tcb } = error.detail;
  return isTcb(tcb) ? tcb : null;
}

function isTcb(value: unknown): value is Tcb {
  return isJsonObject(value) && "status" in value && isJsonObject(value.components);
}
