// SPDX-License-Identifier: Apache-2.0
// From a broker's refusal to a typed error: by its error type, and by the code and category that ours adds.

import type { ErrorCategory } from "@adyton/core/errors";
import { isJsonObject } from "@adyton/core/json";
import { ClientError, type ClientErrorCode } from "./errors.ts";

/** A refusal as it came over the wire. */
export interface Refusal {
  readonly status: number;
  readonly body: unknown;
  /** The header `adyton-error`, `CODE; category=CATEGORY`; other brokers send none. */
  readonly header: string | null;
  readonly retryAfterSeconds?: number;
}

const CATEGORIES: readonly ErrorCategory[] = [
  "misuse",
  "malformed",
  "not-authentic",
  "endorsements",
  "policy",
  "unavailable",
];
const MAX_SHOWN = 4_000;

/** By KBS error type (KBS protocol 0.4.0; names as Trustee has them). */
const BY_TYPE: Readonly<Record<string, readonly [ClientErrorCode, ErrorCategory]>> = {
  AttestationError: ["ATTESTATION_REFUSED", "not-authentic"],
  JweError: ["ATTESTATION_REFUSED", "malformed"],
  PolicyDeny: ["RELEASE_REFUSED", "policy"],
  TokenNotFound: ["TOKEN_REFUSED", "not-authentic"],
  TokenVerifierError: ["TOKEN_REFUSED", "not-authentic"],
  AdminAuthAccess: ["ADMIN_REFUSED", "not-authentic"],
  InvalidRequestPath: ["RESOURCE_MISSING", "misuse"],
  PluginNotFound: ["RESOURCE_MISSING", "misuse"],
};
/** By the broker's own code, where the type says too little. */
const BY_CODE: Readonly<Record<string, ClientErrorCode>> = {
  ADMIN_REFUSED: "ADMIN_REFUSED",
  ADMIN_FORBIDDEN: "ADMIN_REFUSED",
  APPROVAL_NEEDED: "APPROVAL_NEEDED",
  PROTOCOL_VERSION: "PROTOCOL_REFUSED",
  RESOURCE_NOT_FOUND: "RESOURCE_MISSING",
  KEY_NOT_FOUND: "RESOURCE_MISSING",
  REFERENCE_VALUE_NOT_FOUND: "RESOURCE_MISSING",
};

/** The error of a refusal while doing `what`, for example "release default/hello/secret". */
export function refusalError(what: string, refusal: Refusal): ClientError {
  const { status, body, header, retryAfterSeconds } = refusal;
  const type = isJsonObject(body) && typeof body.type === "string" ? (body.type.split("/").at(-1) ?? "") : "";
  const said = isJsonObject(body) && typeof body.detail === "string" ? body.detail.slice(0, MAX_SHOWN) : "";
  const [brokerCode = "", category] = ownWords(header);
  const detail = {
    status,
    broker: { code: brokerCode, type, detail: said },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(isJsonObject(body) && isJsonObject(body.proposal) ? { proposal: body.proposal } : {}),
  };
  const words = said === "" ? `status ${status}` : said;
  if (status === 429 || status >= 500) {
    return new ClientError(
      "BROKER_UNAVAILABLE",
      "unavailable",
      `Cannot ${what}: the broker answered ${words}`,
      {
        detail,
        hint: "Try again later; the broker's log says more.",
      },
    );
  }
  const [code, usual]: readonly [ClientErrorCode, ErrorCategory] = (Object.hasOwn(BY_TYPE, type)
    ? BY_TYPE[type]
    : undefined) ?? ["REQUEST_REFUSED", "misuse"];
  const named = Object.hasOwn(BY_CODE, brokerCode) ? BY_CODE[brokerCode] : undefined;
  return new ClientError(named ?? code, category ?? usual, `Cannot ${what}: the broker answered: ${words}`, {
    detail,
  });
}

function ownWords(header: string | null): readonly [code?: string, category?: ErrorCategory] {
  const match = /^([A-Z0-9_]{1,64}); category=([a-z-]{1,32})$/.exec(header ?? "");
  const category = CATEGORIES.find((known) => known === match?.[2]);
  return match?.[1] === undefined || category === undefined ? [] : [match[1], category];
}
