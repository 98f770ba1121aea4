// SPDX-License-Identifier: Apache-2.0
// What the world sees of an error: the one place where refusals become statuses and KBS error types.

import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject } from "@adyton/core/json";
import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import type { Logger } from "../log.ts";

const TYPE_PREFIX = "https://github.com/confidential-containers/kbs/errors/";

type Answer = readonly [status: number, variant: string];

/**
 * Clients of the protocol read 401 as "attest again" and 404 as "no such resource": so 401 is nearly everything, and
 * 404 only a path that can never be (KBS protocol 0.4.0). Beyond the protocol stand 413, 429 and 5xx, which clients
 * meet before or instead of a decision.
 */
const ANSWERS: Readonly<Record<BrokerErrorCode, Answer>> = {
  PROTOCOL_VERSION: [401, "AttestationError"],
  INVALID_REQUEST: [401, "SerdeError"],
  REQUEST_TOO_LARGE: [413, "PayloadTooLarge"],
  RATE_LIMITED: [429, "TooManyRequests"],
  INVALID_PATH: [404, "InvalidRequestPath"],
  UNKNOWN_PLUGIN: [404, "PluginNotFound"],
  ADMIN_REFUSED: [401, "AdminAuthAccess"],
  ADMIN_FORBIDDEN: [401, "AdminAuthAccess"],
  ADMIN_NOT_FOUND: [404, "AdminAuthAccess"],
  ADMIN_EXISTS: [409, "AdminAuthAccess"],
  TENANT_UNKNOWN: [404, "InvalidRequestPath"],
  TENANT_EXISTS: [409, "InvalidRequestPath"],
  QUOTA_EXCEEDED: [403, "QuotaExceeded"],
  // Not done yet, and maybe never: the answer says where it waits.
  APPROVAL_NEEDED: [202, "ApprovalNeeded"],
  PROPOSAL_NOT_FOUND: [404, "InvalidRequestPath"],
  PROPOSAL_CLOSED: [409, "ApprovalNeeded"],
  SESSION_MISSING: [401, "AttestationError"],
  SESSION_UNKNOWN: [401, "AttestationError"],
  SESSIONS_FULL: [503, "Unavailable"],
  SESSION_ANSWERED: [409, "AttestationError"],
  UNSUPPORTED_MEDIA_TYPE: [415, "AttestationError"],
  NONCE_MISMATCH: [401, "AttestationError"],
  UNSUPPORTED_TEE_KEY: [401, "JweError"],
  TOKEN_MISSING: [401, "TokenNotFound"],
  TOKEN_REFUSED: [401, "TokenVerifierError"],
  POLICY_REFUSED: [401, "PolicyDeny"],
  RESOURCE_NOT_FOUND: [401, "PluginInternalError"],
  // An administrator's affair: attesting again would not mend it.
  RESOURCE_DELETED: [409, "PluginInternalError"],
  BACKEND_FAILED: [503, "Unavailable"],
  BACKEND_READ_ONLY: [400, "PluginInternalError"],
  PLUGIN_FAILED: [503, "Unavailable"],
  HSM_FAILED: [503, "Unavailable"],
  KEY_NOT_FOUND: [401, "PluginInternalError"],
  KEY_REFUSED: [400, "PluginInternalError"],
  CIPHERTEXT_REFUSED: [400, "PluginInternalError"],
  CSR_REFUSED: [400, "PluginInternalError"],
  REFERENCE_VALUE_NOT_FOUND: [401, "RvpsError"],
  REFERENCE_REVOKED: [409, "RvpsError"],
  INVALID_PROVENANCE: [401, "RvpsError"],
  PROVENANCE_SIGNATURE: [401, "RvpsError"],
  BUILDER_REFUSED: [401, "RvpsError"],
  // An administrator's mistake: attesting again, as 401 asks for, would not mend it.
  POLICY_INVALID: [400, "PolicyEngine"],
  POLICY_TESTS_FAILED: [400, "PolicyEngine"],
  POLICY_NOT_FOUND: [401, "PolicyEngine"],
  POLICY_FIXED: [401, "PolicyEngine"],
  EXPLANATION_NOT_FOUND: [404, "PolicyEngine"],
  INSECURE_ADDRESS: [500, "Internal"],
  LISTEN_FAILED: [503, "Unavailable"],
  CONFIG_INVALID: [500, "Internal"],
  TLS_INVALID: [500, "Internal"],
  STATE_INVALID: [500, "Internal"],
  STORE_FAILED: [503, "Unavailable"],
  STORE_CLOSED: [503, "Unavailable"],
  STORE_CONFLICT: [409, "PluginInternalError"],
  SECRET_CORRUPT: [500, "Internal"],
  AUDIT_TAMPERED: [500, "Internal"],
  LOG_EMPTY: [404, "InvalidRequestPath"],
  WITNESS_UNKNOWN: [403, "AdminAuthAccess"],
  STATE_NOT_EMPTY: [500, "Internal"],
  ROOT_KEY_REFUSED: [500, "Internal"],
  ROOT_KEY_UNAVAILABLE: [503, "Unavailable"],
  SHARE_INVALID: [400, "Internal"],
  BACKUP_INVALID: [500, "Internal"],
};

