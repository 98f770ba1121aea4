// SPDX-License-Identifier: Apache-2.0
// IBM Secure Execution in the registry.

import type { Scheme } from "../scheme.ts";
import { requestSe } from "./ask.ts";
import { claimsOf } from "./claims.ts";
import {
  encodeSeEvidence,
  isSeEvidence,
  parseSeEvidence,
  seResponseFromJson,
  seResponseToJson,
} from "./evidence.ts";
import { refuseSe } from "./refusal.ts";
import { verifySe } from "./verify.ts";

export const se: Scheme = {
  tee: "se",
  title: "IBM Secure Execution attestation",
  runtimeDataHash: "SHA-512",
  detect: isSeEvidence,
  inspect: (bytes) => {
    const evidence = parseSeEvidence(bytes);
    return claimsOf(evidence, evidence.form === "response" ? evidence.tags : undefined, undefined);
  },
  verify: verifySe,
  request: requestSe,
  fromKbs: (value) => ({ evidence: encodeSeEvidence(seResponseFromJson(value)) }),
  toKbs: ({ evidence }) => {
    const parsed = parseSeEvidence(evidence);
    if (parsed.form === "response") return seResponseToJson(parsed);
    throw refuseSe("INVALID_SE_EVIDENCE", "a pvattest exchange has no form in the protocol's JSON", {
      category: "malformed",
    });
  },
};
