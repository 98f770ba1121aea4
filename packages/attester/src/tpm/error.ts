// SPDX-License-Identifier: Apache-2.0
// How what a TPM answered is refused, and what the caller asked for.

import { AdytonError, type ErrorDetail } from "@adyton/core/errors";
import { AttesterError } from "../errors.ts";

/** `found` ends the sentence "Cannot parse response of <what>: …". */
export function invalidResponse(what: string, found: string, detail: ErrorDetail = {}): AttesterError {
  return new AttesterError(
    "INVALID_TPM_RESPONSE",
    "malformed",
    `Cannot parse response of ${what}: ${found}`,
    { detail: { command: what, ...detail } },
  );
}

/** Runs a parser; what a cursor or a structure's parser refuses becomes `INVALID_TPM_RESPONSE`. */
export function asResponse<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof AttesterError || !(cause instanceof AdytonError)) throw cause;
    throw new AttesterError(
      "INVALID_TPM_RESPONSE",
      "malformed",
      `Cannot parse response of ${what}: ${cause.message}`,
      { cause, detail: { command: what, ...cause.detail } },
    );
  }
}

/** `message` is the whole sentence. */
export function invalidArgument(message: string, hint?: string): AttesterError {
  return new AttesterError("INVALID_TPM_ARGUMENT", "misuse", message, hint === undefined ? {} : { hint });
}

/** `why` ends the sentence "Cannot use this TPM: …". */
export function unsuitable(why: string, detail: ErrorDetail = {}, hint?: string): AttesterError {
  return new AttesterError("TPM_UNSUITABLE", "unavailable", `Cannot use this TPM: ${why}`, {
    detail,
    ...(hint === undefined ? {} : { hint }),
  });
}
