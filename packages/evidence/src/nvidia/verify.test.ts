// SPDX-License-Identifier: Apache-2.0
// Real reports of two Hopper GPUs (Trustee's test data): verdicts, claims, and what changing any byte does.

import { fromBase64, fromHex, toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, parseJson } from "@adyton/core/json";
import { type Certificate, parseCertificates } from "@adyton/core/x509";
import { codeOf, codeOfAsync, fixtureText, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import type { Endorsements } from "../bag.ts";
import { inspectEvidence, verifyEvidence } from "../registry.ts";
import { encodeNvidiaReport, parseNvidiaReport } from "./evidence.ts";
import { verifyNvidia } from "./verify.ts";

const AT = new Date("2026-01-01T00:00:00Z");
/** In a browser every signature check is a round trip: fewer offsets are tried there. */
const STRIDE = typeof window === "undefined" ? 1 : 41;

const report = async (name: string): Promise<Uint8Array> =>
  hasFixtures ? fromHex((await fixtureText(`nvidia/trustee/${name}`)).trim()) : new Uint8Array();
const chain = async (name: string): Promise<Certificate[]> =>
  hasFixtures ? parseCertificates(await fixtureText(`nvidia/trustee/${name}`)) : [];
const bag = (certificates: readonly Certificate[]): Endorsements => ({
  certificates,
  crls: [],
  documents: [],
});

describe.skipIf(!hasFixtures)("real reports", async () => {
  const hopper = await report("hopperAttestationReport.txt");
  const coco = await report("hopper_coco_report1.txt");
  const [good, rootOnly, gap, headless, cocoChain] = await Promise.all(
    [1, 2, 3, 4].map((n) => chain(`hopper_cert_chain_case${n}.txt`)).concat(chain("hopper_coco_certs1.txt")),
  );
  if (good === undefined || rootOnly === undefined || gap === undefined) throw new Error("fixtures");
  if (headless === undefined || cocoChain === undefined) throw new Error("fixtures");

  it.each([
    {
      name: "hopperAttestationReport.txt",
      bytes: hopper,
      certificates: good,
      nonce: "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb",
      driver: "550.90.07",
      vbios: "96.00.9f.00.01",
      serial: "53C22BA15E5D68088282DA074ED9FB37AA585771",
      warnings: ["REVOCATION_UNCHECKED", "DEBUG_UNKNOWN"],
    },
    {
      name: "hopper_coco_report1.txt",
      bytes: coco,
      certificates: cocoChain,
      nonce: "87d8e24ab336adafe228d49e83d745f6dba4ae505372b6a5704820856b343fec",
      driver: "580.95.05",
      vbios: "96.00.74.00.1a",
      serial: "7BC23E44C689A774F1C5EC86E2C7B2544FFA8989",
      warnings: ["REVOCATION_UNCHECKED", "DEBUG_UNKNOWN", "TRAILING_BYTES"],
    },
  ])("$name verifies", async ({ bytes, certificates, nonce, driver, vbios, serial, warnings }) => {
    const verified = await verifyEvidence(bytes, {
      now: AT,
      endorsements: bag(certificates),
      reportData: fromHex(nonce),
    });
    expect(verified).toMatchObject({ tee: "nvidia", kind: "gpu", debug: false, initDataField: null });
    expect(verified.trust).toEqual({
      root: "CN=NVIDIA Device Identity CA, O=NVIDIA",
      rootSha256: "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48",
      simulated: false,
    });
    expect(toHex(verified.reportData)).toBe(nonce);
    expect(verified.claims).toMatchObject({
      arch: "Hopper",
      chip: "GH100",
      device_serial: serial,
      config: { driver_version: driver, vbios_version: vbios },
    });
    expect(verified.warnings.map(({ code }) => code)).toEqual(warnings);
    expect(verified.endorsements).toMatchObject({ revocation: "unchecked", items: { length: 5 } });
    expect(verified.endorsements.earliestExpiry).toBe("9999-12-31T23:59:59.000Z");
  });

  it("its claims are those that Trustee makes of it, but for the uuid, which nothing vouches for", async () => {
    const trustee = parseJson(await fixtureText("nvidia/trustee/hopperAttestationReport-claims.txt"));
    if (!isJsonObject(trustee)) throw new Error("fixtures");
    const { uuid: _uuid, ...expected } = trustee;
    const { claims } = await verifyEvidence(hopper, { now: AT, endorsements: bag(good) });
    const { chip: _chip, device_serial: _serial, nonce: _nonce, ...found } = claims;
    expect(found).toEqual(expected);
  });

  it("inspection shows what needs no certificate", () => {
    const claims = inspectEvidence(hopper);
    expect(claims).toMatchObject({ config: { chip_sku: "882" } });
    expect(claims.arch).toBeUndefined();
  });

  it("a fleet's certificates may lie in one bag", async () => {
    const endorsements = bag([...good, ...cocoChain]);
    const both = await Promise.all(
      [hopper, coco].map((bytes) => verifyNvidia(bytes, { now: AT, endorsements })),
    );
    expect(new Set(both.map(({ device }) => device)).size).toBe(2);
  });

  it.each([
    ["only the root", rootOnly, "NVIDIA_CERTIFICATE_MISSING"],
    ["an authority missing", gap, "ISSUER_NOT_FOUND"],
    ["the signing certificate missing", headless, "NVIDIA_CERTIFICATE_MISSING"],
    ["another GPU's chain", cocoChain, "NVIDIA_FWID_MISMATCH"],
    ["without the root", good.slice(0, 4), "NO_TRUST_ANCHOR"],
    ["nothing", [], "NVIDIA_CERTIFICATE_MISSING"],
  ])("refused with %s", async (_name, certificates, code) => {
    const endorsements = bag(certificates);
    expect(await codeOfAsync(() => verifyEvidence(hopper, { now: AT, endorsements }))).toBe(code);
  });

  it.each([
    ["before the certificates hold", { now: new Date("2020-01-01T00:00:00Z") }, "CERTIFICATE_NOT_YET_VALID"],
    ["at no time", { now: new Date(Number.NaN) }, "INVALID_TIME"],
    ["for another nonce", { reportData: fromHex("00".repeat(32)) }, "REPORT_DATA_MISMATCH"],
    ["for a digest that was not cut", { reportData: new Uint8Array(48) }, "REPORT_DATA_MISMATCH"],
    ["without revocation lists that are required", { requireRevocation: true }, "CRL_MISSING"],
  ])("refused %s", async (_name, options, code) => {
    const act = () => verifyEvidence(hopper, { now: AT, endorsements: bag(good), ...options });
    expect(await codeOfAsync(act)).toBe(code);
  });

  it("more than one stray byte is refused", async () => {
    const long = new Uint8Array(coco.length + 1);
    long.set(coco);
    expect(codeOf(() => parseNvidiaReport(long))).toBe("TRAILING_BYTES");
  });

  it("reads back what it writes", () => {
    for (const bytes of [hopper, coco])
      expect(toHex(encodeNvidiaReport(parseNvidiaReport(bytes)))).toBe(toHex(bytes));
  });

  it("no byte can be changed unnoticed, and no end cut off", { timeout: 60_000 }, async () => {
    const endorsements = bag(good);
    const verdicts = new Set<string>();
    for (let at = 0; at < hopper.length; at += STRIDE) {
      const changed = Uint8Array.from(hopper);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      verdicts.add(await codeOfAsync(() => verifyNvidia(changed, { now: AT, endorsements })));
      const cut = hopper.subarray(0, at);
      expect(codeOf(() => parseNvidiaReport(cut))).toMatch(/^(OUT_OF_BOUNDS|TRAILING_BYTES)$/);
    }
    expect(verdicts.has("nothing")).toBe(false);
    expect(verdicts.has("INVALID_NVIDIA_SIGNATURE")).toBe(true);
  });

  it("no byte of the signing certificate can be changed unnoticed", { timeout: 60_000 }, async () => {
    const pem = await fixtureText("nvidia/trustee/hopper_signing_cert.pem");
    const der = fromBase64(pem.replace(/-----[^-]+-----|\s/g, ""));
    const { parseCertificate } = await import("@adyton/core/x509");
    for (let at = 0; at < der.length; at += STRIDE) {
      const changed = Uint8Array.from(der);
      changed[at] = (changed[at] ?? 0) ^ 1;
      try {
        const leaf = parseCertificate(changed);
        await verifyNvidia(hopper, { now: AT, endorsements: bag([leaf, ...good.slice(1)]) });
        expect.unreachable(`byte ${at} changed nothing`);
      } catch (error) {
        expect(error).toBeInstanceOf(AdytonError);
      }
    }
  });
});
