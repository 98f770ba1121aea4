// SPDX-License-Identifier: Apache-2.0
// The software TEE's vendor, and the verifier against it: each check of the scheme has its negative here.

import { fromUtf8, toBase64, toHex, toUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { issueCertificate } from "@adyton/core/issue";
import { canonicalJson, type JsonObject } from "@adyton/core/json";
import { type Certificate, KEY_USAGE, parseCertificate, parseCertificates } from "@adyton/core/x509";
import { assertVerified, detectTee, type VerifyOptions, verifyEvidence } from "@adyton/evidence";
import {
  encodeSampleEvidence,
  parseSampleEvidence,
  type SampleEvidence,
  signedPartOf,
} from "@adyton/evidence/sample";
import { describe, expect, it } from "vitest";
import { createSampleVendor, importSampleMachine, importSampleVendor } from "./vendor.ts";

const NOW = new Date("2026-07-01T00:00:00Z");
const DIGEST = "ab".repeat(48);
const REPORT_DATA = new Uint8Array(64).fill(5);

const vendor = await createSampleVendor();
const machine = await vendor.machine();
const evidence = await machine.evidence({ launchDigest: DIGEST, reportData: REPORT_DATA });
const trusting: VerifyOptions = { now: NOW, roots: [vendor.root] };

async function refusal(bytes: Uint8Array, options: VerifyOptions): Promise<AdytonError> {
  try {
    await verifyEvidence(bytes, { ...options, tee: "sample" });
  } catch (error) {
    if (error instanceof AdytonError) return error;
    throw error;
  }
  throw new Error("the evidence was accepted");
}

/** The evidence with parts replaced, the signature left as it is. */
function altered(
  change: (parsed: SampleEvidence) => SampleEvidence,
  bytes: Uint8Array = evidence,
): Uint8Array {
  return encodeSampleEvidence(change(parseSampleEvidence(bytes)));
}

describe("evidence of a named root", () => {
  it("verifies as simulated", async () => {
    const verified = await verifyEvidence(evidence, { ...trusting, reportData: REPORT_DATA });
    assertVerified(verified);
    expect(detectTee(evidence)).toBe("sample");
    expect(verified.trust).toMatchObject({ simulated: true, root: vendor.root.subject.text });
    expect(verified.warnings.map(({ code }) => code)).toEqual(["SIMULATED", "REVOCATION_UNCHECKED"]);
    expect(verified.tcb.status).toBeNull();
    expect(verified.debug).toBe(false);
    expect(verified.reportData).toEqual(REPORT_DATA);
    expect(verified.initDataField).toBeNull();
    expect(verified.claims).toEqual({
      svn: "1",
      report_data: toBase64(REPORT_DATA),
      init_data: null,
      launch_digest: DIGEST,
      platform_version: { major: 1, minor: 0 },
      debug: false,
    });
    expect(verified.endorsements).toMatchObject({
      revocation: "unchecked",
      earliestIssue: "2025-01-01T00:00:00.000Z",
      earliestExpiry: "2055-01-01T00:00:00.000Z",
    });
  });

  it("carries init-data, security version, platform version and debug", async () => {
    const launch = {
      launchDigest: new Uint8Array(48).fill(1),
      reportData: Uint8Array.of(1, 2),
      initData: Uint8Array.of(3),
      svn: "7",
      platformVersion: { major: 2, minor: 5 },
      debug: true,
    };
    const verified = await verifyEvidence(await machine.evidence(launch), trusting);
    expect(verified.debug).toBe(true);
    expect(verified.initDataField?.[0]).toBe(3);
    expect(verified.initDataField).toHaveLength(64);
    expect(verified.claims).toMatchObject({
      svn: "7",
      debug: true,
      platform_version: { major: 2, minor: 5 },
    });
  });

  it("verifies with P-256 keys", async () => {
    const small = await createSampleVendor({ curve: "P-256" });
    const bytes = await (await small.machine()).evidence({ launchDigest: DIGEST, reportData: REPORT_DATA });
    await expect(verifyEvidence(bytes, { now: NOW, roots: [small.root] })).resolves.toHaveProperty(
      "tee",
      "sample",
    );
  });

  it("verifies through intermediates, in their order only", async () => {
    const validity = { notBefore: vendor.root.notBefore, notAfter: vendor.root.notAfter };
    const keyUsage = [KEY_USAGE.keyCertSign];
    const keys = await Promise.all(
      ["root", "outer", "inner", "platform"].map(() =>
        defaultCrypto.generateKey({ name: "EC", curve: "P-384" }),
      ),
    );
    const [root, outer, inner, platform] = keys as [PrivateKey, PrivateKey, PrivateKey, PrivateKey];
    const issued = async (
      [subject, key]: readonly [string, PrivateKey],
      [issuer, signer]: readonly [string, PrivateKey],
      use: Partial<Parameters<typeof issueCertificate>[0]>,
    ) =>
      parseCertificate(
        await issueCertificate(
          { subject: [["CN", subject]], spki: key.publicKey.spki, serial: "05", ...validity, ...use },
          { name: [["CN", issuer]], key: signer },
        ),
      );
    const rootCertificate = await issued(["Root", root], ["Root", root], { ca: {}, keyUsage });
    const path = [
      await issued(["Adyton Sample Platform", platform], ["Inner", inner], {
        keyUsage: [KEY_USAGE.digitalSignature],
      }),
      await issued(["Inner", inner], ["Outer", outer], { ca: {}, keyUsage }),
      await issued(["Outer", outer], ["Root", root], { ca: {}, keyUsage }),
    ];
    const { claims } = parseSampleEvidence(evidence);
    const signature = await platform.sign({ name: "ECDSA", hash: "SHA-384" }, signedPartOf(claims));
    const over = (order: readonly number[]) =>
      encodeSampleEvidence({ claims, signature, certificates: order.flatMap((i) => path[i]?.der ?? []) });
    const options = { now: NOW, roots: [rootCertificate] };
    await expect(verifyEvidence(over([0, 1, 2]), options)).resolves.toHaveProperty("trust.root", "CN=Root");
    expect((await refusal(over([0, 2, 1]), options)).code).toBe("INVALID_SAMPLE_CERTIFICATE");
    expect((await refusal(over([0, 1]), options)).code).toBe("ISSUER_NOT_FOUND");
  });

  it("verifies with a revocation list that does not name the platform", async () => {
    const endorsements = { certificates: [], documents: [], crls: [await vendor.crl()] };
    const verified = await verifyEvidence(evidence, { ...trusting, endorsements, requireRevocation: true });
    expect(verified.endorsements.revocation).toBe("checked");
    expect(verified.warnings.map(({ code }) => code)).toEqual(["SIMULATED"]);
  });

  it("verifies after vendor and machine were exported and imported", async () => {
    const again = await importSampleVendor(await vendor.export());
    const sameMachine = await importSampleMachine(await machine.export());
    const newMachine = await again.machine();
    for (const each of [sameMachine, newMachine]) {
      const bytes = await each.evidence({ launchDigest: DIGEST, reportData: REPORT_DATA });
      await expect(verifyEvidence(bytes, trusting)).resolves.toHaveProperty("tee", "sample");
    }
    expect(toHex(sameMachine.certificate.der)).toBe(toHex(machine.certificate.der));
    expect(parseCertificates(again.rootPem).map(({ der }) => toHex(der))).toEqual([toHex(vendor.root.der)]);
  });
});

describe("importing", () => {
  it("refuses a key that is not the certificate's", async () => {
    const [vendorParts, machineParts] = [await vendor.export(), await machine.export()];
    const mixed = { certificate: vendorParts.certificate, key: machineParts.key };
    await expect(importSampleVendor(mixed)).rejects.toHaveProperty("code", "INVALID_KEY");
    await expect(importSampleMachine(mixed)).rejects.toHaveProperty("code", "INVALID_KEY");
  });
});

describe("refusals", () => {
  const other = createSampleVendor();

  it("without a named root: there is no pinned one", async () => {
    const endorsements = { certificates: [vendor.root], documents: [], crls: [] };
    for (const options of [{ now: NOW }, { now: NOW, roots: [] }, { now: NOW, endorsements }]) {
      const error = await refusal(evidence, options);
      expect(error.code).toBe("SAMPLE_ROOT_NOT_NAMED");
      expect(error.category).toBe("endorsements");
    }
  });

  it("of unsigned claims", async () => {
    const claims = fromUtf8('{"svn":"1","report_data":"AAAA","init_data":""}');
    expect(await refusal(claims, trusting)).toMatchObject({
      code: "SAMPLE_UNSIGNED",
      category: "not-authentic",
    });
  });

  it("at no time", async () => {
    const error = await refusal(evidence, { ...trusting, now: new Date(Number.NaN) });
    expect(error.code).toBe("INVALID_TIME");
  });

  it.each([
    ["2024-12-31T23:59:59Z", "CERTIFICATE_NOT_YET_VALID"],
    ["2055-01-01T00:00:01Z", "CERTIFICATE_EXPIRED"],
  ])("at %s", async (at, code) => {
    const error = await refusal(evidence, { ...trusting, now: new Date(at) });
    expect(error).toMatchObject({ code, category: "endorsements" });
  });

  it("under another root", async () => {
    const error = await refusal(evidence, { now: NOW, roots: [(await other).root] });
    expect(error).toMatchObject({ code: "ISSUER_NOT_FOUND", category: "endorsements" });
  });

  it("under a root of the same name with another key", async () => {
    const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-384" });
    const name = [
      ["O", "Adyton Simulator"],
      ["CN", vendor.root.subject.commonName ?? ""],
    ] as const;
    const impostor = parseCertificate(
      await issueCertificate(
        {
          subject: name,
          spki: key.publicKey.spki,
          serial: "01",
          notBefore: vendor.root.notBefore,
          notAfter: vendor.root.notAfter,
          ca: {},
        },
        { name, key },
      ),
    );
    const error = await refusal(evidence, { now: NOW, roots: [impostor] });
    expect(error).toMatchObject({ code: "CERTIFICATE_SIGNATURE", category: "not-authentic" });
  });

  it("of a platform certificate that is the root itself", async () => {
    const bytes = altered((parsed) => ({ ...parsed, certificates: [vendor.root.der] }));
    expect((await refusal(bytes, trusting)).code).toBe("INVALID_SAMPLE_CERTIFICATE");
  });

  it("of certificates beyond the chain", async () => {
    for (const extra of [vendor.root, (await other).root, machine.certificate]) {
      const bytes = altered((parsed) => ({ ...parsed, certificates: [...parsed.certificates, extra.der] }));
      expect((await refusal(bytes, trusting)).code).toBe("INVALID_SAMPLE_CERTIFICATE");
    }
  });

  it("of a certificate that is none", async () => {
    const bytes = altered((parsed) => ({ ...parsed, certificates: [Uint8Array.of(0x30, 0)] }));
    expect((await refusal(bytes, trusting)).code).toBe("INVALID_DER");
  });

  it("of a certificate of another role", async () => {
    const roles = [
      { subject: [["CN", "Somebody else"]] as const },
      { keyUsage: [KEY_USAGE.cRLSign] },
      { keyUsage: [] },
    ];
    for (const role of roles) {
      const bytes = await (await vendor.machine(role)).evidence({
        launchDigest: DIGEST,
        reportData: REPORT_DATA,
      });
      expect((await refusal(bytes, trusting)).code).toBe("INVALID_SAMPLE_CERTIFICATE");
    }
  });

  it("of a platform that is a CA", async () => {
    const { certificate, key } = await impostorPlatform("P-384", { ca: {} });
    expect((await refusal(await signedBy(certificate, key), trusting)).code).toBe(
      "INVALID_SAMPLE_CERTIFICATE",
    );
  });

  it("of a platform key on a curve without an algorithm here", async () => {
    const { certificate, key } = await impostorPlatform("P-521");
    expect((await refusal(await signedBy(certificate, key), trusting)).code).toBe(
      "INVALID_SAMPLE_CERTIFICATE",
    );
  });

  it("of a revoked platform, even when revocation is not required", async () => {
    const endorsements = { certificates: [], documents: [], crls: [await vendor.crl([machine.certificate])] };
    const error = await refusal(evidence, { ...trusting, endorsements });
    expect(error).toMatchObject({ code: "CERTIFICATE_REVOKED", category: "not-authentic" });
  });

  it("when revocation is required and the list is missing, expired or another's", async () => {
    const expired = await vendor.crl([], { nextUpdate: new Date("2026-01-01T00:00:00Z") });
    const others = await (await other).crl();
    const cases = [
      { crls: [], code: "CRL_MISSING" },
      { crls: [others], code: "CRL_MISSING" },
      { crls: [expired], code: "CRL_EXPIRED" },
    ];
    for (const { crls, code } of cases) {
      const endorsements = { certificates: [], documents: [], crls };
      const error = await refusal(evidence, { ...trusting, endorsements, requireRevocation: true });
      expect(error).toMatchObject({ code, category: "endorsements" });
    }
  });

  it.each<[claim: string, change: (claims: SampleEvidence["claims"]) => SampleEvidence["claims"]]>([
    ["svn", (claims) => ({ ...claims, svn: "2" })],
    ["report data", (claims) => ({ ...claims, reportData: new Uint8Array(64) })],
    ["init-data", (claims) => ({ ...claims, initData: new Uint8Array(64) })],
    ["launch digest", (claims) => ({ ...claims, launchDigest: new Uint8Array(48) })],
    ["platform version", (claims) => ({ ...claims, platformVersion: { major: 9, minor: 0 } })],
    ["debug", (claims) => ({ ...claims, debug: true })],
  ])("of an altered %s", async (_claim, change) => {
    const bytes = altered((parsed) => ({ ...parsed, claims: change(parsed.claims) }));
    const error = await refusal(bytes, trusting);
    expect(error).toMatchObject({ code: "INVALID_SAMPLE_SIGNATURE", category: "not-authentic" });
  });

  it("of a signature over the claims alone, without the domain", async () => {
    const key = await defaultCrypto.importPrivateKey((await machine.export()).key);
    const { claims } = JSON.parse(toUtf8(evidence)) as { claims: JsonObject };
    const signature = await key.sign({ name: "ECDSA", hash: "SHA-384" }, fromUtf8(canonicalJson(claims)));
    expect(
      (
        await refusal(
          altered((parsed) => ({ ...parsed, signature })),
          trusting,
        )
      ).code,
    ).toBe("INVALID_SAMPLE_SIGNATURE");
  });

  it("of another machine's signature", async () => {
    const { signature } = parseSampleEvidence(
      await (await vendor.machine()).evidence({ launchDigest: DIGEST, reportData: REPORT_DATA }),
    );
    expect(
      (
        await refusal(
          altered((parsed) => ({ ...parsed, signature })),
          trusting,
        )
      ).code,
    ).toBe("INVALID_SAMPLE_SIGNATURE");
  });

  it("of other report data", async () => {
    const error = await refusal(evidence, { ...trusting, reportData: new Uint8Array(64) });
    expect(error).toMatchObject({ code: "REPORT_DATA_MISMATCH", category: "not-authentic" });
  });

  it("of the document with any byte changed", async () => {
    const accepted: number[] = [];
    for (let at = 0; at < evidence.length; at++) {
      const mutant = Uint8Array.from(evidence);
      mutant[at] = (mutant[at] as number) ^ 1;
      try {
        await verifyEvidence(mutant, { ...trusting, tee: "sample" });
        accepted.push(at);
      } catch (error) {
        if (!(error instanceof AdytonError)) throw error;
      }
    }
    expect(accepted).toEqual([]);
  });

  it("refuses a launch digest that is none", async () => {
    await expect(machine.evidence({ launchDigest: "abcd", reportData: REPORT_DATA })).rejects.toHaveProperty(
      "code",
      "INVALID_SAMPLE_EVIDENCE",
    );
  });
});

/** A platform certificate of the vendor over a key that the vendor would not certify. */
async function impostorPlatform(curve: "P-384" | "P-521", extra: { ca?: object } = {}) {
  const exported = await vendor.export();
  const name = [
    ["O", "Adyton Simulator"],
    ["CN", vendor.root.subject.commonName ?? ""],
  ] as const;
  const key = await defaultCrypto.generateKey({ name: "EC", curve });
  const certificate = parseCertificate(
    await issueCertificate(
      {
        subject: [["CN", "Adyton Sample Platform"]],
        spki: key.publicKey.spki,
        serial: "02",
        notBefore: vendor.root.notBefore,
        notAfter: vendor.root.notAfter,
        keyUsage: [KEY_USAGE.digitalSignature],
        ...extra,
      },
      { name, key: await defaultCrypto.importPrivateKey(exported.key) },
    ),
  );
  return { certificate, key };
}

async function signedBy(
  certificate: Certificate,
  key: Awaited<ReturnType<typeof impostorPlatform>>["key"],
): Promise<Uint8Array> {
  const { claims } = parseSampleEvidence(evidence);
  const signature = await key.sign({ name: "ECDSA", hash: "SHA-384" }, signedPartOf(claims));
  return encodeSampleEvidence({ claims, certificates: [certificate.der], signature });
}
