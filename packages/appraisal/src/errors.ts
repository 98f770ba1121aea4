// SPDX-License-Identifier: Apache-2.0
// Why an appraisal or a token was refused. Codes are stable API. A failed rule is no error: it is a Finding.

import { AdytonError } from "@adyton/core/errors";

/** Codes of `@adyton/appraisal`; those of `@adyton/evidence` pass through where evidence or its binding is at fault. */
export type AppraisalErrorCode =
  // what the caller gave
  | "INVALID_RULES"
  | "INVALID_REFERENCE_VALUES"
  | "INVALID_POLICY_OUTPUT"
  | "INVALID_APPRAISAL_INPUT"
  | "NOT_APPRAISED"
  // documents of reference values
  | "INVALID_CORIM"
  | "UNSUPPORTED_CORIM"
  | "REFERENCE_UNSIGNED"
  | "REFERENCE_KEY_MISSING"
  | "REFERENCE_SIGNATURE"
  | "REFERENCE_NOT_YET_VALID"
  | "REFERENCE_EXPIRED"
  // time
  | "EVIDENCE_STALE"
  // init-data
  | "INIT_DATA_NOT_CHECKED"
  // the token
  | "INVALID_EAR_KEY"
  | "INVALID_EAR"
  | "EAR_SIGNATURE"
  | "EAR_ISSUER"
  | "EAR_NONCE"
  | "EAR_NOT_YET_VALID"
  | "EAR_EXPIRED";

/** Thrown by `@adyton/appraisal`. */
export class AppraisalError extends AdytonError<AppraisalErrorCode> {}

/** An `AppraisalError` about what the caller passed. */
export function misuse(code: AppraisalErrorCode, message: string, hint?: string): AppraisalError {
  return new AppraisalError(code, "misuse", message, hint === undefined ? {} : { hint });
}
