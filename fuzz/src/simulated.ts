// SPDX-License-Identifier: Apache-2.0
// One fake vendor of each kind, made when first asked for.

import { defaultCrypto } from "@adyton/core/crypto";
import type { Certificate } from "@adyton/core/x509";
import {
  createSeChallenge,
  createSeRequest,
  encodeSeExchangeRequest,
  parseSeHeader,
  verifyHostKeyDocument,
} from "@adyton/evidence/se";
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
  createSeHeader,
  createSevVendor,
  createTpmVendor,
  type IbmVendor,
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

/** What passes between a verifier, a machine with Secure Execution and its guest, in both forms. */
export interface SeExchangeOf {
  readonly vendor: IbmVendor;
  readonly header: Uint8Array;
  readonly document: Certificate;
  /** That of the request, and that of the challenge. */
  readonly keys: readonly Uint8Array[];
  readonly request: Uint8Array;
  readonly exchangeRequest: Uint8Array;
  /** An exchange and a response, both for the same request. */
  readonly evidence: readonly Uint8Array[];
}

export const seExchange: () => Promise<SeExchangeOf> = once(async () => {
  const vendor = await ibm();
  const machine = await vendor.machine();
  const header = createSeHeader();
  const { certificates, crls } = await vendor.endorsements();
  const hostKey = await verifyHostKeyDocument(machine.document, {
    now: NOW,
    certificates,
    crls,
    roots: [vendor.root.certificate],
    crypto: defaultCrypto,
  });
  const made = await createSeRequest({ hostKeys: [hostKey] });
  const exchangeRequest = encodeSeExchangeRequest(made);
  const own = defaultCrypto.randomBytes(32);
  const challenge = await createSeChallenge(made, parseSeHeader(header), own);
  return {
    vendor,
    header,
    document: machine.document,
    keys: [made.protectionKey, own],
    request: made.request,
    exchangeRequest,
    evidence: [await machine.exchange(exchangeRequest, header), await machine.respond(challenge)],
  };
});