/** Refusals of evidence, its appraisal and reference values come from packages below. */
const FOREIGN: Answer = [401, "AttestationError"];
const INTERNAL: Answer = [500, "Internal"];

/** What the log hears of an error: not the lines of what was sent, which a policy that does not compile quotes. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 2).join(": ");
}

/**
 * The answer to an error: `{"type", "detail"}`, and its stable code and category in the header `adyton-error`. What is
 * not an error of ours shows nothing of itself.
 */
export function errorResponse(error: unknown, logger: Logger): Response {
  if (!(error instanceof AdytonError)) {
    logger.error("request failed", { reason: reasonOf(error) });
    return problem(INTERNAL, hiddenDetail(undefined), {}, {});
  }
  const answer = error instanceof BrokerError ? ANSWERS[error.code] : FOREIGN;
  const [status] = answer;
  if (status >= 500) logger.error("request failed", { code: error.code, reason: reasonOf(error) });
  else logger.warn("request refused", { code: error.code, reason: reasonOf(error) });
  const detail = status >= 500 ? hiddenDetail(error) : toldDetail(error);
  const { retryAfter } = error.detail;
  const { proposal } = error.detail;
  const more = status === 202 && isJsonObject(proposal) ? { proposal } : {};
  return problem(answer, detail, more, {
    "adyton-error": `${error.code}; category=${error.category}`,
    ...(typeof retryAfter === "number" ? { "retry-after": String(retryAfter) } : {}),
  });
}

function problem(
  [status, variant]: Answer,
  detail: string,
  more: JsonObject,
  headers: Readonly<Record<string, string>>,
): Response {
  return Response.json({ type: TYPE_PREFIX + variant, detail, ...more }, { status, headers });
}

/** The status of a code in the KBS protocol. */
export function statusOf(code: BrokerErrorCode): number {
  return ANSWERS[code][0];
}

/** What a client is told of an error that it can do something about. */
export function toldDetail(error: AdytonError): string {
  if (error.hint === undefined) return error.message;
  return `${error.message}${error.message.endsWith(".") ? "" : "."} Next: ${error.hint}`;
}

/** Paths and library messages of the server's own troubles stay in its log; undefined is what was not foreseen. */
export function hiddenDetail(error: AdytonError | undefined): string {
  if (error === undefined) return "Cannot answer: the broker met an unexpected error; its log says more.";
  return error.category === "unavailable"
    ? "Cannot answer now: the broker is not able to. Nothing was changed. Try again later."
    : "Cannot answer: the broker's state is not in order; its log says more.";
}
