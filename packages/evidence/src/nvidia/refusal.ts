// SPDX-License-Identifier: Apache-2.0
// How NVIDIA's evidence is refused: it does not parse, or it is not authentic.

import type { ErrorDetail } from "@adyton/core/errors";
import { EvidenceError, type EvidenceErrorCode } from "../errors.ts";

/** The refusal of bytes that are no report. */
export function invalidReport(field: string, found: string, expected: string): EvidenceError {
  return new EvidenceError(
    "INVALID_NVIDIA_REPORT",
    "malformed",
    `Cannot parse NVIDIA report: ${field} is ${found}, expected ${expected}`,
    { detail: { field, found, expected } },
  );
}

/** `why` ends the sentence "Cannot accept NVIDIA report: …". */
export function refusal(code: EvidenceErrorCode, why: string, detail: ErrorDetail = {}): EvidenceError {
  return new EvidenceError(code, "not-authentic", `Cannot accept NVIDIA report: ${why}`, { detail });
}
