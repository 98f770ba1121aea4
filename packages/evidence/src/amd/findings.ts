// SPDX-License-Identifier: Apache-2.0
// What an authentic report makes known besides its claims: TCB versions and warnings.
// AMD publishes no TCB status, so policies compare versions.

import type { Tcb, Warning } from "../verified.ts";
import type { TrustedKey } from "./chain.ts";
import { type Report, VMPL_HOST } from "./evidence.ts";
import { unknownPlatformBits, unknownPolicyBits } from "./policy.ts";
import { lowerTcbBytes, parseTcbVersion, type TcbLayout } from "./tcb.ts";

/** The four TCB versions of a report by name. */
export function tcbOf(report: Report, layout: TcbLayout): Tcb {
  const component = (raw: Uint8Array): { readonly svn: Record<string, number> } => ({
    svn: { ...parseTcbVersion(raw, layout) },
  });
  return {
    status: null,
    evaluationNumber: null,
    date: null,
    advisoryIds: [],
    components: {
      reported: component(report.reportedTcb),
      current: component(report.currentTcb),
      committed: component(report.committedTcb),
      launch: component(report.launchTcb),
    },
  };
}

/** What a reader should know although it is no reason to refuse. */
export function warningsOf(report: Report, layout: TcbLayout, trusted: TrustedKey): Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: string, message: string): void => {
    warnings.push({ code, message });
  };
  const root = trusted.trust.root;
  if (trusted.trust.simulated)
    warn("SIMULATED", `The evidence stands under ${root}, which is no root of AMD's.`);
  if (trusted.crl === undefined) {
    warn(
      "REVOCATION_UNCHECKED",
      `No CRL of ${root} was at hand: whether its signing key was revoked is not known.`,
    );
  }
  const policyBits = unknownPolicyBits(report.policy);
  if (policyBits !== 0n)
    warn("UNKNOWN_POLICY_BITS", `Guest policy bits ${policyBits.toString(16)}h are unknown.`);
  const platformBits = unknownPlatformBits(report.platformInfo);
  if (platformBits !== 0n) {
    warn(
      "UNKNOWN_PLATFORM_INFO_BITS",
      `Platform information bits ${platformBits.toString(16)}h are unknown.`,
    );
  }
  if (report.vmpl === VMPL_HOST) warn("HOST_REQUESTED", "The host asked for this report, not the guest.");

  const { reportedTcb, currentTcb, committedTcb } = report;
  for (const [code, text, a, b] of [
    [
      "REPORTED_TCB_BELOW_CURRENT",
      "The reported TCB is older than the one that runs",
      reportedTcb,
      currentTcb,
    ],
    [
      "REPORTED_TCB_BELOW_COMMITTED",
      "The reported TCB is older than the one committed to",
      reportedTcb,
      committedTcb,
    ],
    [
      "CURRENT_TCB_BELOW_COMMITTED",
      "The TCB that runs is older than the one committed to",
      currentTcb,
      committedTcb,
    ],
  ] as const) {
    const lower = lowerTcbBytes(a, b, layout);
    if (lower.length > 0) warn(code, `${text} (${lower.join(", ")}).`);
  }
  return warnings;
}
