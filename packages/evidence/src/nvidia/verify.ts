// SPDX-License-Identifier: Apache-2.0
// Authenticity of a report of an NVIDIA GPU or switch, step by step: form, firmware digest, signature, chain to NVIDIA's
// root, revocation, nonce. NVIDIA's own verifier goes the same way; RIMs are compared apart (rim.ts).

import { equal, toHex } from "@adyton/core/bytes";
import { type SignatureAlgorithm, verifyingCrypto } from "@adyton/core/crypto";
import { type Certificate, publicKeyOf } from "@adyton/core/x509";
import { checkReportData } from "../binding.ts";
import { EvidenceError } from "../errors.ts";
import type { VerifyOptions } from "../scheme.ts";
import { checkTime } from "../time.ts";
import { seal, type VerifiedEvidence, type Warning } from "../verified.ts";
import { type NvidiaTrust, trustNvidiaChain } from "./chain.ts";
import { claimsOf } from "./claims.ts";
import { chipOf, deviceSerialOf, firmwareIdOf, isFirmwareCertificate, withoutTwins } from "./endorsements.ts";
import { type ParsedNvidiaReport, parseNvidiaReport } from "./evidence.ts";
import { NVIDIA_OPAQUE, unknownOpaqueTypes } from "./opaque.ts";
import { refusal } from "./refusal.ts";

const REPORT_SIGNATURE: SignatureAlgorithm = { name: "ECDSA", hash: "SHA-384" };

/**
 * Verifies a report. The device's certificates come in `options.endorsements`, where those of a whole fleet may lie;
 * the root too, or in `options.roots`. Report data is the 32-byte nonce of the request: a longer digest has to be cut
 * before, as Confidential Containers do.
 *
 * Throws `INVALID_NVIDIA_REPORT`, `NVIDIA_CERTIFICATE_MISSING`, `INVALID_NVIDIA_CERTIFICATE`, `NVIDIA_FWID_MISMATCH`,
 * `INVALID_NVIDIA_SIGNATURE`, `UNKNOWN_PRODUCT`, `PRODUCT_MISMATCH`, `INVALID_OCSP_RESPONSE`, `REPORT_DATA_MISMATCH`,
 * `INVALID_TIME`, or an error of `@adyton/core` about encoding, chain or revocation.
 */
export async function verifyNvidia(bytes: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  const { now } = options;
  checkTime(now, "NVIDIA report");
  const report = parseNvidiaReport(bytes);
  const signer = await signerOf(report, options);
  const trust = await trustNvidiaChain(signer, options);
  const device = { ...chipOf(trust.certificates), serial: deviceSerialOf(signer) };
  if (options.reportData !== undefined) checkReportData(report.nonce, options.reportData);
  return seal({
    tee: "nvidia",
    at: now,
    trust: trust.trust,
    tcb: { status: null, evaluationNumber: null, date: null, advisoryIds: [], components: {} },
    debug: false,
    reportData: report.nonce,
    initDataField: null,
    kind: device.kind,
    device: toHex(await (options.crypto ?? verifyingCrypto).digest("SHA-256", signer.spki)),
    claims: claimsOf(report, device),
    endorsements: trust.used,
    warnings: warningsOf(report, trust),
    explanation: [
      `The certificate of the ${device.chip}'s firmware key names the firmware that the report names.`,
      "The signature over request and response is by that key.",
      `The key stands under ${trust.trust.root}, every certificate valid at ${now.toISOString()}.`,
      trust.used.revocation === "checked"
        ? "None of the authorities between them is revoked."
        : "Whether one of the authorities between them is revoked was not checked, or not for all.",
      ...(options.reportData === undefined ? [] : ["The nonce is the expected report data."]),
    ],
  });
}

/** The certificate whose key signed the report, among those made for the firmware that the report names. */
async function signerOf(report: ParsedNvidiaReport, options: VerifyOptions): Promise<Certificate> {
  const { endorsements, crypto = verifyingCrypto } = options;
  const candidates = withoutTwins((endorsements?.certificates ?? []).filter(isFirmwareCertificate));
  if (candidates.length === 0) {
    throw new EvidenceError(
      "NVIDIA_CERTIFICATE_MISSING",
      "endorsements",
      "Cannot verify NVIDIA report: no certificate of a firmware signing key was given",
      { hint: "Supply the attestation certificate chain of the device, as its driver gives it." },
    );
  }
  const fwid = report.opaque.find(({ type }) => type === NVIDIA_OPAQUE.fwid)?.data;
  if (fwid === undefined) throw refusal("NVIDIA_FWID_MISMATCH", "it names no firmware digest (FWID)");
  const fitting = candidates.filter((candidate) => equal(firmwareIdOf(candidate), fwid));
  const [first] = fitting;
  if (first === undefined) {
    const found = candidates.map((candidate) => toHex(firmwareIdOf(candidate)));
    throw refusal(
      "NVIDIA_FWID_MISMATCH",
      `its firmware digest ${toHex(fwid)} is not that of the signing key's certificate`,
      { found: toHex(fwid), expected: found },
    );
  }
  for (const candidate of fitting) {
    const key = await publicKeyOf(candidate, crypto);
    if (await key.verify(REPORT_SIGNATURE, report.signature, report.signedPart)) return candidate;
  }
  throw refusal("INVALID_NVIDIA_SIGNATURE", `its signature is not by ${first.subject.text}`, {
    signers: fitting.map(({ subject }) => subject.text),
  });
}

function warningsOf(report: ParsedNvidiaReport, { trust, used }: NvidiaTrust): Warning[] {
  const warnings: Warning[] = [];
  if (trust.simulated) {
    warnings.push({
      code: "SIMULATED",
      message: `The evidence stands under ${trust.root}, which is no root of NVIDIA's.`,
    });
  }
  if (used.revocation === "unchecked") {
    warnings.push({
      code: "REVOCATION_UNCHECKED",
      message: "Not every authority of the chain was checked against a revocation list or an OCSP response.",
    });
  }
  warnings.push({
    code: "DEBUG_UNKNOWN",
    message:
      "The report does not say whether the device is in a debug mode: compare its measurements with NVIDIA's manifests.",
  });
  if (report.trailing.length > 0) {
    warnings.push({
      code: "TRAILING_BYTES",
      message: `${report.trailing.length} byte follows the signature and is not covered by it.`,
    });
  }
  const unknown = unknownOpaqueTypes(report.opaque);
  if (unknown.length > 0) {
    warnings.push({
      code: "UNKNOWN_OPAQUE_FIELDS",
      message: `Opaque fields of type ${unknown.join(", ")} are unknown and shown in hex.`,
    });
  }
  return warnings;
}
