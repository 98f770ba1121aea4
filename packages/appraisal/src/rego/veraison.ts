// SPDX-License-Identifier: Apache-2.0
// What Veraison gives to the policies of its users: names for AR4SI's values, the documents as variables, and a
// comparison of versions.

import type { TeeName } from "@adyton/evidence";

/** AR4SI's values by the names that Veraison's policies use, claim by claim. */
const CONSTANTS: Readonly<Record<string, number>> = {
  NO_CLAIM: 0,
  UNEXECTED_EVIDENCE: 1,
  UNEXPECTED_EVIDENCE: 1,
  AFFIRMING: 2,
  WARNING: 32,
  CONTRAINDICATED: 96,
  RECOGNIZED_INSTANCE: 2,
  UNTRUSTWORTHY_INSTANCE: 96,
  UNRECOGNIZED_INSTANCE: 97,
  APPROVED_CONFIG: 2,
  SAFE_CONFIG: 3,
  UNSAFE_CONFIG: 32,
  UNSUPPORTABLE_CONFIG: 96,
  APPROVED_RT: 2,
  APPROVED_BOOT: 3,
  UNSAFE_RT: 32,
  UNRECOGNIZED_RT: 33,
  CONTRAINDICATED_RT: 96,
  APPROVED_FS: 2,
  UNRECOGNIZED_FS: 32,
  CONTRAINDICATED_FS: 96,
  GENUINE_HW: 2,
  UNSAFE_HW: 32,
  CONTRAINDICATED_HW: 96,
  UNRECOGNIZED_HW: 97,
  ENCRYPTED_RT: 2,
  ISOLATED_RT: 32,
  VISIBLE_RT: 96,
  HW_ENCRYPTED_SECRETS: 2,
  SW_ENCRYPTED_SECRETS: 32,
  // Once as Veraison spells it.
  UNENCRYPTED_SECRETES: 96,
  UNENCRYPTED_SECRETS: 96,
  TRUSTED_SOURCES: 2,
  UNTRUSTED_SOURCES: 32,
  CONTRAINDICATED_SOURCES: 96,
};

/** Rules that a policy may define, with the value that changes nothing. */
const RULES = [
  "status",
  "instance_identity",
  "configuration",
  "executables",
  "file_system",
  "hardware",
  "runtime_opaque",
  "storage_opaque",
  "sourced_data",
] as const;

const DOCUMENTS = ["submod", "result", "evidence", "endorsements", "session", "scheme"];

/** Rego (v1) that stands beside the user's policy, in its package. */
export const VERAISON_PREAMBLE: string = `package policy

${Object.entries(CONSTANTS)
  .map(([name, value]) => `${name} := ${value}`)
  .join("\n")}

${DOCUMENTS.map((name) => `${name} := input.${name}`).join("\n")}

${RULES.map((name) => `default ${name} := 0`).join("\n")}

default added_claims := {}

semver_cmp(a, b) := order if {
	parts := [[to_number(part) | some part in split(version, ".")] | some version in [a, b]]
	order := order_of(parts[0], parts[1])
}

order_of(a, b) := 1 if a > b else := -1 if a < b else := 0
`;

const SCHEMES: Partial<Record<TeeName, string>> = {
  cca: "ARM_CCA",
  snp: "SEVSNP",
  nvidia: "NVIDIA",
  tpm: "TPM_ENACTTRUST",
};

/** Veraison's name for a TEE's scheme, or the TEE's own in capitals where it has none. */
export function schemeName(tee: TeeName): string {
  return SCHEMES[tee] ?? tee.toUpperCase().replaceAll("-", "_");
}
