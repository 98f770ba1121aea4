// SPDX-License-Identifier: Apache-2.0
// Real reports of real machines (provenance: the README beside the fixtures), whole and broken.
// Faults that only a key holder can make are in the simulator's tests.

import { concat, fromHex, toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import type { Certificate } from "@adyton/core/x509";
import { fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCache } from "../cache.ts";
import { type Endorsements, mergeEndorsements, readEndorsement } from "../endorsements.ts";
import { verifyEvidence } from "../registry.ts";
import type { VerifiedEvidence } from "../verified.ts";
import { parseEndorsementKey } from "./endorsements.ts";
import { encodeReport, parseReport, REPORT_SIZE, SIGNED_SIZE } from "./evidence.ts";
import { encodeCertificateTable } from "./table.ts";
import { verifySnp } from "./verify.ts";

const DIR = "sev-snp";
const MILAN = "roots/ask_ark_milan.pem";

interface Case {
  readonly name: string;
  readonly report: string;
  readonly endorsements: readonly string[];
  readonly at: string;
  readonly expected: {
    readonly version: number;
    readonly product: string;
    readonly debug: boolean;
    readonly reported: Record<string, number>;
    readonly warnings: readonly string[];
  };
}

const UNCHECKED = "REVOCATION_UNCHECKED";
const CASES: readonly Case[] = [
  {
    name: "Milan, version 2, DEBUG policy (go-sev-guest)",
    report: "go-sev-guest/attestation.bin",
    endorsements: ["go-sev-guest/vcek.testcer", "go-sev-guest/milan.testcer"],
    at: "2025-01-01T00:00:00Z",
    expected: {
      version: 2,
      product: "Milan",
      debug: true,
      reported: { bootloader: 2, tee: 0, snp: 5, microcode: 0x44 },
      warnings: [UNCHECKED],
    },
  },
  {
    name: "Milan, version 2, reported TCB below current (trustee)",
    report: "trustee/test-report.bin",
    endorsements: ["trustee/test-vcek.der", MILAN],
    at: "2026-07-01T00:00:00Z",
    expected: {
      version: 2,
      product: "Milan",
      debug: false,
      reported: { bootloader: 3, tee: 0, snp: 8, microcode: 0x73 },
      warnings: [UNCHECKED, "REPORTED_TCB_BELOW_CURRENT"],
    },
  },
  {
    name: "Milan, version 2, in hex (virtee)",
    report: "virtee-sev/report_milan.hex",
    endorsements: ["virtee-sev/vcek_milan.der", "virtee-sev/cert_chain_milan"],
    at: "2026-07-01T00:00:00Z",
    expected: {
      version: 2,
      product: "Milan",
      debug: false,
      reported: { bootloader: 3, tee: 0, snp: 8, microcode: 0x73 },
      warnings: [UNCHECKED],
    },
  },
  {
    name: "Milan, version 3 (microsoft)",
    report: "microsoft/milan_attestation_report.bin",
    endorsements: ["microsoft/milan_vcek.pem", "microsoft/milan_ask.pem", "microsoft/milan_ark.pem"],
    at: "2026-07-01T00:00:00Z",
    expected: {
      version: 3,
      product: "Milan",
      debug: false,
      reported: { bootloader: 4, tee: 0, snp: 24, microcode: 219 },
      warnings: [UNCHECKED],
    },
  },
  {
    name: "Genoa, version 3 (microsoft)",
    report: "microsoft/genoa_attestation_report.bin",
    endorsements: ["microsoft/genoa_vcek.pem", "microsoft/genoa_ask.pem", "microsoft/genoa_ark.pem"],
    at: "2026-07-01T00:00:00Z",
    expected: {
      version: 3,
      product: "Genoa",
      debug: false,
      reported: { bootloader: 10, tee: 0, snp: 23, microcode: 84 },
      warnings: [UNCHECKED],
    },
  },
];
const [goSevGuest, trustee, , milan, genoa] = CASES as [Case, Case, Case, Case, Case];

async function reportOf(of: Case): Promise<Uint8Array> {
  if (of.report.endsWith(".hex")) return fromHex((await fixtureText(`${DIR}/${of.report}`)).trim());
  return fixtureBytes(`${DIR}/${of.report}`);
}

async function bagOf(...paths: readonly string[]): Promise<Endorsements> {
  const files = paths.map(async (path) =>
    readEndorsement({ name: path, bytes: await fixtureBytes(`${DIR}/${path}`) }),
  );
  return mergeEndorsements(...(await Promise.all(files)));
}

async function certificate(path: string): Promise<Certificate> {
  const [first] = (await bagOf(path)).certificates;
  if (first === undefined) throw new Error(`${path} holds no certificate`);
  return first;
}

/** The code with which `attempt` is refused; "" when it is not. */
async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return "";
  } catch (error) {
    if (error instanceof AdytonError) return error.code;
    throw error;
  }
}

