// SPDX-License-Identifier: Apache-2.0
import { createIntelVendor } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { createFakeGramine, type FakeGramineOptions } from "../../test/fake-gramine.ts";
import { errno, hexOf, shapedReport } from "../../test/fake-tsm.ts";
import { sgxAttester } from "./sgx.ts";

const REPORT_DATA = new Uint8Array(64).fill(0x5a);
const quote = (reportData: Uint8Array): Uint8Array => shapedReport(1200, 368, reportData);
const DCAP: FakeGramineOptions = { type: "dcap", quote };
const on = (options: FakeGramineOptions) =>
  sgxAttester.create({ files: createFakeGramine(options), wait: () => Promise.resolve() });

describe("SGX through Gramine", () => {
  it.each<[what: string, options: FakeGramineOptions]>([
    ["with DCAP", DCAP],
    ["in a version that does not tell its type", { quote }],
  ])("gives a quote over the padded report data %s", async (_what, options) => {
    const { tee, evidence } = await on(options).collect(Uint8Array.of(9));
    expect(tee).toBe("sgx");
    expect(hexOf(evidence.subarray(368, 432))).toBe(`09${"00".repeat(63)}`);
  });

  it("tries again when another thread wrote its report data in between", async () => {
    let conflicts = 0;
    const beforeQuote = (reportData: Uint8Array): void => {
      if (conflicts++ < 3) reportData.fill(1);
    };
    const { evidence } = await on({ ...DCAP, beforeQuote }).collect(REPORT_DATA);
    expect(conflicts).toBe(4);
    expect(hexOf(evidence.subarray(368, 432))).toBe(hexOf(REPORT_DATA));
  });

  it("finds the report data in a simulated quote of version 3", async () => {
    const platform = await (await createIntelVendor()).platform();
    const real = await platform.quote({ tee: "sgx", version: 3, reportData: REPORT_DATA });
    const attester = on({ ...DCAP, quote: () => real });
    expect((await attester.collect(REPORT_DATA)).evidence).toEqual(real);
    expect(await codeOfAsync(() => attester.collect(new Uint8Array(64)))).toBe("REPORT_CONFLICT");
  });

  const failing = (code: string) => () => {
    throw errno(code);
  };

  it.each<[what: string, options: FakeGramineOptions, code: string]>([
    ["threads that never let go", { ...DCAP, beforeQuote: (data) => data.fill(1) }, "REPORT_CONFLICT"],
    ["no remote attestation", { ...DCAP, type: "none" }, "UNEXPECTED_PROVIDER"],
    ["EPID", { ...DCAP, type: "epid" }, "UNEXPECTED_PROVIDER"],
    ["a type that may not be read", { ...DCAP, typeError: "EACCES" }, "DEVICE_FAILED"],
    ["a quote that fails", { ...DCAP, quote: failing("EPERM") }, "DEVICE_FAILED"],
    ["a quote that stays busy", { ...DCAP, quote: failing("EAGAIN") }, "DEVICE_BUSY"],
    ["a quote that is cut", { ...DCAP, quote: () => new Uint8Array(435) }, "INVALID_DEVICE_OUTPUT"],
  ])("refuses %s", async (_what, options, code) => {
    expect(await codeOfAsync(() => on(options).collect(REPORT_DATA))).toBe(code);
  });

  it("says when report data cannot be written", async () => {
    const files = { ...createFakeGramine(DCAP), writeFile: () => Promise.reject(errno("EACCES")) };
    expect(await codeOfAsync(() => sgxAttester.create({ files }).collect(REPORT_DATA))).toBe("DEVICE_FAILED");
  });

  it("refuses more than 64 bytes", async () => {
    expect(await codeOfAsync(() => on(DCAP).collect(new Uint8Array(65)))).toBe("INVALID_REPORT_DATA");
  });
});

describe("probing", () => {
  it.each<[what: string, options: FakeGramineOptions, available: boolean, missing: RegExp]>([
    ["DCAP", DCAP, true, /^$/],
    ["an old version", { quote }, true, /^$/],
    ["no remote attestation", { ...DCAP, type: "none" }, false, /quote,attestation type dcap/],
    ["EPID", { ...DCAP, type: "epid" }, false, /^attestation type dcap$/],
    ["no permission", { ...DCAP, typeError: "EACCES" }, false, /permission/],
  ])("%s", async (_what, options, available, missing) => {
    const probe = await on(options).probe();
    expect(probe.available).toBe(available);
    expect(probe.missing.join()).toMatch(missing);
    expect(probe.next === undefined).toBe(available);
  });

  it("no Gramine", async () => {
    const attester = sgxAttester.create({ root: "/no-such-root" });
    expect(await attester.probe()).toMatchObject({
      available: false,
      missing: ["/no-such-root/dev/attestation"],
    });
  });
});
