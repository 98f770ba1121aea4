// SPDX-License-Identifier: Apache-2.0
// Both providers keep the same contract; in Node they also check each other's signatures.
import { codeOf, codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { fromHex, fromUtf8, toHex } from "./bytes.ts";
import { provider as web } from "./crypto/web.ts";
import {
  type CryptoProvider,
  defaultCrypto,
  ecdsaFromDer,
  ecdsaToDer,
  fieldSize,
  type KeySpec,
  keyAlgorithmOf,
  type SignatureAlgorithm,
  spkiOfPoint,
} from "./crypto.ts";
import { encodeDer } from "./der.ts";

const providers: CryptoProvider[] = defaultCrypto.name === "node" ? [defaultCrypto, web] : [defaultCrypto];
const message = fromUtf8("what was proven");

const kinds: [string, KeySpec, SignatureAlgorithm][] = [
  ["P-256", { name: "EC", curve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
  ["P-384", { name: "EC", curve: "P-384" }, { name: "ECDSA", hash: "SHA-384" }],
  ["P-521", { name: "EC", curve: "P-521" }, { name: "ECDSA", hash: "SHA-512" }],
  ["RSA-PSS", { name: "RSA", bits: 2048 }, { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 }],
  ["RSA PKCS #1", { name: "RSA", bits: 2048 }, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }],
  ["Ed25519", { name: "Ed25519" }, { name: "Ed25519" }],
];

describe.each(providers.map((provider) => [provider.name, provider] as const))("%s", (_, crypto) => {
  it('digests (FIPS 180-4 examples, "abc")', async () => {
    const abc = fromUtf8("abc");
    expect(toHex(await crypto.digest("SHA-1", abc))).toBe("a9993e364706816aba3e25717850c26c9cd0d89d");
    expect(toHex(await crypto.digest("SHA-256", abc))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(toHex(await crypto.digest("SHA-384", abc))).toBe(
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    );
    expect((await crypto.digest("SHA-512", abc)).length).toBe(64);
  });

  it("computes HMAC (RFC 4231 test case 2)", async () => {
    const mac = await crypto.hmac("SHA-256", fromUtf8("Jefe"), fromUtf8("what do ya want for nothing?"));
    expect(toHex(mac)).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  });

  it("makes random bytes that differ", () => {
    expect(toHex(crypto.randomBytes(32))).not.toBe(toHex(crypto.randomBytes(32)));
    expect(crypto.randomBytes(7)).toHaveLength(7);
  });

  describe.each(kinds)("%s", (_, spec, how) => {
    it("signs and verifies across export, import and providers; refuses every change", async () => {
      const key = await crypto.generateKey(spec);
      const signature = await key.sign(how, message);
      for (const other of providers) {
        const imported = await other.importPublicKey(key.publicKey.spki);
        expect(await imported.verify(how, signature, message)).toBe(true);
        expect(await imported.verify(how, signature, fromUtf8("something else"))).toBe(false);
        expect(await imported.verify(how, signature.subarray(1), message)).toBe(false);
        expect(await imported.verify(how, new Uint8Array(signature.length), message)).toBe(false);
        const flipped = Uint8Array.from(signature);
        flipped[3] = (flipped[3] ?? 0) ^ 1;
        expect(await imported.verify(how, flipped, message)).toBe(false);
        const again = await other.importPrivateKey(await key.export());
        expect(again.publicKey.spki).toEqual(key.publicKey.spki);
        expect(await key.publicKey.verify(how, await again.sign(how, message), message)).toBe(true);
      }
    });

    it("refuses an algorithm that does not fit the key", async () => {
      const key = await crypto.generateKey(spec);
      const foreign: SignatureAlgorithm =
        how.name === "Ed25519" ? { name: "ECDSA", hash: "SHA-256" } : { name: "Ed25519" };
      expect(await key.publicKey.verify(foreign, new Uint8Array(64), message)).toBe(false);
      expect(await codeOfAsync(async () => key.sign(foreign, message))).toBe("UNSUPPORTED_ALGORITHM");
    });
  });

  it("never accepts r or s outside [1, n-1]", async () => {
    const key = await crypto.generateKey({ name: "EC", curve: "P-256" });
    const order = fromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    const good = await key.sign({ name: "ECDSA", hash: "SHA-256" }, message);
    for (const bad of [new Uint8Array(32), order, new Uint8Array(32).fill(0xff)]) {
      for (const at of [0, 32]) {
        const signature = Uint8Array.from(good);
        signature.set(bad, at);
        expect(await key.publicKey.verify({ name: "ECDSA", hash: "SHA-256" }, signature, message)).toBe(
          false,
        );
      }
    }
  });

  it.each([
    ["a point off the curve", spkiOfPoint("P-256", new Uint8Array(64).fill(1)), "INVALID_KEY"],
    [
      "an unknown curve",
      encodeDer.sequence(
        encodeDer.sequence(encodeDer.oid("1.2.840.10045.2.1"), encodeDer.oid("1.3.132.0.10")),
        encodeDer.bitString(new Uint8Array(65)),
      ),
      "UNSUPPORTED_ALGORITHM",
    ],
    [
      "DSA",
      encodeDer.sequence(
        encodeDer.sequence(encodeDer.oid("1.2.840.10040.4.1")),
        encodeDer.bitString(new Uint8Array(5)),
      ),
      "UNSUPPORTED_ALGORITHM",
    ],
    ["noise", Uint8Array.of(1, 2, 3), "INVALID_DER"],
  ])("refuses to import %s", async (_, spki, code) => {
    expect(await codeOfAsync(async () => crypto.importPublicKey(spki))).toBe(code);
  });

  it("refuses to import noise as a private key", async () => {
    expect(await codeOfAsync(async () => crypto.importPrivateKey(new Uint8Array(10)))).toBe("INVALID_KEY");
  });
});

describe("shapes", () => {
  it("ECDSA signatures round-trip between DER and r || s, short integers included", () => {
    const signature = new Uint8Array(64);
    signature[31] = 1;
    signature[32] = 0xff;
    expect(ecdsaFromDer("P-256", ecdsaToDer(signature))).toEqual(signature);
  });

  it("refuses an integer longer than the field, and points of the wrong length", () => {
    const long = encodeDer.sequence(encodeDer.unsigned(new Uint8Array(33).fill(1)), encodeDer.integer(1));
    expect(codeOf(() => ecdsaFromDer("P-256", long))).toBe("INVALID_DER");
    expect(codeOf(() => spkiOfPoint("P-384", new Uint8Array(64)))).toBe("INVALID_KEY");
    expect(fieldSize("P-521")).toBe(66);
  });

  it("tells keys apart", async () => {
    for (const [, spec] of kinds) {
      const key = await defaultCrypto.generateKey(spec);
      expect(keyAlgorithmOf(key.publicKey.spki).name).toBe(spec.name);
    }
  });
});
