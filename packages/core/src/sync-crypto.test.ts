// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64Url, fromHex, fromUtf8, toHex } from "./bytes.ts";
import { defaultCrypto, type KeySpec, type SignatureAlgorithm, spkiOfPoint } from "./crypto.ts";
import { encodeDer } from "./der.ts";
import { type DigestName, syncCrypto } from "./sync-crypto.ts";

/** FIPS 180-4's example "abc", RFC 1321 appendix A.5. */
const ABC: readonly (readonly [DigestName, string])[] = [
  ["MD5", "900150983cd24fb0d6963f7d28e17f72"],
  ["SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  ["SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [
    "SHA-384",
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
  ],
  [
    "SHA-512",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  ],
];
/** RFC 2202 and RFC 4231, test case 2: key "Jefe". */
const JEFE: readonly (readonly [DigestName, string])[] = [
  ["MD5", "750c783e6ab0b503eaa86e310a5db738"],
  ["SHA-1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"],
  ["SHA-256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
  [
    "SHA-384",
    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
  ],
  [
    "SHA-512",
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
  ],
];

describe("digests and MACs", () => {
  it.each(ABC)("%s of abc", (hash, expected) => {
    expect(toHex(syncCrypto.digest(hash, fromUtf8("abc")))).toBe(expected);
  });
  it.each(JEFE)("HMAC-%s of RFC 2202 and 4231", (hash, expected) => {
    const mac = syncCrypto.hmac(hash, fromUtf8("Jefe"), fromUtf8("what do ya want for nothing?"));
    expect(toHex(mac)).toBe(expected);
  });
  it("agree with the provider that may wait", async () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(
        bytes,
        bytes,
        fc.constantFrom("SHA-1", "SHA-256", "SHA-384", "SHA-512"),
        async (key, data, hash) => {
          expect(syncCrypto.digest(hash, data)).toEqual(await defaultCrypto.digest(hash, data));
          if (key.length > 0)
            expect(syncCrypto.hmac(hash, key, data)).toEqual(await defaultCrypto.hmac(hash, key, data));
        },
      ),
      { numRuns: 50 },
    );
  });
});

const EVERY: readonly { readonly spec: KeySpec; readonly how: SignatureAlgorithm }[] = [
  { spec: { name: "EC", curve: "P-256" }, how: { name: "ECDSA", hash: "SHA-256" } },
  { spec: { name: "EC", curve: "P-384" }, how: { name: "ECDSA", hash: "SHA-384" } },
  { spec: { name: "EC", curve: "P-521" }, how: { name: "ECDSA", hash: "SHA-512" } },
  { spec: { name: "EC", curve: "P-256" }, how: { name: "ECDSA", hash: "SHA-512" } },
  { spec: { name: "RSA", bits: 2048 }, how: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } },
  { spec: { name: "RSA", bits: 2048 }, how: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" } },
  { spec: { name: "RSA", bits: 2048 }, how: { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 } },
  { spec: { name: "RSA", bits: 2048 }, how: { name: "RSA-PSS", hash: "SHA-256", saltLength: 0 } },
];
const MESSAGE = fromUtf8("what is signed");

describe.each(EVERY)("$spec and $how", ({ spec, how }) => {
  it("takes what the provider signed, and nothing that was changed", async () => {
    const key = await defaultCrypto.generateKey(spec);
    const signature = await key.sign(how, MESSAGE);
    const ours = syncCrypto.importPublicKey(key.publicKey.spki);
    expect(ours.algorithm).toEqual(key.publicKey.algorithm);
    expect(ours.verify(how, signature, MESSAGE)).toBe(true);
    expect(ours.verify(how, signature, fromUtf8("what is not signed"))).toBe(false);
    for (const at of [0, 1, signature.length >> 1, signature.length - 1]) {
      const changed = Uint8Array.from(signature);
      changed[at] = (changed[at] as number) ^ 1;
      expect(ours.verify(how, changed, MESSAGE)).toBe(false);
    }
    expect(ours.verify(how, signature.subarray(1), MESSAGE)).toBe(false);
    expect(ours.verify(how, new Uint8Array(signature.length), MESSAGE)).toBe(false);
    expect(ours.verify(how, new Uint8Array(signature.length).fill(0xff), MESSAGE)).toBe(false);
    expect(ours.verify({ name: "Ed25519" }, signature, MESSAGE)).toBe(false);
  });
});

