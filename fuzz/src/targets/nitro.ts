// SPDX-License-Identifier: Apache-2.0
// AWS Nitro attestation documents.

import { encodeNitroClaims, nitro, parseNitroDocument } from "@adyton/evidence/nitro";
import { nitro as vendor } from "../simulated.ts";
import { tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  nitro.detect(data);
  tolerant(
    () => encodeNitroClaims(parseNitroDocument(data).claims),
    () => nitro.inspect(data),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const { document } = await (await vendor()).enclave();
  return Promise.all([document(), document({ debug: true }), document({ tagged: true })]);
}

export const fixtures: readonly string[] = ["nitro"];
