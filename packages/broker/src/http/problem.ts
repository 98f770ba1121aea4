// SPDX-License-Identifier: Apache-2.0
// Errors of our own API and of Veraison's as problem details (RFC 9457), with the stable code beside.

import { AdytonError, type ErrorCategory } from "@adyton/core/errors";
import { isJsonObject, type JsonObject } from "@adyton/core/json";
import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import type { Logger } from "../log.ts";
import { EVIDENCE_TYPES } from "../veraison-media.ts";
import { hiddenDetail, reasonOf, statusOf, toldDetail } from "./answers.ts";

/** Here statuses have their usual meanings, unlike in the KBS protocol. */
const STATUS: Readonly<Partial<Record<BrokerErrorCode, number>>> = {
  INVALID_REQUEST: 400,
  INVALID_PROVENANCE: 400,
  PROVENANCE_SIGNATURE: 400,
  BUILDER_REFUSED: 403,
  ADMIN_FORBIDDEN: 403,
  POLICY_REFUSED: 403,
  SESSION_UNKNOWN: 404,
  RESOURCE_NOT_FOUND: 404,
  REFERENCE_VALUE_NOT_FOUND: 404,
  POLICY_NOT_FOUND: 404,
  POLICY_FIXED: 409,
};
/** Of refusals that come from packages below. */
const BY_CATEGORY: Readonly<Record<ErrorCategory, number>> = {
  misuse: 400,
  malformed: 400,
  "not-authentic": 403,
  endorsements: 403,
  policy: 403,
  unavailable: 403,
};
const TITLES: Readonly<Record<number, string>> = {
  202: "Waits for Approval",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/**
 * The answer to an error: `{type, title, status, detail, code}`, and for one that waits for approval its `proposal`. Code
 * and category stand in the header `adyton-error`, too.
 */
export function problemResponse(error: unknown, logger: Logger): Response {
  const known = error instanceof AdytonError ? error : undefined;
  const status = known === undefined ? 500 : problemStatus(known);
  const code = known?.code ?? "INTERNAL";
  const reason = reasonOf(error);
  if (status >= 500) logger.error("request failed", { code, reason });
  else logger.warn("request refused", { code, reason });
  const { proposal, retryAfter } = known?.detail ?? {};
  const body: JsonObject = {
    type: "about:blank",
    title: TITLES[status] ?? "Error",
    status,
    detail: known === undefined || status >= 500 ? hiddenDetail(known) : toldDetail(known),
    code,
    ...(status === 202 && isJsonObject(proposal) ? { proposal } : {}),
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...(known === undefined ? {} : { "adyton-error": `${code}; category=${known.category}` }),
      ...(status === 415 ? { accept: EVIDENCE_TYPES.join(", ") } : {}),
      ...(typeof retryAfter === "number" ? { "retry-after": String(retryAfter) } : {}),
    },
  });
}

function problemStatus(error: AdytonError): number {
  if (!(error instanceof BrokerError)) return BY_CATEGORY[error.category];
  return STATUS[error.code] ?? statusOf(error.code);
}
