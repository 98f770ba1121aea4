// SPDX-License-Identifier: Apache-2.0
// Real CSV reports (provenance: the README beside the fixtures), whole and broken. Faults that only a key holder can
// make are in the simulator's tests.

import { concat, fromUtf8, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, parseJson } from "@adyton/core/json";
import { codeOf, codeOfAsync, fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCache } from "../cache.ts";
import { type Endorsements, mergeEndorsements, NO_ENDORSEMENTS, readEndorsement } from "../endorsements.ts";
import { detectTee, inspectEvidence, verifyEvidence } from "../registry.ts";
import { parseCsvCa, parseCsvCertificate } from "./certificates.ts";
import { isSignedBy, trustPek } from "./chain.ts";
import { PINNED_HRK, readHygonCertificates } from "./endorsements.ts";
import { CSV_REPORT_SIZE, encodeCsvReport, parseCsvReport } from "./evidence.ts";
import { encodeCsvEvidence } from "./forms.ts";
import { parseCsvEvidence } from "./kbs.ts";
import { csv } from "./scheme.ts";
import { verifyCsv } from "./verify.ts";

const NOW = new Date("2026-06-01T00:00:00Z");
const ZEROS = (bytes: number): string => "00".repeat(bytes);
/** Chromium checks a sample of what Node checks byte by byte. */
const STRIDE = defaultCrypto.name === "node" ? 1 : 11;

/** What `csv/csv-rs/report.cert` claims. */
const CSV_RS = {
  version: "1",
  policy: {
    nodbg: 1,
    noks: 0,
    es: 0,
    nosend: 0,
    domain: 0,
    csv: 0,
    csv3: 0,
    asid_reuse: 0,
    hsk_version: 0,
    cek_version: 0,
    api_major: 0,
    api_minor: 64,
  },
  user_pubkey_digest: ZEROS(32),
  vm_id: ZEROS(16),
  vm_version: ZEROS(16),
  report_data: toHex(fromUtf8("user data")).padEnd(128, "0"),
  mnonce: "67c6697351ff4aec29cdbaabf2fbe346",
  measure: "1178dadbf826ec7a07444ba358376d81c312cb53d703f9da83b26c1eee2ea052",
  sig_usage: "02100000",
  sig_algo: "04000000",
  anonce: "9b429112",
  serial_number: "NZA9T14052605",
};
/** What `csv/trustee/csv_evidence.json` claims, where it differs. */
const TRUSTEE = {
  ...CSV_RS,
  policy: { ...CSV_RS.policy, es: 1, csv3: 1, api_minor: 0 },
  report_data: ZEROS(64),
  mnonce: "ad998a845c45cf30944d1c285629e768",
  measure: "ae2a2cf1f41a485fa37bf9ae92f678783c59fbc79de7b5d237743d58f5538034",
  anonce: "26d7c75d",
  serial_number: "KPA64911240507",
};

const report = (): Promise<Uint8Array<ArrayBuffer>> => fixtureBytes("csv/csv-rs/report.cert");

async function bagOf(...names: readonly string[]): Promise<Endorsements> {
  const bags = names.map(async (name) => readEndorsement({ name, bytes: await fixtureBytes(`csv/${name}`) }));
  return mergeEndorsements(...(await Promise.all(bags)));
}

