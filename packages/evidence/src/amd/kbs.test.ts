// SPDX-License-Identifier: Apache-2.0
// The protocol's JSON: the form of the `sev` crate's AttestationReport, base64, and what is neither.

import { toBase64, toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { fixtureBytes, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readEndorsement } from "../endorsements.ts";
import { encodeReport, type ReportFields } from "./evidence.ts";
import { snpFromKbs, snpToKbs } from "./kbs.ts";
import { PRODUCTS } from "./products.ts";
import { encodeCertificateTable } from "./table.ts";
import { encodeTcbVersion } from "./tcb.ts";

const TCB = encodeTcbVersion({ fmc: 1, bootloader: 2, tee: 3, snp: 4, microcode: 5 });
const bytes = (length: number, from: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (from + index) & 0xff);
const FIELDS: ReportFields = {
  version: 5,
  guestSvn: 6,
  policy: 0x3001fn,
  familyId: bytes(16, 1),
  imageId: bytes(16, 2),
  vmpl: 1,
  currentTcb: TCB,
  platformInfo: 0x25n,
  keyInfo: { authorKeyEnabled: true, maskChipKey: false, signingKey: 1 },
  reportData: bytes(64, 3),
  measurement: bytes(48, 4),
  hostData: bytes(32, 5),
  idKeyDigest: bytes(48, 6),
  authorKeyDigest: bytes(48, 7),
  reportId: bytes(32, 8),
  reportIdMa: bytes(32, 9),
  reportedTcb: TCB,
  cpuid: { family: 0x1a, model: 2, stepping: 1 },
  chipId: new Uint8Array(64),
  committedTcb: TCB,
  current: { major: 1, minor: 58, build: 3 },
  committed: { major: 1, minor: 57, build: 2 },
  launchTcb: TCB,
  launchMitVector: 7n,
  currentMitVector: 15n,
  signature: bytes(96, 10),
};
const evidence = encodeReport(FIELDS);
const usual = snpToKbs({ evidence }) as { attestation_report: JsonObject; cert_chain: JsonValue };
const struct = usual.attestation_report;

function codeOf(value: JsonValue): string {
  try {
    snpFromKbs(value);
    return "";
  } catch (error) {
    if (error instanceof AdytonError) return error.code;
    throw error;
  }
}

describe("reports as the crate's struct", () => {
  it("has the crate's members", () => {
    expect(struct).toMatchObject({
      version: 5,
      policy: 0x3001f,
      sig_algo: 1,
      plat_info: 0x25,
      key_info: 5,
      current_tcb: { fmc: 1, bootloader: 2, tee: 3, snp: 4, microcode: 5 },
      cpuid_fam_id: 26,
      cpuid_mod_id: 2,
      cpuid_step: 1,
      current: { major: 1, minor: 58, build: 3 },
      launch_mit_vector: 7,
      current_mit_vector: 15,
    });
    const { r, s } = struct.signature as { r: number[]; s: number[] };
    expect([r.length, s.length, r[0], r[47], r[48]]).toEqual([72, 72, 57, 10, 0]);
    expect(usual.cert_chain).toBeNull();
  });

  const versions = [
    ["version 2, Milan", { ...FIELDS, version: 2, cpuid: undefined, chipId: bytes(64, 1) }],
    [
      "version 2, Turin",
      { ...FIELDS, version: 2, cpuid: undefined, chipId: new Uint8Array(64).fill(9, 0, 8) },
    ],
    ["version 3", { ...FIELDS, version: 3 }],
    ["version 4", { ...FIELDS, version: 4 }],
    ["version 5", FIELDS],
    ["requested by the host", { ...FIELDS, vmpl: 0xffffffff }],
  ] as const;
  it.each(versions)("%s comes back byte for byte", (name, fields) => {
    const layout = name.includes("Milan") ? "family19h" : "family1Ah";
    const tcb =
      layout === "family19h" ? encodeTcbVersion({ bootloader: 2, tee: 3, snp: 4, microcode: 5 }) : TCB;
    const given = encodeReport({
      ...fields,
      reportedTcb: tcb,
      currentTcb: tcb,
      committedTcb: tcb,
      launchTcb: tcb,
    });
    const back = snpFromKbs(JSON.parse(JSON.stringify(snpToKbs({ evidence: given }))) as JsonValue);
    expect(toHex(back.evidence)).toBe(toHex(given));
    expect(back.endorsements).toBeUndefined();
  });

  it("takes nulls for what is absent, and ignores members of its own future", () => {
    const { launch_mit_vector, ...rest } = struct;
    expect(launch_mit_vector).toBe(7);
    const older = { ...rest, version: 4, current_mit_vector: null, something_new: [1] };
    expect(toHex(snpFromKbs({ attestation_report: older, cert_chain: null }).evidence)).toBe(
      toHex(encodeReport({ ...FIELDS, version: 4 })),
    );
  });

  it("takes base64 of the report, alone or as a member", () => {
    const text = toBase64(evidence);
    expect(toHex(snpFromKbs(text).evidence)).toBe(toHex(evidence));
    expect(toHex(snpFromKbs({ attestation_report: text }).evidence)).toBe(toHex(evidence));
  });

  it.each<readonly [string, JsonObject, string]>([
    ["a member missing", { measurement: null }, "INVALID_ENVELOPE"],
    ["too few bytes", { measurement: new Array<number>(47).fill(0) }, "INVALID_ENVELOPE"],
    ["too many bytes", { measurement: new Array<number>(49).fill(0) }, "INVALID_ENVELOPE"],
    ["bytes in hex", { measurement: "00".repeat(48) }, "INVALID_ENVELOPE"],
    ["a byte of 256", { host_data: [...new Array<number>(31).fill(0), 256] }, "INVALID_ENVELOPE"],
    ["a byte below zero", { host_data: [...new Array<number>(31).fill(0), -1] }, "INVALID_ENVELOPE"],
    ["half a byte", { host_data: [...new Array<number>(31).fill(0), 0.5] }, "INVALID_ENVELOPE"],
    ["a number in a string", { vmpl: "0" }, "INVALID_ENVELOPE"],
    ["a number too large", { vmpl: 2 ** 32 }, "INVALID_ENVELOPE"],
    ["a word that JSON rounds", { policy: 2 ** 53 }, "INVALID_ENVELOPE"],
    ["another signature algorithm", { sig_algo: 2 }, "INVALID_ENVELOPE"],
    ["reserved bits of key_info", { key_info: 32 }, "INVALID_ENVELOPE"],
    ["a TCB that is no object", { reported_tcb: 1 }, "INVALID_ENVELOPE"],
    ["a TCB without snp", { reported_tcb: { bootloader: 1, tee: 1, microcode: 1 } }, "INVALID_ENVELOPE"],
    ["half a CPUID", { cpuid_mod_id: null }, "INVALID_ENVELOPE"],
    ["a signature that is no object", { signature: null }, "INVALID_ENVELOPE"],
    [
      "r above 384 bits",
      { signature: { r: new Array(72).fill(1), s: new Array(72).fill(0) } },
      "INVALID_ENVELOPE",
    ],
    ["version 1", { version: 1 }, "UNSUPPORTED_REPORT_FORMAT"],
    ["version 6", { version: 6 }, "UNSUPPORTED_REPORT_FORMAT"],
    ["version 3 without CPUID", { version: 3, cpuid_fam_id: null }, "UNSUPPORTED_REPORT_FORMAT"],
  ])("refuses %s", (_name, change, code) => {
    expect(codeOf({ attestation_report: { ...struct, ...change }, cert_chain: null })).toBe(code);
  });

  it.each<readonly [string, JsonValue, string]>([
    ["null", null, "INVALID_ENVELOPE"],
    ["a list", [], "INVALID_ENVELOPE"],
    ["no report", {}, "INVALID_ENVELOPE"],
    ["no base64", "*", "INVALID_BASE64"],
    ["a chain that is no list", { ...usual, cert_chain: {} }, "INVALID_ENVELOPE"],
    ["a chain of 17", { ...usual, cert_chain: new Array<JsonValue>(17).fill({}) }, "INVALID_ENVELOPE"],
    ["an entry without type", { ...usual, cert_chain: [{ data: [0] }] }, "INVALID_ENVELOPE"],
    ["an unknown type", { ...usual, cert_chain: [{ cert_type: "PEK", data: [0] }] }, "INVALID_ENVELOPE"],
    ["an entry without data", { ...usual, cert_chain: [{ cert_type: "VCEK" }] }, "INVALID_ENVELOPE"],
    ["no certificate", { ...usual, cert_chain: [{ cert_type: "VCEK", data: [0] }] }, "INVALID_DER"],
    ["no CRL", { ...usual, cert_chain: [{ cert_type: "CRL", data: [48, 0] }] }, "INVALID_DER"],
  ])("refuses %s", (_name, value, code) => {
    expect(codeOf(value)).toBe(code);
  });

  it("any JSON gives evidence or a typed error", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(struct)), (value, member) => {
        codeOf(value as JsonValue);
        codeOf({ attestation_report: { ...struct, [member]: value as JsonValue }, cert_chain: null });
        codeOf({ ...usual, cert_chain: [value as JsonValue] });
        codeOf({ ...usual, cert_chain: [{ cert_type: "VCEK", data: value as JsonValue }] });
      }),
    );
  });

  it("does not write what the struct cannot carry", () => {
    const wide = encodeReport({ ...FIELDS, policy: FIELDS.policy | (1n << 60n) });
    const unnamed = Uint8Array.from(FIELDS.reportedTcb);
    unnamed[5] = 1;
    for (const given of [wide, encodeReport({ ...FIELDS, reportedTcb: unnamed })]) {
      expect(() => snpToKbs({ evidence: given })).toThrow(
        expect.objectContaining({ code: "UNSUPPORTED_REPORT_FORMAT" }),
      );
    }
  });
});

