// SPDX-License-Identifier: Apache-2.0
// One fake vendor of each kind, made when first asked for.

import {
  type AmdPlatform,
  type AzureVm,
  createAmdVendor,
  createAzureVm,
  createCcaPlatform,
  createHygonVendor,
  createIbmVendor,
  createIntelVendor,
  createNitroVendor,
  createNvidiaVendor,
  createSampleVendor,
  createSevVendor,
  createTpmVendor,
  type IntelPlatform,
  type TpmMachine,
} from "@adyton/simulator";

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** All of them stand at this time. */
export const NOW: Date = new Date("2026-01-15T00:00:00Z");

export const intel: () => ReturnType<typeof createIntelVendor> = once(() => createIntelVendor({ at: NOW }));
export const amd: () => ReturnType<typeof createAmdVendor> = once(() =>
  createAmdVendor({ at: NOW, rsaBits: 2048 }),
);
export const sev: () => ReturnType<typeof createSevVendor> = once(() => createSevVendor({ rsaBits: 2048 }));
export const hygon: () => ReturnType<typeof createHygonVendor> = once(() => createHygonVendor());
export const cca: () => ReturnType<typeof createCcaPlatform> = once(() => createCcaPlatform());
export const nitro: () => ReturnType<typeof createNitroVendor> = once(() => createNitroVendor({ at: NOW }));
export const nvidia: () => ReturnType<typeof createNvidiaVendor> = once(() =>
  createNvidiaVendor({ at: NOW }),
);
export const ibm: () => ReturnType<typeof createIbmVendor> = once(() => createIbmVendor({ at: NOW }));
export const tpm: () => ReturnType<typeof createTpmVendor> = once(() => createTpmVendor({ at: NOW }));
export const sample: () => ReturnType<typeof createSampleVendor> = once(() => createSampleVendor());

export const amdMachine: () => Promise<AmdPlatform> = once(async () => (await amd()).platform());
export const intelMachine: () => Promise<IntelPlatform> = once(async () => (await intel()).platform());
export const azureSnp: () => Promise<AzureVm> = once(async () => createAzureVm({ amd: await amdMachine() }));
export const azureTdx: () => Promise<AzureVm> = once(async () =>
  createAzureVm({ intel: await intelMachine() }),
);
export const tpmMachine: () => Promise<TpmMachine> = once(async () => (await tpm()).machine());
