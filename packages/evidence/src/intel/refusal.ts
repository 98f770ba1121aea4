// SPDX-License-Identifier: Apache-2.0
// The three ways in which Intel evidence is refused, each with its category.

import type { ErrorDetail } from "@adyton/core/errors";
import { EvidenceError, type EvidenceErrorCode } from "../errors.ts";

/** A signature, chain, binding or verdict says no. */
export function notAuthentic(
  code: EvidenceErrorCode,
  message: string,
  detail: ErrorDetail = {},
  hint?: string,
): EvidenceError {
  return new EvidenceError(code, "not-authentic", message, withHint(detail, hint));
}

/** An endorsement is missing, or out of its time. */
export function notEndorsed(
  code: EvidenceErrorCode,
  message: string,
  detail: ErrorDetail = {},
  hint?: string,
): EvidenceError {
  return new EvidenceError(code, "endorsements", message, withHint(detail, hint));
}

/** Bytes, or a document, are not what they claim to be: `field` is `found`, `expected` is something else. */
export function malformed(
  code: EvidenceErrorCode,
  action: string,
  field: string,
  found: string,
  expected: string,
): EvidenceError {
  const message = `Cannot ${action}: ${field} is ${found}, expected ${expected}`;
  return new EvidenceError(code, "malformed", message, { detail: { field, found, expected } });
}

/** The quote is of `found`, where one of `expected` was asked for. */
export function otherTee(found: "sgx" | "tdx", expected: "sgx" | "tdx"): EvidenceError {
  return malformed("UNSUPPORTED_QUOTE_FORMAT", "use quote", "tee_type", found, expected);
}

function withHint(detail: ErrorDetail, hint: string | undefined): { detail: ErrorDetail; hint?: string } {
  return hint === undefined ? { detail } : { detail, hint };
}
