// SPDX-License-Identifier: Apache-2.0
// Report data on its way in, and where it stands in what the hardware answers.

import { equal, padRight, toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { AttesterError } from "../errors.ts";

/** Bytes of the report-data field of every TEE here. */
const REPORT_DATA_SIZE = 64;
/** Quotes take up to 16 KiB, certificate tables some more; the kernel gives up to this much. */
const MAX_EVIDENCE = 1024 * 1024;

/** Exactly 64 bytes. Throws `INVALID_REPORT_DATA`: a longer value would have to be cut, and would bind less. */
export function paddedReportData(reportData: Uint8Array): Uint8Array {
  if (reportData.length > REPORT_DATA_SIZE) {
    throw new AttesterError(
      "INVALID_REPORT_DATA",
      "misuse",
      `Cannot collect evidence: got ${reportData.length} bytes of report data, expected at most ${REPORT_DATA_SIZE}`,
      { hint: "Pass a digest of what is to be bound." },
    );
  }
  return padRight(reportData, REPORT_DATA_SIZE);
}

/** Offset of REPORT_DATA in an SEV-SNP report (AMD 56860, ATTESTATION_REPORT). */
export const SNP_REPORT_DATA = 0x50;

/**
 * Offset of the report data in an Intel quote: at 320 in an enclave report, at 520 in a TD report, behind a header of
 * 48 bytes (Intel DCAP quote formats 3 and 4); version 5 puts six bytes of body type and size between.
 */
export function quoteReportDataOffset(tee: "sgx" | "tdx", quote: Uint8Array): number {
  const version = (quote[0] ?? 0) | ((quote[1] ?? 0) << 8);
  return 48 + (version === 5 ? 6 : 0) + (tee === "sgx" ? 320 : 520);
}

/** Whether the answer binds these 64 bytes. Another caller of the same device may have put its own in between. */
export function carries(evidence: Uint8Array, offset: number, reportData: Uint8Array): boolean {
  return equal(evidence.subarray(offset, offset + REPORT_DATA_SIZE), reportData);
}

/** Throws `INVALID_DEVICE_OUTPUT` unless the answer is as long as `least` and no longer than a quote ever is. */
export function checkSize(evidence: Uint8Array, least: number, source: string): void {
  if (evidence.length < least || evidence.length > MAX_EVIDENCE) {
    throw new AttesterError(
      "INVALID_DEVICE_OUTPUT",
      "malformed",
      `Cannot collect evidence: ${source} gave ${evidence.length} bytes, expected ${least} to ${MAX_EVIDENCE}`,
      { detail: { source, found: evidence.length, start: toHex(evidence.subarray(0, 16)) } },
    );
  }
}

/** What `parse` makes of a device's answer. Throws `INVALID_DEVICE_OUTPUT` where it refuses the answer. */
export function wholeEvidence<T>(source: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw invalidOutput(source, `what cannot be read (${cause.message})`, "evidence", cause);
  }
}

/** `INVALID_DEVICE_OUTPUT`: what a device gave is not what was asked for. */
export function invalidOutput(source: string, found: string, expected: string, cause?: Error): AttesterError {
  return new AttesterError(
    "INVALID_DEVICE_OUTPUT",
    "malformed",
    `Cannot collect evidence: ${source} gave ${found}, expected ${expected}`,
    { detail: { source }, ...(cause === undefined ? {} : { cause }) },
  );
}
