// SPDX-License-Identifier: Apache-2.0
// The software TEE as a scheme. In the Confidential Containers protocol its evidence is the JSON document itself.

import { toUtf8 } from "@adyton/core/bytes";
import { canonicalJsonBytes, isJsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { EvidenceError } from "../errors.ts";
import type { Scheme } from "../scheme.ts";
import { claimsToJson, isSampleEvidence, parseSampleEvidence } from "./evidence.ts";
import { verifySample } from "./verify.ts";

/** The document, its claims, the platform version and its numbers. */
const MAX_DEPTH = 4;

export const sample: Scheme = {
  tee: "sample",
  title: "Adyton software TEE",
  detect: isSampleEvidence,
  inspect: (evidence) => claimsToJson(parseSampleEvidence(evidence).claims),
  verify: verifySample,
  fromKbs: (value) => {
    if (!isJsonObject(value) || !isShallow(value, MAX_DEPTH)) {
      throw new EvidenceError(
        "INVALID_SAMPLE_EVIDENCE",
        "malformed",
        `Cannot read primary evidence of TEE sample: it is no JSON object of at most ${MAX_DEPTH} levels`,
      );
    }
    // Members may have been reordered on the way: the canonical form is what was signed and sent.
    return { evidence: canonicalJsonBytes(value) };
  },
  toKbs: ({ evidence }) => parseJson(toUtf8(evidence)),
};

/** Nested no deeper than `levels`: what was parsed elsewhere may be nested without bound. */
function isShallow(value: JsonValue, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((item: JsonValue) => isShallow(item, levels - 1));
}
