// SPDX-License-Identifier: Apache-2.0
import { codeOf, fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, equal, fromHex } from "./bytes.ts";
import { verifyChain } from "./chain.ts";
import { parseCrl } from "./crl.ts";
import { defaultCrypto, type SignatureAlgorithm } from "./crypto.ts";
import { encodeDer, parseDer } from "./der.ts";
import { AdytonError } from "./errors.ts";
import { type CertificateTemplate, issueCertificate, issueCrl, type NameAttribute } from "./issue.ts";
import {
  isSignedBy,
  KEY_USAGE,
  parseCertificate,
  parseCertificates,
  parseSignatureAlgorithm,
  publicKeyOf,
} from "./x509.ts";

const NAME: NameAttribute[] = [
  ["CN", "Zoë"],
  ["O", "Adyton"],
];
const TEMPLATE: Omit<CertificateTemplate, "spki"> = {
  subject: NAME,
  serial: "00ff",
  notBefore: new Date("2025-01-01T00:00:00Z"),
  notAfter: new Date("2055-01-01T00:00:00Z"),
  ca: { pathLength: 3 },
  keyUsage: [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign],
  extensions: [{ oid: "1.2.3", value: encodeDer.integer(7) }],
};

describe("issue, then parse", () => {
  it("shows no value of a name as a further attribute", async () => {
    const key = await defaultCrypto.generateKey({ name: "Ed25519" });
    const textOf = async (name: NameAttribute[]): Promise<string> => {
      const template = { ...TEMPLATE, subject: name, spki: key.publicKey.spki };
      return parseCertificate(await issueCertificate(template, { name, key })).subject.text;
    };
    expect(await textOf([["O", "Adyton, CN=admin"]])).toBe("O=Adyton\\, CN=admin");
    expect(
      await textOf([
        ["O", "Adyton\\"],
        ["CN", "admin"],
      ]),
    ).toBe("O=Adyton\\\\, CN=admin");
  });

  it.each<[string, SignatureAlgorithm | undefined, "EC" | "RSA" | "Ed25519"]>([
    ["ECDSA", undefined, "EC"],
    ["RSA-PSS", undefined, "RSA"],
    ["RSA PKCS #1", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" }, "RSA"],
    ["Ed25519", undefined, "Ed25519"],
  ])("%s", async (_, algorithm, kind) => {
    const key = await defaultCrypto.generateKey(
      kind === "EC"
        ? { name: "EC", curve: "P-521" }
        : kind === "RSA"
          ? { name: "RSA", bits: 2048 }
          : { name: "Ed25519" },
    );
    const issuer = { name: NAME, key };
    const certificate = parseCertificate(
      await issueCertificate({ ...TEMPLATE, spki: key.publicKey.spki }, issuer, algorithm),
    );
    expect(certificate.subject.text).toBe("CN=Zoë, O=Adyton");
    expect(certificate.serial).toBe("ff");
    expect(certificate.notAfter).toEqual(TEMPLATE.notAfter);
    expect(certificate).toMatchObject({ isCa: true, pathLength: 3 });
    expect([...(certificate.keyUsage ?? [])]).toEqual([5, 6]);
    expect(certificate.extensions.get("1.2.3")?.value).toEqual(encodeDer.integer(7));
    expect(
      equal(certificate.authorityKeyId ?? new Uint8Array(), certificate.subjectKeyId ?? new Uint8Array(1)),
    ).toBe(true);
    expect(await isSignedBy(certificate, certificate)).toBe(true);
    expect(await publicKeyOf(certificate)).toBe(await publicKeyOf(certificate));

    const date = new Date("2025-02-03T04:05:06Z");
    const crl = parseCrl(
      await issueCrl(
        { thisUpdate: date, nextUpdate: date, number: 300, revoked: [["0abc", date]] },
        issuer,
        algorithm,
      ),
    );
    expect(crl.revoked.get("0abc")).toEqual(date);
    expect(crl.number).toBe("012c");
    expect(await isSignedBy(crl, certificate)).toBe(true);
  });
});

describe("refusals", () => {
  const rebuilt = (change: (fields: Uint8Array[]) => Uint8Array[], outer?: Uint8Array): Promise<Uint8Array> =>
    healthy().then((der) => {
      const [tbs, algorithm, signature] = parseDer(der, "certificate").sequence(3);
      if (tbs === undefined || algorithm === undefined || signature === undefined)
        throw new Error("three parts");
      const fields = change(tbs.sequence().map((field) => field.encoded));
      return encodeDer.sequence(encodeDer.sequence(...fields), outer ?? algorithm.encoded, signature.encoded);
    });
  const ecdsa384 = encodeDer.sequence(encodeDer.oid("1.2.840.10045.4.3.3"));
  const extensions = (...list: Uint8Array[]): Uint8Array =>
    encodeDer.explicit(3, encodeDer.sequence(...list));
  const extension = (...parts: Uint8Array[]): Uint8Array =>
    encodeDer.sequence(encodeDer.oid("2.5.29.19"), ...parts);
  const emptyBasic = extension(encodeDer.octetString(encodeDer.sequence()));

  it.each<[string, (fields: Uint8Array[]) => Uint8Array[], string]>([
    ["version 1", (f) => f.slice(1), "INVALID_DER"],
    ["version 2", (f) => [encodeDer.explicit(0, encodeDer.integer(1)), ...f.slice(1)], "INVALID_CERTIFICATE"],
    [
      "a serial number of 22 bytes",
      (f) => [...f.slice(0, 1), encodeDer.unsigned(new Uint8Array(22).fill(1)), ...f.slice(2)],
      "INVALID_CERTIFICATE",
    ],
    [
      "different inner and outer algorithm",
      (f) => [...f.slice(0, 2), ecdsa384, ...f.slice(3)],
      "INVALID_CERTIFICATE",
    ],
    ["nothing after the subject", (f) => f.slice(0, 6), "INVALID_CERTIFICATE"],
    ["fields after the extensions", (f) => [...f, encodeDer.null()], "INVALID_CERTIFICATE"],
    [
      "the same extension twice",
      (f) => [...f.slice(0, 7), extensions(emptyBasic, emptyBasic)],
      "INVALID_DER",
    ],
    [
      "an explicit critical FALSE",
      (f) => [
        ...f.slice(0, 7),
        extensions(extension(encodeDer.boolean(false), encodeDer.octetString(encodeDer.sequence()))),
      ],
      "INVALID_DER",
    ],
    ["an extension without value", (f) => [...f.slice(0, 7), extensions(extension())], "INVALID_DER"],
    [
      "a path length without CA",
      (f) => [
        ...f.slice(0, 7),
        extensions(extension(encodeDer.octetString(encodeDer.sequence(encodeDer.integer(1))))),
      ],
      "INVALID_CERTIFICATE",
    ],
    [
      "more than 64 extensions",
      (f) => [
        ...f.slice(0, 7),
        extensions(
          ...Array.from({ length: 65 }, (_, i) =>
            encodeDer.sequence(encodeDer.oid(`1.2.${i}`), encodeDer.octetString(new Uint8Array())),
          ),
        ),
      ],
      "INVALID_DER",
    ],
  ])("%s", async (_, change, code) => {
    const der = await rebuilt(change);
    expect(codeOf(() => parseCertificate(der))).toBe(code);
  });

  it("what is too large is not parsed", () => {
    expect(codeOf(() => parseCertificate(new Uint8Array(65 * 1024)))).toBe("TOO_LARGE");
    expect(codeOf(() => parseCrl(new Uint8Array(9 * 1024 * 1024)))).toBe("TOO_LARGE");
  });

  const pss = (...fields: Uint8Array[]): Uint8Array =>
    encodeDer.sequence(encodeDer.oid("1.2.840.113549.1.1.10"), encodeDer.sequence(...fields));
  const sha = (last: number): Uint8Array => encodeDer.sequence(encodeDer.oid(`2.16.840.1.101.3.4.2.${last}`));
  const mgf1 = (inner: Uint8Array): Uint8Array =>
    encodeDer.sequence(encodeDer.oid("1.2.840.113549.1.1.8"), inner);
  it.each([
    ["SHA-1 with RSA", encodeDer.sequence(encodeDer.oid("1.2.840.113549.1.1.5"), encodeDer.null())],
    ["ECDSA with parameters", encodeDer.sequence(encodeDer.oid("1.2.840.10045.4.3.2"), encodeDer.null())],
    [
      "two parameters",
      encodeDer.sequence(encodeDer.oid("1.2.840.113549.1.1.11"), encodeDer.null(), encodeDer.null()),
    ],
    ["PSS with the default SHA-1", pss()],
    ["PSS with another mask hash", pss(encodeDer.explicit(0, sha(2)), encodeDer.explicit(1, mgf1(sha(1))))],
    [
      "PSS with another mask function",
      pss(
        encodeDer.explicit(0, sha(2)),
        encodeDer.explicit(1, encodeDer.sequence(encodeDer.oid("1.2.3"), sha(2))),
      ),
    ],
    [
      "PSS with another trailer",
      pss(
        encodeDer.explicit(0, sha(2)),
        encodeDer.explicit(1, mgf1(sha(2))),
        encodeDer.explicit(3, encodeDer.integer(2)),
      ),
    ],
    ["PSS with an unknown field", pss(encodeDer.explicit(4, encodeDer.null()))],
  ])("algorithm: %s", (_, identifier) => {
    expect(codeOf(() => parseSignatureAlgorithm(parseDer(identifier, "algorithm")))).toBe(
      "UNSUPPORTED_ALGORITHM",
    );
  });

  it("an identifier without anything in it is no DER of one", () => {
    const empty = parseDer(encodeDer.sequence(), "algorithm");
    expect(codeOf(() => parseSignatureAlgorithm(empty))).toBe("INVALID_DER");
  });

  it("CRLs: version 1, no nextUpdate, trailing fields, critical entry extensions", async () => {
    const issuer = { name: NAME, key: await defaultCrypto.generateKey({ name: "EC", curve: "P-256" }) };
    const date = new Date("2025-01-01T00:00:00Z");
    const der = await issueCrl(
      { thisUpdate: date, nextUpdate: date, number: 1, revoked: [["01", date]] },
      issuer,
    );
    const [tbs, algorithm, signature] = parseDer(der, "CRL").sequence(3);
    if (tbs === undefined || algorithm === undefined || signature === undefined)
      throw new Error("three parts");
    const fields = tbs.sequence().map((field) => field.encoded);
    const entry = (critical: boolean): Uint8Array =>
      encodeDer.sequence(
        encodeDer.integer(1),
        encodeDer.time(date),
        encodeDer.sequence(
          encodeDer.sequence(
            encodeDer.oid("2.5.29.21"),
            ...(critical ? [encodeDer.boolean(true)] : []),
            encodeDer.octetString(encodeDer.enumerated(1)),
          ),
        ),
      );
    const make = (changed: Uint8Array[]): Uint8Array =>
      encodeDer.sequence(encodeDer.sequence(...changed), algorithm.encoded, signature.encoded);
    expect(codeOf(() => parseCrl(make(fields.slice(1))))).toBe("INVALID_DER");
    expect(codeOf(() => parseCrl(make([encodeDer.integer(0), ...fields.slice(1)])))).toBe("INVALID_CRL");
    expect(codeOf(() => parseCrl(make([...fields.slice(0, 4), ...fields.slice(5)])))).toBe("INVALID_DER");
    expect(codeOf(() => parseCrl(make([...fields, encodeDer.null()])))).toBe("INVALID_CRL");
    expect(codeOf(() => parseCrl(make(fields.slice(0, 3))))).toBe("INVALID_CRL");
    const withEntry = (critical: boolean): Uint8Array =>
      make([...fields.slice(0, 5), encodeDer.sequence(entry(critical)), ...fields.slice(6)]);
    expect(parseCrl(withEntry(false)).revoked.has("01")).toBe(true);
    expect(codeOf(() => parseCrl(withEntry(true)))).toBe("INVALID_CRL");
  });

  async function healthy(): Promise<Uint8Array> {
    const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
    return issueCertificate({ ...TEMPLATE, spki: key.publicKey.spki }, { name: NAME, key });
  }

  it("any change and any noise gives a typed error or another certificate, never a crash", async () => {
    const der = await healthy();
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Uint8Array.from(der);
        changed[at] = (changed[at] ?? 0) ^ flip;
        for (const parse of [parseCertificate, parseCrl]) {
          try {
            parse(changed);
          } catch (error) {
            expect(error).toBeInstanceOf(AdytonError);
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(codeOf(() => parseCertificate(concat(der, Uint8Array.of(0))))).toBe("INVALID_DER");
    expect(codeOf(() => parseCertificate(fromHex("3000")))).toBe("INVALID_DER");
  });
});

describe.skipIf(!hasFixtures)("real certificates and CRLs", () => {
  it.each(["milan", "milan_vlek", "genoa", "genoa_vlek", "turin_vcek", "turin_vlek"])(
    "AMD %s: ASK to ARK",
    async (name) => {
      const pool = parseCertificates(await fixtureText(`sev-snp/roots/ask_ark_${name}.pem`));
      const [leaf, anchor] = pool;
      if (leaf === undefined || anchor === undefined) throw new Error("the fixture holds two certificates");
      const chain = await verifyChain({
        leaf,
        pool,
        anchors: [anchor],
        at: new Date("2026-07-01T00:00:00Z"),
        crls: "unchecked",
      });
      expect(chain.certificates).toHaveLength(2);
    },
  );

  it.each([
    ["sgx/automata-0825/platform_crl.der", 44],
    ["tdx/go-tdx-guest/pckcrl", 44],
    ["tdx/go-tdx-guest/rootcrl.der", 0],
  ])("Intel's CRL %s revokes %i", async (path, count) => {
    expect(parseCrl(await fixtureBytes(path)).revoked.size).toBe(count);
  });
});
