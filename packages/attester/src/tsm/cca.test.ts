// SPDX-License-Identifier: Apache-2.0
import { verifyEvidence } from "@adyton/evidence";
import { type CcaTokenOptions, createCcaPlatform } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFakeTsm, type FakeTsmOptions } from "../../test/fake-tsm.ts";
import { ccaAttester } from "./cca.ts";

const REPORT_DATA = new Uint8Array(64).fill(0x5a);
const NOW = new Date("2026-03-01T12:00:00Z");
const platform = await createCcaPlatform();
const elsewhere = await platform.token({ reportData: new Uint8Array(64) });

const attesterOn = (options: FakeTsmOptions): ReturnType<typeof ccaAttester.create> =>
  ccaAttester.create({ files: createFakeTsm(options) });
const answering = (outblob: Uint8Array): FakeTsmOptions => ({
  provider: "arm_cca_guest",
  report: () => ({ outblob }),
});

describe("collecting", () => {
  it.each<CcaTokenOptions>([
    { form: "legacy", generation: "legacy" },
    { form: "cmw", generation: "2023" },
    { form: "cmw", generation: "2024" },
  ])("gives a token that the verifier accepts: $generation", async (options) => {
    const token = await platform.token({ ...options, reportData: REPORT_DATA });
    const { tee, evidence } = await attesterOn(answering(token)).collect(REPORT_DATA);
    expect(tee).toBe("cca");
    const verified = await verifyEvidence(evidence, {
      now: NOW,
      anchors: platform.anchors,
      reportData: REPORT_DATA,
    });
    expect(verified).toMatchObject({ tee: "cca", trust: { simulated: true } });
  });

  it("pads the challenge, and leaves nothing behind", async () => {
    const padded = new Uint8Array(64);
    padded.set([1, 2, 3]);
    const asked: Uint8Array[] = [];
    const outblob = await platform.token({ reportData: padded });
    const kernel = createFakeTsm({
      provider: "arm_cca_guest",
      report: (inblob) => {
        asked.push(inblob);
        return { outblob };
      },
    });
    await ccaAttester.create({ files: kernel }).collect(Uint8Array.of(1, 2, 3));
    expect(asked).toEqual([padded]);
    expect(kernel.instances.size).toBe(0);
  });

  it.each<[what: string, options: FakeTsmOptions, code: string]>([
    ["a token for another challenge", answering(elsewhere), "REPORT_CONFLICT"],
    ["another provider", { provider: "tdx_guest" }, "UNEXPECTED_PROVIDER"],
    ["no driver", {}, "DEVICE_FAILED"],
    ["a token that is none", answering(new Uint8Array(2000)), "INVALID_DEVICE_OUTPUT"],
    ["a token that is too short to be one", answering(new Uint8Array(255)), "INVALID_DEVICE_OUTPUT"],
  ])("refuses %s", async (_what, options, code) => {
    expect(await codeOfAsync(() => attesterOn(options).collect(REPORT_DATA))).toBe(code);
  });

  it("refuses a token cut or changed anywhere with a typed error, or gives one that does not verify", async () => {
    const whole = await platform.token({ reportData: REPORT_DATA });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, mask, cut) => {
          const token = cut
            ? whole.subarray(0, at)
            : Uint8Array.from(whole, (byte, i) => (i === at ? byte ^ mask : byte));
          const code = await codeOfAsync(async () => {
            const { evidence } = await attesterOn(answering(token)).collect(REPORT_DATA);
            await verifyEvidence(evidence, { tee: "cca", now: NOW, anchors: platform.anchors });
          });
          expect(code).toMatch(/^[A-Z_]+$/);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("probing", () => {
  it.each<[what: string, options: FakeTsmOptions, available: boolean, next: RegExp]>([
    ["a realm", { provider: "arm_cca_guest" }, true, /^$/],
    ["no configfs", { mounted: false }, false, /Linux 6\.13 or newer/],
    ["no driver", {}, false, /Load arm-cca-guest/],
    ["another TEE", { provider: "sev_guest" }, false, /that provider/],
  ])("%s", async (_what, options, available, next) => {
    const probe = await attesterOn(options).probe();
    expect(probe.available).toBe(available);
    expect(probe.next ?? "").toMatch(next);
  });
});
