// SPDX-License-Identifier: Apache-2.0
// Arm CCA tokens, and the claims of both halves.

import { parseCbor } from "@adyton/core/cbor";
import { cca, parseCcaToken, parsePlatformClaims, parseRealmClaims } from "@adyton/evidence/cca";
import { cca as platform } from "../simulated.ts";
import { tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  cca.detect(data);
  tolerant(
    () => parseCcaToken(data),
    () => cca.inspect(data),
    () => parsePlatformClaims(parseCbor(data, "input")),
    () => parseRealmClaims(parseCbor(data, "input")),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const { token } = await platform();
  return Promise.all([
    token(),
    token({ form: "legacy", generation: "legacy" }),
    token({ generation: "2024" }),
    token({ realmCurve: "P-521", bindingHash: "sha-512" }),
  ]);
}

export const fixtures: readonly string[] = ["cca/rust-ccatoken"];
