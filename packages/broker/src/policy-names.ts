// SPDX-License-Identifier: Apache-2.0
// The policies that can be set, where they stand in files, and what becomes of their texts.

import { AppraisalError, type Policy, regoPolicy, unansweredQuery } from "@adyton/appraisal";
import { RegoError } from "@adyton/rego";
import { BrokerError } from "./errors.ts";
import { isPathPattern, type PathPattern } from "./path-pattern.ts";
import type { ResourcePolicy } from "./policy.ts";
import {
  invalid,
  POLICY_BUILTINS,
  POLICY_LIMITS,
  type PolicyText,
  policyDigest,
  regoResourcePolicy,
  testPolicy,
  wrapped,
} from "./policy-rego.ts";
import { invalid as refusedRequest } from "./protocol.ts";

/** `attestation` judges evidence for which there is no policy of its kind. */
export type AttestationPolicyName =
  | "attestation"
  | "attestation_cpu"
  | "attestation_gpu"
  | "attestation_switch";
/** Of resources whose names fit the pattern behind the colon; `resource` is that of all others. */
export type ScopedPolicyName = `resource:${PathPattern}`;
type PlainPolicyName = "resource" | AttestationPolicyName;
export type PolicyName = PlainPolicyName | ScopedPolicyName;

/** What a policy is called in its folder and in messages. */
const POLICY_FILES: Readonly<Record<PlainPolicyName, string>> = {
  resource: "resource.rego",
  attestation: "attestation.rego",
  attestation_cpu: "attestation_cpu.rego",
  attestation_gpu: "attestation_gpu.rego",
  attestation_switch: "attestation_switch.rego",
};

export const POLICY_NAMES: readonly PlainPolicyName[] = Object.keys(POLICY_FILES) as PlainPolicyName[];

/** What a policy is called in messages. */
export function policyFileOf(name: PolicyName): string {
  return isScoped(name) ? POLICY_FILES.resource : POLICY_FILES[name];
}

/** The policy of a pattern; that of `**` is the resource policy. Throws `INVALID_REQUEST`. */
export function resourcePolicyOf(pattern: PathPattern): "resource" | ScopedPolicyName {
  if (pattern === "**") return "resource";
  if (isPathPattern(pattern)) return `resource:${pattern}`;
  throw refusedRequest(
    `${JSON.stringify(pattern.slice(0, 80))} is no pattern of resources such as team-a/** or team-a/*/key`,
  );
}

export function isScoped(name: PolicyName): name is ScopedPolicyName {
  return name.startsWith("resource:");
}

export function isAttestation(name: PolicyName): name is AttestationPolicyName {
  return name !== "resource" && !isScoped(name);
}

/** By Trustee's ids, as its administrators name them: `default`, or `default_` and the kind of device. */
export function attestationPolicyOf(id: string): AttestationPolicyName | undefined {
  const name = id.replace(/^default/, "attestation");
  return id !== name && name !== "resource"
    ? POLICY_NAMES.filter(isAttestation).find((n) => n === name)
    : undefined;
}

/** `id` stands in tokens and the audit log. Throws `POLICY_INVALID`. */
export function buildResourcePolicy(id: string, policy: PolicyText): ResourcePolicy {
  return regoResourcePolicy(id, policy);
}

/** As `regoPolicy`; `id` and the digest of the text stand in tokens. Throws `POLICY_INVALID`. */
export function buildAttestationPolicy(id: string, policy: PolicyText): Policy {
  const { file, text } = policy;
  const built = wrapped(policy, () => {
    try {
      return regoPolicy({
        id: `${id} sha384:${policyDigest(text)}`,
        modules: { [file]: text },
        limits: POLICY_LIMITS,
        builtins: POLICY_BUILTINS,
      });
    } catch (error) {
      if (error instanceof AppraisalError) throw invalid(`${file}: ${error.message}`, [], error.hint);
      throw error;
    }
  });
  return {
    id: built.id,
    evaluate: (input) => {
      try {
        return built.evaluate(input);
      } catch (error) {
        if (!(error instanceof RegoError || error instanceof AppraisalError)) throw error;
        throw new BrokerError(
          "STATE_INVALID",
          "misuse",
          `Cannot appraise: ${file} came to no result: ${error.message}`,
          {
            cause: error,
            hint: "Mend the attestation policy.",
          },
        );
      }
    },
  };
}

/** Builds the policy to see that it can be used, then runs its tests. Answers how many passed. Throws as both do. */
export function checkPolicy(name: PolicyName, policy: PolicyText, now: Date): number {
  if (isAttestation(name)) buildAttestationPolicy(name, policy);
  else buildResourcePolicy(name, policy);
  return testPolicy(
    policy,
    now,
    isAttestation(name) ? [...POLICY_BUILTINS, unansweredQuery] : POLICY_BUILTINS,
  );
}
