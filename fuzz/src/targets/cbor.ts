// SPDX-License-Identifier: Apache-2.0
// CBOR: one encoding for each value, so that what is accepted is written back alike.

import { fromHex } from "@adyton/core/bytes";
import { encodeCbor, parseCbor } from "@adyton/core/cbor";
import { cca, nitro } from "../simulated.ts";
import { roundTrip } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  roundTrip(data, (bytes) => parseCbor(bytes, "input"), encodeCbor);
}

export async function seeds(): Promise<Uint8Array[]> {
  return [
    await (await cca()).token(),
    await (await (await nitro()).enclave()).document(),
    // RFC 8949, appendix A, in kind: every major type, definite and not.
    ...[
      "a26161016162820203",
      "bf6346756ef563416d7421ff",
      "9f018202039f0405ffff",
      "5f42010243030405ff",
      "7f657374726561646d696e67ff",
      "1bffffffffffffffff",
      "3bffffffffffffffff",
      "c11a514b67b0",
      "d818456449455446",
      "f97c00",
      "fb3ff199999999999a",
      "f8ff",
      "a1016100",
      "8181818181818181818180",
    ].map(fromHex),
  ];
}

export const fixtures: readonly string[] = ["cca/rust-ccatoken", "nitro"];