describe.skipIf(!hasFixtures)("the report of csv-rs", () => {
  it("verifies under Hygon's root, which needs no file", async () => {
    const endorsements = await bagOf("csv-rs/hsk_cek.cert");
    const verified = await verifyEvidence(await report(), { now: NOW, endorsements });
    expect(verified).toMatchObject({
      tee: "csv",
      debug: false,
      initDataField: null,
      trust: { simulated: false, rootSha256: PINNED_HRK.sha256 },
      tcb: { status: null, components: {} },
      endorsements: { earliestIssue: null, earliestExpiry: null, revocation: "unchecked" },
    });
    expect(verified.claims).toEqual(CSV_RS);
    expect(verified.registers).toBeUndefined();
    expect(verified.warnings.map(({ code }) => code)).toEqual(["REVOCATION_UNCHECKED"]);
    expect(verified.endorsements.items.map(({ subject }) => subject.split(" ")[0])).toEqual([
      "HYGON-SSD-HRK,",
      "HSK",
      "CEK",
      "PEK",
    ]);
    expect(verified.explanation).toContain("The MAC over PEK and serial number holds.");
  });

  it.each([
    ["HSK and CEK from two files", ["csv-rs/cek.cert", "csv-rs/hsk.cert"]],
    ["Hygon's root beside them", ["hrk.cert", "csv-rs/hsk_cek.cert"]],
  ])("verifies with %s", async (_name, files) => {
    const verified = await verifyEvidence(await report(), { now: NOW, endorsements: await bagOf(...files) });
    expect(verified.trust.simulated).toBe(false);
  });

  it("verifies in every form it travels in", async () => {
    const bytes = await report();
    const hskCek = await fixtureBytes("csv/csv-rs/hsk_cek.cert");
    const page = concat(bytes, new Uint8Array(4096 - bytes.length));
    const endorsements = await bagOf("csv-rs/hsk_cek.cert");
    const json = fromUtf8(JSON.stringify(csv.toKbs({ evidence: bytes, endorsements })));
    const length = Uint8Array.of(0x64, 0x0b, 0, 0);
    const forms: readonly (readonly [string, Uint8Array, Endorsements | undefined])[] = [
      ["page", page, endorsements],
      ["page and no chain", concat(page, new Uint8Array(4)), endorsements],
      ["page and chain", encodeCsvEvidence(bytes, hskCek), undefined],
      ["report and chain", concat(bytes, length, hskCek), undefined],
      ["JSON", json, undefined],
    ];
    for (const [name, evidence, bag] of forms) {
      expect([name, detectTee(evidence)]).toEqual([name, "csv"]);
      const options = bag === undefined ? { now: NOW } : { now: NOW, endorsements: bag };
      expect((await verifyEvidence(evidence, options)).claims).toEqual(CSV_RS);
    }
  });

  it("is the same warm and cold, and a cache changes no refusal", async () => {
    const options = { now: NOW, endorsements: await bagOf("csv-rs/hsk_cek.cert"), cache: createCache() };
    const cold = await verifyCsv(await report(), options);
    const warm = await verifyCsv(await report(), options);
    expect(warm).toEqual(cold);
    const { endorsements: _, ...without } = options;
    expect(await codeOfAsync(async () => verifyCsv(await report(), without))).toBe("HSK_CEK_MISSING");
  });

  it("takes its report data, zero-padded, and no other", async () => {
    const endorsements = await bagOf("csv-rs/hsk_cek.cert");
    const expecting = async (text: string) =>
      verifyCsv(await report(), { now: NOW, endorsements, reportData: fromUtf8(text) });
    expect((await expecting("user data")).explanation.at(-1)).toBe("The report data is the expected one.");
    expect(await codeOfAsync(() => expecting("user dat"))).toBe("REPORT_DATA_MISMATCH");
  });

  it.each([
    ["no endorsements", [], {}, "HSK_CEK_MISSING", "endorsements"],
    ["no HSK", ["csv-rs/cek.cert"], {}, "HSK_CEK_MISSING", "endorsements"],
    ["no CEK", ["csv-rs/hsk.cert"], {}, "HSK_CEK_MISSING", "endorsements"],
    [
      "revocation required",
      ["csv-rs/hsk_cek.cert"],
      { requireRevocation: true },
      "CRL_MISSING",
      "endorsements",
    ],
    ["a time that is no date", ["csv-rs/hsk_cek.cert"], { now: new Date("soon") }, "INVALID_TIME", "misuse"],
  ])("is refused: %s", async (_name, files, options, code, category) => {
    const verification = verifyCsv(await report(), {
      now: NOW,
      endorsements: await bagOf(...files),
      ...options,
    });
    await expect(verification).rejects.toMatchObject({ code, category });
  });

  it("is refused with a bit flipped in any byte", async () => {
    const bytes = await report();
    const options = { now: NOW, endorsements: await bagOf("csv-rs/hsk_cek.cert"), cache: createCache() };
    const passed: number[] = [];
    for (let offset = 0; offset < bytes.length; offset += STRIDE) {
      const bit = 1 << (offset % 8);
      bytes[offset] = (bytes[offset] ?? 0) ^ bit;
      if ((await codeOfAsync(() => verifyCsv(bytes, options))) === "nothing") passed.push(offset);
      bytes[offset] = (bytes[offset] ?? 0) ^ bit;
    }
    expect(passed).toEqual([]);
  });

  it("is refused with a bit flipped in any byte of HSK and CEK", async () => {
    const hskCek = await fixtureBytes("csv/csv-rs/hsk_cek.cert");
    const pek = parseCsvCertificate(parseCsvReport(await report()).signer.pek);
    const code = (): Promise<string> =>
      codeOfAsync(async () => {
        const own = readHygonCertificates(hskCek) ?? NO_ENDORSEMENTS;
        const rest = { endorsements: undefined, anchors: undefined, cache: undefined, crypto: defaultCrypto };
        return trustPek(pek, undefined, { own, now: NOW, ...rest });
      });
    expect(await code()).toBe("nothing");
    const passed: number[] = [];
    for (let offset = 0; offset < hskCek.length; offset += STRIDE) {
      const bit = 1 << (offset % 8);
      hskCek[offset] = (hskCek[offset] ?? 0) ^ bit;
      if ((await code()) === "nothing") passed.push(offset);
      hskCek[offset] = (hskCek[offset] ?? 0) ^ bit;
    }
    expect(passed).toEqual([]);
  });

  it("is refused when it is cut anywhere or continued", async () => {
    const bytes = await report();
    const codes = new Set<string>();
    for (let length = 0; length < bytes.length; length += STRIDE) {
      codes.add(await codeOfAsync(() => verifyCsv(bytes.subarray(0, length), { now: NOW })));
    }
    expect([...codes]).toEqual(["UNSUPPORTED_REPORT_FORMAT"]);
    const more = (length: number, fill = 0): string =>
      codeOf(() => parseCsvEvidence(concat(bytes, new Uint8Array(length).fill(fill))));
    expect([more(1), more(4), more(1547), more(1548, 1), more(1549), more(1552, 0)]).toEqual([
      "OUT_OF_BOUNDS",
      "nothing",
      "TRAILING_BYTES",
      "RESERVED_NOT_ZERO",
      "OUT_OF_BOUNDS",
      "nothing",
    ]);
  });

  it("comes back byte for byte", async () => {
    const bytes = await report();
    expect(toHex(encodeCsvReport(parseCsvReport(bytes)))).toBe(toHex(bytes));
  });
});

