// SPDX-License-Identifier: Apache-2.0
// How evidence of IBM Secure Execution is refused: it does not parse, something is missing, or it is not authentic.

import type { ErrorCategory, ErrorOptionsOf } from "@adyton/core/errors";
import { EvidenceError, type EvidenceErrorCode, unknownVersion } from "../errors.ts";

/** The refusal of bytes that are no `what`. */
export function invalidSe(what: string, field: string, found: string, expected: string): EvidenceError {
  return new EvidenceError(
    "INVALID_SE_EVIDENCE",
    "malformed",
    `Cannot parse ${what}: ${field} is ${found}, expected ${expected}`,
    { detail: { field, found, expected } },
  );
}

/** The refusal of a `what` of a version that is not handled. */
export function unknownSeVersion(what: string, found: string, known: string): EvidenceError {
  return unknownVersion("INVALID_SE_EVIDENCE", `parse ${what}`, "version", found, known);
}

/** `why` ends the sentence "Cannot accept Secure Execution evidence: …". */
export function refuseSe(
  code: EvidenceErrorCode,
  why: string,
  options: ErrorOptionsOf & { readonly category?: ErrorCategory } = {},
): EvidenceError {
  const { category = "not-authentic", ...rest } = options;
  return new EvidenceError(code, category, `Cannot accept Secure Execution evidence: ${why}`, rest);
}
