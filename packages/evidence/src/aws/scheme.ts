// SPDX-License-Identifier: Apache-2.0
// Nitro in the registry. The Confidential Containers protocol has no form for it; ours is `{attestation_document}`.

import { fromBase64, toBase64 } from "@adyton/core/bytes";
import { isJsonObject, type JsonValue } from "@adyton/core/json";
import { EvidenceError } from "../errors.ts";
import type { Scheme } from "../scheme.ts";
import { claimsOf } from "./claims.ts";
import { isNitroDocument, parseNitroDocument } from "./evidence.ts";
import { verifyNitro } from "./verify.ts";

export const nitro: Scheme = {
  tee: "nitro",
  title: "AWS Nitro attestation document",
  detect: isNitroDocument,
  inspect: (evidence) => claimsOf(parseNitroDocument(evidence).claims),
  verify: verifyNitro,
  fromKbs,
  toKbs: ({ evidence }) => ({ attestation_document: toBase64(evidence) }),
};

/** Reads `{"attestation_document": base64}` or the base64 alone. Throws `INVALID_ENVELOPE` or `INVALID_BASE64`. */
function fromKbs(value: JsonValue): { evidence: Uint8Array } {
  const text = isJsonObject(value) ? value.attestation_document : value;
  if (typeof text !== "string") {
    throw new EvidenceError(
      "INVALID_ENVELOPE",
      "malformed",
      "Cannot read Nitro evidence: no attestation_document, expected one in base64",
      { detail: { field: "attestation_document" } },
    );
  }
  return { evidence: fromBase64(text) };
}
