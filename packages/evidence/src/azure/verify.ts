// SPDX-License-Identifier: Apache-2.0
// Authenticity of Azure vTPM evidence, step by step: the hardware's report is authentic and binds the runtime data, the
// runtime data names the vTPM's attestation key, that key signed the quote. What the hardware vouches for is Azure's
// paravisor: its measurement (`measurement`, `mr_td`) is what a policy must know before it believes the vTPM.

import { equal, padRight, toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import { parseReport } from "../amd/evidence.ts";
import { verifySnp } from "../amd/verify.ts";
import { mergeEndorsements, NO_ENDORSEMENTS } from "../bag.ts";
import { checkReportData } from "../binding.ts";
import { EvidenceError } from "../errors.ts";
import { TD } from "../intel/claims-tdx.ts";
import { verifyQuote } from "../intel/verify.ts";
import { preparedKey } from "../remember.ts";
import type { VerifyOptions } from "../scheme.ts";
import { checkTime } from "../time.ts";
import { attestClaims, pcrClaims } from "../tpm/claims.ts";
import { type CheckedQuote, checkQuote } from "../tpm/quote.ts";
import { seal, type VerifiedEvidence } from "../verified.ts";
import { type AzureEvidence, type AzureTee, parseAzureEvidence } from "./evidence.ts";
import {
  type HclReport,
  hardwareReportData,
  parseHclReport,
  parseRuntimeData,
  type RuntimeClaims,
} from "./hcl.ts";

const REPORT_DATA_SIZE = 64;
/** Where Confidential Containers' agents extend the init-data digest. */
const INIT_DATA_PCR = 8;
const KIND: Readonly<Record<AzureTee, HclReport["kind"]>> = { "az-snp-vtpm": "snp", "az-tdx-vtpm": "tdx" };

/**
 * Verifies evidence of an Azure confidential VM. The hardware's report is verified as `verifySnp` and `verifyTdx` do, with
 * the endorsements of `options`; the VCEK may come in the evidence. Report data is the vTPM quote's nonce.
 *
 * Throws `INVALID_ENVELOPE`, `INVALID_HCL_REPORT`, `HCL_BINDING_MISMATCH`, `HCL_PRIVILEGE_LEVEL`, those of a TPM quote,
 * `REPORT_DATA_MISMATCH`, `INVALID_TIME`, or what the hardware's report is refused for.
 */
export async function verifyAzure(
  tee: AzureTee,
  bytes: Uint8Array,
  options: VerifyOptions,
): Promise<VerifiedEvidence> {
  const { now, cache, crypto = verifyingCrypto } = options;
  checkTime(now, "Azure evidence");
  const evidence = parseAzureEvidence(bytes, tee);
  const report = parseHclReport(evidence.hclReport);
  if (report.kind !== KIND[tee])
    throw mismatch(`the HCL report is one of ${report.kind}, expected ${KIND[tee]}`);
  const binding = padRight(await crypto.digest(report.hash, report.runtimeData), REPORT_DATA_SIZE);
  if (!equal(hardwareReportData(report), binding)) {
    throw mismatch("the hardware's report does not bind the runtime data", {
      found: toHex(hardwareReportData(report)),
      expected: toHex(binding),
    });
  }
  const runtime = parseRuntimeData(report.runtimeData);
  const { key, keep } = await preparedKey(runtime.akSpki, cache, now, crypto);
  const checked = await checkQuote(evidence.quote, key, crypto);
  const nonce = checked.attest.extraData;
  checkUserData(evidence, runtime, nonce);
  if (options.reportData !== undefined)
    checkReportData(padRight(nonce, REPORT_DATA_SIZE), options.reportData);
  const hardware = await verifyHardware(evidence, report, binding, options);
  keep();
  const initData = checked.registers.find(({ index }) => index === INIT_DATA_PCR);
  return seal({
    ...hardware,
    tee,
    reportData: padRight(nonce, REPORT_DATA_SIZE),
    initDataField: initData?.value ?? null,
    initDataForm: "extended",
    registers: checked.registers,
    claims: { ...hardware.claims, ...claimsOf(evidence, checked, runtime, binding) },
    explanation: [
      ...hardware.explanation,
      `The hardware's report binds the runtime data by ${report.hash}; there the vTPM's attestation key stands.`,
      "The attestation key signed the quote.",
      `The values of ${checked.registers.length} PCRs are the quoted ones.`,
      ...(options.reportData === undefined ? [] : ["The quote's nonce is the expected report data."]),
    ],
  });
}

/** The claims as they stand. Throws typed errors on malformed bytes. */
export function inspectAzure(tee: AzureTee, bytes: Uint8Array): JsonObject {
  const { quote, hclReport, version } = parseAzureEvidence(bytes, tee);
  const { kind, runtimeData } = parseHclReport(hclReport);
  const runtime = parseRuntimeData(runtimeData);
  const registers = quote.pcrs.flatMap(({ hash, values }) =>
    [...values].map(([index, value]) => ({ hash, index, value })),
  );
  return {
    version,
    hardware: kind,
    vm_configuration: runtime.vmConfiguration,
    tpm: { ...pcrClaims(registers), ...attestClaims(quote.message) },
  };
}

/** From version 2 on the guest has the hardware sign its report data, too: then the hardware's report is fresh. */
function checkUserData({ version }: AzureEvidence, { userData }: RuntimeClaims, nonce: Uint8Array): void {
  if (version < 2) return;
  const expected = padRight(nonce, REPORT_DATA_SIZE);
  if (userData !== undefined && equal(userData, expected)) return;
  throw mismatch("the runtime data's user data is not the quote's nonce", {
    found: userData === undefined ? null : toHex(userData),
    expected: toHex(expected),
  });
}

async function verifyHardware(
  { vcek, tdQuote }: AzureEvidence,
  { kind, hardwareReport }: HclReport,
  binding: Uint8Array,
  options: VerifyOptions,
): Promise<VerifiedEvidence> {
  const { endorsements = NO_ENDORSEMENTS, reportData: _nonce, ...rest } = options;
  if (kind === "tdx") {
    // A TDREPORT is for its own CPU alone: the quote made of it must bind the same.
    const verified = await verifyQuote(TD, tdQuote ?? new Uint8Array(), { ...rest, endorsements });
    if (equal(verified.reportData, binding)) return verified;
    throw mismatch("the TD quote does not bind the runtime data", {
      found: toHex(verified.reportData),
      expected: toHex(binding),
    });
  }
  const { vmpl } = parseReport(hardwareReport);
  if (vmpl !== 0) {
    throw new EvidenceError(
      "HCL_PRIVILEGE_LEVEL",
      "not-authentic",
      `Cannot accept Azure evidence: the SNP report was asked for at VMPL ${vmpl}, expected 0, the paravisor's`,
      { detail: { found: vmpl, expected: 0 } },
    );
  }
  const own = { ...NO_ENDORSEMENTS, certificates: vcek === undefined ? [] : [vcek] };
  return verifySnp(hardwareReport, { ...rest, endorsements: mergeEndorsements(own, endorsements) });
}

function claimsOf(
  { version }: AzureEvidence,
  { attest, registers }: CheckedQuote,
  { vmConfiguration, userData }: RuntimeClaims,
  binding: Uint8Array,
): JsonObject {
  const initData = registers.find(({ index }) => index === INIT_DATA_PCR);
  const bound = initData === undefined ? {} : { init_data: toHex(initData.value) };
  return {
    evidence_version: version,
    report_data: toHex(attest.extraData),
    hardware_report_data: toHex(binding),
    ...bound,
    tpm: { ...pcrClaims(registers), ...bound },
    vm_configuration: vmConfiguration,
    ...(userData === undefined ? {} : { user_data: toHex(userData) }),
  };
}

function mismatch(why: string, detail: Readonly<Record<string, unknown>> = {}): EvidenceError {
  return new EvidenceError("HCL_BINDING_MISMATCH", "not-authentic", `Cannot accept Azure evidence: ${why}`, {
    detail,
    hint: "The parts do not belong together: collect the evidence anew.",
  });
}
