// SPDX-License-Identifier: Apache-2.0
// The ATTESTATION report's layout, the guest policy, and how evidence travels. No real report is public: those with
// signatures are in the simulator's tests.

import { concat, toBase64 } from "@adyton/core/bytes";
import { codeOf, codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_ENDORSEMENTS } from "../../bag.ts";
import { EvidenceError } from "../../errors.ts";
import { detectTee, inspectEvidence } from "../../registry.ts";
import { SEV_PLATFORM } from "./endorsements.ts";
import {
  encodeSevEvidence,
  encodeSevReport,
  encodeSevReportBody,
  isSevEvidence,
  parseSevEvidence,
  parseSevReport,
  SEV_REPORT_SIZE,
  type SevReportFields,
} from "./evidence.ts";
import { encodeSevPlatformCertificate } from "./platform.ts";
import { encodeSevPolicy, parseSevPolicy, unknownSevPolicyBits } from "./policy.ts";
import { sev } from "./scheme.ts";
import { verifySev } from "./verify.ts";

const NOW = new Date("2026-06-01T00:00:00Z");
const REPORT: SevReportFields = {
  mnonce: Uint8Array.from({ length: 16 }, (_, i) => i),
  launchDigest: new Uint8Array(32).fill(0xab),
  policy: 0x37_01_00_0f,
  algorithm: "ECDSA-SHA256",
  signature: new Uint8Array(144).fill(9),
};
const bytes = encodeSevReport(REPORT);
const certificate = {
  kind: SEV_PLATFORM,
  bytes: encodeSevPlatformCertificate({
    apiMajor: 1,
    apiMinor: 55,
    usage: "PEK",
    algorithm: "ECDSA-SHA256",
    curve: "P-384",
    point: new Uint8Array(96).fill(5),
    signatures: [undefined, undefined],
  }),
};

function withByte(offset: number, value: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  out[offset] = value;
  return out;
}

describe("a report", () => {
  it("decodes to what was encoded", () => {
    const fields = fc.record({
      mnonce: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      launchDigest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      policy: fc.nat(0xffffffff),
      algorithm: fc.constantFrom("ECDSA-SHA256" as const, "ECDSA-SHA384" as const),
      signature: fc.uint8Array({ minLength: 144, maxLength: 144 }),
    });
    fc.assert(
      fc.property(fields, (given) => {
        const encoded = encodeSevReport(given);
        expect(encoded).toHaveLength(SEV_REPORT_SIZE);
        expect(isSevEvidence(encoded)).toBe(true);
        const { signedPart, ...again } = parseSevReport(encoded);
        expect(again).toEqual(given);
        expect(signedPart).toEqual(encodeSevReportBody(given));
      }),
    );
  });

  it.each<[string, Uint8Array, string]>([
    ["another signer", withByte(52, 0x01), "UNSUPPORTED_REPORT_FORMAT"],
    ["an unknown algorithm", withByte(56, 0x05), "UNSUPPORTED_REPORT_FORMAT"],
    ["RSA", withByte(56, 0x01), "UNSUPPORTED_REPORT_FORMAT"],
    ["ECDH", withByte(56, 0x03), "UNSUPPORTED_REPORT_FORMAT"],
    ["a reserved byte", withByte(63, 0x01), "RESERVED_NOT_ZERO"],
    ["a byte less", bytes.subarray(1), "UNSUPPORTED_REPORT_FORMAT"],
    ["a byte more", concat(bytes, Uint8Array.of(0)), "UNSUPPORTED_REPORT_FORMAT"],
  ])("with %s is refused", (_, broken, code) => {
    expect(codeOf(() => parseSevReport(broken))).toBe(code);
  });

  it("is known for what it is, with certificates or without", () => {
    expect(detectTee(bytes)).toBe("sev");
    const evidence = encodeSevEvidence(REPORT, [certificate, certificate]);
    expect(detectTee(evidence)).toBe("sev");
    const parsed = parseSevEvidence(evidence);
    expect(parsed.certificates).toEqual([certificate, certificate]);
    expect(encodeSevEvidence(parsed.report, parsed.certificates)).toEqual(evidence);
    for (const other of [bytes.subarray(1), concat(bytes, bytes), withByte(60, 1), new Uint8Array(208)]) {
      expect(sev.detect(other)).toBe(false);
    }
    expect(codeOf(() => parseSevEvidence(concat(bytes, bytes)))).toBe("INVALID_SEV_CERTIFICATE");
  });

  it("is shown as it stands, with the names of CSV's claims", () => {
    expect(inspectEvidence(bytes)).toEqual({
      launch_digest: "ab".repeat(32),
      policy: {
        nodbg: true,
        noks: true,
        es: true,
        nosend: true,
        domain: false,
        sev: false,
        api_major: 1,
        api_minor: 55,
      },
      mnonce: "000102030405060708090a0b0c0d0e0f",
      sig_usage: 0x1002,
      sig_algo: 2,
    });
  });

  it("gives typed errors on any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(new Uint8Array(0), bytes.subarray(0, 100), bytes),
        fc.uint8Array({ maxLength: 3000, size: "max" }),
        async (head, tail) => {
          try {
            await verifySev(concat(head, tail), { now: NOW });
            expect.unreachable();
          } catch (error) {
            expect(error).toBeInstanceOf(EvidenceError);
          }
        },
      ),
    );
  });

  it("does not verify without certificates, or a time", async () => {
    expect(await codeOfAsync(() => verifySev(bytes, { now: NOW }))).toBe("SEV_CERTIFICATE_MISSING");
    expect(await codeOfAsync(() => verifySev(bytes, { now: new Date("never") }))).toBe("INVALID_TIME");
  });
});

