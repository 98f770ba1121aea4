// SPDX-License-Identifier: Apache-2.0
// Azure confidential VMs alone, for small bundles: vTPM quotes under SEV-SNP or TDX.

import { verifyAzure } from "./azure/verify.ts";
import type { VerifyOptions } from "./scheme.ts";
import type { VerifiedEvidence } from "./verified.ts";

export {
  type AzureEvidence,
  type AzureTee,
  encodeAzureEvidence,
  encodeBincodeQuote,
  parseAzureEvidence,
  parseBincodeQuote,
} from "./azure/evidence.ts";
export {
  encodeHclReport,
  type HclReport,
  hardwareReportData,
  parseHclReport,
  parseRuntimeData,
  type RuntimeClaims,
} from "./azure/hcl.ts";
export { azSnpVtpm, azTdxVtpm } from "./azure/scheme.ts";

/** Establishes that evidence of an Azure VM under SEV-SNP is authentic. Throws an AdytonError that says why not. */
export function verifyAzureSnp(evidence: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  return verifyAzure("az-snp-vtpm", evidence, options);
}

/** Establishes that evidence of an Azure VM under TDX is authentic. Throws an AdytonError that says why not. */
export function verifyAzureTdx(evidence: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  return verifyAzure("az-tdx-vtpm", evidence, options);
}
