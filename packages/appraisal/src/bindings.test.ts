// SPDX-License-Identifier: Apache-2.0
// Init-data where the digest is no field of the report but was extended into a PCR.

import { defaultCrypto } from "@adyton/core/crypto";
import { initDataField, verifyEvidence } from "@adyton/evidence";
import { createTpmVendor } from "@adyton/simulator";
import { describe, expect, it } from "vitest";
import { checkInitData } from "./bindings.ts";

const DOCUMENT = new TextEncoder().encode('version = "0.1.0"\nalgorithm = "sha384"\n[data]\n');
const AT = new Date("2026-06-01T12:00:00Z");
const INIT_DATA_PCR = 8;

describe("init-data of a TPM", async () => {
  const vendor = await createTpmVendor({ at: AT });
  const options = { now: AT, roots: [vendor.root.certificate], endorsements: vendor.endorsements() };
  const machine = await vendor.machine({
    boot: { alter: (events) => events.filter(({ index }) => index !== INIT_DATA_PCR) },
  });
  await machine.device.extend(INIT_DATA_PCR, {
    "SHA-256": await initDataField(DOCUMENT, "SHA-384", 32, defaultCrypto),
  });
  const evidence = await verifyEvidence(await machine.evidence(), options);

  it("is accepted when its digest alone was extended into PCR 8", async () => {
    const checked = await checkInitData(evidence, { document: DOCUMENT, hash: "SHA-384" });
    expect(checked.digest).toBe(evidence.claims.init_data);
  });

  it("is refused for another document, another hash, a PCR with more in it, and none", async () => {
    const mismatch = expect.objectContaining({ code: "INIT_DATA_MISMATCH" });
    const other = new TextEncoder().encode("[data]\n");
    await expect(checkInitData(evidence, { document: other, hash: "SHA-384" })).rejects.toEqual(mismatch);
    await expect(checkInitData(evidence, { document: DOCUMENT, hash: "SHA-256" })).rejects.toEqual(mismatch);
    await machine.device.extend(INIT_DATA_PCR, { "SHA-256": new Uint8Array(32) });
    const later = await verifyEvidence(await machine.evidence(), options);
    await expect(checkInitData(later, { document: DOCUMENT, hash: "SHA-384" })).rejects.toEqual(mismatch);
    const selection = [{ hash: "SHA-256", indices: [4] }] as const;
    const unquoted = await verifyEvidence(await machine.evidence({ selection }), options);
    await expect(checkInitData(unquoted, { document: DOCUMENT, hash: "SHA-384" })).rejects.toEqual(mismatch);
  });
});
