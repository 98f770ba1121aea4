// SPDX-License-Identifier: Apache-2.0
// SGX and TDX quotes: headers, bodies, certification data.

import {
  encodeQuote,
  parseCertification,
  parseEnclaveReport,
  parseQuote,
  parseTdReport,
  sgx,
} from "@adyton/evidence/sgx";
import { tdx } from "@adyton/evidence/tdx";
import { intelMachine } from "../simulated.ts";
import { roundTrip, tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  roundTrip(data, parseQuote, encodeQuote);
  sgx.detect(data);
  tdx.detect(data);
  tolerant(
    () => parseCertification(parseQuote(data).certification),
    () => sgx.inspect(data),
    () => tdx.inspect(data),
    () => parseEnclaveReport(data),
    () => parseTdReport(data),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const machine = await intelMachine();
  return Promise.all([
    machine.quote({ tee: "sgx" }),
    machine.quote({ tee: "sgx", version: 4 }),
    machine.quote({ tee: "sgx", version: 5 }),
    machine.quote({ tee: "tdx" }),
    machine.quote({ tee: "tdx", td15: {} }),
    machine.quote({
      tee: "sgx",
      certification: { type: 1, data: new Uint8Array(36) },
      qeAuthData: new Uint8Array(),
    }),
  ]);
}

export const fixtures: readonly string[] = ["sgx", "tdx"];
