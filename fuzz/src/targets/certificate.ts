// SPDX-License-Identifier: Apache-2.0
// X.509 certificates, PCK and AMD extensions included, in DER.

import { verifyingCrypto } from "@adyton/core/crypto";
import { fingerprintOf, parseCertificate, publicKeyOf } from "@adyton/core/x509";
import { parsePckExtension, pckExtensionOf } from "@adyton/evidence/sgx";
import { parseEndorsementKey } from "@adyton/evidence/snp";
import { amdMachine, intelMachine, nvidia } from "../simulated.ts";
import { tolerant, tolerantAsync } from "../tolerant.ts";

export async function fuzz(data: Uint8Array): Promise<void> {
  tolerant(() => parsePckExtension(data));
  await tolerantAsync(async () => {
    const certificate = parseCertificate(data);
    tolerant(
      () => pckExtensionOf(certificate),
      () => parseEndorsementKey(certificate),
    );
    await tolerantAsync(() => publicKeyOf(certificate, verifyingCrypto));
    await fingerprintOf(certificate, verifyingCrypto);
  });
}

export async function seeds(): Promise<Uint8Array[]> {
  const [{ chain, pck }, { vcek, vlek }, gpu] = await Promise.all([
    intelMachine(),
    amdMachine(),
    (await nvidia()).device(),
  ]);
  const extensions = [...pck.certificate.extensions.values()].map(({ value }) => value);
  return [
    ...[...chain, vcek.certificate, vlek.certificate, ...gpu.chain].map(({ der }) => der),
    ...extensions,
  ];
}

export const fixtures: readonly string[] = ["sev-snp/virtee-sev", "sev-snp/trustee", "tdx/dcap-rs"];
