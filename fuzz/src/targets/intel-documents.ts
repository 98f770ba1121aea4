// SPDX-License-Identifier: Apache-2.0
// TCB info, enclave identities, evaluation data numbers, and the collateral files that carry them.

import { readEndorsement } from "@adyton/evidence/endorsements";
import { parseEnclaveIdentity, parseTcbEvaluationDataNumbers, parseTcbInfo } from "@adyton/evidence/sgx";
import { toCollateralJson } from "@adyton/simulator";
import { intel, intelMachine } from "../simulated.ts";
import { bytesOf, textOf, tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  tolerant(
    () => parseTcbInfo(text),
    () => parseEnclaveIdentity(text),
    () => parseTcbEvaluationDataNumbers(text),
    () => readEndorsement({ name: "input", bytes: data }),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const [vendor, machine] = await Promise.all([intel(), intelMachine()]);
  const documents = await Promise.all([
    vendor.tcbInfo("sgx"),
    vendor.tcbInfo("tdx"),
    vendor.identity("QE"),
    vendor.identity("TD_QE"),
    vendor.evaluationNumbers("tdx"),
  ]);
  const collateral = await Promise.all(
    ["sgx", "tdx"].map(async (tee) => {
      const found = await vendor.collateral(machine, tee === "sgx" ? "sgx" : "tdx");
      return toCollateralJson(found);
    }),
  );
  return [...documents.map(({ body }) => body), ...collateral].map(bytesOf);
}

export const fixtures: readonly string[] = ["sgx/automata-0825", "tdx/dcap-rs", "tdx/intel-qvl-sample"];
