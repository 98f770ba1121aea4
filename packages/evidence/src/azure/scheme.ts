// SPDX-License-Identifier: Apache-2.0
// Azure confidential VMs in the registry: evidence is the JSON of the Confidential Containers protocol itself.

import { toUtf8 } from "@adyton/core/bytes";
import { canonicalJsonBytes, isJsonObject, parseJson } from "@adyton/core/json";
import type { Scheme } from "../scheme.ts";
import { invalid } from "../tpm/evidence.ts";
import { type AzureTee, azureTeeOf } from "./evidence.ts";
import { inspectAzure, verifyAzure } from "./verify.ts";

export const azSnpVtpm: Scheme = schemeFor("az-snp-vtpm", "Azure vTPM on AMD SEV-SNP");
export const azTdxVtpm: Scheme = schemeFor("az-tdx-vtpm", "Azure vTPM on Intel TDX");

function schemeFor(tee: AzureTee, title: string): Scheme {
  return {
    tee,
    title,
    detect: (evidence) => azureTeeOf(evidence) === tee,
    inspect: (evidence) => inspectAzure(tee, evidence),
    verify: (evidence, options) => verifyAzure(tee, evidence, options),
    fromKbs: (value) => {
      const evidence = isJsonObject(value) ? canonicalJsonBytes(value) : undefined;
      if (evidence === undefined || azureTeeOf(evidence) !== tee)
        throw invalid(`its members are not those of ${tee}`);
      return { evidence };
    },
    toKbs: ({ evidence }) => parseJson(toUtf8(evidence)),
  };
}
