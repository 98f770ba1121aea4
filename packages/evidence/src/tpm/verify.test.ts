// SPDX-License-Identifier: Apache-2.0
// Quotes of real TPMs in each form (provenance: the README beside the fixtures), whole and broken. Faults that only a
// key holder can make are in the simulator's tests.

import { equal, fromHex, fromUtf8, toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import { parseCertificate } from "@adyton/core/x509";
import { codeOfAsync, fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { VendorKey } from "../bag.ts";
import { mergeEndorsements, NO_ENDORSEMENTS, readEndorsement } from "../endorsements.ts";
import { detectTee, inspectEvidence, verifyEvidence } from "../registry.ts";
import type { VerifyOptions } from "../scheme.ts";
import { verifyEkCertificate } from "../tpm.ts";
import { parseTpmSignature } from "./attest.ts";
import { encodeTpmEvidence } from "./evidence.ts";
import { parseTpmEvidence } from "./forms.ts";
import { parseTpmPublic, spkiOfTpmPublic } from "./public.ts";
import { checkQuote } from "./quote.ts";
import { tpm } from "./scheme.ts";

const GCE = "tpm2/go-tpm-tools";
const CASES = [
  {
    name: "Confidential Containers",
    path: "tpm2/trustee/tpm_evidence.json",
    registers: 24,
    events: undefined,
  },
  { name: "Google Cloud without a nonce", path: `${GCE}/gce-cos-85-no-nonce.pb`, registers: 72, events: 44 },
  { name: "Google Cloud with a nonce", path: `${GCE}/gce-cos-85-nonce9009.pb`, registers: 72, events: 44 },
] as const;
const NOW = new Date("2026-06-01T00:00:00Z");

/** Options that name the evidence's own key: what only a caller can do, never the evidence. */
function naming(evidence: Uint8Array, key: Partial<VendorKey> = {}): VerifyOptions {
  const { akSpki } = parseTpmEvidence(evidence);
  return { now: NOW, anchors: { ...NO_ENDORSEMENTS, keys: [{ spki: akSpki, identifiers: {}, ...key }] } };
}

describe.skipIf(!hasFixtures)("real TPM evidence", () => {
  it.each(CASES)("$name verifies under its key, once that is named", async ({ path, registers, events }) => {
    const bytes = await fixtureBytes(path);
    expect(detectTee(bytes)).toBe("tpm");
    const verified = await verifyEvidence(bytes, naming(bytes));
    expect(verified.tee).toBe("tpm");
    expect(verified.trust).toMatchObject({
      root: "TPM attestation key named by the caller",
      simulated: true,
    });
    expect(verified.registers).toHaveLength(registers);
    expect(verified.claims.pcr07).toMatch(/^[0-9a-f]{64}$/);
    expect(verified.claims.ak_public).toBe(inspectEvidence(bytes).ak_public);
    expect(verified.reportData).toHaveLength(64);
    expect(verified.claims.init_data).toBe(verified.claims.pcr08);
    const log = verified.claims.uefi_event_logs;
    expect(Array.isArray(log) ? log.length : undefined).toBe(events);
    expect(verified.warnings.map(({ code }) => code).slice(0, 2)).toEqual([
      "MEMORY_NOT_PROTECTED",
      "REVOCATION_UNCHECKED",
    ]);
    const vouched = await verifyEvidence(bytes, naming(bytes, { hardware: true }));
    expect(vouched.trust).toMatchObject({
      root: "TPM attestation key vouched for by the caller",
      simulated: false,
    });
  });

  it("Google Cloud's log tells how the machine came up", async () => {
    const bytes = await fixtureBytes(CASES[1].path);
    const { claims, warnings } = await verifyEvidence(bytes, naming(bytes));
    expect(claims.boot).toMatchObject({ secure_boot: true, exit_boot_services: true });
    expect(warnings.map(({ code }) => code)).toContain("EVENT_LOG_INCOMPLETE");
  });

  it("its own key never vouches for evidence, nor does one among endorsements", async () => {
    const bytes = await fixtureBytes(CASES[0].path);
    const { anchors, now } = naming(bytes);
    for (const options of [{ now }, { now, endorsements: anchors ?? NO_ENDORSEMENTS }]) {
      await expect(verifyEvidence(bytes, options)).rejects.toMatchObject({
        code: "AK_NOT_TRUSTED",
        category: "endorsements",
      });
    }
    const revocation = { ...naming(bytes), requireRevocation: true };
    expect(await codeOfAsync(() => verifyEvidence(bytes, revocation))).toBe("AK_NOT_TRUSTED");
  });

  it("Google Cloud's certificate needs Google's root", async () => {
    for (const { path } of CASES.slice(1)) {
      const bytes = await fixtureBytes(path);
      await expect(verifyEvidence(bytes, { now: NOW })).rejects.toMatchObject({
        code: "NO_TRUST_ANCHOR",
        category: "endorsements",
      });
    }
  });

  it("binds its nonce", async () => {
    const bytes = await fixtureBytes(CASES[2].path);
    const options = naming(bytes);
    const { reportData } = await verifyEvidence(bytes, options);
    expect(toHex(reportData)).toMatch(/^9009/);
    await verifyEvidence(bytes, { ...options, reportData: fromHex("9009") });
    for (const other of ["9008", "900901", "90"]) {
      const reportDataOther = { ...options, reportData: fromHex(other) };
      expect(await codeOfAsync(() => verifyEvidence(bytes, reportDataOther))).toBe("REPORT_DATA_MISMATCH");
    }
  });

  it.each(CASES)("$name in the protocol's JSON and back", async ({ path }) => {
    const bytes = await fixtureBytes(path);
    const value = tpm.toKbs({ evidence: bytes });
    const again = tpm.fromKbs(value).evidence;
    expect(tpm.toKbs({ evidence: again })).toEqual(value);
    expect((await verifyEvidence(again, naming(bytes))).tee).toBe("tpm");
  });

  it("a flipped bit in any signed byte, any PCR and the key is refused", async () => {
    const bytes = await fixtureBytes(CASES[0].path);
    const whole = parseTpmEvidence(bytes);
    const [quote] = whole.quotes;
    const options = naming(bytes);
    if (quote === undefined) throw new Error("no quote");
    const passed: string[] = [];
    const attempt = async (
      what: string,
      evidence: Parameters<typeof encodeTpmEvidence>[0],
    ): Promise<void> => {
      const broken = encodeTpmEvidence(evidence);
      if ((await codeOfAsync(() => verifyEvidence(broken, { tee: "tpm", ...options }))) === "nothing")
        passed.push(what);
    };
    const flipped = (from: Uint8Array, i: number): Uint8Array =>
      from.map((byte, at) => (at === i ? byte ^ (1 << (i % 8)) : byte));
    for (let i = 0; i < quote.message.length; i++) {
      await attempt(`message ${i}`, { ...whole, quotes: [{ ...quote, message: flipped(quote.message, i) }] });
    }
    const [signature = new Uint8Array()] = quote.signature.values;
    for (let i = 0; i < signature.length; i++) {
      const values = [flipped(signature, i)];
      await attempt(`signature ${i}`, {
        ...whole,
        quotes: [{ ...quote, signature: { ...quote.signature, values } }],
      });
    }
    const [bank] = quote.pcrs;
    for (const [number, value] of bank?.values ?? []) {
      const values = new Map(bank?.values).set(number, flipped(value, number));
      await attempt(`PCR ${number}`, {
        ...whole,
        quotes: [{ ...quote, pcrs: [{ hash: "SHA-256", values }] }],
      });
    }
    for (let i = 0; i < whole.akSpki.length; i += 7) {
      await attempt(`key ${i}`, { ...whole, akSpki: flipped(whole.akSpki, i) });
    }
    expect(passed).toEqual([]);
  });

  it("a flipped bit anywhere in Google Cloud's message never makes other claims", async () => {
    const bytes = Uint8Array.from(await fixtureBytes(CASES[2].path));
    const options = { tee: "tpm" as const, ...naming(bytes) };
    const facts = ({ claims }: { readonly claims: JsonObject }): string =>
      JSON.stringify({ ...claims, uefi_event_logs: null, boot: null });
    const believed = facts(await verifyEvidence(bytes, options));
    for (let offset = 0; offset < bytes.length; offset += 61) {
      bytes[offset] = (bytes[offset] ?? 0) ^ (1 << (offset % 8));
      let found = believed;
      // Whatever is no AdytonError is thrown on.
      await codeOfAsync(async () => {
        found = facts(await verifyEvidence(bytes, options));
      });
      expect(found).toBe(believed);
      bytes[offset] = (bytes[offset] ?? 0) ^ (1 << (offset % 8));
    }
  });

  it("cut anywhere, or with noise over it, gives typed errors", async () => {
    for (const { path } of CASES) {
      const bytes = await fixtureBytes(path);
      const options = { tee: "tpm" as const, ...naming(bytes) };
      for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 150)) {
        expect(await codeOfAsync(() => verifyEvidence(bytes.subarray(0, length), options))).not.toBe(
          "nothing",
        );
      }
      await fc.assert(
        fc.asyncProperty(
          fc.nat(bytes.length - 1),
          fc.uint8Array({ minLength: 1, maxLength: 80 }),
          async (at, patch) => {
            const broken = Uint8Array.from(bytes);
            broken.set(patch.subarray(0, broken.length - at), at);
            await codeOfAsync(() => verifyEvidence(broken, options));
          },
        ),
        { numRuns: 60 },
      );
    }
  });

  it("a quote that a TPM signed over SHA-1 is refused", async () => {
    const dump: unknown = JSON.parse(await fixtureText("tpm2/go-attestation/windows_gcp_shielded_vm.json"));
    const { AK, Quote } = dump as { AK: { Public: string }; Quote: { Quote: string; Signature: string } };
    const bytes = (text: string): Uint8Array => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const key = await verifyingCrypto.importPublicKey(spkiOfTpmPublic(parseTpmPublic(bytes(AK.Public))));
    const quote = {
      message: bytes(Quote.Quote),
      signature: parseTpmSignature(bytes(Quote.Signature)),
      pcrs: [],
    };
    expect(await codeOfAsync(() => checkQuote(quote, key, verifyingCrypto))).toBe("UNSUPPORTED_ALGORITHM");
  });
});

