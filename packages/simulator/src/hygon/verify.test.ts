// SPDX-License-Identifier: Apache-2.0
// The CSV verifier against the simulated Hygon, check by check.

import { concat, fromUtf8, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { parseJson } from "@adyton/core/json";
import { hmacSm3, sm3 } from "@adyton/core/sm";
import { assertVerified, createCache, detectTee, schemeOf, verifyEvidence } from "@adyton/evidence";
import {
  CSV_USAGE,
  csvMacPartOf,
  EMPTY_SLOT,
  encodeCsvPolicy,
  encodeCsvReport,
  parseCsvReport,
} from "@adyton/evidence/csv";
import { mergeEndorsements, NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { parseEventLog, replay } from "@adyton/evidence/eventlog";
import { codeOf, codeOfAsync, fixtureBytes, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AT, type Case, createHygonScene } from "../../test/hygon-scene.ts";
import { csvPage } from "./platform.ts";
import { createHygonVendor, hygonBag } from "./vendor.ts";

const scene = createHygonScene();
const { vendor, platform } = scene;
const stranger = createHygonVendor();
const strange = stranger.platform();
const csv = schemeOf("csv");
const MISSING = ["HSK_CEK_MISSING", "endorsements"];
const SIGNATURE = ["CERTIFICATE_SIGNATURE", "not-authentic"];
/** Chromium checks a sample of what Node checks byte by byte. */
const STRIDE = defaultCrypto.name === "node" ? 1 : 13;

describe("what is healthy verifies", () => {
  it.each([1, 2] as const)("version %i, in every form", async (version) => {
    const report = platform.report({ version, reportData: new Uint8Array(64).fill(5) });
    expect(detectTee(report)).toBe("csv");
    expect(toHex(encodeCsvReport(parseCsvReport(report)))).toBe(toHex(report));
    const endorsements = vendor.endorsements(platform.cek);
    const json = fromUtf8(JSON.stringify(csv.toKbs({ evidence: report, endorsements })));
    const withChain = platform.reportWithChain({ version, reportData: new Uint8Array(64).fill(5) });
    for (const evidence of [report, csvPage(report), json, withChain]) {
      const verified = await scene.verify({ evidence: () => evidence });
      assertVerified(verified);
      expect(verified.trust).toMatchObject({ simulated: true });
      expect(verified.trust.root).toContain("Adyton Simulator HRK");
      expect(verified.debug).toBe(false);
      expect(verified.claims).toMatchObject({
        version: `${version}`,
        report_data: "05".repeat(64),
        measure: "3d".repeat(32),
        serial_number: platform.serialNumber,
      });
      expect(verified.warnings.map(({ code }) => code)).toEqual(["SIMULATED", "REVOCATION_UNCHECKED"]);
    }
  });

  it("version 2 shows build and registers", async () => {
    const rtmrs = [0x3d, 1, 2, 3, 4].map((fill) => new Uint8Array(32).fill(fill));
    const verified = await scene.verify({ report: { version: 2, build: 2400, rtmrs } });
    expect(verified.claims).toMatchObject({
      build: 2400,
      rtmr_version: 1,
      rtmr0: "3d".repeat(32),
      rtmr4: "04".repeat(32),
    });
    expect(verified.tcb.components).toEqual({ firmware: { svn: { build: 2400 } } });
    expect(verified.registers).toEqual(
      [1, 2, 3, 4].map((index) => ({
        name: `rtmr${index}`,
        kind: "rtmr",
        index,
        hash: "SM3",
        value: new Uint8Array(32).fill(index),
      })),
    );
  });

  it("names the chip by its CEK: one for two PEKs, another for another chip", async () => {
    const again = vendor.platform({ cek: { key: platform.cek.key } });
    const devices = [platform, again, vendor.platform()].map(async (each) => {
      const { device } = await scene.verify({ platform: each });
      return device;
    });
    const [first, second, third] = await Promise.all(devices);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it("whichever CEK and HSK of the bag are its own", async () => {
    const others = [vendor.platform(), vendor.platform(), strange].map(({ cek }) => cek);
    const bag = hygonBag(stranger.hsk, ...others, platform.cek, vendor.hsk, vendor.hrk, platform.pdh);
    await scene.verify({ endorsements: bag });
  });

  it("under a CEK that does not name its HSK", async () => {
    await scene.verify({ platform: vendor.platform({ cek: { signingKeyId: new Uint8Array(16) } }) });
  });

  it("with the owner's certificate at hand, which is checked", async () => {
    const known = await scene.verify({ endorsements: vendor.endorsements(platform.cek, platform.oca) });
    expect(known.explanation).toContain("The owner's authority (OCA) signed the PEK, too.");
    expect(known.endorsements.items.map(({ subject }) => subject)).toContain("OCA");
    const other = await scene.verify({ endorsements: vendor.endorsements(platform.cek, strange.oca) });
    expect(other.warnings.map(({ code }) => code)).toContain("OWNER_UNKNOWN");
    // An OCA that did not sign itself is none.
    const machine = vendor.platform({
      oca: { issuers: [{ usage: CSV_USAGE.OCA, signer: strange.oca }] },
    });
    const forged = await scene.verify({
      platform: machine,
      endorsements: vendor.endorsements(machine.cek, machine.oca),
    });
    expect(forged.warnings.map(({ code }) => code)).toContain("OWNER_UNKNOWN");
  });

  it("the same from a cache, which forgets nothing that matters", async () => {
    const cache = createCache();
    const report = platform.report();
    const evidence = (): Uint8Array => report;
    const cold = await scene.verify({ evidence, options: { cache } });
    expect(await scene.verify({ evidence, options: { cache } })).toEqual(cold);
    const anchors = stranger.anchors;
    expect(await scene.refusal({ evidence, options: { cache, anchors } })).toEqual([
      "NO_TRUST_ANCHOR",
      "endorsements",
    ]);
    expect(await scene.refusal({ evidence, endorsements: NO_ENDORSEMENTS, options: { cache } })).toEqual(
      MISSING,
    );
  });

  it("a policy that allows debugging is reported, not refused", async () => {
    const verified = await scene.verify({ report: { policy: encodeCsvPolicy({ es: 1 }) } });
    expect(verified.debug).toBe(true);
    expect(verified.claims.policy).toMatchObject({ nodbg: 0, es: 1 });
  });

  it("a guest with a session, whose key's digest is under the mask", async () => {
    await scene.verify({ report: { userPubkeyDigest: sm3(fromUtf8("a key")) } });
  });
});

describe.skipIf(!hasFixtures)("a real event log in SM3 (Trustee's CCEL_data_csv)", () => {
  it("explains the registers that it makes, and no others", async () => {
    const eventLog = await fixtureBytes("csv/trustee/CCEL_data_csv");
    const { events } = parseEventLog(eventLog);
    const zeros = new Uint8Array(32);
    const value = async (index: number): Promise<Uint8Array> =>
      (await replay(index, "SM3", zeros, events, defaultCrypto)) ?? zeros;
    const rtmrs = [zeros, await value(1), await value(2), await value(3), zeros];
    const verified = await scene.verify({ report: { version: 2, rtmrs }, options: { eventLog } });
    expect(verified.claims.uefi_event_logs).toHaveLength(82);
    for (const index of [1, 2, 3]) {
      const others = rtmrs.map((rtmr, i) => (i === index ? zeros : rtmr));
      expect(await scene.refusal({ report: { version: 2, rtmrs: others }, options: { eventLog } })).toEqual([
        "EVENT_LOG_MISMATCH",
        "not-authentic",
      ]);
    }
    expect(await scene.refusal({ options: { eventLog } })).toEqual(["EVENT_LOG_UNBOUND", "not-authentic"]);
  });
});

describe("findings are warnings", () => {
  it.each<readonly [string, NonNullable<Case["report"]>]>([
    ["SIGNER_MAC_UNCHECKED", { opened: true }],
    ["SIGNER_MAC_UNCHECKED", { opened: true, version: 2 }],
    ["UNKNOWN_REPORT_FIELDS", { version: 2, reserved0: new Uint8Array(14).fill(1) }],
    ["UNKNOWN_REPORT_FIELDS", { version: 2, reserved1: new Uint8Array(656).fill(1) }],
  ])("%s %j", async (code, report) => {
    const { warnings } = await scene.verify({ report });
    expect(warnings.map((warning) => warning.code)).toContain(code);
  });
});

describe("what must be refused", () => {
  /** Sets bytes of the finished evidence. */
  const set =
    (offset: number, ...values: number[]): Required<Case>["evidence"] =>
    (bytes) => {
      bytes.set(values, offset);
      return bytes;
    };
  const pekBy = (usage: number, signer: typeof strange.cek) => ({
    platform: vendor.platform({ pek: { issuers: [{ usage, signer }] } }),
  });
  const cekBy = (usage: number, signer: typeof stranger.hsk) => ({
    platform: vendor.platform({ cek: { issuers: [{ usage, signer }] } }),
  });
  const hskBy = (hsk: NonNullable<Parameters<typeof createHygonVendor>[0]>["hsk"]): Case => {
    const other = createHygonVendor({
      hrk: { key: vendor.hrk.key, keyId: vendor.hrk.certificate.keyId },
      ...(hsk && { hsk }),
    });
    return { vendor: other, options: { anchors: vendor.anchors } };
  };
  const slotless = vendor.platform({ pek: { slots: [EMPTY_SLOT, EMPTY_SLOT] } });
  const mislabelled = vendor.platform();

  it.each<readonly [string, Case, readonly string[]]>([
    [
      "signed by another PEK",
      { report: { key: strange.pek } },
      ["INVALID_REPORT_SIGNATURE", "not-authentic"],
    ],
    ["signed by the CEK", { report: { key: platform.cek } }, ["INVALID_REPORT_SIGNATURE", "not-authentic"]],
    [
      "signed by the PEK under another user id",
      { report: { key: { ...platform.pek, userId: fromUtf8("1234567812345678") } } },
      ["INVALID_REPORT_SIGNATURE", "not-authentic"],
    ],
    [
      "version 2 signed by another PEK",
      { report: { version: 2, key: strange.pek } },
      ["INVALID_REPORT_SIGNATURE", "not-authentic"],
    ],
    ["no endorsements", { endorsements: NO_ENDORSEMENTS }, MISSING],
    ["no HSK", { endorsements: hygonBag(platform.cek) }, MISSING],
    ["no CEK", { endorsements: hygonBag(vendor.hsk) }, MISSING],
    ["another vendor's HSK", { endorsements: hygonBag(stranger.hsk, platform.cek) }, MISSING],
    ["another machine's CEK", { endorsements: vendor.endorsements(vendor.platform().cek) }, SIGNATURE],
    [
      "another machine's CEKs",
      { endorsements: vendor.endorsements(strange.cek, vendor.platform().cek) },
      SIGNATURE,
    ],
    ["PEK signed by another machine's CEK", pekBy(CSV_USAGE.CEK, strange.cek), SIGNATURE],
    ["PEK signed by the owner alone", pekBy(CSV_USAGE.OCA, platform.oca), SIGNATURE],
    ["PEK that nobody signed", { platform: slotless }, SIGNATURE],
    ["CEK signed by another vendor's HSK", cekBy(CSV_USAGE.HSK, stranger.hsk), SIGNATURE],
    ["CEK signed by the HRK", cekBy(CSV_USAGE.HSK, vendor.hrk), SIGNATURE],
    ["CEK signed by the HSK, in a slot for others", cekBy(CSV_USAGE.OCA, vendor.hsk), SIGNATURE],
    ["HSK signed by another HRK", hskBy({ issuer: stranger.hrk }), SIGNATURE],
    [
      "HSK signed by the HRK under another user id",
      hskBy({ issuer: { ...vendor.hrk, userId: fromUtf8("HRK") } }),
      SIGNATURE,
    ],
    ["HRK in the place of the HSK", hskBy({ role: "HRK" }), MISSING],
    ["no root named", { options: { anchors: NO_ENDORSEMENTS } }, ["NO_TRUST_ANCHOR", "endorsements"]],
    ["another root named", { options: { anchors: stranger.anchors } }, ["NO_TRUST_ANCHOR", "endorsements"]],
    [
      "root at hand, not named",
      {
        options: { anchors: NO_ENDORSEMENTS },
        endorsements: mergeEndorsements(vendor.endorsements(platform.cek), vendor.anchors),
      },
      ["ROOT_NOT_TRUSTED", "not-authentic"],
    ],
    [
      "HSK named as root",
      { options: { anchors: vendor.endorsements() } },
      ["NO_TRUST_ANCHOR", "endorsements"],
    ],
    [
      "named root that did not sign itself",
      { vendor: createHygonVendor({ hrk: { issuer: stranger.hrk } }) },
      SIGNATURE,
    ],
    [
      "MAC of another signer",
      { report: { signer: { mac: new Uint8Array(32) } } },
      ["SIGNER_MAC_MISMATCH", "not-authentic"],
    ],
    [
      "version 2, MAC of another signer",
      { report: { version: 2, signer: { mac: new Uint8Array(32) } } },
      ["SIGNER_MAC_MISMATCH", "not-authentic"],
    ],
    [
      "a mask over zeros where the session's key should be",
      { report: { userPubkeyDigest: Uint8Array.from({ length: 32 }, (_, i) => [1, 2, 3, 4][i % 4] ?? 0) } },
      ["ANONCE_MISMATCH", "not-authentic"],
    ],
    ["revocation required", { options: { requireRevocation: true } }, ["CRL_MISSING", "endorsements"]],
    [
      "other report data",
      { options: { reportData: Uint8Array.of(1) } },
      ["REPORT_DATA_MISMATCH", "not-authentic"],
    ],
    ["a time that is no date", { options: { now: new Date(Number.NaN) } }, ["INVALID_TIME", "misuse"]],
    [
      "version 2, r above 256 bits",
      { report: { version: 2 }, evidence: set(0x400 + 40, 1) },
      ["RESERVED_NOT_ZERO", "malformed"],
    ],
    [
      "a page whose padding is not zero",
      { evidence: (bytes) => set(4095, 1)(csvPage(bytes)) },
      ["RESERVED_NOT_ZERO", "malformed"],
    ],
    [
      "a serial number that is no text",
      { report: { signer: { serialNumber: new Uint8Array(64).fill(0x20) } } },
      ["UNSUPPORTED_REPORT_FORMAT", "malformed"],
    ],
    ["a CEK that is a PDH", { endorsements: vendor.endorsements(mislabelled.pdh) }, MISSING],
  ])("%s", async (_name, change, refusal) => {
    expect(await scene.refusal(change)).toEqual(refusal);
  });

  it("a key id of Hygon's does not make a root Hygon's", async () => {
    const keyId = Uint8Array.from("3ae86a9701355cce333a589de21583d7".match(/../g) ?? [], (pair) =>
      Number.parseInt(pair, 16),
    );
    const impostor = createHygonVendor({
      hrk: { keyId, signingKeyId: keyId, userId: fromUtf8("HYGON-SSD-HRK") },
    });
    expect(await scene.refusal({ vendor: impostor })).toEqual(SIGNATURE);
  });

  it("version 1 under another mask, with everything else adjusted to it", async () => {
    // What is signed are the hidden bytes: the mask can be replaced, and the MAC's key is in the report.
    const genuine = parseCsvReport(platform.report());
    if (genuine.version !== 1) throw new Error("expected version 1");
    const flip = Uint8Array.of(1, 0, 0, 0);
    const shift = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => byte ^ (flip[i % 4] ?? 0));
    const shifted = {
      ...genuine,
      anonce: shift(genuine.anonce),
      userPubkeyDigest: shift(genuine.userPubkeyDigest),
      vmId: shift(genuine.vmId),
      vmVersion: shift(genuine.vmVersion),
      reportData: shift(genuine.reportData),
      mnonce: shift(genuine.mnonce),
      measure: shift(genuine.measure),
      policy: genuine.policy ^ 1,
    };
    const mac = hmacSm3(shifted.mnonce, csvMacPartOf(shifted));
    const forged = encodeCsvReport({ ...shifted, signer: { ...genuine.signer, mac } });
    expect(toHex(parseCsvReport(forged).signedPart)).toBe(toHex(genuine.signedPart));
    expect(await scene.refusal({ evidence: () => forged })).toEqual(["ANONCE_MISMATCH", "not-authentic"]);
  });

  it.each([1, 2] as const)("version %i with a bit flipped in any byte", async (version) => {
    const bytes = platform.report({ version });
    const options = {
      now: AT,
      anchors: vendor.anchors,
      endorsements: vendor.endorsements(platform.cek),
      cache: createCache(),
    };
    const verify = (): Promise<unknown> => verifyEvidence(bytes, { ...options, tee: "csv" });
    await verify();
    const passed: number[] = [];
    for (let offset = 0; offset < bytes.length; offset += STRIDE) {
      const bit = 1 << (offset % 8);
      bytes[offset] = (bytes[offset] ?? 0) ^ bit;
      if ((await codeOfAsync(verify)) === "nothing") passed.push(offset);
      bytes[offset] = (bytes[offset] ?? 0) ^ bit;
    }
    expect(passed).toEqual([]);
  });
});

describe("the Confidential Containers form", () => {
  it("comes back member for member, with chain and event log", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2),
        fc.boolean(),
        fc.boolean(),
        fc.option(fc.uint8Array({ minLength: 1 })),
        (version, chain, opened, log) => {
          const evidence = platform.report({ version: version as 1 | 2, opened });
          const endorsements = chain ? vendor.endorsements(strange.cek, platform.cek) : NO_ENDORSEMENTS;
          const value = csv.toKbs({ evidence, endorsements, ...(log === null ? {} : { eventLog: log }) });
          const back = csv.fromKbs(parseJson(JSON.stringify(value)));
          expect(toHex(back.evidence)).toBe(toHex(csvPage(evidence)));
          expect(back.eventLog).toEqual(log ?? undefined);
          const own = hygonBag(vendor.hsk, platform.cek).vendorCertificates;
          expect(back.endorsements?.vendorCertificates).toEqual(chain ? own : undefined);
          expect(csv.toKbs(back)).toEqual(value);
        },
      ),
      { numRuns: 10 },
    );
  });

  it("takes the chain along that came with the evidence", () => {
    const value = csv.toKbs({ evidence: platform.reportWithChain() });
    expect(csv.fromKbs(value).endorsements).toEqual(hygonBag(vendor.hsk, platform.cek));
  });

  it("refuses a PEK beside the report that is another", () => {
    const value = JSON.parse(JSON.stringify(csv.toKbs({ evidence: platform.report() })));
    const other = JSON.parse(JSON.stringify(csv.toKbs({ evidence: strange.report() })));
    expect(codeOf(() => csv.fromKbs({ ...value, cert_chain: other.cert_chain }))).toBe("INVALID_ENVELOPE");
    expect(codeOf(() => csv.fromKbs({ ...value, serial_number: other.serial_number }))).toBe(
      "SERIAL_NUMBER_MISMATCH",
    );
  });

  it("is found out when HSK and CEK in it are broken", async () => {
    const value = JSON.parse(JSON.stringify(csv.toKbs({ evidence: platform.reportWithChain() })));
    value.cert_chain.hsk_cek.cek.body.ver = 7;
    const evidence = fromUtf8(JSON.stringify(value));
    expect(await scene.refusal({ evidence: () => evidence })).toEqual([
      "INVALID_CSV_CERTIFICATE",
      "malformed",
    ]);
  });

  it("is not confused by what follows", async () => {
    const json = fromUtf8(JSON.stringify(csv.toKbs({ evidence: platform.report() })));
    expect(await scene.refusal({ evidence: () => concat(json, fromUtf8("{}")) })).toEqual([
      "INVALID_JSON",
      "malformed",
    ]);
  });
});
