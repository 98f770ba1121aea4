// SPDX-License-Identifier: Apache-2.0
// How TPM structures and quotes are refused.

import { AdytonError, type ErrorDetail, type ErrorOptionsOf } from "@adyton/core/errors";
import { EvidenceError, type EvidenceErrorCode } from "../errors.ts";

/** `found` ends the sentence "Cannot parse <what>: …". */
export function invalidStructure(what: string, found: string, detail: ErrorDetail = {}): EvidenceError {
  return new EvidenceError("INVALID_TPM_STRUCTURE", "malformed", `Cannot parse ${what}: ${found}`, {
    detail,
  });
}

/** `why` ends the sentence "Cannot accept TPM quote: …". */
export function quoteRefusal(
  code: EvidenceErrorCode,
  why: string,
  options: ErrorOptionsOf = {},
): EvidenceError {
  return new EvidenceError(code, "not-authentic", `Cannot accept TPM quote: ${why}`, options);
}

/** Runs a parser; what a cursor refuses becomes `INVALID_TPM_STRUCTURE`. */
export function asStructure<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof EvidenceError || !(cause instanceof AdytonError)) throw cause;
    throw new EvidenceError("INVALID_TPM_STRUCTURE", "malformed", cause.message, {
      detail: cause.detail,
      cause,
    });
  }
}
