// SPDX-License-Identifier: Apache-2.0
// COSE_Sign1 messages and COSE_Key maps.

import { type CborMap, encodeCbor, isCborMap, parseCbor } from "@adyton/core/cbor";
import {
  coseKeyOfPoint,
  encodeSign1,
  parseSign1,
  protectedHeader,
  signedBytes,
  spkiOfCoseKey,
} from "@adyton/core/cose";
import { cca, nitro } from "../simulated.ts";
import { tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  tolerant(
    () => {
      const { protectedBytes, payload } = parseSign1(data, "input");
      signedBytes(protectedBytes, payload);
    },
    () => {
      const key = parseCbor(data, "input");
      if (isCborMap(key)) spkiOfCoseKey(key);
    },
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const point: CborMap = coseKeyOfPoint("P-256", new Uint8Array(64).fill(7));
  const header = protectedHeader({ name: "ECDSA", hash: "SHA-384" });
  return [
    await (await (await nitro()).enclave()).document(),
    await (await (await nitro()).enclave()).document({ tagged: true }),
    await (await cca()).token({ form: "legacy" }),
    encodeCbor(point),
    encodeSign1(header, new Uint8Array(3), new Uint8Array(96), false),
  ];
}

export const fixtures: readonly string[] = ["nitro", "cca/rust-ccatoken"];
