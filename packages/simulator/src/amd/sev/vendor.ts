// SPDX-License-Identifier: Apache-2.0
// The simulated AMD of SEV and SEV-ES: a binary ARK and ASK, and machines whose firmware launches guests, measures
// them, takes secrets for them and reports on them. Key ids say "Adyton Simulator".

import type { Bytes } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import { type Endorsements, NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { SEV_CA, SEV_PLATFORM } from "@adyton/evidence/sev";
import { certifySevCa, type SevCaAuthority, type SevCaChange, simulatorKeyId } from "./keys.ts";
import { createSevMachine, type SevMachine, type SevMachineOptions } from "./machine.ts";

export interface SevVendorOptions {
  /** 2048 bits sign with SHA-256, as on Naples, 4096, the default, with SHA-384, as on all later generations. */
  readonly rsaBits?: 2048 | 4096;
  readonly crypto?: CryptoProvider;
  readonly ark?: SevCaChange;
  readonly ask?: SevCaChange;
}

/** A fake AMD for SEV. Nothing it issues stands under AMD's roots, so verifiers take it only where its root is named. */
export interface SevVendor {
  readonly ark: SevCaAuthority;
  readonly ask: SevCaAuthority;
  /** Name this as `anchors`, and only in tests and demos. */
  readonly anchors: Endorsements;
  /** A vendor with the same keys and other certificates. */
  recertify(options: Pick<SevVendorOptions, "ark" | "ask">): Promise<SevVendor>;
  machine(options?: SevMachineOptions): Promise<SevMachine>;
  /** ARK, ASK and what else is given: binary certificates, or a machine with all of its own. */
  endorsements(...more: readonly (Bytes | SevMachine)[]): Endorsements;
}

/** Founds a vendor with fresh keys. */
export async function createSevVendor(options: SevVendorOptions = {}): Promise<SevVendor> {
  const { crypto = defaultCrypto, rsaBits = 4096 } = options;
  const generate = (): Promise<PrivateKey> => crypto.generateKey({ name: "RSA", bits: rsaBits });
  const [ark, ask] = await Promise.all([generate(), generate()]);
  return certify(options, ark, ask, crypto);
}

async function certify(
  options: Pick<SevVendorOptions, "ark" | "ask">,
  arkKey: PrivateKey,
  askKey: PrivateKey,
  crypto: CryptoProvider,
): Promise<SevVendor> {
  const [arkId, askId] = [simulatorKeyId("Adyton Simulator"), simulatorKeyId("Adyton Simul ASK")];
  const exponent = 65537;
  const ark = await certifySevCa(
    { usage: "ARK", keyId: arkId, certifyingId: arkId, exponent },
    arkKey,
    arkKey,
    options.ark ?? {},
  );
  const ask = await certifySevCa(
    { usage: "ASK", keyId: askId, certifyingId: arkId, exponent },
    askKey,
    arkKey,
    options.ask ?? {},
  );
  return {
    ark,
    ask,
    anchors: sevBag(ark.certificate),
    recertify: (changed) => certify(changed, arkKey, askKey, crypto),
    machine: (request = {}) => createSevMachine(request, ask, crypto),
    endorsements: (...more) =>
      sevBag(
        ark.certificate,
        ask.certificate,
        ...more.flatMap((item) => (item instanceof Uint8Array ? [item] : item.certificates)),
      ),
  };
}

/** Binary certificates as a bag, told apart by their size. */
export function sevBag(...certificates: readonly Uint8Array[]): Endorsements {
  return {
    ...NO_ENDORSEMENTS,
    vendorCertificates: certificates.map((bytes) => ({
      kind: bytes.length === PLATFORM_SIZE ? SEV_PLATFORM : SEV_CA,
      bytes,
    })),
  };
}
const PLATFORM_SIZE = 0x824;
