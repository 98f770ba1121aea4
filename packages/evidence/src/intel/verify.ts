// SPDX-License-Identifier: Apache-2.0
// The authenticity of a quote, step by step, in the order of Intel's quote verification library (DCAP 1.23).

import { verifyingCrypto } from "@adyton/core/crypto";
import { checkReportData } from "../binding.ts";
import type { VerifyOptions } from "../scheme.ts";
import { checkTime } from "../time.ts";
import { type MeasurementRegister, seal, type VerifiedEvidence } from "../verified.ts";
import { type Basis, basisOf } from "./basis.ts";
import { checkHeader, checkModule, checkQeIdentity, checkQeReport, checkSignature } from "./checks.ts";
import { type Kind, withVerdict } from "./claims.ts";
import { parseQuote, type Quote } from "./evidence.ts";
import { explanationOf, warningsOf } from "./narrative.ts";
import type { TdReport } from "./reports.ts";
import { judgeTcb, type TcbAnswer } from "./tcb.ts";
import { tcbOf } from "./verdict.ts";

/** Establishes that a quote of this kind is authentic, or throws the first reason why it is not. */
export async function verifyQuote(
  kind: Kind,
  evidence: Uint8Array,
  options: VerifyOptions,
): Promise<VerifiedEvidence> {
  const { now, crypto = verifyingCrypto } = options;
  checkTime(now, "quote");
  const quote = parseQuote(evidence);
  checkHeader(quote, kind.tee);
  const basis = await basisOf(quote, options, crypto);
  const { body } = quote;
  if (body.tee === "tdx") checkModule(body.report, basis);
  await checkQeReport(quote, basis, crypto);
  checkQeIdentity(quote, basis.identity);
  await checkSignature(quote, options, crypto);
  const answer = judge(quote, basis);
  const tcb = tcbOf(answer, quote, basis);
  if (options.reportData !== undefined) checkReportData(body.report.reportData, options.reportData);
  return seal({
    ...kind.describe(quote, withVerdict(basis.claims, tcb)),
    at: now,
    trust: basis.trust,
    tcb,
    reportData: body.report.reportData,
    ...(body.tee === "tdx" ? { registers: registersOf(body.report) } : {}),
    endorsements: basis.endorsements,
    warnings: warningsOf(quote, basis, answer, now),
    explanation: explanationOf(quote, basis, answer, tcb.status, options),
  });
}

/** CCEL's index of RTMR n is n + 1 (UEFI 2.11, section 38.4.1). */
function registersOf({ rtmrs }: TdReport): MeasurementRegister[] {
  return rtmrs.map((value, i) => ({ name: `rtmr_${i}`, kind: "rtmr", index: i + 1, hash: "SHA-384", value }));
}

function judge({ body, qeReport }: Quote, basis: Basis): TcbAnswer {
  const question = {
    platform: basis.extension,
    levels: basis.levels,
    qe: { isvSvn: qeReport.isvSvn, levels: basis.identity.levels },
  };
  if (body.tee === "sgx") return judgeTcb(question);
  const { teeTcbSvn, td15 } = body.report;
  const moduleIdentities = basis.tcbInfo.tdxModuleIdentities ?? [];
  return judgeTcb({ ...question, td: { teeTcbSvn, teeTcbSvn2: td15?.teeTcbSvn2, moduleIdentities } });
}