async function verifyCase(of: Case, at = of.at): Promise<VerifiedEvidence> {
  return verifyEvidence(await reportOf(of), {
    now: new Date(at),
    endorsements: await bagOf(...of.endorsements),
  });
}

describe.skipIf(!hasFixtures)("real SNP reports", () => {
  it.each(CASES)("$name verifies", async (of) => {
    const verified = await verifyCase(of);
    expect(verified.tee).toBe("snp");
    expect(verified.trust.root).toContain(`CN=ARK-${of.expected.product}`);
    expect(verified.trust.simulated).toBe(false);
    expect(verified.debug).toBe(of.expected.debug);
    expect(verified.tcb.status).toBeNull();
    expect(verified.tcb.components.reported?.svn).toEqual(of.expected.reported);
    expect(Object.keys(verified.tcb.components)).toEqual(["reported", "current", "committed", "launch"]);
    expect(verified.claims.version).toBe(of.expected.version);
    expect(verified.claims.product).toBe(of.expected.product);
    expect(verified.endorsements.revocation).toBe("unchecked");
    expect(verified.endorsements.items).toHaveLength(3);
    expect(verified.warnings.map((warning) => warning.code)).toEqual(of.expected.warnings);
    expect(verified.reportData).toHaveLength(64);
    expect(verified.initDataField).toHaveLength(32);
  });

  it.each(CASES)("$name parses and encodes to the same bytes", async (of) => {
    const bytes = await reportOf(of);
    expect(toHex(encodeReport(parseReport(bytes)))).toBe(toHex(bytes));
  });

  it("verifies as an extended report with nothing in the bag, and the same from the cache", async () => {
    const bag = await bagOf(...milan.endorsements);
    const [vcek, ask, ark] = bag.certificates.map((c) => c.der) as [Uint8Array, Uint8Array, Uint8Array];
    const table = encodeCertificateTable([
      { kind: "VCEK", data: vcek },
      { guid: "00000000-1111-2222-3333-444444444444", data: Uint8Array.of(1, 2, 3) },
      { kind: "ASK", data: ask },
      { kind: "ARK", data: ark },
    ]);
    const evidence = concat(await reportOf(milan), table, new Uint8Array(4096));
    const options = { now: new Date(milan.at), cache: createCache() };
    const cold = await verifyEvidence(evidence, options);
    const warm = await verifyEvidence(evidence, options);
    expect(warm.explanation).toEqual(cold.explanation);
    expect(warm.endorsements).toEqual(cold.endorsements);
    expect(warm.claims).toEqual(cold.claims);
  });

  it("picks the report's own VCEK from the bag of a fleet", async () => {
    const fleet = await bagOf(
      "trustee/test-vcek-invalid-legacy.der",
      "virtee-sev/vcek_turin.der",
      "virtee-sev/vcek_milan.der",
      "go-sev-guest/vcek.testcer",
      ...trustee.endorsements,
      "roots/ask_ark_genoa.pem",
    );
    const verified = await verifySnp(await reportOf(trustee), {
      now: new Date(trustee.at),
      endorsements: fleet,
    });
    expect(verified.claims.chip_id).toMatch(/^c38427a3/);
  });

  it("takes report data that is the expected one, zero-padded, and no other", async () => {
    const bytes = await reportOf(milan);
    const endorsements = await bagOf(...milan.endorsements);
    const found = parseReport(bytes).reportData;
    const now = new Date(milan.at);
    const verified = await verifySnp(bytes, { now, endorsements, reportData: found });
    expect(verified.explanation.at(-1)).toBe("The report data is the expected one.");
    const other = Uint8Array.from(found);
    other[0] = (other[0] ?? 0) ^ 1;
    expect(await codeOf(verifySnp(bytes, { now, endorsements, reportData: other }))).toBe(
      "REPORT_DATA_MISMATCH",
    );
  });
});

