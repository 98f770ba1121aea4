// SPDX-License-Identifier: Apache-2.0
// Why a policy is not found, not set, or does not decide.

import { BrokerError } from "./errors.ts";
import { type PolicyName, policyFileOf } from "./policy-names.ts";

export function noPolicy(name: PolicyName): BrokerError {
  return new BrokerError("POLICY_NOT_FOUND", "misuse", `Cannot find policy ${name}: none was set`, {
    hint: "List the policies to see which are in force.",
  });
}

export function noSuchVersion(name: PolicyName, version: number): BrokerError {
  return new BrokerError(
    "POLICY_NOT_FOUND",
    "misuse",
    `Cannot activate version ${version} of policy ${name}: it was never set, or is kept no longer`,
    { hint: "List the versions that are kept." },
  );
}

export function tooManyScoped(limit: number): BrokerError {
  return new BrokerError(
    "QUOTA_EXCEEDED",
    "policy",
    `Cannot set the policy: there are ${limit} for patterns of names`,
    { hint: "Write fewer policies for wider patterns." },
  );
}

export function unusable(name: PolicyName): BrokerError {
  return new BrokerError(
    "STATE_INVALID",
    "misuse",
    `Cannot decide: ${policyFileOf(name)} cannot be used, and no ${name} policy was set before`,
    { hint: "Mend the file: the log says what is wrong with it." },
  );
}
