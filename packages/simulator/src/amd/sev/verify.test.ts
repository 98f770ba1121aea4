// SPDX-License-Identifier: Apache-2.0
// The SEV verifier against the simulated AMD: what is healthy verifies, and each check refuses what it is for.

import { type Bytes, concat, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import {
  assertVerified,
  createCache,
  detectTee,
  type VerifiedEvidence,
  type VerifyOptions,
  verifyEvidence,
} from "@adyton/evidence";
import { type Endorsements, mergeEndorsements } from "@adyton/evidence/endorsements";
import {
  encodeSevEvidence,
  parseSevEvidence,
  parseSevPlatformCertificate,
  SEV_REPORT_SIZE,
  sevSpkiOf,
  verifySev,
} from "@adyton/evidence/sev";
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import type { SevMachine, SevMachineOptions, SevReportOptions } from "./machine.ts";
import { createSevVendor, type SevVendor, sevBag } from "./vendor.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const vendor = await createSevVendor({ rsaBits: 2048 });
const machine = await vendor.machine();
const strangerEc = await defaultCrypto.generateKey({ name: "EC", curve: "P-384" });
const strangerRsa = await defaultCrypto.generateKey({ name: "RSA", bits: 2048 });

let large: Promise<SevVendor> | undefined;
/** With CAs of 4096 bits; making such keys takes seconds, so they are made once. */
function largeVendor(): Promise<SevVendor> {
  large ??= createSevVendor();
  return large;
}

interface Case {
  readonly vendor?: SevVendor;
  readonly machine?: SevMachine;
  readonly report?: SevReportOptions;
  readonly endorsements?: Endorsements;
  readonly options?: Partial<VerifyOptions>;
}

/** A case differs from health: everything at hand, the root named. */
async function verify(change: Case = {}): Promise<VerifiedEvidence> {
  const { vendor: from = vendor, machine: on = machine } = change;
  return verifyEvidence(await on.report(change.report), {
    now: AT,
    endorsements: change.endorsements ?? from.endorsements(on),
    anchors: from.anchors,
    ...change.options,
  });
}

async function refusal(change: Case): Promise<readonly [code: string, category: string]> {
  try {
    await verify(change);
    return ["", ""];
  } catch (error) {
    if (error instanceof AdytonError) return [error.code, error.category];
    throw error;
  }
}

describe("what is healthy verifies", () => {
  it("a report whose PEK, CEK and OCA came along", async () => {
    const mnonce = defaultCrypto.randomBytes(16);
    const evidence = await machine.evidence({ mnonce });
    expect(detectTee(evidence)).toBe("sev");
    const { report, certificates } = parseSevEvidence(evidence);
    expect(encodeSevEvidence(report, certificates)).toEqual(evidence);
    const verified = await verifySev(evidence, {
      now: AT,
      endorsements: vendor.endorsements(),
      anchors: vendor.anchors,
      reportData: mnonce,
    });
    assertVerified(verified);
    expect(verified).toMatchObject({ tee: "sev", debug: false, initDataField: null });
    expect(verified.reportData).toEqual(mnonce);
    expect(verified.trust).toEqual({
      root: `SEV root, key id ${toHex(new TextEncoder().encode("Adyton Simulator"))}`,
      rootSha256: toHex(await defaultCrypto.digest("SHA-256", vendor.ark.certificate)),
      simulated: true,
    });
    expect(verified.warnings.map(({ code }) => code)).toEqual([
      "SIMULATED",
      "REVOCATION_UNCHECKED",
      "NO_REPORT_DATA",
    ]);
    expect(verified.endorsements).toMatchObject({ revocation: "unchecked", earliestExpiry: null });
    const cek = sevSpkiOf(parseSevPlatformCertificate(machine.cek.certificate));
    const chip = toHex(await defaultCrypto.digest("SHA-256", cek));
    expect(verified.device).toBe(chip);
    expect(verified.claims).toMatchObject({
      launch_digest: "3d".repeat(32),
      policy: { nodbg: true, noks: true, es: true, nosend: true, domain: false },
      mnonce: toHex(mnonce),
      platform: {
        ark_key_id: toHex(vendor.ark.keyId),
        ask_key_id: toHex(vendor.ask.keyId),
        cek_spki_sha256: chip,
        pek_api_major: 1,
        pek_api_minor: 55,
      },
    });
    expect(verified.claims).not.toHaveProperty("platform.generation");
    expect(verified.explanation.at(-1)).toBe("The nonce is the expected one.");
  });

  it.each<[string, SevMachineOptions]>([
    ["P-256 keys", { curve: "P-256" }],
    ["keys that sign with SHA-384", { hash: "SHA384" }],
  ])("%s", async (_, options) => {
    await verify({ machine: await vendor.machine(options) });
  });

  it("CAs of 4096 bits", async () => {
    const large = await largeVendor();
    const on = await large.machine();
    await verify({ vendor: large, machine: on });
    // Their slot says SHA-384: a hash that the key is not used with is no signature of it.
    const cek = { signers: [{ usage: "ASK", algorithm: "RSA-SHA256", key: large.ask.key }] } as const;
    const wrong = await large.machine({ cek });
    expect(await refusal({ vendor: large, machine: wrong })).toEqual([
      "CERTIFICATE_SIGNATURE",
      "not-authentic",
    ]);
  }, 60_000);

  it("each report of a fleet under its own keys, also from the cache", async () => {
    const fleet = [machine, await vendor.machine(), await vendor.machine()];
    const endorsements = vendor.endorsements(...fleet);
    const cache = createCache();
    const devices = new Set<string | undefined>();
    for (let round = 0; round < 2; round++) {
      for (const on of fleet)
        devices.add((await verify({ machine: on, endorsements, options: { cache } })).device);
    }
    expect(devices.size).toBe(3);
    // What was verified under a named root stays so only where it is named.
    const unnamed = { endorsements, options: { cache, anchors: sevBag() } };
    expect(await refusal(unnamed)).toEqual(["ROOT_NOT_TRUSTED", "not-authentic"]);
  });

  it("the CEK as the platform exports it, when AMD's copy with the signature is there too", async () => {
    const fields = { key: machine.cek.key, apiMinor: 14, signers: [] };
    const exported = (await vendor.machine({ cek: fields })).cek.certificate;
    const { pek, oca, cek } = machine;
    const bag = vendor.endorsements(exported, pek.certificate, oca.certificate);
    expect(await refusal({ endorsements: bag })).toEqual(["CERTIFICATE_SIGNATURE", "not-authentic"]);
    await verify({ endorsements: mergeEndorsements(bag, sevBag(cek.certificate)) });
  });

  it.each<[string, number, boolean, readonly string[]]>([
    ["a guest that may be debugged", 0x0e, true, []],
    ["SEV without ES", 0x0b, false, ["SEV_WITHOUT_ES"]],
    ["unknown policy bits", 0x8000000f, false, []],
    ["reserved policy bits", 0x0000804f, false, ["UNKNOWN_POLICY_BITS"]],
  ])("%s, with what there is to say of it", async (_, policy, debug, codes) => {
    const verified = await verify({ report: { policy } });
    expect(verified.debug).toBe(debug);
    expect(verified.warnings.slice(3).map(({ code }) => code)).toEqual(codes);
  });
});

describe("what is not authentic is refused", () => {
  it.each<[string, SevReportOptions]>([
    ["another key's report", { key: strangerEc }],
    ["the OCA's report", { key: machine.oca.key }],
    ["a report with a hash that the PEK is not for", { algorithm: "ECDSA-SHA384" }],
  ])("%s", async (_, report) => {
    expect(await refusal({ report })).toEqual(["INVALID_REPORT_SIGNATURE", "not-authentic"]);
  });

  it("a report with any byte changed", async () => {
    const evidence = await machine.report();
    expect(evidence).toHaveLength(SEV_REPORT_SIZE);
    for (let at = 0; at < evidence.length; at++) {
      const changed = Uint8Array.from(evidence);
      changed[at] = (changed[at] ?? 0) ^ 0x81;
      const options = { now: AT, endorsements: vendor.endorsements(machine), anchors: vendor.anchors };
      const expected =
        at < 52 || at >= 64
          ? "INVALID_REPORT_SIGNATURE"
          : at < 60
            ? "UNSUPPORTED_REPORT_FORMAT"
            : "RESERVED_NOT_ZERO";
      expect(await codeOfAsync(() => verifySev(changed, options))).toBe(expected);
    }
  });

  it("a signature longer than its curve's numbers", async () => {
    const evidence = await machine.report();
    evidence[64 + 48] = 1;
    const options = { now: AT, endorsements: vendor.endorsements(machine), anchors: vendor.anchors };
    expect(await codeOfAsync(() => verifySev(evidence, options))).toBe("INVALID_REPORT_SIGNATURE");
  });

  it("another nonce than the expected one", async () => {
    const [mnonce, other] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
    await verify({ report: { mnonce }, options: { reportData: mnonce } });
    for (const reportData of [other, concat(mnonce, Uint8Array.of(0))]) {
      const found = await refusal({ report: { mnonce }, options: { reportData } });
      expect(found).toEqual(["REPORT_DATA_MISMATCH", "not-authentic"]);
    }
  });

  it("a root that is not named, or only a CA below it", async () => {
    for (const anchors of [sevBag(), sevBag(vendor.ask.certificate)]) {
      expect(await refusal({ options: { anchors } })).toEqual(["ROOT_NOT_TRUSTED", "not-authentic"]);
    }
  });

  it("when revocation is demanded: there is no list", async () => {
    expect(await refusal({ options: { requireRevocation: true } })).toEqual(["CRL_MISSING", "endorsements"]);
  });

  const signer = (usage: "ASK" | "CEK" | "OCA" | "PEK", key = strangerEc) =>
    ({ usage, algorithm: "ECDSA-SHA256", key }) as const;
  const { oca, cek } = machine;
  const own = { oca: { key: oca.key }, cek: { key: cek.key } };
  it.each<[string, SevMachineOptions]>([
    [
      "a PEK that its CEK did not sign",
      { ...own, pek: { signers: [signer("OCA", oca.key), signer("CEK")] } },
    ],
    [
      "a PEK that its OCA did not sign",
      { ...own, pek: { signers: [signer("OCA"), signer("CEK", cek.key)] } },
    ],
    ["a PEK without its OCA's signature", { ...own, pek: { signers: [signer("CEK", cek.key)] } }],
    ["a PEK without its CEK's signature", { ...own, pek: { signers: [signer("OCA", oca.key)] } }],
    [
      "a PEK whose CEK signed with a hash it is not for",
      {
        ...own,
        pek: { signers: [signer("OCA", oca.key), { ...signer("CEK", cek.key), algorithm: "ECDSA-SHA384" }] },
      },
    ],
    ["an OCA that did not sign itself", { oca: { signers: [signer("OCA")] } }],
    ["an OCA without signature", { oca: { signers: [] } }],
    [
      "a CEK that AMD did not sign",
      { cek: { signers: [{ ...signer("ASK", strangerRsa), algorithm: "RSA-SHA256" }] } },
    ],
    ["a CEK whose signature is by ECDSA", { cek: { signers: [signer("ASK")] } }],
    ["a CEK without signature", { cek: { signers: [] } }],
  ])("%s", async (_, options) => {
    const on = await vendor.machine(options);
    expect(await refusal({ machine: on })).toEqual(["CERTIFICATE_SIGNATURE", "not-authentic"]);
  });

  it.each<[string, Parameters<SevVendor["recertify"]>[0]]>([
    ["an ASK that the ARK did not sign", { ask: { signer: strangerRsa } }],
    ["an ASK that names another signer", { ask: { certifyingId: new Uint8Array(16) } }],
    ["an ARK that did not sign itself", { ark: { signer: strangerRsa } }],
    ["an ARK that names another signer", { ark: { certifyingId: new Uint8Array(16) } }],
  ])("%s", async (_, options) => {
    const other = await vendor.recertify(options);
    expect(await refusal({ vendor: other })).toEqual(["CERTIFICATE_SIGNATURE", "not-authentic"]);
  });

  it("a CA of another size than its signer's", async () => {
    const large = await largeVendor();
    const bag = sevBag(large.ark.certificate, vendor.ask.certificate, ...machine.certificates);
    const found = await refusal({ endorsements: bag, options: { anchors: large.anchors } });
    expect(found).toEqual(["CERTIFICATE_SIGNATURE", "not-authentic"]);
  }, 60_000);

  it("a key that is no point of its curve", async () => {
    const changed: Bytes = Uint8Array.from(machine.pek.certificate);
    changed[0x14] = (changed[0x14] ?? 0) ^ 1;
    const bag = vendor.endorsements(changed, oca.certificate, cek.certificate);
    expect(await refusal({ endorsements: bag })).toEqual(["INVALID_KEY", "malformed"]);
  });
});
