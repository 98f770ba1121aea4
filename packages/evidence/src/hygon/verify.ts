// SPDX-License-Identifier: Apache-2.0
// Authenticity of CSV evidence, step by step: format, signature, the chain of the signing key, mask, MAC of the signer.

import { equalConstantTime, isZero, toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import { hmacSm3, sm3 } from "@adyton/core/sm";
import { checkReportData } from "../binding.ts";
import type { VerifyOptions } from "../scheme.ts";
import { checkTime } from "../time.ts";
import { type MeasurementRegister, seal, type VerifiedEvidence, type Warning } from "../verified.ts";
import { type CsvCertificate, parseCsvCertificate } from "./certificates.ts";
import { isSignedBy, type TrustedPek, trustPek } from "./chain.ts";
import { claimsOf, serialNumberOf } from "./claims.ts";
import { type CsvReport, type CsvReportV2, csvMacPartOf } from "./evidence.ts";
import { parseCsvEvidence } from "./kbs.ts";
import { parseCsvPolicy } from "./policy.ts";
import { refusal } from "./refusal.ts";

/** The certificates have no end: RFC 5280 section 4.1.2.5 writes that so. */
const NEVER = "9999-12-31T23:59:59Z";

/**
 * Verifies a CSV report in any of its forms. HSK and CEK may come with it or in `options.endorsements`; Hygon's HRK is
 * built in, another one is named in `options.anchors`. Hygon publishes no revocation lists, so `requireRevocation` is
 * always `CRL_MISSING`. Throws an `AdytonError` on the first step that fails.
 */
export async function verifyCsv(bytes: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  const { now, endorsements, anchors, cache, crypto = verifyingCrypto } = options;
  checkTime(now, "CSV report");
  const evidence = parseCsvEvidence(bytes);
  const { report } = evidence;
  const chip = serialNumberOf(report);
  const pek = parseCsvCertificate(report.signer.pek);
  // Before the chain: a report that its own PEK did not sign is false whatever endorsements are at hand.
  if (!isSignedBy(pek, report.signature, report.signedPart))
    throw refusal("INVALID_REPORT_SIGNATURE", "its signature is not by the PEK", {
      detail: { serialNumber: chip },
    });
  const trusted = await trustPek(pek, chip, {
    own: evidence.endorsements,
    endorsements,
    anchors,
    now,
    cache,
    crypto,
  });
  if (options.requireRevocation === true) throw noRevocation(trusted);
  checkMask(report);
  const macHolds = checkMac(report);
  if (options.reportData !== undefined) checkReportData(report.reportData, options.reportData);
  return seal({
    tee: "csv",
    at: now,
    trust: trusted.trust,
    tcb: {
      status: null,
      evaluationNumber: null,
      date: null,
      advisoryIds: [],
      components: report.version === 2 ? { firmware: { svn: { build: report.build } } } : {},
    },
    debug: parseCsvPolicy(report.policy).nodbg === 0,
    reportData: report.reportData,
    initDataField: null,
    // The serial number is not signed; the CEK's key is the chip's own.
    device: toHex(sm3(trusted.cek.publicKey)),
    ...(report.version === 2 ? { registers: registersOf(report) } : {}),
    claims: claimsOf(report),
    endorsements: {
      earliestIssue: null,
      earliestExpiry: null,
      revocation: "unchecked",
      items: itemsOf(trusted).map((subject) => ({ kind: "certificate", subject, expires: NEVER })),
    },
    warnings: warningsOf(report, trusted, macHolds),
    explanation: explain(report, pek, trusted, macHolds, options),
  });
}

/** Logs call RTMR n register n; RTMR 0 is the launch digest, which no log explains. */
function registersOf({ rtmrs }: CsvReportV2): MeasurementRegister[] {
  return rtmrs
    .map((value, index) => ({ name: `rtmr${index}`, kind: "rtmr", index, hash: "SM3", value }) as const)
    .slice(1);
}

/**
 * The mask of version 1 is not signed: whoever changes it changes every field by the same four bytes. The digest of the
 * session's key shows it: it is zeros or SM3's, never the same four bytes eight times over.
 */
function checkMask(report: CsvReport): void {
  if (report.version !== 1) return;
  const { userPubkeyDigest: digest } = report;
  if (isZero(digest) || digest.some((byte, i) => byte !== digest[i % 4])) return;
  throw refusal("ANONCE_MISMATCH", "its fields are hidden under another mask than its anonce", {
    detail: { anonce: toHex(report.anonce), userPubkeyDigest: toHex(digest) },
  });
}

/**
 * Whether the MAC over PEK and serial number holds. False when that cannot be known: an attester that opens the signer
 * zeroes the reserved bytes, which the MAC covers. Throws `SIGNER_MAC_MISMATCH`.
 */
function checkMac(report: CsvReport): boolean {
  const { mac, reserved } = report.signer;
  if (equalConstantTime(hmacSm3(report.mnonce, csvMacPartOf(report)), mac)) return true;
  const opened = isZero(reserved) && !(report.version === 1 && report.signer.masked);
  if (opened) return false;
  throw refusal("SIGNER_MAC_MISMATCH", "the MAC over its PEK and serial number does not hold");
}

function warningsOf(report: CsvReport, trusted: TrustedPek, macHolds: boolean): Warning[] {
  const { root, simulated } = trusted.trust;
  const warnings: [code: string, message: string][] = [];
  if (simulated)
    warnings.push(["SIMULATED", `The evidence stands under ${root}, which is no root of Hygon's.`]);
  warnings.push(["REVOCATION_UNCHECKED", "Hygon publishes no revocation lists: a stolen key stays good."]);
  if (!macHolds)
    warnings.push([
      "SIGNER_MAC_UNCHECKED",
      "The attester removed what the MAC over PEK and serial number covers: the serial number may be another.",
    ]);
  if (report.version === 2 && !(isZero(report.reserved0) && isZero(report.reserved1)))
    warnings.push(["UNKNOWN_REPORT_FIELDS", "Reserved areas of the report are not zero."]);
  if (trusted.ownerUnknown)
    warnings.push([
      "OWNER_UNKNOWN",
      "None of the OCA certificates at hand signed the PEK: who owns the machine is open.",
    ]);
  return warnings.map(([code, message]) => ({ code, message }));
}

function explain(
  report: CsvReport,
  pek: CsvCertificate,
  trusted: TrustedPek,
  macHolds: boolean,
  options: VerifyOptions,
): string[] {
  const keyId = toHex(trusted.hsk.keyId);
  const { major, minor } = pek.firmware;
  return [
    `The PEK, made by firmware ${major}.${minor}, is signed by a CEK, which the HSK ${keyId} signed.`,
    `The HSK stands under the root ${trusted.trust.root}.`,
    ...(trusted.oca === undefined ? [] : ["The owner's authority (OCA) signed the PEK, too."]),
    `The report of version ${report.version} is signed by the PEK.`,
    ...(macHolds ? ["The MAC over PEK and serial number holds."] : []),
    ...(options.reportData === undefined ? [] : ["The report data is the expected one."]),
  ];
}

function itemsOf({ hsk, oca, trust }: TrustedPek): string[] {
  const named = [trust.root, `HSK ${toHex(hsk.keyId)}`, "CEK", "PEK"];
  return oca === undefined ? named : [...named, "OCA"];
}

function noRevocation(trusted: TrustedPek): CoreError {
  return new CoreError(
    "CRL_MISSING",
    "endorsements",
    "Cannot check revocation of CSV evidence: Hygon publishes no revocation lists",
    { detail: { issuer: trusted.trust.root }, hint: "Do not require revocation for CSV." },
  );
}