describe.skipIf(!hasFixtures)("quotes of measured boots", () => {
  const BOOTS = ["direct", "q11-direct", "q11-ovmf25", "q11-sb", "q11-uki257"];
  const QUOTES = [
    ["q", "ak", "sha256"],
    ["q384", "ak", "sha384"],
    ["qr", "akr", "sha256"],
  ] as const;
  const HASH = { sha256: "SHA-256", sha384: "SHA-384" } as const;
  it.each(BOOTS.flatMap((boot) => QUOTES.map((quote) => [boot, ...quote] as const)))(
    "%s: %s by %s verifies with its event log",
    async (boot, quote, ak, bank) => {
      const folder = `measure/tpm/boots/${boot}`;
      const akPublic = parseTpmPublic(await fixtureBytes(`${folder}/${ak}.pub`));
      const pcrs = JSON.parse(await fixtureText(`${folder}/pcrs.json`)) as Record<
        string,
        Record<string, string>
      >;
      const values = Object.entries(pcrs[bank] ?? {}).map(
        ([index, value]) => [Number(index), fromHex(value)] as const,
      );
      const evidence = encodeTpmEvidence({
        akSpki: spkiOfTpmPublic(akPublic),
        akPublic,
        quotes: [
          {
            message: await fixtureBytes(`${folder}/${quote}.msg`),
            signature: parseTpmSignature(await fixtureBytes(`${folder}/${quote}.sig`)),
            pcrs: [{ hash: HASH[bank], values: new Map(values) }],
          },
        ],
        certificates: [],
        eventLogs: [await fixtureBytes(`${folder}/eventlog`)],
      });
      const reportData = fromHex("00112233445566778899aabbccddeeff".repeat(2));
      const verified = await verifyEvidence(evidence, { ...naming(evidence), reportData });
      expect(verified.registers?.map(({ index }) => index)).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14,
      ]);
      expect(verified.claims.boot).toMatchObject({
        secure_boot: boot === "q11-sb",
        exit_boot_services: true,
      });
      const shown = bank === "sha256" ? verified.claims.pcr04 : undefined;
      if (bank === "sha256") expect(shown).toBe(pcrs.sha256?.["4"]);
      else expect(verified.claims.pcr_banks).toHaveProperty(["SHA-384", "pcr04"], pcrs.sha384?.["4"]);
    },
  );

  it("an endorsement key's certificate chains to the root that is named, and no other", async () => {
    const folder = "measure/tpm/boots";
    const certificate = parseCertificate(await fixtureBytes(`${folder}/q11-direct/ekcert.der`));
    const bag = async (ca: string) =>
      mergeEndorsements(
        ...(await Promise.all(
          ["issuercert.pem", "swtpm-localca-rootca-cert.pem"].map(async (name) =>
            readEndorsement({ name, bytes: await fixtureBytes(`${folder}/${ca}/${name}`) }),
          ),
        )),
      );
    const endorsements = await bag("ca-q11");
    const now = new Date("2026-12-01T00:00:00Z");
    const roots = endorsements.certificates.slice(1);
    const trusted = await verifyEkCertificate(certificate, { now, endorsements, roots });
    expect(trusted.trust).toMatchObject({ root: "CN=swtpm-localca-rootca", simulated: true });
    const ek = parseTpmPublic(await fixtureBytes(`${folder}/q11-direct/ek.pub`));
    expect(equal(trusted.certificate.spki, spkiOfTpmPublic(ek))).toBe(true);
    const foreign = (await bag("ca-host")).certificates.slice(1);
    const refusals = [
      [{ now, endorsements, roots: [] }, "NO_TRUST_ANCHOR"],
      [{ now, endorsements: NO_ENDORSEMENTS, roots }, "ISSUER_NOT_FOUND"],
      [{ now, endorsements: await bag("ca-host"), roots: foreign }, "CERTIFICATE_SIGNATURE"],
      [{ now: new Date("2020-01-01"), endorsements, roots }, "CERTIFICATE_NOT_YET_VALID"],
      [{ now, endorsements, roots, requireRevocation: true }, "CRL_MISSING"],
    ] as const;
    for (const [options, code] of refusals) {
      expect(await codeOfAsync(() => verifyEkCertificate(certificate, options))).toBe(code);
    }
    const [ca] = endorsements.certificates;
    if (ca === undefined) throw new Error("no CA");
    expect(await codeOfAsync(() => verifyEkCertificate(ca, { now, endorsements, roots }))).toBe(
      "INVALID_EK_CERTIFICATE",
    );
  });

  it.each(["pca_tpm_ecc_sign", "pca_tpm_rsa_sign", "uca_tpm_ecc_sign", "uca_tpm_rsa_sign"])(
    "Google's %s certificate is for signatures, and so no endorsement key's",
    async (name) => {
      const { certificates } = readEndorsement({
        name,
        bytes: await fixtureBytes(`${GCE}/certificates/${name}_cert.pem`),
      });
      const [certificate] = certificates;
      if (certificate === undefined) throw new Error("no certificate");
      expect(await codeOfAsync(() => verifyEkCertificate(certificate, { now: NOW }))).toBe(
        "INVALID_EK_CERTIFICATE",
      );
    },
  );
});

