// SPDX-License-Identifier: Apache-2.0
// The authenticity of a quote, step by step, in the order of Intel's quote verification library (DCAP 1.23). What that
// library leaves to its caller and that has one right answer is checked here too: vendor, reserved fields, dates.

import { concat, equal, isZero, toHex } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto, type PublicKey, spkiOfPoint } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import { checkReportData } from "../binding.ts";
import { EvidenceError, type EvidenceErrorCode } from "../errors.ts";
import type { VerifyOptions } from "../scheme.ts";
import { seal, type VerifiedEvidence, type Warning } from "../verified.ts";
import { numberOf } from "./bag.ts";
import { type Basis, basisOf } from "./basis.ts";
import { claimsOfQuote, claimsOfTcb, isDebug, reservedTdBits } from "./claims.ts";
import type { EnclaveIdentity, ModuleSigner } from "./documents.ts";
import { INTEL_QE_VENDOR_ID, parseQuote, type Quote } from "./evidence.ts";
import { cpuSvnAgrees } from "./pck.ts";
import type { TdReport } from "./reports.ts";
import { judgeTcb, moduleIdentityOf, moduleIdOf, type TcbAnswer } from "./tcb.ts";
import { tcbOf } from "./verdict.ts";
import { ALWAYS } from "./window.ts";

const ECDSA_P256 = { name: "ECDSA", hash: "SHA-256" } as const;
const DAY = 86_400_000;
const SOON = 30 * DAY;

/** Establishes that a quote of `tee` is authentic, or throws the first reason why it is not. */
export async function verifyQuote(
  tee: "sgx" | "tdx",
  evidence: Uint8Array,
  options: VerifyOptions,
): Promise<VerifiedEvidence> {
  const { now, crypto = defaultCrypto } = options;
  if (Number.isNaN(now.getTime())) {
    throw new EvidenceError(
      "INVALID_TIME",
      "misuse",
      "Cannot verify quote: the time to verify for is no date",
    );
  }
  const quote = parseQuote(evidence);
  checkHeader(quote, tee);
  const basis = await basisOf(quote, options, crypto);
  const { body } = quote;
  if (body.tee === "tdx") checkModule(body.report, basis);
  await checkQeReport(quote, basis, crypto);
  checkQeIdentity(quote, basis.identity);
  await checkSignature(quote, options, crypto);
  const answer = judgeTcb({
    platform: basis.extension,
    levels: basis.levels,
    qe: { isvSvn: quote.qeReport.isvSvn, levels: basis.identity.levels },
    ...(body.tee === "tdx"
      ? {
          td: {
            teeTcbSvn: body.report.teeTcbSvn,
            teeTcbSvn2: body.report.td15?.teeTcbSvn2,
            moduleIdentities: basis.tcbInfo.tdxModuleIdentities ?? [],
          },
        }
      : {}),
  });
  const tcb = tcbOf(answer, quote, basis);
  if (options.reportData !== undefined) checkReportData(body.report.reportData, options.reportData);
  return seal({
    tee,
    at: now,
    trust: basis.trust,
    tcb,
    debug: isDebug(quote),
    reportData: body.report.reportData,
    initDataField: body.tee === "sgx" ? body.report.configId : body.report.mrConfigId,
    claims: { ...claimsOfQuote(quote), ...basis.claims, ...claimsOfTcb(tcb) },
    endorsements: basis.endorsements,
    warnings: warningsOf(quote, basis, answer, now),
    explanation: explanationOf(quote, basis, answer, tcb.status, options),
  });
}

function checkHeader({ header, body }: Quote, tee: "sgx" | "tdx"): void {
  if (body.tee !== tee) {
    throw unsupported("tee_type", `a quote of ${body.tee.toUpperCase()}`, `one of ${tee.toUpperCase()}`);
  }
  if (!equal(header.qeVendorId, INTEL_QE_VENDOR_ID)) {
    throw unsupported("qe_vendor_id", toHex(header.qeVendorId), toHex(INTEL_QE_VENDOR_ID));
  }
  if (header.version > 3 && (header.qeSvn !== 0 || header.pceSvn !== 0)) {
    throw unsupported("reserved", "reserved header bytes that are not zero", "zeros");
  }
}

