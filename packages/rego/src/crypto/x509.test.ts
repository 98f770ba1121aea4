// SPDX-License-Identifier: Apache-2.0
// What certificates, requests and keys look like in policies. Chains are tested in chain.test.ts.
import { fromUtf8, toBase64, toHex } from "@adyton/core/bytes";
import { defaultCrypto, ecdsaToDer, type PrivateKey } from "@adyton/core/crypto";
import { type DerValue, encodeDer, parseDer } from "@adyton/core/der";
import { parsePem, toPem } from "@adyton/core/pem";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import {
  AT,
  alternativeNames,
  authority,
  issue,
  nameConstraints,
  newKey,
  pemOf,
  purposes,
  YEAR,
} from "../../test/pki.ts";
import { BuiltinFailure } from "../builtin.ts";
import type { PlainObject, Value } from "../value.ts";
import { cryptoBuiltins } from "./index.ts";

const call = callerOf(cryptoBuiltins, { now: AT });
const PARSE = "crypto.x509.parse_certificates";
const REQUEST = "crypto.x509.parse_certificate_request";
const KEYS = "crypto.parse_private_keys";
const JWK = "crypto.x509.parse_rsa_private_key";
const PAIR = "crypto.x509.parse_keypair";

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function parsed(text: string): readonly PlainObject[] {
  return call(PARSE, text) as readonly PlainObject[];
}

