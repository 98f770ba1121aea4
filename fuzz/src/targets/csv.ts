// SPDX-License-Identifier: Apache-2.0
// Hygon CSV: reports of both versions, certificates, sessions.

import * as csv from "@adyton/evidence/csv";
import { hygon } from "../simulated.ts";
import { roundTrip, tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  roundTrip(data, csv.parseCsvSession, csv.encodeCsvSession);
  csv.csv.detect(data);
  tolerant(
    () => csv.parseCsvReport(data),
    () => csv.parseCsvEvidence(data),
    () => csv.parseCsvCa(data),
    () => csv.parseCsvCertificate(data),
    () => csv.csv.inspect(data),
    () => csv.csv.toKbs({ evidence: data }),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const vendor = hygon();
  const machine = vendor.platform();
  return [
    machine.report(),
    machine.report({ version: 2 }),
    machine.report({ opened: true }),
    machine.reportWithChain(),
    machine.hskCek,
    vendor.hrk.certificate.bytes,
    machine.pdh.certificate.bytes,
    new Uint8Array(csv.CSV_SESSION_SIZE),
  ];
}

export const fixtures: readonly string[] = ["csv"];
