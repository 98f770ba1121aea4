// SPDX-License-Identifier: Apache-2.0
// Layouts that come back byte for byte, and bytes that have none.

import { concat, fromHex, toHex } from "@adyton/core/bytes";
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readEndorsement } from "../endorsements.ts";
import {
  CSV_USAGE,
  type CsvCaFields,
  type CsvCertificateFields,
  EMPTY_SLOT,
  encodeCsvCa,
  encodeCsvCertificate,
  parseCsvCa,
  parseCsvCertificate,
  SM2_SA,
} from "./certificates.ts";
import { readHygonCertificates } from "./endorsements.ts";
import { type CsvReportFields, encodeCsvReport, parseCsvReport } from "./evidence.ts";
import { encodeCsvEvidence, parseCsvBinary } from "./forms.ts";
import { encodeCsvPolicy, parseCsvPolicy } from "./policy.ts";
import {
  csvCaFromStruct,
  csvCaToStruct,
  csvCertificateFromStruct,
  csvCertificateToStruct,
} from "./structs.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
/** The same value in every run. */
const one = <T>(arbitrary: fc.Arbitrary<T>): T => fc.sample(arbitrary, { numRuns: 1, seed: 7 })[0] as T;
const holder = { publicKey: bytes(64), userId: fc.uint8Array({ maxLength: 254 }) };
const slot = fc.oneof(
  fc.constant(EMPTY_SLOT),
  fc.record({
    usage: fc.constantFrom(CSV_USAGE.HSK, CSV_USAGE.OCA, CSV_USAGE.PEK, CSV_USAGE.CEK),
    algorithm: fc.constant(SM2_SA),
    signature: bytes(64),
  }),
);
const authority: fc.Arbitrary<CsvCaFields> = fc.record({
  role: fc.constantFrom("HRK", "HSK"),
  keyId: bytes(16),
  signingKeyId: bytes(16),
  ...holder,
  signature: bytes(64),
});
const certificate: fc.Arbitrary<CsvCertificateFields> = fc.record({
  role: fc.constantFrom("OCA", "PEK", "PDH", "CEK"),
  version: fc.constantFrom(1, 2),
  firmware: fc.record({ major: fc.nat(255), minor: fc.nat(255) }),
  ...holder,
  signingKeyId: bytes(16),
  slots: fc.tuple(slot, slot),
});
const common = {
  userPubkeyDigest: bytes(32),
  vmId: bytes(16),
  vmVersion: bytes(16),
  reportData: bytes(64),
  mnonce: bytes(16),
  measure: bytes(32),
  policy: fc.nat(0xffffffff),
  signature: bytes(64),
};
const signer = (masked: boolean) =>
  certificate.chain((fields) =>
    fc.record({
      pek: fc.constant(encodeCsvCertificate({ ...fields, role: "PEK" })),
      serialNumber: bytes(64),
      reserved: bytes(32),
      mac: bytes(32),
      masked: fc.constant(masked),
    }),
  );
const v1: fc.Arbitrary<CsvReportFields> = fc.boolean().chain((masked) =>
  fc.record({
    version: fc.constant(1 as const),
    ...common,
    // A mask of zeros is no mask: see below.
    anonce: bytes(4).filter((mask) => mask.some((byte) => byte !== 0)),
    signer: signer(masked),
  }),
);
const v2: fc.Arbitrary<CsvReportFields> = fc.record({
  version: fc.constant(2 as const),
  ...common,
  build: fc.integer({ min: 1, max: 0xffffffff }),
  rtmrVersion: fc.nat(1),
  reserved0: bytes(14),
  rtmrs: fc.array(bytes(32), { minLength: 5, maxLength: 5 }),
  reserved1: bytes(656),
  signer: signer(false),
});

