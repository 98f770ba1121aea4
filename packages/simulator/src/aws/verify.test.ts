// SPDX-License-Identifier: Apache-2.0
// The Nitro verifier against the simulated AWS: each check with what fails it alone.

import { type Bytes, fromHex, fromUtf8, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { createCache, detectTee, type VerifyOptions, verifyEvidence } from "@adyton/evidence";
import { describe, expect, it } from "vitest";
import { createNitroVendor, NITRO_ISSUERS, type NitroVendor } from "./vendor.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const HOUR = 60 * 60 * 1000;
const vendor = await createNitroVendor({ at: AT });
const enclave = await vendor.enclave();
const DOCUMENT = await enclave.document();

function verify(document: Bytes, options: Partial<VerifyOptions> = {}, of: NitroVendor = vendor) {
  return verifyEvidence(document, { tee: "nitro", now: AT, roots: [of.root.certificate], ...options });
}

/** The code and category of a refusal, `["", ""]` where there is none. */
async function refusal(...request: Parameters<typeof verify>): Promise<readonly [string, string]> {
  try {
    await verify(...request);
    return ["", ""];
  } catch (error) {
    if (error instanceof AdytonError) return [error.code, error.category];
    throw error;
  }
}

const after = (hours: number): Date => new Date(AT.getTime() + hours * HOUR);

describe("a healthy enclave", () => {
  it("verifies, simulated, under a root that was named", async () => {
    expect(detectTee(DOCUMENT)).toBe("nitro");
    const verified = await verify(DOCUMENT);
    expect(verified).toMatchObject({ tee: "nitro", debug: false, trust: { simulated: true } });
    expect(verified.trust.root).toContain("Adyton Simulator");
    expect(verified.claims.pcr0).toBe("50".repeat(48));
    expect(verified.endorsements.earliestExpiry).toBe(after(2).toISOString());
  });

  it("with what it asked to have in the document", async () => {
    const document = await enclave.document({
      publicKey: fromUtf8("key"),
      userData: fromHex("0102"),
      nonce: fromUtf8("nonce"),
      tagged: true,
    });
    const { claims, reportData } = await verify(document, { reportData: fromHex("0102") });
    expect(claims).toMatchObject({
      public_key: toHex(fromUtf8("key")),
      user_data: "0102",
      nonce: toHex(fromUtf8("nonce")),
    });
    expect(toHex(reportData)).toBe(`0102${"00".repeat(62)}`);
  });

  it("with user data longer than 64 bytes, which report data keeps whole", async () => {
    const userData = new Uint8Array(512).fill(9);
    const document = await enclave.document({ userData });
    expect((await verify(document, { reportData: userData })).reportData).toEqual(userData);
    expect(await refusal(document, { reportData: userData.subarray(0, 64) })).toEqual([
      "REPORT_DATA_MISMATCH",
      "not-authentic",
    ]);
  });

  it("whose nonce is no report data: programs echo anybody's", async () => {
    const document = await enclave.document({ nonce: new Uint8Array(64).fill(7) });
    expect(await refusal(document, { reportData: new Uint8Array(64).fill(7) })).toEqual([
      "REPORT_DATA_MISMATCH",
      "not-authentic",
    ]);
  });

  it("in debug mode is a finding", async () => {
    const verified = await verify(await enclave.document({ debug: true }));
    expect(verified.debug).toBe(true);
    expect(verified.claims.debug).toBe(true);
    expect(verified.warnings.map((warning) => warning.code)).toContain("DEBUG_MODE");
  });

  it("with members that are unknown here warns", async () => {
    const document = await enclave.document({ edit: (members) => members.set("extra", 1) });
    expect((await verify(document)).warnings.map((warning) => warning.code)).toContain("UNKNOWN_CLAIMS");
  });
});

describe("what must be refused: the chain", () => {
  it("a root that nobody named, or another of the same name", async () => {
    expect(await refusal(DOCUMENT, { roots: [] })).toEqual(["ROOT_NOT_TRUSTED", "not-authentic"]);
    const other = await createNitroVendor({ at: AT });
    expect(await refusal(DOCUMENT, { roots: [other.root.certificate] })).toEqual([
      "ROOT_NOT_TRUSTED",
      "not-authentic",
    ]);
  });

  it.each(NITRO_ISSUERS.map((issuer) => [issuer]))(
    "an expired %s, a future one, one that is no CA",
    async (issuer) => {
      for (const [change, expected] of [
        [{ notBefore: after(-2), notAfter: after(-1) }, ["CERTIFICATE_EXPIRED", "endorsements"]],
        [{ notBefore: after(1) }, ["CERTIFICATE_NOT_YET_VALID", "endorsements"]],
        [{ ca: undefined }, ["NOT_A_CA", "not-authentic"]],
        [{ keyUsage: [0] }, ["KEY_USAGE", "not-authentic"]],
      ] as const) {
        const own = await createNitroVendor({ at: AT, [issuer]: change });
        const document = await (await own.enclave()).document();
        expect(await refusal(document, {}, own)).toEqual(expected);
      }
    },
  );

  it.each([
    ["expired", { notBefore: after(-4), notAfter: after(-1) }, ["CERTIFICATE_EXPIRED", "endorsements"]],
    ["not valid yet", { notBefore: after(1) }, ["CERTIFICATE_NOT_YET_VALID", "endorsements"]],
    ["a CA", { ca: {} }, ["INVALID_NITRO_CERTIFICATE", "not-authentic"]],
    ["not for signatures", { keyUsage: [5] }, ["INVALID_NITRO_CERTIFICATE", "not-authentic"]],
  ] as const)("an enclave's certificate that is %s", async (_what, change, expected) => {
    const own = await vendor.enclave(change);
    expect(await refusal(await own.document({ timestamp: AT }))).toEqual(expected);
  });

  it("an enclave's certificate of another curve", async () => {
    const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
    const own = await vendor.enclave({ key });
    expect((await refusal(await own.document({ key: enclave.leaf.key })))[0]).toBe(
      "INVALID_NITRO_CERTIFICATE",
    );
  });

  it("an issuer that allows no CA below it", async () => {
    const own = await createNitroVendor({ at: AT, regional: { ca: { pathLength: 0 } } });
    const document = await (await own.enclave()).document();
    expect(await refusal(document, {}, own)).toEqual(["PATH_LENGTH_EXCEEDED", "not-authentic"]);
  });

  it("an enclave's certificate by another instance", async () => {
    const { name } = vendor.issuers.instance;
    const own = await vendor.enclave({ issuer: { name, key: enclave.leaf.key } });
    expect(await refusal(await own.document())).toEqual(["CERTIFICATE_SIGNATURE", "not-authentic"]);
  });

  it("a bundle in another order, with one too many, with one missing", async () => {
    const bundle = NITRO_ISSUERS.map((issuer) => vendor.issuers[issuer].certificate.der);
    const [root, regional, zonal, instance] = bundle as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    for (const [cabundle, code] of [
      [[root, zonal, regional, instance], "INVALID_NITRO_CERTIFICATE"],
      [[root, regional, regional, zonal, instance], "INVALID_NITRO_CERTIFICATE"],
      [[root, regional, instance], "ISSUER_NOT_FOUND"],
      [[regional, root, zonal, instance], "INVALID_NITRO_CERTIFICATE"],
    ] as const) {
      expect((await refusal(await enclave.document({ cabundle })))[0]).toBe(code);
    }
  });

  it("bytes that are no certificate", async () => {
    const document = await enclave.document({ certificate: fromHex("3000") });
    expect((await refusal(document))[1]).toBe("malformed");
  });
});

describe("what must be refused: the document", () => {
  it("another key's signature, and a signature over something else", async () => {
    const other = await vendor.enclave();
    const expected = ["INVALID_NITRO_SIGNATURE", "not-authentic"];
    expect(await refusal(await enclave.document({ key: other.leaf.key }))).toEqual(expected);
    const flipped = Uint8Array.from(DOCUMENT);
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    expect(await refusal(flipped)).toEqual(expected);
  });

  it("another algorithm", async () => {
    const document = await enclave.document({ algorithm: { name: "ECDSA", hash: "SHA-256" } });
    expect(await refusal(document)).toEqual(["INVALID_NITRO_DOCUMENT", "malformed"]);
  });

  it.each([
    ["before its certificate held", -2],
    ["after its certificate held", 3],
  ])("one made %s", async (_when, hours) => {
    const document = await enclave.document({ timestamp: after(hours) });
    expect(await refusal(document)).toEqual(["INVALID_NITRO_CERTIFICATE", "not-authentic"]);
  });
});

describe("revocation", async () => {
  const all = await Promise.all(NITRO_ISSUERS.map((issuer) => vendor.crl(issuer)));

  it("is checked with a list of every issuer, and only then", async () => {
    const checked = await verify(DOCUMENT, {
      endorsements: vendor.endorsements(...all),
      requireRevocation: true,
    });
    expect(checked.endorsements.revocation).toBe("checked");
    expect(checked.warnings).toEqual([]);
    const some = await verify(DOCUMENT, { endorsements: vendor.endorsements(...all.slice(1)) });
    expect(some.endorsements.revocation).toBe("unchecked");
    const options = { endorsements: vendor.endorsements(...all.slice(1)), requireRevocation: true };
    expect(await refusal(DOCUMENT, options)).toEqual(["CRL_MISSING", "endorsements"]);
  });

  it.each([
    ["root", "regional"],
    ["regional", "zonal"],
    ["zonal", "instance"],
  ] as const)("by the %s of its subject", async (issuer, subject) => {
    const crl = await vendor.crl(issuer, { revoked: [vendor.issuers[subject].certificate] });
    const cache = createCache();
    await verify(DOCUMENT, { cache });
    expect(await refusal(DOCUMENT, { endorsements: vendor.endorsements(crl), cache })).toEqual([
      "CERTIFICATE_REVOKED",
      "not-authentic",
    ]);
  });

  it("of the enclave itself", async () => {
    const crl = await vendor.crl("instance", { revoked: [enclave.leaf.certificate] });
    expect(await refusal(DOCUMENT, { endorsements: vendor.endorsements(crl) })).toEqual([
      "CERTIFICATE_REVOKED",
      "not-authentic",
    ]);
  });

  it("is refused by a list that is out of date", async () => {
    const crl = await vendor.crl("zonal", { thisUpdate: after(-9), nextUpdate: after(-1) });
    expect(await refusal(DOCUMENT, { endorsements: vendor.endorsements(crl) })).toEqual([
      "CRL_EXPIRED",
      "endorsements",
    ]);
  });
});
