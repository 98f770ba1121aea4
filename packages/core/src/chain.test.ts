// SPDX-License-Identifier: Apache-2.0
// Paths over a synthetic PKI: one healthy chain, and one change for each rule that must refuse it.
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { type ChainRequest, checkRevocation, verifyChain } from "./chain.ts";
import { type CertificateRevocationList, parseCrl } from "./crl.ts";
import { defaultCrypto, type PrivateKey } from "./crypto.ts";
import { encodeDer } from "./der.ts";
import {
  type CertificateTemplate,
  type CrlTemplate,
  issueCertificate,
  issueCrl,
  type NameAttribute,
} from "./issue.ts";
import { type Certificate, KEY_USAGE, parseCertificate } from "./x509.ts";

const AT = new Date("2025-06-01T00:00:00Z");
const DATES = { notBefore: new Date("2025-01-01T00:00:00Z"), notAfter: new Date("2026-01-01T00:00:00Z") };
const CA_USE = [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign];
const newKey = (): Promise<PrivateKey> => defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
const [rootKey, middleKey, leafKey, otherKey] = await Promise.all([newKey(), newKey(), newKey(), newKey()]);
const name = (text: string): NameAttribute[] => [
  ["CN", text],
  ["C", "DE"],
];

type Changes = Partial<CertificateTemplate> & { readonly signer?: PrivateKey; readonly issuer?: string };

async function certificate(
  subject: string,
  key: PrivateKey,
  issuer: string,
  signer: PrivateKey,
  changes: Changes = {},
): Promise<Certificate> {
  const { signer: by = signer, issuer: from = issuer, ...template } = changes;
  const der = await issueCertificate(
    { subject: name(subject), spki: key.publicKey.spki, serial: "0a", ...DATES, ...template },
    { name: name(from), key: by },
  );
  return parseCertificate(der);
}
const root = (changes: Changes = {}) =>
  certificate("root", rootKey, "root", rootKey, { ca: {}, keyUsage: CA_USE, ...changes });
const middle = (changes: Changes = {}) =>
  certificate("middle", middleKey, "root", rootKey, {
    ca: { pathLength: 0 },
    keyUsage: CA_USE,
    serial: "0b",
    ...changes,
  });
const leaf = (changes: Changes = {}) =>
  certificate("leaf", leafKey, "middle", middleKey, { serial: "0c", ...changes });

async function crl(
  issuer: string,
  key: PrivateKey,
  changes: Partial<CrlTemplate> = {},
): Promise<CertificateRevocationList> {
  const template = {
    thisUpdate: new Date("2025-05-01T00:00:00Z"),
    nextUpdate: new Date("2025-07-01T00:00:00Z"),
    number: 1,
    ...changes,
  };
  return parseCrl(await issueCrl(template, { name: name(issuer), key }));
}

const healthy = {
  root: await root(),
  middle: await middle(),
  leaf: await leaf(),
  rootCrl: await crl("root", rootKey),
  middleCrl: await crl("middle", middleKey),
};

function request(changes: Partial<typeof healthy> & Partial<ChainRequest> = {}): ChainRequest {
  const all = { ...healthy, ...changes };
  return {
    leaf: all.leaf,
    pool: changes.pool ?? [all.middle],
    anchors: changes.anchors ?? [all.root],
    at: changes.at ?? AT,
    crls: changes.crls ?? [all.rootCrl, all.middleCrl],
    ...(changes.maxLength === undefined ? {} : { maxLength: changes.maxLength }),
  };
}

