// SPDX-License-Identifier: Apache-2.0
// Evidence of real Azure confidential VMs (provenance: the README beside the fixtures), whole and broken. Faults that
// only a key holder can make, and TDX, are in the simulator's tests.

import { equal, fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import { parsePem } from "@adyton/core/pem";
import { codeOf, codeOfAsync, fixtureBytes, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCache } from "../cache.ts";
import { type Endorsements, mergeEndorsements, readEndorsement } from "../endorsements.ts";
import { detectTee, inspectEvidence, verifyEvidence } from "../registry.ts";
import { checkQuote } from "../tpm/quote.ts";
import {
  type AzureEvidence,
  encodeAzureEvidence,
  encodeBincodeQuote,
  parseAzureEvidence,
  parseBincodeQuote,
} from "./evidence.ts";
import { encodeHclReport, hardwareReportData, parseHclReport, parseRuntimeData } from "./hcl.ts";
import { azSnpVtpm } from "./scheme.ts";

const DIR = "azure-vtpm";
const ROOTS = ["sev-snp/roots/ask_ark_milan.pem", "sev-snp/roots/ask_ark_genoa.pem"];
const AT = new Date("2026-06-01T00:00:00Z");

async function amdRoots(): Promise<Endorsements> {
  const files = ROOTS.map(async (name) => readEndorsement({ name, bytes: await fixtureBytes(name) }));
  return mergeEndorsements(...(await Promise.all(files)));
}

const CASES = [
  { file: "snp/evidence-v0.json", version: 0, product: "Milan", nonce: toHex(fromUtf8("challenge")) },
  { file: "snp/evidence-v1.json", version: 1, product: "Milan", nonce: toHex(fromUtf8("challenge")) },
  { file: "snp/evidence-v2.json", version: 2, product: "Milan", nonce: "982f5c6e45df0ed3" },
  { file: "snp/evidence-genoa.json", version: 0, product: "Genoa", nonce: "0218488bae25d250" },
] as const;

describe.skipIf(!hasFixtures)("real evidence of Azure on SNP", () => {
  it.each(CASES)("$file verifies up to AMD's root", async ({ file, version, product, nonce }) => {
    const bytes = await fixtureBytes(`${DIR}/${file}`);
    expect(detectTee(bytes)).toBe("az-snp-vtpm");
    const verified = await verifyEvidence(bytes, { now: AT, endorsements: await amdRoots() });
    expect(verified.tee).toBe("az-snp-vtpm");
    expect(verified.trust).toMatchObject({ simulated: false });
    expect(verified.trust.root).toContain(`CN=ARK-${product}`);
    expect(verified.debug).toBe(false);
    expect(toHex(verified.reportData).startsWith(nonce)).toBe(true);
    expect(verified.registers).toHaveLength(24);
    expect(verified.claims).toMatchObject({ product, evidence_version: version, vmpl: 0 });
    expect(verified.claims.tpm).toMatchObject({ pcr00: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(verified.claims.vm_configuration).toMatchObject({ "secure-boot": true, "tpm-enabled": true });
    expect(Object.keys(verified.tcb.components)).toContain("reported");
    const options = { now: AT, endorsements: await amdRoots(), reportData: verified.reportData };
    expect((await verifyEvidence(bytes, options)).explanation.at(-1)).toContain("report data");
    const other = { ...options, reportData: fromUtf8("another") };
    expect(await codeOfAsync(() => verifyEvidence(bytes, other))).toBe("REPORT_DATA_MISMATCH");
  });

  it.each(CASES)(
    "$file can be inspected, travels as it is, and is written as it was read",
    async ({ file }) => {
      const bytes = await fixtureBytes(`${DIR}/${file}`);
      expect(inspectEvidence(bytes)).toMatchObject({ hardware: "snp" });
      const value = azSnpVtpm.toKbs({ evidence: bytes });
      expect(azSnpVtpm.toKbs(azSnpVtpm.fromKbs(value))).toEqual(value);
      const parsed = parseAzureEvidence(bytes, "az-snp-vtpm");
      expect(parseAzureEvidence(encodeAzureEvidence(parsed), "az-snp-vtpm")).toEqual(parsed);
      const report = parseHclReport(parsed.hclReport);
      expect(equal(encodeHclReport(report), parsed.hclReport)).toBe(true);
    },
  );

  it.each<readonly [rule: string, at: string, roots: boolean, code: string, category: string]>([
    ["AMD's certificates are missing", "2026-06-01T00:00:00Z", false, "ISSUER_NOT_FOUND", "endorsements"],
    ["the VCEK has expired", "2040-01-01T00:00:00Z", true, "CERTIFICATE_EXPIRED", "endorsements"],
    ["the VCEK is not valid yet", "2020-01-01T00:00:00Z", true, "CERTIFICATE_NOT_YET_VALID", "endorsements"],
  ])("%s", async (_rule, at, roots, code, category) => {
    const bytes = await fixtureBytes(`${DIR}/snp/evidence-v1.json`);
    const options = { now: new Date(at), ...(roots ? { endorsements: await amdRoots() } : {}) };
    await expect(verifyEvidence(bytes, options)).rejects.toMatchObject({ code, category });
  });

  it("parts of two machines do not make one", async () => {
    const endorsements = await amdRoots();
    const part = async (file: string): Promise<AzureEvidence> =>
      parseAzureEvidence(await fixtureBytes(`${DIR}/snp/${file}`), "az-snp-vtpm");
    const [one, two, genoa] = [
      await part("evidence-v1.json"),
      await part("evidence-v2.json"),
      await part("evidence-genoa.json"),
    ];
    const mixed: readonly (readonly [AzureEvidence, string])[] = [
      [{ ...one, quote: two.quote }, "INVALID_TPM_QUOTE_SIGNATURE"],
      [{ ...one, hclReport: two.hclReport }, "INVALID_TPM_QUOTE_SIGNATURE"],
      [{ ...one, ...(genoa.vcek === undefined ? {} : { vcek: genoa.vcek }) }, "PRODUCT_MISMATCH"],
      [{ ...one, version: 2 }, "HCL_BINDING_MISMATCH"],
    ];
    for (const [evidence, code] of mixed) {
      const bytes = encodeAzureEvidence(evidence);
      expect(await codeOfAsync(() => verifyEvidence(bytes, { now: AT, endorsements }))).toBe(code);
    }
  });

  it("a flipped bit in any byte of the HCL report, the quote and the PCRs is refused", async () => {
    const whole = parseAzureEvidence(await fixtureBytes(`${DIR}/snp/evidence-v2.json`), "az-snp-vtpm");
    const options = {
      tee: "az-snp-vtpm" as const,
      now: AT,
      endorsements: await amdRoots(),
      cache: createCache(),
    };
    const passed: string[] = [];
    const attempt = async (what: string, evidence: AzureEvidence): Promise<void> => {
      const bytes = encodeAzureEvidence(evidence);
      if ((await codeOfAsync(() => verifyEvidence(bytes, options))) === "nothing") passed.push(what);
    };
    const flipped = (from: Uint8Array, i: number): Uint8Array =>
      from.map((byte, at) => (at === i ? byte ^ (1 << (i % 8)) : byte));
    for (let i = 0; i < whole.hclReport.length; i++) {
      await attempt(`report ${i}`, { ...whole, hclReport: flipped(whole.hclReport, i) });
    }
    const { quote } = whole;
    for (let i = 0; i < quote.message.length; i++) {
      let bytes: Uint8Array | undefined;
      // A message whose PCR selection is broken cannot be written: it is refused when it is read.
      codeOf(() => {
        bytes = encodeAzureEvidence({ ...whole, quote: { ...quote, message: flipped(quote.message, i) } });
      });
      const broken = bytes;
      if (broken !== undefined && (await codeOfAsync(() => verifyEvidence(broken, options))) === "nothing") {
        passed.push(`message ${i}`);
      }
    }
    const [signature = new Uint8Array()] = quote.signature.values;
    for (let i = 0; i < signature.length; i++) {
      const values = [flipped(signature, i)];
      await attempt(`signature ${i}`, {
        ...whole,
        quote: { ...quote, signature: { ...quote.signature, values } },
      });
    }
    for (const [number, value] of quote.pcrs[0]?.values ?? []) {
      const values = new Map(quote.pcrs[0]?.values).set(number, flipped(value, number));
      await attempt(`PCR ${number}`, { ...whole, quote: { ...quote, pcrs: [{ hash: "SHA-256", values }] } });
    }
    expect(passed).toEqual([]);
  });

  it("cut anywhere, or with noise over it, gives typed errors", async () => {
    const bytes = await fixtureBytes(`${DIR}/snp/evidence-v1.json`);
    const options = { tee: "az-snp-vtpm" as const, now: AT };
    for (let length = 0; length < bytes.length; length += 97) {
      expect(await codeOfAsync(() => verifyEvidence(bytes.subarray(0, length), options))).not.toBe("nothing");
    }
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        async (at, patch) => {
          const broken = Uint8Array.from(bytes);
          broken.set(patch.subarray(0, broken.length - at), at);
          await codeOfAsync(() => verifyEvidence(broken, options));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe.skipIf(!hasFixtures)("real HCL reports and quotes", () => {
  it.each([
    ["kinvolk/hcl-report-snp.bin", "snp", 1, false, 2048],
    ["kinvolk/hcl-report-tdx.bin", "tdx", 2, true, 2600],
    ["snp/hcl-report.bin", "snp", 1, true, 2600],
  ] as const)("%s binds its runtime data", async (file, kind, version, userData, size) => {
    const bytes = await fixtureBytes(`${DIR}/${file}`);
    const report = parseHclReport(bytes);
    expect({ kind: report.kind, version: report.version, hash: report.hash }).toEqual({
      kind,
      version,
      hash: "SHA-256",
    });
    const digest = await verifyingCrypto.digest("SHA-256", report.runtimeData);
    expect(toHex(hardwareReportData(report))).toBe(`${toHex(digest)}${"00".repeat(32)}`);
    expect(parseRuntimeData(report.runtimeData).userData !== undefined).toBe(userData);
    expect(equal(encodeHclReport(report, size), bytes)).toBe(true);
    for (let length = 0; length < 1236 + report.runtimeData.length; length += 7) {
      expect(codeOf(() => parseHclReport(bytes.subarray(0, length)))).toBe("INVALID_HCL_REPORT");
    }
  });

  it("the runtime data of a file of its own is that of no report's neighbour", async () => {
    const runtime = parseRuntimeData(await fixtureBytes(`${DIR}/kinvolk/var-data.bin`));
    expect(runtime.vmConfiguration).toHaveProperty("vmUniqueId");
  });

  it.each([
    ["kinvolk/quote.bin", "kinvolk/akpub.pem"],
    ["snp/quote.bin", "snp/hcl-report.bin"],
  ])("%s, in bincode, is signed by the key in %s", async (file, keyFile) => {
    const bytes = await fixtureBytes(`${DIR}/${file}`);
    const quote = parseBincodeQuote(bytes);
    expect(equal(encodeBincodeQuote(quote), bytes)).toBe(true);
    const holder = await fixtureBytes(`${DIR}/${keyFile}`);
    const spki = keyFile.endsWith(".pem")
      ? (parsePem(toUtf8(holder))[0]?.der ?? new Uint8Array())
      : parseRuntimeData(parseHclReport(holder).runtimeData).akSpki;
    const key = await verifyingCrypto.importPublicKey(spki);
    const { attest, registers } = await checkQuote(quote, key, verifyingCrypto);
    expect(toUtf8(attest.extraData)).toBe("challenge");
    expect(registers).toHaveLength(24);
    for (let length = 0; length < bytes.length; length += 11) {
      expect(codeOf(() => parseBincodeQuote(bytes.subarray(0, length)))).not.toBe("nothing");
    }
  });
});

describe("what the protocol's JSON may not be", () => {
  it.each([
    ["no evidence", {}],
    ["TDX's members", { tpm_quote: {}, hcl_report: "", td_quote: "" }],
    ["a text", "x"],
  ])("%s", (_rule, value) => {
    expect(() => azSnpVtpm.fromKbs(value)).toThrow(expect.objectContaining({ code: "INVALID_ENVELOPE" }));
  });

  const quote = { message: "", signature: "", pcrs: [] };
  it.each([
    ["a version that is unknown", { version: 3, tpm_quote: quote, hcl_report: "", vcek: "" }],
    ["a version that is text", { version: "1", tpm_quote: quote, hcl_report: "", vcek: "" }],
    ["a report that is no base64url", { version: 1, tpm_quote: quote, hcl_report: "*", vcek: "" }],
    ["a report that is a number", { version: 1, tpm_quote: quote, hcl_report: 1, vcek: "" }],
    ["bytes that are none", { quote: { message: [256], signature: [], pcrs: [] }, report: [], vcek: "" }],
    ["no quote", { version: 1, hcl_report: "", vcek: "" }],
  ])("%s", async (_rule, members) => {
    const bytes = fromUtf8(JSON.stringify(members));
    const code = await codeOfAsync(() => verifyEvidence(bytes, { tee: "az-snp-vtpm", now: AT }));
    expect(["INVALID_ENVELOPE", "INVALID_TPM_STRUCTURE"]).toContain(code);
  });

  it("needs a time", async () => {
    const options = { tee: "az-snp-vtpm" as const, now: new Date(Number.NaN) };
    expect(await codeOfAsync(() => verifyEvidence(fromUtf8("{}"), options))).toBe("INVALID_TIME");
  });
});
