// SPDX-License-Identifier: Apache-2.0
// `primary_evidence` of the Confidential Containers protocol: every scheme is handed every JSON.

import { parseJson } from "@adyton/core/json";
import { SCHEMES } from "@adyton/evidence";
import * as world from "../simulated.ts";
import { bytesOf, textOf, tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  tolerant(() => {
    const value = parseJson(textOf(data));
    for (const scheme of SCHEMES) {
      tolerant(
        () => scheme.toKbs(scheme.fromKbs(value)),
        () => scheme.split?.(value),
      );
    }
  });
}

export async function seeds(): Promise<Uint8Array[]> {
  const [machine, snp, legacy, token, enclave, vm, tpm] = await Promise.all([
    world.intelMachine(),
    world.amdMachine(),
    (await world.sev()).machine(),
    (await world.cca()).token(),
    (await world.nitro()).enclave(),
    world.azureSnp(),
    world.tpmMachine(),
  ]);
  const evidence = new Map([
    ["sgx", await machine.quote({ tee: "sgx" })],
    ["tdx", await machine.quote({ tee: "tdx" })],
    ["snp", await snp.extendedReport()],
    ["sev", await legacy.evidence()],
    ["csv", world.hygon().platform().reportWithChain()],
    ["cca", token],
    ["nitro", await enclave.document()],
    ["az-snp-vtpm", await vm.evidence()],
    ["tpm", await tpm.evidence({ withoutLog: true })],
  ]);
  return SCHEMES.flatMap((scheme) => {
    const bytes = evidence.get(scheme.tee);
    return bytes === undefined ? [] : [bytesOf(JSON.stringify(scheme.toKbs({ evidence: bytes })))];
  });
}

export const fixtures: readonly string[] = ["azure-vtpm/snp", "csv/trustee", "nvidia", "tpm2/trustee"];