describe("reports", () => {
  it("come back field for field and byte for byte", () => {
    fc.assert(
      fc.property(fc.oneof(v1, v2), (fields) => {
        const encoded = encodeCsvReport(fields);
        const { signedPart, ...parsed } = parseCsvReport(encoded);
        expect(parsed).toEqual(fields);
        expect(toHex(signedPart)).toBe(toHex(encoded.subarray(0, fields.version === 1 ? 180 : 1024)));
        expect(toHex(encodeCsvReport(parsed))).toBe(toHex(encoded));
      }),
      { numRuns: 40 },
    );
  });

  it("with a mask of zeros are of version 1", () => {
    const fields = one(v1);
    const encoded = encodeCsvReport({ ...fields, anonce: new Uint8Array(4) } as CsvReportFields);
    expect(parseCsvReport(encoded)).toMatchObject({ version: 1, signer: { masked: true } });
    expect(toHex(encodeCsvReport(parseCsvReport(encoded)))).toBe(toHex(encoded));
  });

  it("refuse fields of another length", () => {
    const fields = one(v2);
    for (const change of [
      { measure: new Uint8Array(31) },
      { signature: new Uint8Array(65) },
      { rtmrs: [] },
    ]) {
      expect(codeOf(() => encodeCsvReport({ ...fields, ...change } as CsvReportFields))).toBe(
        "OUT_OF_BOUNDS",
      );
    }
  });

  it.each<readonly [string, (bytes: Uint8Array) => void, string]>([
    ["another signature usage", (b) => (b[180] = 3), "UNSUPPORTED_REPORT_FORMAT"],
    ["another signature algorithm", (b) => (b[184] = 5), "UNSUPPORTED_REPORT_FORMAT"],
    ["r above 256 bits", (b) => (b[0x400 + 32] = 1), "RESERVED_NOT_ZERO"],
    ["s above 256 bits", (b) => (b[0x400 + 72 + 71] = 1), "RESERVED_NOT_ZERO"],
    ["a signer that is no PEK", (b) => (b[0x490 + 8] = 3), "UNSUPPORTED_REPORT_FORMAT"],
  ])("refuse %s", (_name, change, code) => {
    const encoded = encodeCsvReport(one(v2));
    change(encoded);
    expect(codeOf(() => parseCsvReport(encoded))).toBe(code);
  });
});

describe("reports with HSK and CEK behind them", () => {
  const report = encodeCsvReport(one(v2));
  const hsk = encodeCsvCa({ ...one(authority), role: "HSK" });
  const cek = encodeCsvCertificate({
    ...one(certificate),
    role: "CEK",
  });

  it("give both", () => {
    const { endorsements } = parseCsvBinary(encodeCsvEvidence(report, concat(hsk, cek)));
    expect(endorsements.vendorCertificates).toEqual([
      { kind: "hygon.ca", bytes: hsk },
      { kind: "hygon.platform", bytes: cek },
    ]);
  });

  it.each<readonly [string, Uint8Array, string]>([
    ["one of them alone", encodeCsvEvidence(report, hsk), "UNSUPPORTED_REPORT_FORMAT"],
    ["both the other way round", encodeCsvEvidence(report, concat(cek, hsk)), "UNSUPPORTED_REPORT_FORMAT"],
    [
      "less than the length says",
      encodeCsvEvidence(report, concat(hsk, cek)).subarray(0, -1),
      "OUT_OF_BOUNDS",
    ],
    ["more than the length says", concat(encodeCsvEvidence(report, concat(hsk, cek)), hsk), "TRAILING_BYTES"],
  ])("refuse %s", (_name, evidence, code) => {
    expect(codeOf(() => parseCsvBinary(evidence))).toBe(code);
  });
});

