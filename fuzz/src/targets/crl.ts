// SPDX-License-Identifier: Apache-2.0
// Certificate revocation lists in DER.

import { parseCrl } from "@adyton/core/crl";
import { amd, intel, intelMachine } from "../simulated.ts";
import { tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  tolerant(() => parseCrl(data));
}

export async function seeds(): Promise<Uint8Array[]> {
  const [vendor, platform, other] = await Promise.all([intel(), intelMachine(), amd()]);
  return [
    await vendor.rootCrl(),
    await vendor.pckCrl("platform", { revoked: [platform.pck.certificate] }),
    await other.crl({ revoked: [other.ask.certificate] }),
  ];
}

export const fixtures: readonly string[] = [
  "sgx/automata-0825/platform_crl.der",
  "tdx/dcap-rs/intel_root_ca_crl.der",
  "tdx/dcap-rs/pck_platform_crl.der",
];
