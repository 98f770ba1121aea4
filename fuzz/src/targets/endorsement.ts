// SPDX-License-Identifier: Apache-2.0
// Endorsement files of every sort.

import { toHex } from "@adyton/core/bytes";
import { toPem } from "@adyton/core/pem";
import { readEndorsement } from "@adyton/evidence/endorsements";
import { cca, hygon, intel, intelMachine, nvidia, sev } from "../simulated.ts";
import { bytesOf, tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  tolerant(() => readEndorsement({ name: "input", bytes: data }));
}

export async function seeds(): Promise<Uint8Array[]> {
  const [vendor, machine, platform, gpus, legacy] = await Promise.all([
    intel(),
    intelMachine(),
    cca(),
    nvidia(),
    sev(),
  ]);
  const der = machine.pck.certificate.der;
  return [
    der,
    bytesOf(toHex(der)),
    bytesOf(toPem("CERTIFICATE", der) + toPem("X509 CRL", await vendor.rootCrl())),
    bytesOf(toPem("PUBLIC KEY", machine.pck.certificate.spki)),
    bytesOf(JSON.stringify(platform.trustAnchors)),
    await gpus.ocsp(gpus.identity.certificate, gpus.root),
    hygon().platform().hskCek,
    hygon().hrk.certificate.bytes,
    ...(legacy.endorsements().vendorCertificates ?? []).map(({ bytes }) => bytes),
  ];
}

export const fixtures: readonly string[] = ["sev-snp/roots", "cca/rust-ccatoken", "sgx/automata-0825", "csv"];