describe.skipIf(!hasFixtures)("certificate chains", () => {
  it("keep AMD's certificates by their names, from the table and from the bag", async () => {
    const read = async (name: string): Promise<Uint8Array> => fixtureBytes(`sev-snp/microsoft/${name}`);
    const certificates = await Promise.all(
      ["milan_vcek.pem", "milan_ask.pem", "milan_ark.pem"].map(async (name) => {
        const [found] = readEndorsement({ name, bytes: await read(name) }).certificates;
        if (found === undefined) throw new Error(`${name} holds no certificate`);
        return found;
      }),
    );
    const [vcek, ...cas] = certificates;
    if (vcek === undefined) throw new Error("three certificates were read");
    const report = await read("milan_attestation_report.bin");
    const table = encodeCertificateTable([{ kind: "VCEK", data: vcek.der }]);
    const extended = new Uint8Array(report.length + table.length);
    extended.set(report);
    extended.set(table, report.length);
    const written = snpToKbs({
      evidence: extended,
      endorsements: { certificates: cas, crls: [], documents: [] },
    });
    if (!isJsonObject(written)) throw new Error("an object is written");
    const chain = written.cert_chain as readonly { cert_type: string; data: number[] }[];
    expect(chain.map((entry) => entry.cert_type)).toEqual(["VCEK", "ASK", "ARK"]);
    const other = { cert_type: { OTHER: "00000000-0000-0000-0000-000000000001" }, data: [1] };
    const base64 = { cert_type: "ASK", data: toBase64(Uint8Array.from(chain[1]?.data ?? [])) };
    const back = snpFromKbs({ ...written, cert_chain: [...chain, other, base64] });
    expect(toHex(back.evidence)).toBe(toHex(report));
    expect(back.endorsements?.certificates.map((found) => found.subject.commonName)).toEqual([
      "SEV-VCEK",
      "SEV-Milan",
      "ARK-Milan",
      "SEV-Milan",
    ]);
  });
});

describe("products", () => {
  it("no CPUID belongs to two", () => {
    for (let family = 0; family < 256; family++) {
      for (let model = 0; model < 256; model++) {
        const found = PRODUCTS.filter(
          (product) => product.family === family && product.models.some(([a, b]) => model >= a && model <= b),
        );
        if (found.length > 1)
          throw new Error(`${family}/${model}: ${found.map(({ name }) => name).join(", ")}`);
      }
    }
  });
});
