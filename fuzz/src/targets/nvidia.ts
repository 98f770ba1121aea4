// SPDX-License-Identifier: Apache-2.0
// NVIDIA reports: the SPDM exchange and its opaque data.

import { schemeOf } from "@adyton/evidence";
import { encodeNvidiaReport, parseNvidiaReport } from "@adyton/evidence/nvidia";
import { nvidia } from "../simulated.ts";
import { roundTrip, tolerant } from "../tolerant.ts";

const scheme = schemeOf("nvidia");

export function fuzz(data: Uint8Array): void {
  roundTrip(data, parseNvidiaReport, encodeNvidiaReport);
  scheme.detect(data);
  tolerant(() => scheme.inspect(data));
}

export async function seeds(): Promise<Uint8Array[]> {
  const device = await (await nvidia()).device();
  return [await device.report()];
}

export const fixtures: readonly string[] = ["nvidia"];
