// SPDX-License-Identifier: Apache-2.0
// CCA in the registry, and its form in the Confidential Containers protocol: `{"token": bytes}`.

import { fromBase64 } from "@adyton/core/bytes";
import { isJsonObject, type JsonValue } from "@adyton/core/json";
import { EvidenceError } from "../errors.ts";
import type { Scheme } from "../scheme.ts";
import { claimsOf } from "./claims.ts";
import { isCcaToken, parseCcaToken } from "./evidence.ts";
import { verifyCca } from "./verify.ts";

const MAX_TOKEN = 64 * 1024;

export const cca: Scheme = {
  tee: "cca",
  title: "Arm CCA token",
  detect: isCcaToken,
  inspect: (evidence) => claimsOf(parseCcaToken(evidence)),
  verify: verifyCca,
  fromKbs,
  toKbs: ({ evidence }) => ({ token: [...evidence] }),
};

/** Reads `{"token": […]}`, an array of bytes as serde writes it, or base64. Throws `INVALID_ENVELOPE` or `INVALID_BASE64`. */
function fromKbs(value: JsonValue): { evidence: Uint8Array } {
  const token = isJsonObject(value) ? value.token : value;
  if (typeof token === "string") return { evidence: fromBase64(token) };
  if (Array.isArray(token) && token.length <= MAX_TOKEN && token.every(isByte)) {
    return { evidence: Uint8Array.from(token) };
  }
  throw new EvidenceError(
    "INVALID_ENVELOPE",
    "malformed",
    `Cannot read CCA evidence: its token is no array of at most ${MAX_TOKEN} bytes and no base64`,
    { detail: { field: "token" } },
  );
}

function isByte(value: JsonValue): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xff;
}
