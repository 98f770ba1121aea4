// SPDX-License-Identifier: Apache-2.0
// A verification in words: what was found to hold, and what deserves attention.

import { isZero, toHex } from "@adyton/core/bytes";
import type { VerifyOptions } from "../scheme.ts";
import type { Warning } from "../verified.ts";
import type { Basis } from "./basis.ts";
import type { Quote } from "./evidence.ts";
import { cpuSvnAgrees } from "./pck.ts";
import { reservedTdBits } from "./reports.ts";
import type { TcbAnswer } from "./tcb.ts";

const DAY = 86_400_000;
const SOON = 30 * DAY;

/** What passed but deserves attention. */
export function warningsOf(quote: Quote, basis: Basis, answer: TcbAnswer, now: Date): Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: string, message: string): void => {
    warnings.push({ code, message });
  };
  const { trailing, body, qeReport } = quote;
  if (basis.trust.simulated) {
    warn("SIMULATED", `The evidence stands under ${basis.trust.root}, which is no root of Intel's.`);
  }
  if (trailing.length > 0) {
    const filling = isZero(trailing) ? "all zero" : "not all zero";
    warn("TRAILING_BYTES", `${trailing.length} bytes follow the quote (${filling}): unsigned and ignored.`);
  }
  if (qeReport.reserved !== undefined || (body.tee === "sgx" && body.report.reserved !== undefined)) {
    warn("RESERVED_NOT_ZERO", "Reserved fields of an enclave report are not zero.");
  }
  if (body.tee === "tdx") {
    const bits = reservedTdBits(body.report);
    if (bits.length > 0)
      warn("TD_ATTRIBUTES_RESERVED", `TD attribute bits without a name are set: ${bits.join(", ")}.`);
  }
  if (!cpuSvnAgrees(basis.extension)) {
    warn("CPUSVN_DIFFERS", "The PCK certificate's CPUSVN differs from its TCB components, which count.");
  }
  if (answer.sgx?.status === "Revoked") {
    warn(
      "SGX_TCB_LEVEL_REVOKED",
      "The TCB level that the SGX components alone reach is Revoked, the TDX level is not.",
    );
  }
  if (basis.tcbInfo.tcbEvaluationDataNumber !== basis.identity.tcbEvaluationDataNumber) {
    warn(
      "EVALUATION_NUMBERS_DIFFER",
      `TCB info has evaluation number ${basis.tcbInfo.tcbEvaluationDataNumber}, QE identity ${basis.identity.tcbEvaluationDataNumber}.`,
    );
  }
  for (const certificate of [basis.leaf, basis.intermediate, basis.root, ...basis.signers]) {
    if (certificate.notAfter.getTime() - now.getTime() < SOON) {
      warn(
        "CERTIFICATE_EXPIRES_SOON",
        `${certificate.subject.text} expires ${certificate.notAfter.toISOString()}.`,
      );
    }
  }
  return warnings;
}

/** The checks that passed, in order, one sentence each. */
export function explanationOf(
  quote: Quote,
  basis: Basis,
  answer: TcbAnswer,
  status: string,
  options: VerifyOptions,
): string[] {
  const { tcbInfo, identity, endorsements, trust } = basis;
  const { platform, module, qe } = answer;
  return [
    `The quote is well formed, of version ${quote.header.version}, by Intel's quoting enclave.`,
    `The PCK certificate ${basis.leaf.serial} chains to ${trust.root}, ${trust.simulated ? "a root that the caller named" : "Intel's pinned root"}.`,
    "Neither it nor its CA is revoked; both revocation lists are signed and current.",
    `TCB info for FMSPC ${toHex(tcbInfo.fmspc)} (evaluation number ${tcbInfo.tcbEvaluationDataNumber}) and QE identity (${identity.tcbEvaluationDataNumber}) are signed and current.`,
    ...(quote.body.tee === "tdx" ? ["The TDX module is signed by Intel and has no SEAM attributes."] : []),
    "The PCK signed the quoting enclave's report, which names the attestation key.",
    "The quoting enclave matches Intel's identity for it.",
    "The attestation key signed the quote.",
    `Of the TCB levels, the platform's (${platform?.date}) is ${platform?.status}${
      module === undefined ? "" : `, the TDX module's ${module.status}`
    }, the quoting enclave's ${qe?.status}: ${status} together.`,
    ...relaunchSentence(answer),
    ...(options.reportData === undefined ? [] : ["The report data is the expected one."]),
    `All endorsements hold until ${endorsements.earliestExpiry}.`,
  ];
}

/** Why a TD 1.5 that is out of date would or would not be up to date after a relaunch. */
function relaunchSentence({ relaunch, status }: TcbAnswer): string[] {
  if (relaunch === undefined || !/OutOfDate|Relaunch/.test(status)) return [];
  const failing = Object.keys(relaunch).filter((condition) => relaunch[condition] === false);
  return failing.length === 0
    ? ["A relaunch of the TD would bring it up to date."]
    : [`A relaunch of the TD is not advised; it would take that ${failing.join(", that ")}.`];
}