describe("certificates", () => {
  const subject = [
    ["C", "DE"],
    ["O", "Organisation"],
    ["OU", "One"],
    ["OU", "Two"],
    ["CN", "shown"],
  ] as const;
  const shown = issue("shown", undefined, {
    subject,
    serial: "0102030405060708090a0b0c0d0e0f1011121314",
    ca: { pathLength: 0 },
    keyUsage: [0, 5, 6],
    extensions: [
      purposes("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.2.3.4"),
      alternativeNames({
        dns: ["shown.example.com"],
        email: ["a@example.com"],
        uri: ["spiffe://example.com/opa"],
        ip: [
          [10, 0, 0, 1],
          [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        ],
      }),
      nameConstraints({ dns: ["example.com"], ip: [[10, 0, 0, 0, 255, 0, 0, 0]] }, { email: ["evil.com"] }),
      { oid: "1.2.3.9", critical: true, value: encodeDer.utf8String("hi") },
    ],
  });

  it("shows what OPA shows: Go's x509.Certificate in JSON", async () => {
    const { certificate, key } = await shown;
    const point = key.publicKey.spki.subarray(-64);
    const name = {
      Country: ["DE"],
      Organization: ["Organisation"],
      OrganizationalUnit: ["One", "Two"],
      CommonName: "shown",
      Locality: null,
      SerialNumber: "",
      ExtraNames: null,
    };
    expect(parsed(toPem("CERTIFICATE", certificate))).toMatchObject([
      {
        Raw: toBase64(certificate),
        Version: 3,
        SerialNumber: 0x0102030405060708090a0b0c0d0e0f1011121314n,
        SignatureAlgorithm: 10,
        PublicKeyAlgorithm: 3,
        PublicKey: { Curve: {}, X: numberOf(point.subarray(0, 32)), Y: numberOf(point.subarray(32)) },
        RawSubjectPublicKeyInfo: toBase64(key.publicKey.spki),
        Subject: { ...name, Names: [{ Type: [2, 5, 4, 6], Value: "DE" }, {}, {}, {}, {}] },
        Issuer: { CommonName: "shown", Country: null },
        NotBefore: new Date(AT.getTime() - YEAR).toISOString().replace(".000", ""),
        NotAfter: new Date(AT.getTime() + YEAR).toISOString().replace(".000", ""),
        KeyUsage: 0x61,
        ExtKeyUsage: [1, 2],
        UnknownExtKeyUsage: [[1, 2, 3, 4]],
        BasicConstraintsValid: true,
        IsCA: true,
        MaxPathLen: 0,
        MaxPathLenZero: true,
        DNSNames: ["shown.example.com"],
        EmailAddresses: ["a@example.com"],
        IPAddresses: ["10.0.0.1", "2001:db8::1"],
        URIs: [{ Scheme: "spiffe", Host: "example.com", Path: "/opa" }],
        URIStrings: ["spiffe://example.com/opa"],
        PermittedDNSDomains: ["example.com"],
        PermittedDNSDomainsCritical: true,
        PermittedIPRanges: [{ IP: "10.0.0.0", Mask: "/wAAAA==" }],
        ExcludedEmailAddresses: ["evil.com"],
        ExcludedDNSDomains: null,
        UnhandledCriticalExtensions: [[1, 2, 3, 9]],
        PolicyIdentifiers: null,
        CRLDistributionPoints: null,
      },
    ]);
  });

  it("shows an RSA key of any size, and Ed25519", async () => {
    const rsa = await defaultCrypto.generateKey({ name: "RSA", bits: 2048 });
    const [, bits] = parseDer(rsa.publicKey.spki, "key").sequence(2) as [DerValue, DerValue];
    const [n] = parseDer(bits.bitString(), "key").sequence(2) as [DerValue, DerValue];
    const ca = await authority("ca");
    const subject = await issue("rsa", ca, { spki: rsa.publicKey.spki });
    expect(parsed(pemOf(subject))).toMatchObject([
      {
        PublicKeyAlgorithm: 1,
        PublicKey: { N: numberOf(n.unsigned()), E: 65537 },
        IsCA: false,
        MaxPathLen: 0,
      },
    ]);
    const point = new Uint8Array(32).fill(3);
    const spki = encodeDer.sequence(
      encodeDer.sequence(encodeDer.oid("1.3.101.112")),
      encodeDer.bitString(point),
    );
    expect(parsed(pemOf(await issue("ed", ca, { spki })))).toMatchObject([
      { PublicKeyAlgorithm: 4, PublicKey: toBase64(point) },
    ]);
    const unknown = encodeDer.sequence(
      encodeDer.sequence(encodeDer.oid("1.2.3")),
      encodeDer.bitString(point),
    );
    expect(parsed(pemOf(await issue("?", ca, { spki: unknown })))).toMatchObject([
      { PublicKeyAlgorithm: 0, PublicKey: null },
    ]);
  });

  it("reads PEM, base64 of PEM and base64 of DER, one after the other", async () => {
    const [a, b] = [await authority("a"), await authority("b")];
    const both = pemOf(a, b);
    const expected = parsed(both);
    expect(expected).toHaveLength(2);
    expect(parsed(toBase64(fromUtf8(both)))).toEqual(expected);
    expect(parsed(toBase64(Uint8Array.of(...a.certificate, ...b.certificate)))).toEqual(expected);
    expect(parsed("")).toEqual([]);
  });

  it.each([
    ["other PEM", toPem("PRIVATE KEY", Uint8Array.of(0x30, 0))],
    ["no base64", "!"],
    ["no DER", "AAAA"],
    ["an empty structure", toBase64(Uint8Array.of(0x30, 0))],
    ["PEM that does not close", "-----BEGIN CERTIFICATE-----\nAAAA\n"],
  ])("%s is a failure", (_title, text) => {
    expect(failureOf(() => call(PARSE, text))).toMatchObject({ kind: "builtin" });
  });

  it.each([
    ["a duplicate extension", [purposes("1.2.3"), purposes("1.2.3")]],
    ["an email that is no ASCII", [alternativeNames({ email: ["é"] })]],
    ["an address of five bytes", [alternativeNames({ ip: [[1, 2, 3, 4, 5]] })]],
    ["a URI that is none", [alternativeNames({ uri: [":"] })]],
    ["a mask with a hole", [nameConstraints({ ip: [[10, 0, 0, 0, 255, 0, 255, 0]] })]],
    ["a constraint with an empty label", [nameConstraints({ dns: ["a..b"] })]],
    ["empty name constraints", [nameConstraints({})]],
    [
      "a critical authority access",
      [{ oid: "1.3.6.1.5.5.7.1.1", critical: true, value: encodeDer.sequence() }],
    ],
    [
      "a policy that stands twice",
      [
        {
          oid: "2.5.29.32",
          value: encodeDer.sequence(...[1, 2].map(() => encodeDer.sequence(encodeDer.oid("1.2.3")))),
        },
      ],
    ],
    ["basic constraints that are none", [{ oid: "2.5.29.19", value: encodeDer.sequence(encodeDer.null()) }]],
  ])("%s is a failure", async (_title, extensions) => {
    const text = pemOf(await issue("bad", undefined, { extensions }));
    expect(failureOf(() => call(PARSE, text))).toMatchObject({ kind: "builtin" });
  });

  it("changed bytes give a certificate or a failure, nothing else", async () => {
    const { certificate } = await shown;
    fc.assert(
      fc.property(fc.nat(certificate.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Uint8Array.from(certificate);
        changed[at] = (changed[at] ?? 0) ^ change;
        try {
          expect(parsed(toBase64(changed))).toHaveLength(1);
        } catch (error) {
          expect(error).toBeInstanceOf(BuiltinFailure);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("certificate requests", () => {
  async function request(attributes: readonly Uint8Array[], key?: PrivateKey): Promise<Uint8Array> {
    const own = key ?? (await newKey());
    const name = encodeDer.sequence(
      encodeDer.set(encodeDer.sequence(encodeDer.oid("2.5.4.3"), encodeDer.utf8String("asked"))),
    );
    const info = encodeDer.sequence(
      encodeDer.integer(0),
      name,
      own.publicKey.spki,
      encodeDer.explicit(0, ...attributes),
    );
    const signature = await own.sign({ name: "ECDSA", hash: "SHA-256" }, info);
    return encodeDer.sequence(
      info,
      encodeDer.sequence(encodeDer.oid("1.2.840.10045.4.3.2")),
      encodeDer.bitString(ecdsaToDer(signature)),
    );
  }
  const attribute = (...values: readonly Uint8Array[]): Uint8Array =>
    encodeDer.sequence(encodeDer.oid("1.2.840.113549.1.9.14"), encodeDer.set(...values));
  const names = alternativeNames({ dns: ["asked.example.com"], ip: [[10, 0, 0, 1]] });
  const wanted = encodeDer.sequence(
    encodeDer.sequence(encodeDer.oid(names.oid), encodeDer.octetString(names.value)),
    encodeDer.sequence(
      encodeDer.oid("1.2.3"),
      encodeDer.boolean(true),
      encodeDer.octetString(Uint8Array.of(5, 0)),
    ),
  );

  it("shows what OPA shows", async () => {
    const der = await request([
      attribute(wanted),
      encodeDer.sequence(
        encodeDer.oid("1.2.840.113549.1.9.7"),
        encodeDer.set(encodeDer.utf8String("password")),
      ),
    ]);
    const expected = {
      Raw: toBase64(der),
      Version: 0,
      SignatureAlgorithm: 10,
      Subject: { CommonName: "asked" },
      DNSNames: ["asked.example.com"],
      IPAddresses: ["10.0.0.1"],
      URIs: null,
      Extensions: [
        { Id: [2, 5, 29, 17], Critical: false, Value: toBase64(names.value) },
        { Id: [1, 2, 3], Critical: true, Value: "BQA=" },
      ],
      Attributes: [
        {
          Type: [1, 2, 840, 113549, 1, 9, 14],
          Value: [
            [
              { Type: [2, 5, 29, 17], Value: toBase64(names.value) },
              { Type: [1, 2, 3], Value: true },
            ],
          ],
        },
      ],
    };
    const pem = toPem("CERTIFICATE REQUEST", der);
    for (const text of [pem, toBase64(fromUtf8(pem)), toBase64(der)])
      expect(call(REQUEST, text)).toMatchObject(expected);
    expect(call(REQUEST, toBase64(await request([])))).toMatchObject({ Attributes: null, Extensions: null });
  });

  it("refuses what is none", async () => {
    const certificate = await authority("a");
    const twice = await request([attribute(encodeDer.sequence(...[1, 2].map(() => wanted)))]);
    const texts = [
      "",
      "!",
      pemOf(certificate),
      toBase64(certificate.certificate),
      toBase64(twice),
      toBase64(fromUtf8(pemOf(certificate))),
    ];
    for (const text of texts) expect(failureOf(() => call(REQUEST, text))).toMatchObject({ kind: "builtin" });
  });
});

/** PKCS #1 or SEC 1, out of PKCS #8. */
function innerOf(pkcs8: Uint8Array): Uint8Array {
  return parseDer(pkcs8, "PKCS #8").sequence()[2]?.octetString() ?? new Uint8Array(0);
}

describe("private keys", () => {
  const ed25519 = encodeDer.sequence(
    encodeDer.integer(0),
    encodeDer.sequence(encodeDer.oid("1.3.101.112")),
    encodeDer.octetString(encodeDer.octetString(new Uint8Array(32).fill(7))),
  );

  it("RSA in PKCS #8 and PKCS #1", async () => {
    const key = await defaultCrypto.generateKey({ name: "RSA", bits: 2048 });
    const pkcs8 = await key.export();
    const numbers = parseDer(innerOf(pkcs8), "key")
      .sequence()
      .slice(1)
      .map((value) => numberOf(value.unsigned()));
    const [N, , D, p, q, Dp, Dq, Qinv] = numbers;
    const expected = { N, E: 65537, D, Primes: [p, q], Precomputed: { Dp, Dq, Qinv, CRTValues: [] } };
    const pems = [toPem("PRIVATE KEY", pkcs8), toPem("RSA PRIVATE KEY", innerOf(pkcs8))];
    for (const pem of pems) {
      expect(call(KEYS, pem)).toEqual([expected]);
      expect(call(KEYS, toBase64(fromUtf8(pem)))).toEqual([expected]);
      expect(call(JWK, pem)).toMatchObject({ kty: "RSA", e: "AQAB" });
    }
    expect(call(KEYS, pems.join(""))).toEqual([expected, expected]);
  });

  it("EC in PKCS #8 and SEC 1", async () => {
    const key = await newKey();
    const pkcs8 = await key.export();
    const scalar = parseDer(innerOf(pkcs8), "key").sequence()[1]?.octetString() ?? new Uint8Array(0);
    const point = key.publicKey.spki.subarray(-64);
    const expected = {
      Curve: {},
      D: numberOf(scalar),
      X: numberOf(point.subarray(0, 32)),
      Y: numberOf(point.subarray(32)),
    };
    const named = encodeDer.explicit(0, encodeDer.oid("1.2.840.10045.3.1.7"));
    const sec1 = encodeDer.sequence(encodeDer.integer(1), encodeDer.octetString(scalar), named);
    expect(call(KEYS, toPem("PRIVATE KEY", pkcs8))).toEqual([expected]);
    expect(call(KEYS, toPem("EC PRIVATE KEY", sec1))).toEqual([expected]);
    expect(call(JWK, toPem("PRIVATE KEY", pkcs8))).toMatchObject({ kty: "EC", crv: "P-256" });
  });

  it("Ed25519", () => {
    const [text] = call(KEYS, toPem("PRIVATE KEY", ed25519)) as readonly string[];
    expect(text?.startsWith(toBase64(new Uint8Array(30).fill(7)))).toBe(true);
    expect(call(JWK, toPem("PRIVATE KEY", ed25519))).toMatchObject({ kty: "OKP", crv: "Ed25519" });
  });

  it("nothing, and what is no key", () => {
    expect(call(KEYS, "")).toBeNull();
    expect(call(KEYS, "nope")).toEqual([]);
    expect(call(KEYS, toPem("PUBLIC KEY", Uint8Array.of(0x30, 0)))).toEqual([]);
    expect(call(JWK, toPem("PUBLIC KEY", Uint8Array.of(0x30, 0)))).toBeNull();
    for (const text of ["", "!"]) expect(failureOf(() => call(JWK, text))).toMatchObject({ kind: "builtin" });
  });

  it.each(["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"])(
    "%s that is malformed is a failure",
    (label) => {
      for (const der of [Uint8Array.of(0x30, 0), Uint8Array.of(1), ed25519.subarray(0, 20)])
        expect(failureOf(() => call(KEYS, toPem(label, der)))).toMatchObject({ kind: "builtin" });
    },
  );
});

describe("key pairs", () => {
  it("shows the chain and the key of its first certificate", async () => {
    const ca = await authority("ca");
    const own = await issue("own", ca);
    const pkcs8 = await own.key.export();
    const [key] = call(KEYS, toPem("PRIVATE KEY", pkcs8)) as readonly Value[];
    const expected = {
      Certificate: [own, ca].map(({ certificate }) => toBase64(certificate)),
      PrivateKey: key,
      Leaf: { Subject: { CommonName: "own" } },
      OCSPStaple: null,
    };
    expect(call(PAIR, pemOf(own, ca), toPem("PRIVATE KEY", pkcs8))).toMatchObject(expected);
    const der = toBase64(Uint8Array.of(...own.certificate, ...ca.certificate));
    expect(call(PAIR, der, toBase64(pkcs8))).toMatchObject(expected);
    const [block] = parsePem(toPem("PRIVATE KEY", await ca.key.export()));
    for (const other of [toPem("PRIVATE KEY", block?.der ?? pkcs8), "", pemOf(ca)])
      expect(failureOf(() => call(PAIR, pemOf(own), other))).toMatchObject({ kind: "builtin" });
    expect(failureOf(() => call(PAIR, "", toPem("PRIVATE KEY", pkcs8)))).toMatchObject({ kind: "builtin" });
  });
});
