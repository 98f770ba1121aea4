// SPDX-License-Identifier: Apache-2.0
// Evidence of further devices: one token with a part for each, and secrets only when all of them are good.

import { defaultCrypto } from "@adyton/core/crypto";
import { deviceReportDataOf, encodeAdditionalEvidence } from "@adyton/evidence";
import { createNvidiaVendor } from "@adyton/simulator";
import { decodeJwt } from "jose";
import { describe, expect, it } from "vitest";
import { createHarness, jsonOf, PAIR, vendor as softwareVendor } from "../test/harness.ts";

const vendor = await createNvidiaVendor({ at: new Date("2026-03-01T12:00:00Z") });
const software = (await softwareVendor()).root;
const gpus = [await vendor.device(), await vendor.device()];

async function devicesFor(nonce: string): Promise<string> {
  const bound = await deviceReportDataOf({ nonce, teePubkey: PAIR.jwk }, defaultCrypto, 32);
  const parts = gpus.map(async (gpu) => ({
    tee: "nvidia" as const,
    evidence: await gpu.report({ nonce: bound }),
    endorsements: { certificates: gpu.chain, crls: [], documents: [] },
  }));
  return encodeAdditionalEvidence(await Promise.all(parts));
}

describe("a software TEE with two GPUs", () => {
  it("gets one token with a part for each", async () => {
    const harness = await createHarness({ roots: [software, vendor.root.certificate] });
    try {
      const challenge = await harness.auth();
      const additional = await devicesFor(challenge.nonce);
      const answer = await harness.attest(challenge, { additional });
      expect(answer.status).toBe(200);
      const { token } = await jsonOf(answer);
      const { submods } = decodeJwt<{ submods: Record<string, { "ear.status": string }> }>(String(token));
      expect(Object.keys(submods)).toEqual(["cpu0", "gpu0", "gpu1"]);
    } finally {
      await harness.close();
    }
  });

  it("is refused when the GPUs answer another challenge, or their root is not trusted", async () => {
    for (const [roots, nonce, code] of [
      [[software, vendor.root.certificate], "b3RoZXI=", "REPORT_DATA_MISMATCH"],
      [[software], undefined, "ROOT_NOT_TRUSTED"],
    ] as const) {
      const harness = await createHarness({ roots });
      try {
        const challenge = await harness.auth();
        const additional = await devicesFor(nonce ?? challenge.nonce);
        const answer = await harness.attest(challenge, { additional });
        expect(answer.status).toBe(401);
        expect(answer.headers.get("adyton-error")?.split(";")[0]).toBe(code);
      } finally {
        await harness.close();
      }
    }
  });
});
