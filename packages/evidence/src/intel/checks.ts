// SPDX-License-Identifier: Apache-2.0
// The checks of a quote against its basis. What Intel's library leaves to its caller and has one right answer is checked
// here too: the quoting enclave's vendor, reserved header fields, the upper half of its report data.

import { concat, equal, isZero, toHex } from "@adyton/core/bytes";
import { type PublicKey, spkiOfPoint, type VerifyingCrypto } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import type { EvidenceError, EvidenceErrorCode } from "../errors.ts";
import type { VerifyOptions } from "../scheme.ts";
import { numberOf } from "./bag.ts";
import type { Basis } from "./basis.ts";
import type { EnclaveIdentity, ModuleSigner } from "./documents.ts";
import { INTEL_QE_VENDOR_ID, type Quote } from "./evidence.ts";
import { malformed, notAuthentic, otherTee } from "./refusal.ts";
import type { TdReport } from "./reports.ts";
import { moduleIdentityOf, moduleIdOf } from "./tcb.ts";
import { ALWAYS } from "./window.ts";

const ECDSA_P256 = { name: "ECDSA", hash: "SHA-256" } as const;

/** The quote is of `tee`, and Intel's quoting enclave made it. Throws `UNSUPPORTED_QUOTE_FORMAT`. */
export function checkHeader({ header, body }: Quote, tee: "sgx" | "tdx"): void {
  if (body.tee !== tee) throw otherTee(body.tee, tee);
  if (!equal(header.qeVendorId, INTEL_QE_VENDOR_ID)) {
    throw unsupported("qe_vendor_id", toHex(header.qeVendorId), toHex(INTEL_QE_VENDOR_ID));
  }
  if (header.version > 3 && (header.qeSvn !== 0 || header.pceSvn !== 0)) {
    throw unsupported("reserved", "not zero", "zero");
  }
}

/**
 * The TDX module: signed by Intel, with the attributes that TCB info gives for its version. Throws
 * `TDX_MODULE_MISMATCH` or `TCB_INFO_MISMATCH`.
 */
export function checkModule(report: TdReport, { tcbInfo }: Basis): void {
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
  if (version === 0 && tdxModule !== undefined) return tdxModule;
  const module = moduleIdOf(version);
  if (version === 0 || tdxModuleIdentities === undefined) {
    throw notAuthentic(
      "TCB_INFO_MISMATCH",
      `Cannot judge TDX module ${module}: TCB info has no TDX module identities`,
      { module },
    );
  }
  const identity = moduleIdentityOf(tdxModuleIdentities, version);
  if (identity === undefined) throw missingModule(module);
  return identity;
}

/** The refusal for want of a module identity. */
export function missingModule(id: string): EvidenceError {
  return notAuthentic("TDX_MODULE_MISMATCH", `Cannot judge TDX module: TCB info has no identity ${id}`, {
    module: id,
  });
}

/**
 * The PCK signed the quoting enclave's report, and that report names the attestation key. Throws
 * `INVALID_QE_REPORT_SIGNATURE` or `INVALID_QE_REPORT_DATA`.
 */
export async function checkQeReport(
  quote: Quote,
  { key, leaf }: Basis,
  crypto: VerifyingCrypto,
): Promise<void> {
  if (!(await key.verify(ECDSA_P256, quote.qeReportSignature, quote.signedQeReport))) {
    throw notAuthentic(
      "INVALID_QE_REPORT_SIGNATURE",
      "Cannot trust quote: the quoting enclave's report is not signed by the platform's PCK",
      { pck: leaf.serial },
    );
  }
  const bound = await crypto.digest("SHA-256", concat(quote.attestationKey, quote.qeAuthData));
  const { reportData } = quote.qeReport;
  if (!equal(reportData.subarray(0, 32), bound) || !isZero(reportData.subarray(32))) {
    throw notAuthentic(
      "INVALID_QE_REPORT_DATA",
      "Cannot trust quote: the quoting enclave's report data does not name the attestation key",
      { found: toHex(reportData), expected: toHex(bound) },
    );
  }
}

/** The quoting enclave is Intel's: miscselect, attributes, signer and product. Throws `QE_IDENTITY_MISMATCH`. */
export function checkQeIdentity({ qeReport, signedQeReport }: Quote, identity: EnclaveIdentity): void {
  const { isvProdId } = identity;
  const fields: readonly (readonly [name: string, found: Uint8Array, expected: Uint8Array])[] = [
    ["miscselect", masked(signedQeReport.subarray(16, 20), identity.miscSelectMask), identity.miscSelect],
    ["attributes", masked(qeReport.attributes, identity.attributesMask), identity.attributes],
    ["mr_signer", qeReport.mrSigner, identity.mrSigner],
    ["isv_prod_id", signedQeReport.subarray(256, 258), Uint8Array.of(isvProdId, isvProdId >> 8)],
  ];
  for (const [name, found, expected] of fields) {
    if (!equal(found, expected))
      throw mismatch("QE_IDENTITY_MISMATCH", "quoting enclave", name, found, expected);
  }
}

/** The attestation key signed header and body. Throws `INVALID_QUOTE_SIGNATURE`. */
export async function checkSignature(
  quote: Quote,
  { cache, now }: VerifyOptions,
  crypto: VerifyingCrypto,
): Promise<void> {
  const cacheKey =
    cache === undefined ? "" : `intel-attestation-key/${numberOf(crypto)}/${toHex(quote.attestationKey)}`;
  const cached = cache?.get(cacheKey, now) as PublicKey | undefined;
  const key = cached ?? (await attestationKeyOf(quote, crypto));
  if (!(await key.verify(ECDSA_P256, quote.signature, quote.signedPart))) throw invalidSignature();
  // Only keys that Intel's quoting enclave vouched for get here, so strangers cannot fill the cache.
  if (cached === undefined) cache?.set(cacheKey, key, ALWAYS.from, ALWAYS.until);
}

async function attestationKeyOf(quote: Quote, crypto: VerifyingCrypto): Promise<PublicKey> {
  try {
    return await crypto.importPublicKey(spkiOfPoint("P-256", quote.attestationKey));
  } catch (error) {
    // The bytes are no point on the curve.
    throw error instanceof CoreError ? invalidSignature() : error;
  }
}

function invalidSignature(): EvidenceError {
  return notAuthentic(
    "INVALID_QUOTE_SIGNATURE",
    "Cannot trust quote: its signature is not by the attestation key",
  );
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
  return notAuthentic(
    code,
    `Cannot trust ${what}: ${field} is ${toHex(found)}, expected ${toHex(expected)}`,
    { field, found: toHex(found), expected: toHex(expected) },
  );
}

function unsupported(field: string, found: string, expected: string): EvidenceError {
  return malformed("UNSUPPORTED_QUOTE_FORMAT", "verify quote", field, found, expected);
}
