// SPDX-License-Identifier: Apache-2.0
// The report of the ATTESTATION command, and the evidence that carries it: the report's 208 bytes, then as many binary
// certificates as the sender has, in any order. attestation-evidence-broker sends PEK, CEK and OCA so.
// SEV API (55766) section 6.8.

import { type Bytes, concat } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import type { VendorCertificate } from "../../bag.ts";
import type { EvidenceError } from "../../errors.ts";
import { encodeSevCertificates, looksLikeSevCertificates, splitSevCertificates } from "./endorsements.ts";
import { ALGORITHM, nameOf, reversedScalars, SCALAR_FIELD, type SevAlgorithm, USAGE } from "./numbers.ts";
import { invalidField } from "./refusal.ts";

/** What a report says. */
export interface SevReportFields {
  /** 16 bytes, chosen by whoever asked the host for the report. */
  readonly mnonce: Uint8Array;
  /** 32 bytes. */
  readonly launchDigest: Uint8Array;
  /** See `parseSevPolicy`. */
  readonly policy: number;
  readonly algorithm: Extract<SevAlgorithm, `ECDSA-${string}`>;
  /** r and s, 72 bytes each, big-endian. */
  readonly signature: Uint8Array;
}

export interface SevReport extends SevReportFields {
  /** The signed bytes, as received. */
  readonly signedPart: Uint8Array;
}

/** A report with the certificates that came along. */
export interface SevEvidence {
  readonly report: SevReport;
  readonly certificates: readonly VendorCertificate[];
}

/** Bytes of a report. */
export const SEV_REPORT_SIZE = 208;
/** The signature covers nonce, digest and policy. */
export const SEV_REPORT_SIGNED_SIZE = 52;

/** Whether the words around the signed part are a report's, and what follows looks like certificates. Never throws. */
export function isSevEvidence(bytes: Uint8Array): boolean {
  if (bytes.length < SEV_REPORT_SIZE) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (
    view.getUint32(52, true) === USAGE.PEK &&
    nameOf(ALGORITHM, view.getUint32(56, true))?.startsWith("ECDSA") === true &&
    view.getUint32(60, true) === 0 &&
    (bytes.length === SEV_REPORT_SIZE || looksLikeSevCertificates(bytes.subarray(SEV_REPORT_SIZE)))
  );
}

/** Parses a report and the certificates after it. Throws as `parseSevReport`, or `INVALID_SEV_CERTIFICATE`. */
export function parseSevEvidence(bytes: Uint8Array): SevEvidence {
  const rest = bytes.subarray(SEV_REPORT_SIZE);
  return {
    report: parseSevReport(bytes.subarray(0, SEV_REPORT_SIZE)),
    certificates: rest.length === 0 ? [] : splitSevCertificates(rest),
  };
}

/** The bytes of a report followed by certificates. */
export function encodeSevEvidence(
  report: SevReportFields,
  certificates: readonly VendorCertificate[],
): Bytes {
  return concat(encodeSevReport(report), encodeSevCertificates(certificates));
}

/** Parses a report of exactly 208 bytes. Throws `UNSUPPORTED_REPORT_FORMAT` or `RESERVED_NOT_ZERO`. */
export function parseSevReport(bytes: Uint8Array): SevReport {
  if (bytes.length !== SEV_REPORT_SIZE) throw invalid("size", bytes.length, `${SEV_REPORT_SIZE} bytes`);
  const reader = new Reader(bytes, "SEV report");
  const mnonce = reader.bytes(16, "mnonce");
  const launchDigest = reader.bytes(32, "launch digest");
  const policy = reader.u32le("policy");
  const usage = reader.u32le("signature usage");
  if (usage !== USAGE.PEK) throw invalid("signature usage", `${usage.toString(16)}h`, "1002h (PEK)");
  const number = reader.u32le("signature algorithm");
  const algorithm = nameOf(ALGORITHM, number);
  if (algorithm !== "ECDSA-SHA256" && algorithm !== "ECDSA-SHA384") {
    throw invalid("signature algorithm", `${number.toString(16)}h`, "2h or 102h (ECDSA)");
  }
  if (reader.u32le("reserved") !== 0) {
    throw invalidField("RESERVED_NOT_ZERO", "report", "reserved word at offset 60", "not zero", "zero");
  }
  const signature = reversedScalars(reader.bytes(2 * SCALAR_FIELD, "signature"));
  reader.end();
  const signedPart = bytes.subarray(0, SEV_REPORT_SIGNED_SIZE);
  return { mnonce, launchDigest, policy, algorithm, signature, signedPart };
}

/** The 208 bytes of a report. Throws `OUT_OF_BOUNDS` when a field has another size than it must. */
export function encodeSevReport(fields: SevReportFields): Bytes {
  return new Writer(SEV_REPORT_SIZE)
    .bytes(encodeSevReportBody(fields), SEV_REPORT_SIGNED_SIZE, "body")
    .u32le(USAGE.PEK)
    .u32le(ALGORITHM[fields.algorithm])
    .zeros(4)
    .bytes(reversedScalars(fields.signature), 2 * SCALAR_FIELD, "signature")
    .finish();
}

/** The part of a report that is signed. Throws `OUT_OF_BOUNDS`. */
export function encodeSevReportBody(
  fields: Pick<SevReportFields, "mnonce" | "launchDigest" | "policy">,
): Bytes {
  return new Writer(SEV_REPORT_SIGNED_SIZE)
    .bytes(fields.mnonce, 16, "mnonce")
    .bytes(fields.launchDigest, 32, "launch digest")
    .u32le(fields.policy)
    .finish();
}

function invalid(field: string, found: unknown, expected: string): EvidenceError {
  return invalidField("UNSUPPORTED_REPORT_FORMAT", "report", field, found, expected);
}
