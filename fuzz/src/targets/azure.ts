// SPDX-License-Identifier: Apache-2.0
// Azure: evidence, HCL reports, runtime data, bincode quotes.

import * as azure from "@adyton/evidence/azure";
import { azureSnp, azureTdx } from "../simulated.ts";
import { tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  azure.azSnpVtpm.detect(data);
  azure.azTdxVtpm.detect(data);
  tolerant(
    () => azure.parseAzureEvidence(data, "az-snp-vtpm"),
    () => azure.parseAzureEvidence(data, "az-tdx-vtpm"),
    () => azure.parseHclReport(data),
    () => azure.parseRuntimeData(data),
    () => azure.parseBincodeQuote(data),
    () => azure.azSnpVtpm.inspect(data),
    () => azure.azTdxVtpm.inspect(data),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const [snp, td] = await Promise.all([azureSnp(), azureTdx()]);
  const evidence = await Promise.all([
    snp.evidence({ version: 0 }),
    snp.evidence({ version: 1 }),
    snp.evidence(),
    td.evidence(),
  ]);
  const parsed = azure.parseAzureEvidence(await snp.evidence(), "az-snp-vtpm");
  const hcl = azure.parseHclReport(parsed.hclReport);
  return [...evidence, parsed.hclReport, hcl.runtimeData, azure.encodeBincodeQuote(parsed.quote)];
}

export const fixtures: readonly string[] = ["azure-vtpm"];
