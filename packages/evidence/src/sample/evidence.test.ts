// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { canonicalJson, type JsonObject, type JsonValue } from "@adyton/core/json";
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schemeOf } from "../registry.ts";
import {
  encodeSampleEvidence,
  isSampleEvidence,
  parseSampleEvidence,
  type SampleEvidence,
} from "./evidence.ts";

const EVIDENCE: SampleEvidence = {
  claims: {
    svn: "1",
    reportData: new Uint8Array(64).fill(7),
    initData: null,
    launchDigest: new Uint8Array(48).fill(9),
    platformVersion: { major: 1, minor: 4 },
    debug: false,
  },
  certificates: [Uint8Array.of(0x30, 0)],
  signature: new Uint8Array(96).fill(1),
};
const BYTES = encodeSampleEvidence(EVIDENCE);
const DOCUMENT = JSON.parse(toUtf8(BYTES)) as { claims: JsonObject } & JsonObject;

/** The document with members replaced, in canonical form. `undefined` removes a member. */
function edited(
  members: Record<string, JsonValue | undefined>,
  claims: Record<string, JsonValue | undefined> = {},
) {
  const merge = (base: JsonObject, changes: Record<string, JsonValue | undefined>): JsonObject =>
    Object.fromEntries(
      Object.entries({ ...base, ...changes }).filter(
        (entry): entry is [string, JsonValue] => entry[1] !== undefined,
      ),
    );
  return fromUtf8(canonicalJson(merge({ ...DOCUMENT, claims: merge(DOCUMENT.claims, claims) }, members)));
}

describe("the sample document", () => {
  it("reads back what was written", () => {
    expect(parseSampleEvidence(BYTES)).toEqual(EVIDENCE);
  });

  it("round-trips any fields of the right size", () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const evidence = fc.record({
      claims: fc.record({
        svn: fc.integer({ min: 0, max: 65535 }).map(String),
        reportData: bytes(64),
        initData: fc.option(bytes(64)),
        launchDigest: bytes(48),
        platformVersion: fc.record({
          major: fc.integer({ min: 0, max: 255 }),
          minor: fc.integer({ min: 0, max: 255 }),
        }),
        debug: fc.boolean(),
      }),
      certificates: fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 3 }),
      signature: fc.uint8Array({ minLength: 1, maxLength: 132 }),
    });
    fc.assert(
      fc.property(evidence, (fields) => {
        expect(parseSampleEvidence(encodeSampleEvidence(fields))).toEqual(fields);
      }),
    );
  });

  it.each<[rule: string, bytes: Uint8Array, code: string]>([
    ["text only", Uint8Array.of(0xff), "INVALID_UTF8"],
    ["JSON only", fromUtf8("{"), "INVALID_JSON"],
    ["no duplicate member", fromUtf8('{"version":"1","version":"1"}'), "INVALID_JSON"],
    ["an object", fromUtf8("[]"), "INVALID_SAMPLE_EVIDENCE"],
    ["no document beyond the bound", new Uint8Array(64 * 1024 + 1).fill(0x20), "INVALID_SAMPLE_EVIDENCE"],
    ["every member", edited({ signature: undefined, certificates: undefined }), "INVALID_SAMPLE_EVIDENCE"],
    ["no other member", edited({ extra: 1 }), "INVALID_SAMPLE_EVIDENCE"],
    ["no white space", fromUtf8(JSON.stringify(DOCUMENT, null, 1)), "INVALID_SAMPLE_EVIDENCE"],
    ["nothing after the end", fromUtf8(`${toUtf8(BYTES)}\n`), "INVALID_SAMPLE_EVIDENCE"],
    ["version 1", edited({ version: "2" }), "INVALID_SAMPLE_EVIDENCE"],
    ["version as text", edited({ version: 1 }), "INVALID_SAMPLE_EVIDENCE"],
    ["certificates in an array", edited({ certificates: "MAA=" }), "INVALID_SAMPLE_EVIDENCE"],
    ["at least one certificate", edited({ certificates: [] }), "INVALID_SAMPLE_EVIDENCE"],
    [
      "at most three certificates",
      edited({ certificates: ["MAA=", "MAA=", "MAA=", "MAA="] }),
      "INVALID_SAMPLE_EVIDENCE",
    ],
    ["certificates as text", edited({ certificates: [1] }), "INVALID_SAMPLE_EVIDENCE"],
    ["certificates in canonical base64", edited({ certificates: ["MAB="] }), "INVALID_BASE64"],
    ["no empty signature", edited({ signature: "" }), "INVALID_SAMPLE_EVIDENCE"],
    ["a signature as text", edited({ signature: null }), "INVALID_SAMPLE_EVIDENCE"],
    ["claims as an object", edited({ claims: [] }), "INVALID_SAMPLE_EVIDENCE"],
    ["every claim", edited({}, { debug: undefined }), "INVALID_SAMPLE_EVIDENCE"],
    ["no other claim", edited({}, { extra: 1 }), "INVALID_SAMPLE_EVIDENCE"],
    ["svn as text", edited({}, { svn: 1 }), "INVALID_SAMPLE_EVIDENCE"],
    ["svn without leading zero", edited({}, { svn: "01" }), "INVALID_SAMPLE_EVIDENCE"],
    ["report data of 64 bytes", edited({}, { report_data: "AAAA" }), "INVALID_SAMPLE_EVIDENCE"],
    ["init-data of 64 bytes", edited({}, { init_data: "AAAA" }), "INVALID_SAMPLE_EVIDENCE"],
    ["launch digest of 48 bytes", edited({}, { launch_digest: "00" }), "INVALID_SAMPLE_EVIDENCE"],
    ["launch digest in lower case", edited({}, { launch_digest: "A".repeat(96) }), "INVALID_SAMPLE_EVIDENCE"],
    ["debug as a boolean", edited({}, { debug: "no" }), "INVALID_SAMPLE_EVIDENCE"],
    ["platform version as an object", edited({}, { platform_version: "1.4" }), "INVALID_SAMPLE_EVIDENCE"],
    [
      "version numbers as integers",
      edited({}, { platform_version: { major: 1.5, minor: 0 } }),
      "INVALID_SAMPLE_EVIDENCE",
    ],
    [
      "version numbers up to 255",
      edited({}, { platform_version: { major: 1, minor: 256 } }),
      "INVALID_SAMPLE_EVIDENCE",
    ],
    ["signed claims", fromUtf8('{"svn":"1","report_data":"","init_data":""}'), "SAMPLE_UNSIGNED"],
  ])("demands %s", (_rule, bytes, code) => {
    expect(codeOf(() => parseSampleEvidence(bytes))).toBe(code);
  });

  it("refuses every truncation", () => {
    for (let length = 0; length < BYTES.length; length++) {
      expect(codeOf(() => parseSampleEvidence(BYTES.subarray(0, length)))).not.toBe("nothing");
    }
  });

  it("answers random bytes and random JSON with typed errors only", () => {
    const inputs = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(fromUtf8));
    fc.assert(fc.property(inputs, (bytes) => codeOf(() => parseSampleEvidence(bytes)) !== "nothing"));
  });

  it("refuses to write what could not be read back", () => {
    const short = { ...EVIDENCE, claims: { ...EVIDENCE.claims, launchDigest: new Uint8Array(32) } };
    expect(codeOf(() => encodeSampleEvidence(short))).toBe("INVALID_SAMPLE_EVIDENCE");
  });
});