describe("the protocol's JSON", () => {
  const quote = { message: "", signature: "", pcrs: [] };
  it.each([
    ["nothing of a form", {}, "INVALID_ENVELOPE"],
    ["a number", 7, "INVALID_ENVELOPE"],
    ["base64 of another thing", "AAAA", "INVALID_ENVELOPE"],
    ["no quote", { ak_public: "", tpm_quote: null }, "INVALID_ENVELOPE"],
  ])("%s", (_rule, value, code) => {
    expect(() => tpm.fromKbs(value)).toThrow(expect.objectContaining({ code }));
  });

  it.each<readonly [rule: string, members: JsonObject]>([
    ["a message that is no text", { ak_public: "", tpm_quote: { ...quote, message: 1 } }],
    ["a message that is no base64", { ak_public: "", tpm_quote: { ...quote, message: "*" } }],
    ["25 PCRs", { ak_public: "", tpm_quote: { ...quote, pcrs: Array.from({ length: 25 }, () => "") } }],
    ["a PCR that is no hex", { ak_public: "", tpm_quote: { ...quote, pcrs: ["zz"] } }],
    ["a bank that is unknown", { ak_public: "", tpm_quote: { ...quote, pcrs: { MD5: {} } } }],
    ["an Alibaba key that is no PEM", { ak_pubkey: "x", quote: { SHA256: {} } }],
    [
      "an Alibaba quote of an unknown bank",
      { ak_pubkey: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", quote: { MD5: {} } },
    ],
    [
      "no Alibaba quote",
      { ak_pubkey: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", quote: {} },
    ],
  ])("refuses %s", async (_rule, members) => {
    const bytes = fromUtf8(JSON.stringify(members));
    const code = await codeOfAsync(() => verifyEvidence(bytes, { tee: "tpm", now: NOW }));
    expect(["INVALID_ENVELOPE", "INVALID_TPM_STRUCTURE"]).toContain(code);
  });

  it("needs a time", async () => {
    const bytes = fromUtf8("{}");
    const options = { tee: "tpm" as const, now: new Date(Number.NaN) };
    expect(await codeOfAsync(() => verifyEvidence(bytes, options))).toBe("INVALID_TIME");
  });
});
