// SPDX-License-Identifier: Apache-2.0
// Evidence of the software TEE.

import { encodeSampleEvidence, parseSampleEvidence, sample, signedPartOf } from "@adyton/evidence/sample";
import { sample as vendor } from "../simulated.ts";
import { roundTrip, tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  roundTrip(data, parseSampleEvidence, encodeSampleEvidence);
  sample.detect(data);
  tolerant(
    () => signedPartOf(parseSampleEvidence(data).claims),
    () => sample.inspect(data),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const machine = await (await vendor()).machine();
  const launch = { launchDigest: new Uint8Array(48).fill(1), reportData: new Uint8Array(64).fill(2) };
  return [
    await machine.evidence(launch),
    await machine.evidence({ ...launch, initData: new Uint8Array(64), debug: true }),
  ];
}
