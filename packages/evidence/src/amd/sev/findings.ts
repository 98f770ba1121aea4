// SPDX-License-Identifier: Apache-2.0
// What verified SEV evidence says besides its claims: what was relied on, and what a reader should know.

import { CoreError } from "@adyton/core/errors";
import type { EndorsementsUsed, Trust, Warning } from "../../verified.ts";
import { parseSevPolicy, unknownSevPolicyBits } from "./policy.ts";

/** Binary certificates have neither dates nor revocation: there is nothing to list by date. */
export const SEV_ENDORSEMENTS_USED: EndorsementsUsed = Object.freeze({
  earliestIssue: null,
  earliestExpiry: null,
  revocation: "unchecked",
  items: Object.freeze([]),
});

/** Throws `CRL_MISSING` when revocation is demanded: AMD publishes no list for binary certificates. */
export function checkSevRevocation(required: boolean | undefined): void {
  if (required !== true) return;
  throw new CoreError(
    "CRL_MISSING",
    "endorsements",
    "Cannot check revocation: AMD publishes no revocation list for SEV's binary certificates",
    { hint: "Do not require revocation for SEV; keep a list of the platforms (cek_spki_sha256) you accept." },
  );
}

/** `noReportData` is the sentence that says what this kind of evidence binds instead of report data. */
export function sevWarnings(trust: Trust, policy: number, noReportData: string): Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: string, message: string): void => {
    warnings.push({ code, message });
  };
  if (trust.simulated)
    warn("SIMULATED", `The evidence stands under ${trust.root}, which is no root of AMD's.`);
  warn("REVOCATION_UNCHECKED", "SEV's certificates have no revocation list: a stolen key stays good.");
  warn("NO_REPORT_DATA", noReportData);
  if (!parseSevPolicy(policy).es) {
    warn("SEV_WITHOUT_ES", "The guest runs without SEV-ES: the host can read and change its registers.");
  }
  const unknown = unknownSevPolicyBits(policy);
  if (unknown !== 0) warn("UNKNOWN_POLICY_BITS", `Guest policy bits ${unknown.toString(16)}h are unknown.`);
  return warnings;
}