describe("in the protocol's JSON", () => {
  it("travels with its certificates, those beside it included", () => {
    const evidence = encodeSevEvidence(REPORT, [certificate]);
    const other = { kind: "hygon.ca", bytes: Uint8Array.of(1) };
    const endorsements = { ...NO_ENDORSEMENTS, vendorCertificates: [certificate, other] };
    expect(sev.fromKbs(sev.toKbs({ evidence })).evidence).toEqual(evidence);
    const json = sev.toKbs({ evidence, endorsements });
    expect(sev.fromKbs(json).evidence).toEqual(encodeSevEvidence(REPORT, [certificate, certificate]));
    expect(sev.toKbs({ evidence: bytes })).toEqual({ attestation_report: toBase64(bytes), cert_chain: null });
    expect(sev.fromKbs({ attestation_report: toBase64(bytes) }).evidence).toEqual(bytes);
  });

  it.each([
    ["no object", "text", "INVALID_ENVELOPE"],
    ["no report", {}, "INVALID_ENVELOPE"],
    ["a struct", { attestation_report: {} }, "INVALID_ENVELOPE"],
    ["a list as chain", { attestation_report: toBase64(bytes), cert_chain: [] }, "INVALID_ENVELOPE"],
    ["broken base64", { attestation_report: "*" }, "INVALID_BASE64"],
    ["another report", { attestation_report: "AAAA" }, "UNSUPPORTED_REPORT_FORMAT"],
  ])("%s is refused", (_, value, code) => {
    expect(codeOf(() => sev.fromKbs(value))).toBe(code);
  });
});

describe("the guest policy", () => {
  it("decodes to what was encoded, all bits", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (word) => {
        const known = (word & 0xffff003f) >>> 0;
        expect(encodeSevPolicy(parseSevPolicy(word))).toBe(known);
        expect(unknownSevPolicyBits(word)).toBe((word ^ known) >>> 0);
      }),
    );
    expect(parseSevPolicy(0b100001)).toMatchObject({ nodbg: true, noks: false, es: false, sev: true });
  });
});
