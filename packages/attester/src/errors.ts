// SPDX-License-Identifier: Apache-2.0
// Why no evidence was collected, or no software TEE came up. Codes are stable API, listed in docs/error-codes.md.

import { AdytonError } from "@adyton/core/errors";

/** Codes of `@adyton/attester`. */
export type AttesterErrorCode =
  // choosing
  | "NO_TEE_FOUND"
  | "TEE_UNAVAILABLE"
  | "NO_ATTESTER"
  // collecting
  | "INVALID_REPORT_DATA"
  | "DEVICE_FAILED"
  | "DEVICE_BUSY"
  | "UNEXPECTED_PROVIDER"
  | "REPORT_CONFLICT"
  | "INVALID_DEVICE_OUTPUT"
  | "FFI_MISSING"
  // TPM
  | "INVALID_TPM_ARGUMENT"
  | "TPM_REFUSED"
  | "INVALID_TPM_RESPONSE"
  | "TPM_UNSUITABLE"
  // software TEE
  | "SOFTWARE_TEE_STATE"
  | "SOFTWARE_TEE_NOT_PRIVATE"
  | "SOFTWARE_TEE_EXPIRED"
  | "PROGRAM_NOT_READABLE"
  | "PROGRAM_CHANGED"
  | "LAUNCH_FAILED"
  | "INVALID_LAUNCH_DIGEST"
  | "INVALID_MESSAGE"
  | "EVIDENCE_REFUSED";

/** Thrown by `@adyton/attester`. */
export class AttesterError extends AdytonError<AttesterErrorCode> {}
