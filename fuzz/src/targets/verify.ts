// SPDX-License-Identifier: Apache-2.0
// Whole verifications, every scheme on the simulator's evidence and endorsements: the deepest code there is.

import type { Certificate } from "@adyton/core/x509";
import { createCache, SCHEMES } from "@adyton/evidence";
import { type Endorsements, mergeEndorsements } from "@adyton/evidence/endorsements";
import * as world from "../simulated.ts";
import { tolerantAsync } from "../tolerant.ts";

interface Trusted {
  readonly endorsements: Endorsements;
  readonly anchors: Endorsements;
  readonly roots: readonly Certificate[];
  readonly verifierKeys: readonly Uint8Array[];
}

let trusted: Promise<Trusted> | undefined;
/** What never changes is verified once: chains and documents of the simulator's. */
const cache = createCache();

export async function fuzz(data: Uint8Array): Promise<void> {
  trusted ??= trust();
  const options = { now: world.NOW, cache, ...(await trusted) };
  for (const scheme of SCHEMES) {
    if (!scheme.detect(data)) continue;
    await tolerantAsync(async () => {
      const verified = await scheme.verify(data, options);
      if (!verified.trust.simulated) throw new Error("a simulator's evidence passes for real");
    });
  }
}

async function trust(): Promise<Trusted> {
  const [intel, machine, amd, sev, cca, nitro, nvidia, tpm, sample] = await Promise.all([
    world.intel(),
    world.intelMachine(),
    world.amd(),
    world.sev(),
    world.cca(),
    world.nitro(),
    world.nvidia(),
    world.tpm(),
    world.sample(),
  ]);
  const hygon = world.hygon();
  const se = await world.seExchange();
  return {
    verifierKeys: se.keys,
    endorsements: mergeEndorsements(
      await intel.endorsements(machine, "sgx"),
      await intel.endorsements(machine, "tdx"),
      amd.endorsements(),
      sev.endorsements(),
      hygon.endorsements(),
      nvidia.endorsements(),
      tpm.endorsements(),
      await se.vendor.endorsements({ certificates: [se.document], headers: [Uint8Array.from(se.header)] }),
    ),
    anchors: mergeEndorsements(sev.anchors, hygon.anchors, cca.anchors),
    roots: [
      intel.root.certificate,
      amd.ark.certificate,
      nitro.root.certificate,
      nvidia.root.certificate,
      tpm.root.certificate,
      se.vendor.root.certificate,
      sample.root,
    ],
  };
}

export async function seeds(): Promise<Uint8Array[]> {
  const [machine, snp, legacy, token, enclave, azure, tpm, soft, gpu] = await Promise.all([
    world.intelMachine(),
    world.amdMachine(),
    (await world.sev()).machine(),
    (await world.cca()).token(),
    (await world.nitro()).enclave(),
    world.azureSnp(),
    world.tpmMachine(),
    (await world.sample()).machine(),
    (await world.nvidia()).device(),
  ]);
  return Promise.all([
    machine.quote({ tee: "sgx" }),
    machine.quote({ tee: "tdx" }),
    snp.extendedReport(),
    legacy.evidence(),
    world.hygon().platform().reportWithChain(),
    token,
    enclave.document(),
    azure.evidence(),
    tpm.evidence({ withoutLog: true }),
    soft.evidence({ launchDigest: new Uint8Array(48), reportData: new Uint8Array(64) }),
    gpu.report(),
    ...(await world.seExchange()).evidence,
  ]);
}
