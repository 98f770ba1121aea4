// SPDX-License-Identifier: Apache-2.0
// The quote itself: who signed it, what the quoting enclave vouches for, and fields that nobody may leave unread.
import { concat } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { parseQuote, type QuoteFields } from "@adyton/evidence/tdx";
import { describe, expect, it } from "vitest";
import { createScene, expectRefusal } from "../../test/scene.ts";

const scene = await createScene();
const { platform } = scene;
const strangersKey = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 0x01 : byte));

const LAYOUTS = [
  ["SGX version 3", "sgx", {}],
  ["TDX version 4", "tdx", {}],
  ["TDX version 5, TD 1.0", "tdx", { version: 5 }],
  ["TDX version 5, TD 1.5", "tdx", { td15: {} }],
] as const;

describe.each(LAYOUTS)("%s", (_, tee, layout) => {
  const refused = (quote: object, code: string) =>
    expectRefusal(scene.verify(tee, { quote: { ...layout, ...quote } }), code, "not-authentic");
  const altered = (alter: (quote: QuoteFields) => Partial<QuoteFields>) => ({
    alter: (quote: QuoteFields) => ({ ...quote, ...alter(quote) }),
  });

  it("the quoting enclave's report signed by another key", () =>
    refused({ pckKey: strangersKey }, "INVALID_QE_REPORT_SIGNATURE"));

  it("the quoting enclave's report signature with a bit changed", () =>
    refused(
      altered(({ qeReportSignature }) => ({ qeReportSignature: flipped(qeReportSignature, 63) })),
      "INVALID_QE_REPORT_SIGNATURE",
    ));

  it("the quoting enclave's report changed after it was signed", () =>
    refused(
      altered(({ qeReport }) => ({ qeReport: { ...qeReport, isvSvn: qeReport.isvSvn + 1 } })),
      "INVALID_QE_REPORT_SIGNATURE",
    ));

  it("the quoting enclave vouches for another key", () =>
    refused({ qeReport: { reportData: new Uint8Array(64).fill(1) } }, "INVALID_QE_REPORT_DATA"));

  it("authentication data other than the quoting enclave vouched for", () =>
    refused(
      altered(({ qeAuthData }) => ({ qeAuthData: flipped(qeAuthData, 0) })),
      "INVALID_QE_REPORT_DATA",
    ));

  it("an attestation key other than the quoting enclave vouched for", () =>
    refused(
      altered(() => ({ attestationKey: strangersKey.publicKey.spki.subarray(-64) })),
      "INVALID_QE_REPORT_DATA",
    ));

  it("something in the upper 32 bytes of the quoting enclave's report data", async () => {
    const honest = parseQuote(await platform.quote({ tee, ...layout }));
    const digest = honest.qeReport.reportData.subarray(0, 32);
    const upper = flipped(new Uint8Array(32), 31);
    await refused({ qeReport: { reportData: concat(digest, upper) } }, "INVALID_QE_REPORT_DATA");
  });

  it("a quote signed by another key", () =>
    refused({ attestationKey: strangersKey }, "INVALID_QUOTE_SIGNATURE"));

  it("an all-zero quote signature", () =>
    refused(
      altered(() => ({ signature: new Uint8Array(64) })),
      "INVALID_QUOTE_SIGNATURE",
    ));

  it("another report data than was signed", () =>
    refused(
      altered(({ body }) => ({
        body: { ...body, report: { ...body.report, reportData: new Uint8Array(64).fill(9) } } as typeof body,
      })),
      "INVALID_QUOTE_SIGNATURE",
    ));

  it("another user data than was signed", () =>
    refused(
      altered(({ header }) => ({ header: { ...header, userData: flipped(header.userData, 3) } })),
      "INVALID_QUOTE_SIGNATURE",
    ));

  it("a quoting enclave of another vendor", () =>
    expectRefusal(
      scene.verify(tee, { quote: { ...layout, header: { qeVendorId: new Uint8Array(16).fill(0xaa) } } }),
      "UNSUPPORTED_QUOTE_FORMAT",
      "malformed",
    ));
});

describe("header fields", () => {
  it.each([
    ["qe_svn", { qeSvn: 1 }],
    ["pce_svn", { pceSvn: 1 }],
  ])("%s is reserved in version 4", async (_, header) => {
    await expectRefusal(scene.verify("tdx", { quote: { header } }), "UNSUPPORTED_QUOTE_FORMAT", "malformed");
  });

  it.each([
    ["attestation key type 3", { attestationKeyType: 3 }],
    ["TEE type 1", { teeType: 1 }],
  ])("%s", async (_, header) => {
    await expectRefusal(scene.verify("tdx", { quote: { header } }), "UNSUPPORTED_QUOTE_FORMAT", "malformed");
  });
});

describe("debug is a finding, not a refusal", () => {
  it.each([
    ["an enclave with DEBUG", "sgx", { enclave: { attributes: new Uint8Array(16).fill(7, 0, 1) } }],
    ["a TD with DEBUG", "tdx", { td: { tdAttributes: Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0) } }],
    [
      "a TD with performance profiling",
      "tdx",
      { td: { tdAttributes: Uint8Array.of(0x20, 0, 0, 0, 0, 0, 0, 0) } },
    ],
  ] as const)("%s", async (_, tee, quote) => {
    const verified = await scene.verify(tee, { quote });
    expect(verified).toMatchObject({ debug: true, tcb: { status: "UpToDate" } });
  });

  it("PERFMON is neither debug nor reserved", async () => {
    const tdAttributes = Uint8Array.of(0, 0, 0, 0x10, 0, 0, 0, 0x80);
    expect(await scene.verify("tdx", { quote: { td: { tdAttributes } } })).toMatchObject({ debug: false });
  });
});

describe("a cache changes speed, not verdicts", async () => {
  const { createCache } = await import("@adyton/evidence");
  const cache = createCache();
  it("accepts, then refuses what must be refused, then accepts again", async () => {
    const endorsements = await scene.vendor.endorsements(platform, "tdx");
    const options = { cache };
    for (let round = 0; round < 2; round++) {
      expect(await scene.status("tdx", { endorsements, options })).toBe("UpToDate");
      expect(
        await scene.status("tdx", { endorsements, options, quote: { attestationKey: strangersKey } }),
      ).toBe("INVALID_QUOTE_SIGNATURE");
      expect(await scene.status("tdx", { endorsements, options, quote: { pckKey: strangersKey } })).toBe(
        "INVALID_QE_REPORT_SIGNATURE",
      );
      expect(await scene.status("tdx", { endorsements, options: { cache, roots: [] } })).toBe(
        "PCK_CERT_CHAIN_UNTRUSTED",
      );
    }
  });

  it("does not carry a verdict over to a bag that revokes", async () => {
    const pckCrl = await scene.vendor.pckCrl("platform", { revoked: [platform.pck.certificate] });
    expect(await scene.status("tdx", { options: { cache } })).toBe("UpToDate");
    expect(await scene.status("tdx", { options: { cache }, replace: { pckCrl } })).toBe("PCK_REVOKED");
  });
});
