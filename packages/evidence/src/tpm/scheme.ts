// SPDX-License-Identifier: Apache-2.0
// TPM 2.0 quotes in the registry.

import { fromBase64, toBase64, toUtf8 } from "@adyton/core/bytes";
import { canonicalJsonBytes, isJsonObject, parseJson } from "@adyton/core/json";
import type { Scheme } from "../scheme.ts";
import { invalid, jsonMembers } from "./evidence.ts";
import { formOf } from "./forms.ts";
import { inspectTpm, verifyTpm } from "./verify.ts";

export const tpm: Scheme = {
  tee: "tpm",
  title: "TPM 2.0 quote",
  detect: (evidence) => formOf(evidence) !== undefined,
  inspect: inspectTpm,
  verify: verifyTpm,
  fromKbs: (value) => {
    // Google Cloud's message travels as base64, the JSON forms as they are.
    const evidence =
      typeof value === "string"
        ? fromBase64(value)
        : isJsonObject(value)
          ? canonicalJsonBytes(value)
          : undefined;
    if (evidence === undefined || formOf(evidence) === undefined)
      throw invalid("its members are of no known form");
    return { evidence };
  },
  toKbs: ({ evidence, eventLog }) => {
    if (jsonMembers(evidence) === undefined) return toBase64(evidence);
    const value = parseJson(toUtf8(evidence));
    if (eventLog === undefined || !isJsonObject(value)) return value;
    return { ...value, eventlog: toBase64(eventLog) };
  },
};
