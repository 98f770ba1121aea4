// SPDX-License-Identifier: Apache-2.0
// Composite evidence: a simulated TD or software TEE with simulated GPUs and switches, bound to one nonce and one key.

import { type Bytes, fromUtf8, toHex } from "@adyton/core/bytes";
import { defaultCrypto, type VerifyingCrypto, verifyingCrypto } from "@adyton/core/crypto";
import { canonicalJsonBytes } from "@adyton/core/json";
import {
  type CompositeOptions,
  createCache,
  deviceReportDataOf,
  encodeAdditionalEvidence,
  parseAdditionalEvidence,
  partNamesOf,
  type RuntimeData,
  reportDataOf,
  schemeOf,
  verifyComposite,
} from "@adyton/evidence";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { createIntelVendor } from "./intel/vendor.ts";
import { createNvidiaVendor, type NvidiaDevice } from "./nvidia/vendor.ts";
import { createSampleVendor } from "./sample/vendor.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const SESSION = { nonce: "c2Vzc2lvbg==", teePubkey: { kty: "EC", crv: "P-256", x: "a", y: "b" } } as const;

const nvidia = await createNvidiaVendor({ at: AT });
const nvswitch = await createNvidiaVendor({ at: AT, chip: "LS10" });
const software = await createSampleVendor();
const machine = await software.machine();
const [gpu, gpu2] = [await nvidia.device(), await nvidia.device()];
const bridge = await nvswitch.device();

const options: CompositeOptions = {
  now: AT,
  roots: [nvidia.root.certificate, nvswitch.root.certificate, software.root],
};

/** A device's part, bound to the session unless told otherwise. */
async function part(device: NvidiaDevice, nonce?: Uint8Array) {
  const bound = nonce ?? (await deviceReportDataOf(SESSION, defaultCrypto, 32));
  return {
    tee: "nvidia" as const,
    evidence: await device.report({ nonce: bound }),
    endorsements: { certificates: device.chain, crls: [], documents: [] },
  };
}

async function cpu(reportData: Uint8Array): Promise<Bytes> {
  return machine.evidence({ launchDigest: new Uint8Array(48), reportData });
}

/** A software TEE that sends `additionalEvidence` and binds it, or another text. */
async function composite(additionalEvidence: string, bound = additionalEvidence) {
  const runtimeData: RuntimeData = { ...SESSION, additionalEvidence };
  const evidence = await cpu(await reportDataOf({ ...SESSION, additionalEvidence: bound }, defaultCrypto));
  return { primary: { tee: "sample" as const, evidence }, runtimeData };
}