describe.skipIf(!hasFixtures)("the evidence of Trustee", () => {
  const json = (): Promise<string> => fixtureText("csv/trustee/csv_evidence.json");

  it("claims what it claims, and lacks HSK and CEK", async () => {
    const evidence = fromUtf8(await json());
    expect(detectTee(evidence)).toBe("csv");
    expect(inspectEvidence(evidence)).toEqual(TRUSTEE);
    await expect(verifyEvidence(evidence, { now: NOW })).rejects.toMatchObject({
      code: "HSK_CEK_MISSING",
      category: "endorsements",
      detail: { missing: "CEK", serialNumber: "KPA64911240507" },
      hint: expect.stringContaining("hsk_cek?snumber=KPA64911240507"),
    });
  });

  it("is not a report of another chip's CEK", async () => {
    const options = { now: NOW, endorsements: await bagOf("csv-rs/hsk_cek.cert") };
    await expect(verifyEvidence(fromUtf8(await json()), options)).rejects.toMatchObject({
      code: "CERTIFICATE_SIGNATURE",
      category: "not-authentic",
    });
  });

  it("is signed by its PEK, and with any signed byte changed it is not", async () => {
    const { report: parsed } = parseCsvEvidence(fromUtf8(await json()));
    const pek = parseCsvCertificate(parsed.signer.pek);
    expect(isSignedBy(pek, parsed.signature, parsed.signedPart)).toBe(true);
    const evidence = csv.fromKbs(parseJson(await json())).evidence as Uint8Array<ArrayBuffer>;
    const codes = new Set<string>();
    for (let offset = 0; offset < parsed.signedPart.length; offset += STRIDE) {
      evidence[offset] = (evidence[offset] ?? 0) ^ (1 << (offset % 8));
      codes.add(await codeOfAsync(() => verifyCsv(evidence, { now: NOW })));
      evidence[offset] = (evidence[offset] ?? 0) ^ (1 << (offset % 8));
    }
    expect([...codes]).toEqual(["INVALID_REPORT_SIGNATURE"]);
  });

  it("passes its event log through, and comes back member for member", async () => {
    const value = parseJson(await json());
    const parts = csv.fromKbs(value);
    expect(parts.evidence).toHaveLength(4096);
    expect(parts.endorsements).toBeUndefined();
    expect(parts.eventLog).toHaveLength(77);
    expect(csv.toKbs(parts)).toEqual(value);
    expect(parseCsvEvidence(fromUtf8(await json())).eventLog).toEqual(parts.eventLog);
  });

  it("any member changed gives a typed error or the same meaning", async () => {
    const value = parseJson(await json()) as JsonObject;
    const paths: (readonly string[])[] = [];
    const walk = (node: JsonObject, path: readonly string[]): void => {
      for (const [key, child] of Object.entries(node)) {
        paths.push([...path, key]);
        if (isJsonObject(child)) walk(child, [...path, key]);
        else if (Array.isArray(child)) paths.push([...path, key, "0"]);
      }
    };
    walk(value, []);
    for (const path of paths) {
      for (const replacement of [undefined, null, "x", -1, 1.5, 4294967296, [], {}]) {
        const copy = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
        let node = copy;
        for (const key of path.slice(0, -1)) node = node[key] as Record<string, unknown>;
        node[path.at(-1) as string] = replacement;
        const code = codeOf(() => csv.fromKbs(JSON.parse(JSON.stringify(copy))));
        const optional = path[0] === "cc_eventlog" && (replacement === undefined || replacement === null);
        expect([path.join("."), replacement, code === "nothing"]).toEqual([
          path.join("."),
          replacement,
          optional,
        ]);
      }
    }
  });

  interface Members {
    attestation_report: Record<string, unknown>;
    serial_number: number[];
  }
  const header = (text: string, flags: number) => (e: Members) => {
    Object.assign(e.attestation_report, { magic: [...fromUtf8(text)], flags });
  };
  it.each<[string, (evidence: Members) => void, string]>([
    ["another serial number", (e) => e.serial_number.fill(0x4c, 0, 1), "SERIAL_NUMBER_MISMATCH"],
    ["version 2 in the flags", header("ATTESTATION_EXT\0", 1), "INVALID_ENVELOPE"],
    ["unknown flags", header("ATTESTATION_EXT\0", 2), "INVALID_ENVELOPE"],
    ["another magic", header("ATTESTATION_EXX\0", 0), "INVALID_ENVELOPE"],
  ])("refuses %s", async (_name, change, code) => {
    const evidence = JSON.parse(await json());
    change(evidence);
    expect(codeOf(() => csv.fromKbs(evidence))).toBe(code);
  });

  it("takes the magic of a request for version 2 that got version 1", async () => {
    const evidence = JSON.parse(await json());
    evidence.attestation_report.magic = [...fromUtf8("ATTESTATION_EXT\0")];
    expect(codeOf(() => csv.fromKbs(evidence))).toBe("nothing");
  });
});

