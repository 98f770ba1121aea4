// SPDX-License-Identifier: Apache-2.0
// SEV and SEV-ES: certificates, reports, measurements, sessions, secret tables.

import * as sev from "@adyton/evidence/sev";
import { sev as vendor } from "../simulated.ts";
import { roundTrip, tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  roundTrip(data, sev.parseSevReport, sev.encodeSevReport);
  roundTrip(data, sev.parseSevSession, sev.encodeSevSession);
  sev.sev.detect(data);
  tolerant(
    () => sev.parseSevEvidence(data),
    () => sev.parseSevCaCertificate(data),
    () => sev.parseSevPlatformCertificate(data),
    () => sev.readSevCertificates(data),
    () => sev.splitSevCertificates(data),
    () => sev.parseSevMeasurement(data),
    () => sev.parseSevSecretTable(data),
    () => sev.sev.inspect(data),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const maker = await vendor();
  const machine = await maker.machine();
  const guid = "00112233-4455-6677-8899-aabbccddeeff";
  const table = sev.encodeSevSecretTable([{ guid, data: new Uint8Array(5) }]);
  return [
    await machine.report(),
    await machine.evidence(),
    ...machine.certificates,
    ...(maker.endorsements().vendorCertificates ?? []).map(({ bytes }) => bytes),
    new Uint8Array(sev.SEV_SESSION_SIZE),
    new Uint8Array(sev.SEV_MEASUREMENT_SIZE),
    table,
  ];
}

export const fixtures: readonly string[] = ["sev/naples", "sev/milan"];