describe("a processor with devices", () => {
  it("verifies together, one part each", async () => {
    const text = encodeAdditionalEvidence([await part(gpu), await part(bridge), await part(gpu2)]);
    const verified = await verifyComposite(await composite(text), options);
    expect(Object.keys(verified.parts)).toEqual(["cpu0", "gpu0", "switch0", "gpu1"]);
    expect(verified.parts.cpu0).toBe(verified.primary);
    expect(verified.parts.gpu1).toBe(verified.devices[2]);
    expect(verified.devices.map(({ claims }) => claims.chip)).toEqual(["GH100", "LS10", "GH100"]);
  });

  it("may have no devices", async () => {
    const verified = await verifyComposite(await composite(""), options);
    expect(verified.devices).toEqual([]);
    expect(Object.keys(verified.parts)).toEqual(["cpu0"]);
  });

  it("verifies a TD's platform once, and then from the cache", async () => {
    const intel = await createIntelVendor({ at: AT });
    const platform = await intel.platform();
    let checks = 0;
    const crypto: VerifyingCrypto = {
      ...verifyingCrypto,
      importPublicKey: async (spki) => {
        const key = await verifyingCrypto.importPublicKey(spki);
        return {
          ...key,
          verify: (...how) => {
            checks++;
            return key.verify(...how);
          },
        };
      },
    };
    const runtimeData = { ...SESSION, additionalEvidence: "" };
    const reportData = await reportDataOf(runtimeData, defaultCrypto);
    const evidence = await platform.quote({ tee: "tdx", reportData });
    const trusting: CompositeOptions = {
      now: AT,
      roots: [intel.root.certificate],
      endorsements: await intel.endorsements(platform, "tdx"),
      cache: createCache(),
      crypto,
    };
    const counted: number[] = [];
    for (let i = 0; i < 2; i++) {
      checks = 0;
      await verifyComposite({ primary: { tee: "tdx", evidence }, runtimeData }, trusting);
      counted.push(checks);
    }
    // The quote by its attestation key, and that by the platform's key; everything above is known.
    expect(counted[0]).toBeGreaterThan(2);
    expect(counted[1]).toBe(2);
  });

  it("may be a TD", async () => {
    const intel = await createIntelVendor({ at: AT });
    const platform = await intel.platform();
    const additionalEvidence = encodeAdditionalEvidence([await part(gpu)]);
    const runtimeData = { ...SESSION, additionalEvidence };
    const reportData = await reportDataOf(runtimeData, defaultCrypto);
    const evidence = await platform.quote({ tee: "tdx", reportData });
    const verified = await verifyComposite(
      { primary: { tee: "tdx", evidence }, runtimeData },
      {
        now: AT,
        roots: [intel.root.certificate, nvidia.root.certificate],
        endorsements: await intel.endorsements(platform, "tdx"),
      },
    );
    expect(Object.keys(verified.parts)).toEqual(["cpu0", "gpu0"]);
  });

  it.each<readonly [string, () => Promise<Parameters<typeof verifyComposite>[0]>, string]>([
    [
      "devices that the processor does not bind",
      async () => composite(encodeAdditionalEvidence([await part(gpu)]), ""),
      "REPORT_DATA_MISMATCH",
    ],
    [
      "devices left out that the processor binds",
      async () => composite("", encodeAdditionalEvidence([await part(gpu)])),
      "REPORT_DATA_MISMATCH",
    ],
    [
      "a device that answers another challenge",
      async () => composite(encodeAdditionalEvidence([await part(gpu, new Uint8Array(32))])),
      "REPORT_DATA_MISMATCH",
    ],
    [
      "the same device twice",
      async () => composite(encodeAdditionalEvidence([await part(gpu), await part(gpu)])),
      "DUPLICATE_DEVICE",
    ],
    [
      "a processor among the devices",
      async () => {
        const evidence = await cpu(await deviceReportDataOf(SESSION, defaultCrypto));
        return composite(encodeAdditionalEvidence([{ tee: "sample", evidence }]));
      },
      "INVALID_COMPOSITE",
    ],
    [
      "a device where the processor belongs",
      async () => {
        const runtimeData = { ...SESSION, additionalEvidence: "" };
        const nonce = (await reportDataOf(runtimeData, defaultCrypto)).subarray(0, 32);
        return { primary: await part(gpu, nonce), runtimeData };
      },
      "INVALID_COMPOSITE",
    ],
    ["a TEE that nobody knows", async () => composite('{"toaster":{}}'), "INVALID_COMPOSITE"],
    ["a list instead of a map", async () => composite("[]"), "INVALID_COMPOSITE"],
    ["no JSON", async () => composite("{"), "INVALID_JSON"],
    ["a TEE named twice", async () => composite('{"nvidia":1,"nvidia":1}'), "INVALID_JSON"],
    ["a device list that is none", async () => composite('{"nvidia":{}}'), "INVALID_ENVELOPE"],
  ])("is refused: %s", async (_name, make, code) => {
    const evidence = await make();
    expect(await codeOfAsync(() => verifyComposite(evidence, options))).toBe(code);
  });

  it("is refused with more parts than one result takes, or more text than is read", async () => {
    const list = Array.from({ length: 24 }, () => ({}));
    const many = JSON.stringify({ nvidia: { device_evidence_list: [...list, {}] } });
    expect(codeOf(() => parseAdditionalEvidence(many))).toBe("INVALID_ENVELOPE");
    const long = `"${"x".repeat(9 * 1024 * 1024)}"`;
    expect(codeOf(() => parseAdditionalEvidence(long))).toBe("INVALID_COMPOSITE");
  });
});

describe("bindings", () => {
  it("a device binds nonce and key alone, cut to its width", async () => {
    const bytes = canonicalJsonBytes({ nonce: SESSION.nonce, "tee-pubkey": SESSION.teePubkey });
    const digest = toHex(await defaultCrypto.digest("SHA-384", bytes));
    expect(toHex(await deviceReportDataOf(SESSION, defaultCrypto, 32))).toBe(digest.slice(0, 64));
    expect(toHex(await deviceReportDataOf(SESSION, defaultCrypto))).toBe(digest.padEnd(128, "0"));
    const long = await defaultCrypto.digest("SHA-512", bytes);
    expect(toHex(await deviceReportDataOf(SESSION, defaultCrypto, 64, "SHA-512"))).toBe(toHex(long));
  });

  it("Secure Execution is asked for SHA-512", async () => {
    const data = { ...SESSION, additionalEvidence: "" };
    const text =
      '{"additional-evidence":"","nonce":"c2Vzc2lvbg==","tee-pubkey":{"crv":"P-256","kty":"EC","x":"a","y":"b"}}';
    const expected = toHex(await defaultCrypto.digest("SHA-512", fromUtf8(text)));
    expect(toHex(await reportDataOf(data, defaultCrypto, schemeOf("se").runtimeDataHash))).toBe(expected);
  });

  it("names count each kind by itself", () => {
    expect(partNamesOf([{}, { kind: "gpu" }, { kind: "cpu" }, { kind: "gpu" }])).toEqual([
      "cpu0",
      "gpu0",
      "cpu1",
      "gpu1",
    ]);
  });

  it("one TEE twice must come as lists", async () => {
    const evidence = await cpu(new Uint8Array(64));
    const twice = [1, 2].map(() => ({ tee: "sample" as const, evidence }));
    expect(codeOf(() => encodeAdditionalEvidence(twice))).toBe("INVALID_COMPOSITE");
    expect(encodeAdditionalEvidence([])).toBe("");
  });
});
