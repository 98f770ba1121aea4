// SPDX-License-Identifier: Apache-2.0
// SEV-SNP reports, certificate tables and the extended form.

import { schemeOf } from "@adyton/evidence";
import { encodeReport, parseCertificateTable, parseReport, parseSnpEvidence } from "@adyton/evidence/snp";
import { amdMachine } from "../simulated.ts";
import { roundTrip, tolerant } from "../tolerant.ts";

const snp = schemeOf("snp");

export function fuzz(data: Uint8Array): void {
  roundTrip(data, parseReport, encodeReport);
  snp.detect(data);
  tolerant(
    () => parseSnpEvidence(data),
    () => parseCertificateTable(data),
    () => snp.inspect(data),
    () => snp.toKbs({ evidence: data }),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const machine = await amdMachine();
  const extended = await machine.extendedReport();
  return [
    extended,
    extended.slice(1184),
    await machine.report({ version: 2 }),
    await machine.report({ version: 5 }),
  ];
}

export const fixtures: readonly string[] = ["sev-snp"];