describe("verifyChain", () => {
  it("accepts the healthy chain and says how long it holds", async () => {
    const chain = await verifyChain(request());
    expect(chain.certificates.map((c) => c.subject.commonName)).toEqual(["leaf", "middle", "root"]);
    expect(chain.crls).toEqual([healthy.middleCrl, healthy.rootCrl]);
    expect(chain.validFrom).toEqual(healthy.rootCrl.thisUpdate);
    expect(chain.validUntil).toEqual(healthy.rootCrl.nextUpdate);
  });

  it("accepts it without revocation when told so", async () => {
    const chain = await verifyChain(request({ crls: "unchecked" }));
    expect(chain.crls).toEqual([]);
    expect(chain.validUntil).toEqual(DATES.notAfter);
  });

  it("accepts an anchor presented as the leaf", async () => {
    expect((await verifyChain(request({ leaf: healthy.root }))).certificates).toHaveLength(1);
  });

  it("does not care about the order of the pool, nor about namesakes with other keys", async () => {
    const namesake = await certificate("middle", otherKey, "root", otherKey, { ca: {}, keyUsage: CA_USE });
    const expired = await middle({ notAfter: new Date("2025-02-01T00:00:00Z") });
    const chain = await verifyChain(
      request({ pool: [namesake, expired, healthy.middle, healthy.root, healthy.leaf] }),
    );
    expect(chain.certificates[1]).toBe(healthy.middle);
  });

  it("does not care for a namesake's newer CRL", async () => {
    const forged = await crl("root", otherKey, { thisUpdate: new Date("2025-05-20T00:00:00Z") });
    const chain = await verifyChain(request({ crls: [forged, healthy.rootCrl, healthy.middleCrl] }));
    expect(chain.crls).toContain(healthy.rootCrl);
  });

  it("names the list that is out of date rather than a namesake's", async () => {
    const forged = await crl("root", otherKey, { thisUpdate: new Date("2025-05-20T00:00:00Z") });
    const old = await crl("root", rootKey, { nextUpdate: new Date("2025-05-31T00:00:00Z") });
    const built = request({ crls: [forged, old, healthy.middleCrl] });
    expect(await codeOfAsync(() => verifyChain(built))).toBe("CRL_EXPIRED");
  });

  const critical = { oid: "1.2.3.4", critical: true, value: encodeDer.null() };
  const refusals: [rule: string, make: () => Promise<ChainRequest>, code: string][] = [
    ["no anchor", async () => request({ anchors: [] }), "NO_TRUST_ANCHOR"],
    ["no date", async () => request({ at: new Date(Number.NaN) }), "INVALID_TIME"],
    ["an issuer that is missing", async () => request({ pool: [] }), "ISSUER_NOT_FOUND"],
    [
      "a root that is no anchor",
      async () =>
        request({
          anchors: [await certificate("x", otherKey, "x", otherKey, { ca: {} })],
          pool: [healthy.middle, healthy.root],
        }),
      "ROOT_NOT_TRUSTED",
    ],
    [
      "a namesake of the root",
      async () => request({ anchors: [await certificate("root", otherKey, "root", otherKey, { ca: {} })] }),
      "CERTIFICATE_SIGNATURE",
    ],
    ["a longer chain than allowed", async () => request({ maxLength: 2 }), "CHAIN_TOO_LONG"],
    [
      "a leaf signed by another key",
      async () => request({ leaf: await leaf({ signer: otherKey }) }),
      "CERTIFICATE_SIGNATURE",
    ],
    [
      "an anchor that did not sign itself",
      async () => request({ root: await root({ signer: otherKey }) }),
      "CERTIFICATE_SIGNATURE",
    ],
    [
      "an issuer that is no CA",
      async () => request({ pool: [await certificate("middle", middleKey, "root", rootKey, {})] }),
      "NOT_A_CA",
    ],
    [
      "an issuer that may not sign certificates",
      async () => request({ middle: await middle({ keyUsage: [KEY_USAGE.cRLSign] }) }),
      "KEY_USAGE",
    ],
    [
      "a path length exceeded",
      async () => request({ root: await root({ ca: { pathLength: 0 } }) }),
      "PATH_LENGTH_EXCEEDED",
    ],
    [
      "an unknown critical extension in the leaf",
      async () => request({ leaf: await leaf({ extensions: [critical] }) }),
      "UNKNOWN_CRITICAL_EXTENSION",
    ],
    [
      "an unknown critical extension in an issuer",
      async () => request({ middle: await middle({ extensions: [critical] }) }),
      "UNKNOWN_CRITICAL_EXTENSION",
    ],
    [
      "an expired leaf",
      async () => request({ leaf: await leaf({ notAfter: new Date("2025-05-31T23:59:59Z") }) }),
      "CERTIFICATE_EXPIRED",
    ],
    [
      "an expired issuer",
      async () => request({ middle: await middle({ notAfter: new Date("2025-05-31T23:59:59Z") }) }),
      "CERTIFICATE_EXPIRED",
    ],
    [
      "an expired anchor",
      async () => request({ root: await root({ notAfter: new Date("2025-05-31T23:59:59Z") }) }),
      "CERTIFICATE_EXPIRED",
    ],
    [
      "a leaf of the future",
      async () => request({ leaf: await leaf({ notBefore: new Date("2025-06-01T00:00:01Z") }) }),
      "CERTIFICATE_NOT_YET_VALID",
    ],
    [
      "a revoked leaf",
      async () => request({ middleCrl: await crl("middle", middleKey, { revoked: [["0c", AT]] }) }),
      "CERTIFICATE_REVOKED",
    ],
    [
      "a revoked issuer",
      async () => request({ rootCrl: await crl("root", rootKey, { revoked: [["0b", AT]] }) }),
      "CERTIFICATE_REVOKED",
    ],
    ["no CRL at all", async () => request({ crls: [] }), "CRL_MISSING"],
    ["no CRL for the leaf", async () => request({ crls: [healthy.rootCrl] }), "CRL_MISSING"],
    [
      "an expired CRL",
      async () =>
        request({ rootCrl: await crl("root", rootKey, { nextUpdate: new Date("2025-05-31T00:00:00Z") }) }),
      "CRL_EXPIRED",
    ],
    [
      "a CRL of the future",
      async () =>
        request({ rootCrl: await crl("root", rootKey, { thisUpdate: new Date("2025-06-02T00:00:00Z") }) }),
      "CRL_NOT_YET_VALID",
    ],
    [
      "a CRL signed by another key",
      async () => request({ rootCrl: await crl("root", otherKey) }),
      "CRL_UNKNOWN_ISSUER",
    ],
    [
      "a delta CRL",
      async () =>
        request({
          rootCrl: await crl("root", rootKey, {
            extensions: [{ oid: "2.5.29.27", critical: true, value: encodeDer.integer(1) }],
          }),
        }),
      "UNKNOWN_CRITICAL_EXTENSION",
    ],
    [
      "an issuer that may not sign CRLs",
      async () => request({ middle: await middle({ keyUsage: [KEY_USAGE.keyCertSign] }) }),
      "KEY_USAGE",
    ],
  ];
  it("takes a critical extension that the caller processes, and only that one", async () => {
    const built = await request({ leaf: await leaf({ extensions: [critical] }) });
    await verifyChain({ ...built, understood: new Set([critical.oid]) });
    const other = { ...built, understood: new Set(["1.2.3.4.5.6"]) };
    expect(await codeOfAsync(() => verifyChain(other))).toBe("UNKNOWN_CRITICAL_EXTENSION");
  });

  it.each(refusals)("refuses %s", async (_, make, code) => {
    const built = await make();
    expect(await codeOfAsync(() => verifyChain(built))).toBe(code);
  });

  it("refuses a CRL whose body was changed after signing", async () => {
    const der = Uint8Array.from(healthy.rootCrl.der);
    const at = findBytes(der, new TextEncoder().encode("250501000000Z"));
    der[at + 5] = 0x32;
    expect(await codeOfAsync(() => verifyChain(request({ rootCrl: parseCrl(der) })))).toBe("CRL_SIGNATURE");
  });

  it("checks one certificate against a list", async () => {
    expect(await checkRevocation(healthy.leaf, healthy.middle, [healthy.middleCrl], AT)).toBe(
      healthy.middleCrl,
    );
  });
});

function findBytes(haystack: Uint8Array, needle: Uint8Array): number {
  for (let i = 0; i + needle.length <= haystack.length; i++) {
    if (needle.every((byte, j) => haystack[i + j] === byte)) return i;
  }
  throw new Error("not found");
}