/** The TDX module: signed by Intel, with the attributes that TCB info gives for its version. */
function checkModule(report: TdReport, { tcbInfo }: Basis): void {
  const version = report.teeTcbSvn[1] ?? 0;
  const signer = moduleSignerOf(version, tcbInfo);
  if (!equal(report.mrSignerSeam, signer.mrSigner)) {
    throw mismatch(
      "TDX_MODULE_MISMATCH",
      "TDX module",
      "mr_signer_seam",
      report.mrSignerSeam,
      signer.mrSigner,
    );
  }
  // Intel reads attributesMask and applies none: no SEAM attribute is allowed at all.
  if (!isZero(report.seamAttributes) || !equal(report.seamAttributes, signer.attributes)) {
    throw mismatch(
      "TDX_MODULE_MISMATCH",
      "TDX module",
      "seam_attributes",
      report.seamAttributes,
      signer.attributes,
    );
  }
}

function moduleSignerOf(version: number, { tdxModule, tdxModuleIdentities }: Basis["tcbInfo"]): ModuleSigner {
  const signer =
    version === 0
      ? tdxModule
      : tdxModuleIdentities === undefined
        ? undefined
        : (moduleIdentityOf(tdxModuleIdentities, version) ?? missingModule(moduleIdOf(version)));
  if (signer !== undefined) return signer;
  throw new EvidenceError(
    "TCB_INFO_MISMATCH",
    "not-authentic",
    `Cannot judge TDX module version ${version}: TCB info has no TDX module identities`,
    { detail: { module: moduleIdOf(version) } },
  );
}

function missingModule(id: string): never {
  throw new EvidenceError(
    "TDX_MODULE_MISMATCH",
    "not-authentic",
    `Cannot judge TDX module: TCB info has no identity ${id}`,
    { detail: { module: id } },
  );
}

/** The PCK signed the quoting enclave's report, and that report names the attestation key. */
async function checkQeReport(quote: Quote, { key, leaf }: Basis, crypto: CryptoProvider): Promise<void> {
  if (!(await key.verify(ECDSA_P256, quote.qeReportSignature, quote.signedQeReport))) {
    throw new EvidenceError(
      "INVALID_QE_REPORT_SIGNATURE",
      "not-authentic",
      "Cannot trust quote: the quoting enclave's report is not signed by the platform's PCK",
      { detail: { pck: leaf.serial } },
    );
  }
  const bound = await crypto.digest("SHA-256", concat(quote.attestationKey, quote.qeAuthData));
  const { reportData } = quote.qeReport;
  if (!equal(reportData.subarray(0, 32), bound) || !isZero(reportData.subarray(32))) {
    throw new EvidenceError(
      "INVALID_QE_REPORT_DATA",
      "not-authentic",
      "Cannot trust quote: the quoting enclave's report data does not name the attestation key",
      { detail: { found: toHex(reportData), expected: toHex(bound) } },
    );
  }
}

/** The quoting enclave is Intel's: miscselect, attributes, signer and product. */
function checkQeIdentity({ qeReport, signedQeReport }: Quote, identity: EnclaveIdentity): void {
  const refuse = (field: string, found: Uint8Array, expected: Uint8Array): EvidenceError =>
    mismatch("QE_IDENTITY_MISMATCH", "quoting enclave", field, found, expected);
  const miscSelect = masked(signedQeReport.subarray(16, 20), identity.miscSelectMask);
  if (!equal(miscSelect, identity.miscSelect)) throw refuse("miscselect", miscSelect, identity.miscSelect);
  const attributes = masked(qeReport.attributes, identity.attributesMask);
  if (!equal(attributes, identity.attributes)) throw refuse("attributes", attributes, identity.attributes);
  if (!equal(qeReport.mrSigner, identity.mrSigner)) {
    throw refuse("mr_signer", qeReport.mrSigner, identity.mrSigner);
  }
  if (qeReport.isvProdId !== identity.isvProdId) {
    throw new EvidenceError(
      "QE_IDENTITY_MISMATCH",
      "not-authentic",
      `Cannot trust quoting enclave: isv_prod_id is ${qeReport.isvProdId}, expected ${identity.isvProdId}`,
      { detail: { field: "isv_prod_id", found: qeReport.isvProdId, expected: identity.isvProdId } },
    );
  }
}