describe("certificates", () => {
  it("come back field for field, as bytes and as csv-rs' structs", () => {
    fc.assert(
      fc.property(authority, certificate, (ca, platform) => {
        const caBytes = encodeCsvCa(ca);
        expect(parseCsvCa(caBytes)).toMatchObject(ca);
        expect(toHex(csvCaFromStruct(csvCaToStruct(caBytes), "hsk"))).toBe(toHex(caBytes));
        const platformBytes = encodeCsvCertificate(platform);
        expect(parseCsvCertificate(platformBytes)).toMatchObject(platform);
        const struct = csvCertificateToStruct(platformBytes);
        expect(toHex(csvCertificateFromStruct(struct, "pek"))).toBe(toHex(platformBytes));
      }),
      { numRuns: 40 },
    );
  });

  const ca = encodeCsvCa(one(authority));
  const signed = { usage: CSV_USAGE.CEK, algorithm: SM2_SA, signature: new Uint8Array(64).fill(7) };
  const pek = encodeCsvCertificate({
    ...one(certificate),
    role: "PEK",
    slots: [signed, EMPTY_SLOT],
  });
  const INVALID = "INVALID_CSV_CERTIFICATE";
  const ZERO = "RESERVED_NOT_ZERO";

  it.each<readonly [string, number, number, string]>([
    ["version", 0, 2, INVALID],
    ["usage", 0x24, 0x14, INVALID],
    ["reserved area", 0x28, 1, ZERO],
    ["curve", 0x40, 2, INVALID],
    ["x above 256 bits", 0x44 + 32, 1, ZERO],
    ["y above 256 bits", 0x8c + 71, 1, ZERO],
    ["user id length", 0xd5, 1, INVALID],
    ["reserved area behind the key", 0x1d4, 1, ZERO],
    ["r above 256 bits", 0x240 + 71, 1, ZERO],
    ["reserved area at the end", 831, 1, ZERO],
  ])("CA: %s", (_name, offset, value, code) => {
    const changed = Uint8Array.from(ca);
    changed[offset] = value;
    // A user id of full length ends where the field does.
    if (code === INVALID && offset === 0xd5) changed[0xd4] = 0xff;
    expect(codeOf(() => parseCsvCa(changed))).toBe(code);
  });

  it.each<readonly [string, number, number, string]>([
    ["version 0", 0, 0, INVALID],
    ["version 3", 0, 3, INVALID],
    ["reserved word", 6, 1, ZERO],
    ["usage", 8, 5, INVALID],
    ["algorithm", 12, 5, INVALID],
    ["curve", 16, 1, INVALID],
    ["user id length", 165, 1, INVALID],
    ["reserved area", 436, 1, ZERO],
    ["usage of a slot", 0x414, 3, INVALID],
    ["algorithm of a slot", 0x418, 5, INVALID],
    ["reserved area of a slot", 0x4ac, 1, ZERO],
    ["algorithm of an empty slot", 0x620, 4, INVALID],
    ["signature in an empty slot", 0x624, 1, INVALID],
  ])("platform: %s", (_name, offset, value, code) => {
    const changed = Uint8Array.from(pek);
    changed[offset] = value;
    if (offset === 165) changed[164] = 0xff;
    expect(codeOf(() => parseCsvCertificate(changed))).toBe(code);
  });

  it("of another size are none", () => {
    expect(codeOf(() => parseCsvCa(ca.subarray(1)))).toBe(INVALID);
    expect(codeOf(() => parseCsvCertificate(concat(pek, ca)))).toBe(INVALID);
  });

  it("with a user id that is too long cannot be written", () => {
    const fields = one(authority);
    expect(codeOf(() => encodeCsvCa({ ...fields, userId: new Uint8Array(255) }))).toBe("OUT_OF_BOUNDS");
  });

  it("are read out of files, one after the other", () => {
    const file = concat(ca, pek, ca);
    expect(readEndorsement({ name: "chain", bytes: file }).vendorCertificates).toEqual([
      { kind: "hygon.ca", bytes: ca },
      { kind: "hygon.platform", bytes: pek },
      { kind: "hygon.ca", bytes: ca },
    ]);
    for (const other of [
      new Uint8Array(0),
      file.subarray(1),
      concat(file, Uint8Array.of(0)),
      new Uint8Array(832),
    ]) {
      expect(readHygonCertificates(other)).toBeUndefined();
    }
  });

  it("that are broken are refused in files, not passed over", () => {
    const broken = Uint8Array.from(ca);
    broken[0] = 9;
    expect(codeOf(() => readHygonCertificates(broken))).toBe(INVALID);
  });
});

describe("policy", () => {
  it("comes back word for word", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (raw) => {
        expect(encodeCsvPolicy(parseCsvPolicy(raw))).toBe(raw);
      }),
    );
  });

  it("has its members where Hygon has them", () => {
    const [word] = new Uint32Array(fromHex("4523f12a").buffer);
    expect(parseCsvPolicy(word ?? 0)).toEqual({
      nodbg: 1,
      noks: 0,
      es: 1,
      nosend: 0,
      domain: 0,
      csv: 0,
      csv3: 1,
      asidReuse: 0,
      hskVersion: 3,
      cekVersion: 2,
      apiMajor: 0xf1,
      apiMinor: 0x2a,
    });
  });
});
