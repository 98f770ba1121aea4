// SPDX-License-Identifier: Apache-2.0
// The last word before a secret leaves: may who presents this attestation result have this resource?

import type { EarAppraisal, EarClaims, Finding } from "@adyton/appraisal";
import type { JsonObject } from "@adyton/core/json";

/** What is asked for. */
export interface Asked {
  /** `resource`, or the plugin that is asked. */
  readonly plugin: string;
  /** Below the plugin; of a resource: repository, type, tag. */
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

/**
 * Claims of a verified attestation result: in EAR, or as another verifier that is trusted writes them, then with no
 * submodules.
 */
export interface AttestedClaims extends Pick<EarClaims, "submods" | "adyton.simulated"> {
  readonly [claim: string]: unknown;
}

export interface ResourceRequest extends Asked {
  readonly claims: AttestedClaims;
  readonly now: Date;
}

export interface ResourceDecision {
  readonly allow: boolean;
  /** Why: one line for each thing that was looked at. */
  readonly findings: readonly Finding[];
  /** Of a refusal, for the audit log alone: which conditions did not hold, where they stand, with which values. */
  readonly because?: readonly JsonObject[];
}

/** The seam that a policy language fills. When `allow` throws, nothing is released. */
export interface ResourcePolicy {
  /** Stands in the audit log. */
  readonly id: string;
  /** SHA-384 of the policy's text, hex; in the audit log, too. */
  readonly sha384?: string;
  allow(request: ResourceRequest): ResourceDecision | Promise<ResourceDecision>;
}

/**
 * Releases to whoever is affirmed in every submodule, and to nobody else. Results of the software TEE, which prove
 * flows but no secrecy, are refused unless `allowSimulated`.
 */
export function affirmingPolicy(options: { readonly allowSimulated?: boolean } = {}): ResourcePolicy {
  const { allowSimulated = false } = options;
  return {
    id: allowSimulated ? "affirming-or-simulated" : "affirming",
    allow: ({ claims }) => {
      const submods = Object.entries(claims.submods);
      const findings = [
        ...(submods.length === 0 ? [NOTHING_APPRAISED] : []),
        ...submods.flatMap(([name, appraisal]) => statusFindings(name, appraisal)),
        ...(allowSimulated ? [] : simulatedFindings(claims)),
      ];
      return { allow: findings.every(({ ok }) => ok), findings };
    },
  };
}

const NOTHING_APPRAISED: Finding = {
  rule: "submods",
  ok: false,
  message: "The attestation result holds no appraisal.",
  next: "Attest again.",
};

/** The status, and after a bad one what the appraisal wrote down as not holding. */
function statusFindings(name: string, appraisal: EarAppraisal): readonly Finding[] {
  const status = appraisal["ear.status"];
  if (status === "affirming") return [{ rule: "status", ok: true, message: `${name} is affirming.` }];
  return [
    { rule: "status", ok: false, message: `The status of ${name} is ${status}, expected affirming.` },
    ...(appraisal["adyton.explanation"] ?? []).filter(({ ok }) => !ok),
  ];
}

function simulatedFindings(claims: AttestedClaims): readonly Finding[] {
  const simulated = [claims, ...Object.values(claims.submods)].some(
    (part) => part["adyton.simulated"] !== false,
  );
  if (!simulated) return [];
  return [
    {
      rule: "simulated",
      ok: false,
      message: "The TEE is simulated: its root is no hardware vendor's, so the machine's owner can look in.",
      next: "Run on a real TEE, or start the broker in development mode.",
    },
  ];
}