/** The attestation key signed header and body. */
async function checkSignature(
  quote: Quote,
  { cache, now }: VerifyOptions,
  crypto: CryptoProvider,
): Promise<void> {
  const cacheKey =
    cache === undefined ? "" : `intel-attestation-key/${numberOf(crypto)}/${toHex(quote.attestationKey)}`;
  const cached = cache?.get(cacheKey, now) as PublicKey | undefined;
  const key = cached ?? (await attestationKeyOf(quote, crypto));
  if (!(await key.verify(ECDSA_P256, quote.signature, quote.signedPart))) throw invalidSignature();
  // Only keys that Intel's quoting enclave vouched for get here, so strangers cannot fill the cache.
  if (cached === undefined) cache?.set(cacheKey, key, ALWAYS.from, ALWAYS.until);
}

async function attestationKeyOf(quote: Quote, crypto: CryptoProvider): Promise<PublicKey> {
  try {
    return await crypto.importPublicKey(spkiOfPoint("P-256", quote.attestationKey));
  } catch (cause) {
    // The bytes are no point on the curve.
    if (cause instanceof CoreError) throw invalidSignature(cause);
    throw cause;
  }
}

function invalidSignature(cause?: unknown): EvidenceError {
  return new EvidenceError(
    "INVALID_QUOTE_SIGNATURE",
    "not-authentic",
    "Cannot trust quote: its signature is not by the attestation key",
    cause === undefined ? {} : { cause },
  );
}

function warningsOf(quote: Quote, basis: Basis, answer: TcbAnswer, now: Date): Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: string, message: string): void => {
    warnings.push({ code, message });
  };
  const { trailing, body, qeReport } = quote;
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
    warn(
      "CPUSVN_DIFFERS",
      "The PCK certificate's CPUSVN differs from its TCB components; the components count.",
    );
  }
  if (answer.sgx?.status === "Revoked") {
    warn(
      "SGX_TCB_LEVEL_REVOKED",
      "The TCB level that SGX components and PCESVN alone reach is Revoked, though the TDX level is not.",
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

function explanationOf(
  quote: Quote,
  basis: Basis,
  answer: TcbAnswer,
  status: string,
  options: VerifyOptions,
): string[] {
  const { tcbInfo, identity, endorsements, trust } = basis;
  return [
    `The quote has version ${quote.header.version}, comes from Intel's quoting enclave and is well formed.`,
    `The PCK certificate ${basis.leaf.serial} chains to ${trust.root}, ${trust.simulated ? "a root that the caller named" : "Intel's pinned root"}.`,
    "Neither the PCK certificate nor its CA is revoked; both revocation lists are signed and current.",
    `TCB info for FMSPC ${toHex(tcbInfo.fmspc)} (evaluation number ${tcbInfo.tcbEvaluationDataNumber}) and QE identity (${identity.tcbEvaluationDataNumber}) are signed and current.`,
    ...(quote.body.tee === "tdx" ? ["The TDX module is signed by Intel and has no SEAM attributes."] : []),
    "The PCK signed the quoting enclave's report, which names the attestation key.",
    "The quoting enclave matches Intel's identity for it.",
    "The attestation key signed the quote.",
    `The platform's TCB level of ${answer.platform?.date ?? "no date"} is ${answer.platform?.status ?? "none"}${
      answer.module === undefined ? "" : `, the TDX module's ${answer.module.status}`
    }, the quoting enclave's ${answer.qe?.status ?? "none"}: ${status} together.`,
    ...(options.reportData === undefined ? [] : ["The report data is the expected one."]),
    `All endorsements hold until ${endorsements.earliestExpiry}.`,
  ];
}

function masked(bytes: Uint8Array, mask: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => byte & (mask[i] ?? 0));
}

function mismatch(
  code: EvidenceErrorCode,
  what: string,
  field: string,
  found: Uint8Array,
  expected: Uint8Array,
): EvidenceError {
  return new EvidenceError(
    code,
    "not-authentic",
    `Cannot trust ${what}: ${field} is ${toHex(found)}, expected ${toHex(expected)}`,
    { detail: { field, found: toHex(found), expected: toHex(expected) } },
  );
}

function unsupported(field: string, found: string, expected: string): EvidenceError {
  return new EvidenceError(
    "UNSUPPORTED_QUOTE_FORMAT",
    "malformed",
    `Cannot verify quote: ${found}, expected ${expected}`,
    { detail: { field, found, expected } },
  );
}