describe("signing", () => {
  it.each(EVERY.filter(({ spec }) => spec.name === "EC"))("$spec and $how", async ({ spec, how }) => {
    const key = await defaultCrypto.generateKey(spec);
    const ours = syncCrypto.importPrivateKey(await key.export());
    expect(ours.publicKey.spki).toEqual(key.publicKey.spki);
    expect(await key.publicKey.verify(how, ours.sign(how, MESSAGE), MESSAGE)).toBe(true);
    expect(() => ours.sign({ name: "Ed25519" }, MESSAGE)).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_ALGORITHM" }),
    );
  });

  it("Ed25519 gives the signature of RFC 8032 section 7.1, test 3", () => {
    const seed = fromHex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
    const key = syncCrypto.importPrivateKey(
      encodeDer.sequence(
        encodeDer.integer(0),
        encodeDer.sequence(encodeDer.oid("1.3.101.112")),
        encodeDer.octetString(encodeDer.octetString(seed)),
      ),
    );
    const message = fromHex("af82");
    const signature = key.sign({ name: "Ed25519" }, message);
    expect(toHex(signature)).toBe(
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    );
    expect(key.publicKey.verify({ name: "Ed25519" }, signature, message)).toBe(true);
    expect(key.publicKey.verify({ name: "Ed25519" }, signature.subarray(1), message)).toBe(false);
  });

  it("RSA: in Node, and nowhere else", async () => {
    const key = await defaultCrypto.generateKey({ name: "RSA", bits: 2048 });
    const pkcs8 = await key.export();
    const how: SignatureAlgorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    if (syncCrypto.name === "node") {
      const signature = syncCrypto.importPrivateKey(pkcs8).sign(how, MESSAGE);
      expect(await key.publicKey.verify(how, signature, MESSAGE)).toBe(true);
    } else {
      expect(() => syncCrypto.importPrivateKey(pkcs8)).toThrow(
        expect.objectContaining({ code: "UNSUPPORTED_ALGORITHM" }),
      );
    }
  });
});

describe("keys that are refused", () => {
  const rsaSpki = (n: bigint, e: bigint): Uint8Array =>
    encodeDer.sequence(
      encodeDer.sequence(encodeDer.oid("1.2.840.113549.1.1.1"), encodeDer.null()),
      encodeDer.bitString(encodeDer.sequence(encodeDer.integer(n), encodeDer.integer(e))),
    );
  const modulus = (bits: bigint): bigint => (1n << (bits - 1n)) + 1n;

  it.each([
    { title: "RSA of 1023 bits", spki: rsaSpki(modulus(1023n), 65537n), code: "INVALID_KEY" },
    { title: "RSA of 8193 bits", spki: rsaSpki(modulus(8193n), 65537n), code: "INVALID_KEY" },
    { title: "RSA with an even modulus", spki: rsaSpki(modulus(2048n) + 1n, 65537n), code: "INVALID_KEY" },
    { title: "RSA with the exponent 1", spki: rsaSpki(modulus(2048n), 1n), code: "INVALID_KEY" },
    { title: "RSA with an even exponent", spki: rsaSpki(modulus(2048n), 65536n), code: "INVALID_KEY" },
    {
      title: "RSA with a huge exponent",
      spki: rsaSpki(modulus(2048n), (1n << 31n) + 1n),
      code: "INVALID_KEY",
    },
    {
      title: "no point of P-256",
      spki: spkiOfPoint("P-256", new Uint8Array(64).fill(1)),
      code: "INVALID_KEY",
    },
    { title: "no DER", spki: Uint8Array.of(1, 2, 3), code: "INVALID_DER" },
    {
      title: "no algorithm",
      spki: encodeDer.sequence(encodeDer.sequence(), encodeDer.bitString(Uint8Array.of(1))),
      code: "INVALID_DER",
    },
  ])("$title", ({ spki, code }) => {
    expect(() => syncCrypto.importPublicKey(spki)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    { title: "zero", scalar: new Uint8Array(32) },
    {
      title: "the order of the curve",
      scalar: fromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    },
    { title: "too short", scalar: Uint8Array.of(1) },
  ])("a scalar that is $title", ({ scalar }) => {
    const pkcs8 = encodeDer.sequence(
      encodeDer.integer(0),
      encodeDer.sequence(encodeDer.oid("1.2.840.10045.2.1"), encodeDer.oid("1.2.840.10045.3.1.7")),
      encodeDer.octetString(encodeDer.sequence(encodeDer.integer(1), encodeDer.octetString(scalar))),
    );
    expect(() => syncCrypto.importPrivateKey(pkcs8)).toThrow(
      expect.objectContaining({ code: "INVALID_KEY" }),
    );
  });
});

it("RFC 7515 appendix A.2: a signature of someone else's", () => {
  const n =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
  const data =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const signature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
  const spki = encodeDer.sequence(
    encodeDer.sequence(encodeDer.oid("1.2.840.113549.1.1.1"), encodeDer.null()),
    encodeDer.bitString(encodeDer.sequence(encodeDer.unsigned(fromBase64Url(n)), encodeDer.integer(65537))),
  );
  const key = syncCrypto.importPublicKey(spki);
  const how: SignatureAlgorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  expect(key.verify(how, fromBase64Url(signature), fromUtf8(data))).toBe(true);
  expect(key.verify({ ...how, hash: "SHA-384" }, fromBase64Url(signature), fromUtf8(data))).toBe(false);
});