describe.skipIf(!hasFixtures)("real SNP reports that must be refused", () => {
  const MILAN_CHAIN = ["microsoft/milan_ask.pem", "microsoft/milan_ark.pem"];
  const table: readonly (readonly [rule: string, of: () => Case, change: Partial<Case>, code: string])[] = [
    ["VCEK not valid yet", () => milan, { at: "2026-02-05T01:04:32Z" }, "CERTIFICATE_NOT_YET_VALID"],
    ["VCEK expired", () => milan, { at: "2033-02-05T01:04:34Z" }, "CERTIFICATE_EXPIRED"],
    ["no endorsement at all", () => milan, { endorsements: [] }, "VCEK_MISSING"],
    ["no VCEK", () => milan, { endorsements: MILAN_CHAIN }, "VCEK_MISSING"],
    ["no ARK", () => milan, { endorsements: milan.endorsements.slice(0, 2) }, "NO_TRUST_ANCHOR"],
    [
      "no ASK",
      () => milan,
      { endorsements: ["microsoft/milan_vcek.pem", "microsoft/milan_ark.pem"] },
      "ISSUER_NOT_FOUND",
    ],
    [
      "only another product's chain",
      () => milan,
      { endorsements: ["microsoft/milan_vcek.pem", "roots/ask_ark_genoa.pem"] },
      "ISSUER_NOT_FOUND",
    ],
    [
      "only the ASVK's chain",
      () => milan,
      { endorsements: ["microsoft/milan_vcek.pem", "roots/ask_ark_milan_vlek.pem"] },
      "ISSUER_NOT_FOUND",
    ],
    [
      "another chip's VCEK",
      () => trustee,
      { endorsements: ["virtee-sev/vcek_milan.der", MILAN] },
      "VCEK_CHIP_ID_MISMATCH",
    ],
    [
      "a VCEK with a forged hwID, raw",
      () => trustee,
      { endorsements: ["trustee/test-vcek-invalid-legacy.der", MILAN] },
      "CERTIFICATE_SIGNATURE",
    ],
    [
      "a VCEK with a forged hwID, in an OCTET STRING",
      () => trustee,
      { endorsements: ["trustee/test-vcek-invalid-new.der", MILAN] },
      "CERTIFICATE_SIGNATURE",
    ],
    [
      "another generation's VCEK, report version 3",
      () => milan,
      { endorsements: ["microsoft/genoa_vcek.pem", ...MILAN_CHAIN] },
      "PRODUCT_MISMATCH",
    ],
    [
      "Turin's VCEK for a report of version 2 with a chip id of 64 bytes",
      () => trustee,
      { endorsements: ["virtee-sev/vcek_turin.der", "virtee-sev/cert_chain_turin"] },
      "PRODUCT_MISMATCH",
    ],
  ];
  it.each(table)("%s", async (_rule, of, change, code) => {
    expect(await codeOf(verifyCase({ ...of(), ...change }))).toBe(code);
  });

  it.each([
    ["missing", "VCEK_MISSING", []],
    ["expired", "CERTIFICATE_EXPIRED", milan?.endorsements ?? []],
  ])("%s endorsements are of category endorsements", async (_rule, code, endorsements) => {
    await expect(verifyCase({ ...milan, endorsements, at: "2034-01-01T00:00:00Z" })).rejects.toMatchObject({
      code,
      category: "endorsements",
    });
  });

  it("asks for a CRL when revocation must be checked", async () => {
    const options = {
      now: new Date(milan.at),
      endorsements: await bagOf(...milan.endorsements),
      requireRevocation: true,
    };
    await expect(verifySnp(await reportOf(milan), options)).rejects.toMatchObject({
      code: "CRL_MISSING",
      category: "endorsements",
    });
  });

  it("a time that is no date", async () => {
    expect(await codeOf(verifyCase(milan, "soon"))).toBe("INVALID_TIME");
  });

  it.each([
    ["Milan, version 2", () => goSevGuest],
    ["Genoa, version 3", () => genoa],
  ])("a bit flipped in every byte: %s", async (_name, of) => {
    const bytes = Uint8Array.from(await reportOf(of()));
    const options = {
      now: new Date(of().at),
      endorsements: await bagOf(...of().endorsements),
      cache: createCache(),
    };
    await verifySnp(bytes, options);
    const passed: number[] = [];
    for (let offset = 0; offset < REPORT_SIZE; offset++) {
      // Signature checks are what costs: one bit a byte there, the bit moving on with the offset.
      const bit = 1 << (offset % 8);
      bytes[offset] = (bytes[offset] ?? 0) ^ bit;
      if ((await codeOf(verifySnp(bytes, options))) === "") passed.push(offset);
      bytes[offset] = (bytes[offset] ?? 0) ^ bit;
    }
    expect(passed).toEqual([]);
  });

  it("cut anywhere, or with a byte more", async () => {
    const bytes = await reportOf(milan);
    const options = { now: new Date(milan.at), endorsements: await bagOf(...milan.endorsements) };
    const codes = new Set<string>();
    for (let length = 0; length < bytes.length; length++) {
      codes.add(await codeOf(verifySnp(bytes.subarray(0, length), options)));
    }
    expect([...codes]).toEqual(["UNSUPPORTED_REPORT_FORMAT"]);
    expect(await codeOf(verifySnp(concat(bytes, Uint8Array.of(0)), options))).toBe("OUT_OF_BOUNDS");
  });

  it("any bytes written over any part give a typed error", async () => {
    const bytes = await reportOf(milan);
    const options = {
      now: new Date(milan.at),
      endorsements: await bagOf(...milan.endorsements),
      cache: createCache(),
    };
    await fc.assert(
      fc.asyncProperty(
        fc.nat(SIGNED_SIZE - 1),
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        async (offset, patch) => {
          const broken = Uint8Array.from(bytes);
          broken.set(patch.subarray(0, REPORT_SIZE - offset), offset);
          fc.pre(toHex(broken) !== toHex(bytes));
          expect(await codeOf(verifySnp(broken, options))).not.toBe("");
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe.skipIf(!hasFixtures)("real VCEK certificates", () => {
  it.each([
    ["go-sev-guest/vcek.testcer", "Milan-B0", 0, "0200000000000544", 64],
    ["trustee/test-vcek-invalid-legacy.der", "Milan-B0", 0, "0300000000000aa9", 64],
    ["trustee/test-vcek-invalid-new.der", "Milan-B0", 0, "000000000000001e", 64],
    ["microsoft/genoa_vcek.pem", "Genoa", 0, "0a00000000001754", 64],
    ["microsoft/milan_vcek.pem", "Milan-B0", 0, "04000000000018db", 64],
    ["virtee-sev/vcek_turin.der", "Turin", 1, "0000000000000009", 8],
  ])("%s", async (path, productName, structVersion, tcb, hwIdSize) => {
    const key = parseEndorsementKey(await certificate(path));
    expect(key).toMatchObject({ kind: "VCEK", productName, structVersion, cspId: undefined });
    expect(toHex(key.tcb)).toBe(tcb);
    expect(key.hwId).toHaveLength(hwIdSize);
  });

  it.each(["milan_ask.pem", "milan_ark.pem"])("microsoft/%s is none", async (name) => {
    const ca = await certificate(`microsoft/${name}`);
    expect(() => parseEndorsementKey(ca)).toThrow(expect.objectContaining({ code: "INVALID_VCEK" }));
  });
});
