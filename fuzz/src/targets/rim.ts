// SPDX-License-Identifier: Apache-2.0
// NVIDIA's reference integrity manifests: XML, its canonical form, its signature.

import { parseRim, rimReferenceValues, verifyRim } from "@adyton/evidence/nvidia";
import { NOW, nvidia } from "../simulated.ts";
import { textOf, tolerant, tolerantAsync } from "../tolerant.ts";

export async function fuzz(data: Uint8Array): Promise<void> {
  const text = textOf(data);
  tolerant(() => rimReferenceValues(parseRim(text)));
  const { rims } = await nvidia();
  await tolerantAsync(async () => {
    const { trust } = await verifyRim(text, { now: NOW, roots: [rims.root.certificate] });
    if (!trust.simulated) throw new Error("a simulator's manifest passes for real");
  });
}

export async function seeds(): Promise<Uint8Array[]> {
  const { rims } = await nvidia();
  const measurement = { active: true, name: "Measurement" };
  const values = ["00".repeat(48), "ab".repeat(48)];
  const texts = await Promise.all([
    rims.manifest(),
    rims.manifest({ measurements: [{ ...measurement, index: 0, values }] }),
    `<?xml version='1.0' encoding="utf-8"?><!-- a -->\r\n<a:b xmlns:a="urn:a" xmlns="" c='&#x41;&lt;"' a:c=" "/>`,
  ]);
  return texts.map((text) => new TextEncoder().encode(text));
}