describe("detection", () => {
  it.each<[what: string, bytes: Uint8Array, found: boolean]>([
    ["a signed document", BYTES, true],
    ["Trustee's unsigned sample", fromUtf8('{"svn":"1","report_data":"","init_data":""}'), true],
    ["another object", fromUtf8('{"quote":""}'), false],
    ["broken JSON", fromUtf8('{"claims":'), false],
    ["no UTF-8", Uint8Array.of(0x7b, 0xff), false],
    ["nothing", new Uint8Array(0), false],
    ["too much", new Uint8Array(70_000).fill(0x7b), false],
  ])("%s", (_what, bytes, found) => {
    expect(isSampleEvidence(bytes)).toBe(found);
  });
});

describe("the Confidential Containers form", () => {
  const scheme = schemeOf("sample");

  it("is the document, in any order of members", () => {
    const reordered = Object.fromEntries(Object.entries(DOCUMENT).reverse());
    expect(scheme.fromKbs(reordered).evidence).toEqual(BYTES);
    expect(scheme.toKbs({ evidence: BYTES })).toEqual(DOCUMENT);
  });

  it.each<[what: string, value: JsonValue]>([
    ["text", "evidence"],
    ["an array", []],
    ["null", null],
    ["nested too deep", { a: { b: { c: { d: { e: 1 } } } } }],
  ])("refuses %s", (_what, value) => {
    expect(codeOf(() => scheme.fromKbs(value))).toBe("INVALID_SAMPLE_EVIDENCE");
  });

  it("shows claims unverified", () => {
    expect(scheme.inspect(BYTES)).toEqual(DOCUMENT.claims);
  });
});
