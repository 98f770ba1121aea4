// SPDX-License-Identifier: Apache-2.0
// Why the client got no answer, or which one the broker gave instead.

import { AdytonError, type ErrorDetail } from "@adyton/core/errors";

/** Codes of `@adyton/client`; refusals of attesters pass through with the codes of their package. */
export type ClientErrorCode =
  // what the caller gave
  | "INVALID_URL"
  | "INVALID_RESOURCE_PATH"
  | "INVALID_REFERENCE_ID"
  | "INVALID_NAME"
  | "CHALLENGE_UNANSWERABLE"
  // the way to the broker and back
  | "BROKER_UNREACHABLE"
  | "BROKER_UNAVAILABLE"
  | "INVALID_ANSWER"
  | "UNDECIPHERABLE"
  // the audit log
  | "LOG_TAMPERED"
  | "PROOF_REFUSED"
  // what the broker said; `detail.broker` has its code, its error type and its words
  | "PROTOCOL_REFUSED"
  | "ATTESTATION_REFUSED"
  | "TOKEN_REFUSED"
  | "RELEASE_REFUSED"
  | "RESOURCE_MISSING"
  | "ADMIN_REFUSED"
  | "APPROVAL_NEEDED"
  | "REQUEST_REFUSED";

/** Thrown by `@adyton/client`. */
export class ClientError extends AdytonError<ClientErrorCode> {}

export function invalidAnswer(what: string, why: string, detail: ErrorDetail = {}): ClientError {
  return new ClientError("INVALID_ANSWER", "malformed", `Cannot read the broker's ${what}: ${why}`, {
    detail,
    hint: "Check that the URL is that of a key broker (KBS protocol 0.4.0).",
  });
}
