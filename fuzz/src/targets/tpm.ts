// SPDX-License-Identifier: Apache-2.0
// TPM 2.0 structures, and evidence in the forms of Trustee, Google Cloud and Alibaba Cloud.

import * as tpm from "@adyton/evidence/tpm";
import { tpmMachine } from "../simulated.ts";
import { tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  tpm.tpm.detect(data);
  tolerant(
    () => tpm.parseTpmEvidence(data),
    () => tpm.parseQuoteAttest(data),
    () => tpm.parseTpmSignature(data),
    () => tpm.spkiOfTpmPublic(tpm.parseTpmPublic(data)),
    () => tpm.tpm.inspect(data),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const machine = await tpmMachine();
  const forms = await Promise.all(
    (["trustee", "gce", "alibaba"] as const).map((form) => machine.evidence({ form, withoutLog: true })),
  );
  const structures = forms.flatMap((form) => {
    const { quotes } = tpm.parseTpmEvidence(form);
    return quotes.flatMap(({ message, signature }) => [message, tpm.encodeTpmSignature(signature)]);
  });
  return [...forms, ...structures];
}

export const fixtures: readonly string[] = ["tpm2/trustee", "tpm2/go-tpm-tools", "azure-vtpm/snp"];