describe.skipIf(!hasFixtures)("Hygon's root", () => {
  it("is the one that is pinned, and signs itself", async () => {
    const bytes = await fixtureBytes("csv/hrk.cert");
    expect(toHex(await defaultCrypto.digest("SHA-256", bytes))).toBe(PINNED_HRK.sha256);
    const hrk = parseCsvCa(bytes);
    expect(hrk.role).toBe("HRK");
    expect(toHex(hrk.keyId)).toBe(toHex(PINNED_HRK.keyId));
    expect(toHex(hrk.publicKey)).toBe(toHex(PINNED_HRK.publicKey));
    expect(toHex(hrk.userId)).toBe(toHex(PINNED_HRK.userId));
    expect(isSignedBy(PINNED_HRK, hrk.signature, hrk.signedPart)).toBe(true);
  });
});

describe("noise", () => {
  it("gives typed errors, as bytes and as JSON", async () => {
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 8000, size: "max" }),
      fc.json().map(fromUtf8),
      fc
        .record({
          attestation_report: fc.jsonValue(),
          cert_chain: fc.jsonValue(),
          serial_number: fc.jsonValue(),
        })
        .map((value) => fromUtf8(JSON.stringify(value))),
    );
    await fc.assert(
      fc.asyncProperty(inputs, async (bytes) => {
        expect(await codeOfAsync(() => verifyCsv(bytes, { now: NOW }))).not.toBe("nothing");
        csv.detect(bytes);
      }),
      { numRuns: 200 },
    );
  });

  it.skipIf(!hasFixtures)("written over a real report gives typed errors", async () => {
    const bytes = await report();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(CSV_REPORT_SIZE[1] - 1),
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        async (at, patch) => {
          const broken = Uint8Array.from(bytes);
          broken.set(patch.subarray(0, bytes.length - at), at);
          fc.pre(toHex(broken) !== toHex(bytes));
          await expect(verifyCsv(broken, { now: NOW })).rejects.toBeInstanceOf(AdytonError);
        },
      ),
      { numRuns: 100 },
    );
  });
});
