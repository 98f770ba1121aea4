// SPDX-License-Identifier: Apache-2.0
// DER values, walked to the leaves.

import { fromHex } from "@adyton/core/bytes";
import { type DerValue, encodeDer, parseDer, TAG } from "@adyton/core/der";
import { intel } from "../simulated.ts";
import { tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  tolerant(() => walk(parseDer(data, "input"), 0));
}

function walk(value: DerValue, depth: number): void {
  tolerant(
    () => value.oid(),
    () => value.boolean(),
    () => value.unsigned(),
    () => value.smallInteger(),
    () => value.time(),
    () => value.string(),
    () => value.bitString(),
    () => value.octetString(),
    () => value.namedBits(),
    () => value.null(),
    () => value.elements(TAG.SET),
  );
  if (depth < 64) {
    tolerant(() => {
      for (const child of value.sequence()) walk(child, depth + 1);
    });
  }
}

export async function seeds(): Promise<Uint8Array[]> {
  const { root } = await intel();
  return [
    root.certificate.der,
    encodeDer.sequence(encodeDer.oid("2.5.29.37"), encodeDer.integer(128), encodeDer.boolean(true)),
    encodeDer.sequence(encodeDer.time(new Date("2026-01-15T00:00:00Z")), encodeDer.namedBits(0, 5)),
    encodeDer.time(new Date("2056-01-15T00:00:00Z")),
    fromHex("3080"),
    fromHex("30840000000102"),
    fromHex("1f8101ff00"),
  ];
}
