// SPDX-License-Identifier: Apache-2.0
// What the command line itself refuses; the packages' own errors pass through unchanged.

import { AdytonError } from "@adyton/core/errors";

/** Codes of `adyton`. */
export type CliErrorCode =
  // the words on the line
  | "UNKNOWN_COMMAND"
  | "MISSING_COMMAND"
  | "UNKNOWN_OPTION"
  | "MISSING_VALUE"
  | "INVALID_VALUE"
  | "REPEATED_OPTION"
  | "MISSING_ARGUMENT"
  | "UNEXPECTED_ARGUMENT"
  // input and output
  | "FILE_NOT_FOUND"
  | "FILE_NOT_READABLE"
  | "FILE_NOT_WRITABLE"
  | "FILE_TOO_LARGE"
  | "UNKNOWN_ENCODING"
  | "SECRET_TO_TERMINAL"
  | "INVALID_DOCUMENT"
  // judgement
  | "POLICY_REFUSED"
  | "WITNESS_MISSING"
  // keys of verifiers
  | "KEYS_UNAVAILABLE"
  // trust services
  | "ADMIN_TOKEN_MISSING"
  | "SEALED_SECRET_INVALID"
  | "LISTEN_FAILED"
  | "WORKERS_REFUSED"
  | "WORKER_FAILED"
  | "TOUR_STEP_FAILED";

/** Thrown by `adyton`. */
export class CliError extends AdytonError<CliErrorCode> {}

/** A `CliError` about the words on the command line. */
export function misuse(code: CliErrorCode, message: string, hint?: string): CliError {
  return new CliError(code, "misuse", message, hint === undefined ? {} : { hint });
}
