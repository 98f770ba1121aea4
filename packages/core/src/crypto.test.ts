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

  it("agrees on a secret with itself and the other provider (ECDH)", async () => {
    for (const curve of ["P-256", "P-384", "P-521"] as const) {
      const [mine, yours] = [
        await crypto.generateKey({ name: "EC", curve }),
        await crypto.generateKey({ name: "EC", curve }),
      ];
      const secret = await crypto.agree(mine, yours.publicKey);
      expect(secret).toHaveLength(fieldSize(curve));
      for (const other of providers) {
        const peer = await other.importPrivateKey(await yours.export());
        expect(await other.agree(peer, mine.publicKey)).toEqual(secret);
      }
      expect(await crypto.agree(mine, mine.publicKey)).not.toEqual(secret);
    }
  });

  it("agrees as RFC 5903 section 8.2 (P-384) does", async () => {
    const key = await crypto.importPrivateKey(
      encodeDer.sequence(
        encodeDer.integer(0),
        encodeDer.sequence(encodeDer.oid("1.2.840.10045.2.1"), encodeDer.oid("1.3.132.0.34")),
        encodeDer.octetString(
          encodeDer.sequence(
            encodeDer.integer(1),
            encodeDer.octetString(
              fromHex(
                "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab194",
              ),
            ),
            encodeDer.explicit(
              1,
              encodeDer.bitString(
                fromHex(
                  "04667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c",
                ),
              ),
            ),
          ),
        ),
      ),
    );
    const peer = await crypto.importPublicKey(
      spkiOfPoint(
        "P-384",
        fromHex(
          "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def96fda41d0774a3571dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c",
        ),
      ),
    );
    expect(toHex(await crypto.agree(key, peer))).toBe(
      "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746",
    );
  });

  it("agrees on nothing across curves or kinds of keys", async () => {
    const [p256, p384, rsa] = await Promise.all([
      crypto.generateKey({ name: "EC", curve: "P-256" }),
      crypto.generateKey({ name: "EC", curve: "P-384" }),
      crypto.generateKey({ name: "RSA", bits: 2048 }),
    ]);
    expect(await codeOfAsync(() => crypto.agree(p256, p384.publicKey))).toBe("INVALID_KEY");
    expect(await codeOfAsync(() => crypto.agree(rsa, p384.publicKey))).toBe("INVALID_KEY");
    expect(await codeOfAsync(() => crypto.agree(p384, rsa.publicKey))).toBe("INVALID_KEY");
  });

  it.each([
    ["AES-128 (SP 800-38A F.5.1)", "2b7e151628aed2a6abf7158809cf4f3c", "874d6191b620e3261bef6864990db6ce"],
    [
      "AES-256 (SP 800-38A F.5.5)",
      "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
      "601ec313775789a5b7a7f504bbf3d228",
    ],
  ])("en- and decrypts in counter mode: %s", async (_, key, ciphertext) => {
    const counter = fromHex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    const plaintext = fromHex("6bc1bee22e409f96e93d7e117393172a");
    expect(toHex(await crypto.aesCtr(fromHex(key), counter, plaintext))).toBe(ciphertext);
    expect(await crypto.aesCtr(fromHex(key), counter, fromHex(ciphertext))).toEqual(plaintext);
    // The counter wraps over all its bits, and blocks may be short.
    const last = new Uint8Array(16).fill(0xff);
    const two = await crypto.aesCtr(fromHex(key), last, new Uint8Array(19));
    expect(two.subarray(16)).toEqual(
      (await crypto.aesCtr(fromHex(key), new Uint8Array(16), new Uint8Array(16))).subarray(0, 3),
    );
  });

  it.each([
    [15, 16],
    [24, 16],
    [0, 16],
    [16, 12],
  ])("refuses counter mode with %i bytes of key and %i of counter", async (key, counter) => {
    const act = async () => crypto.aesCtr(new Uint8Array(key), new Uint8Array(counter), message);
    expect(await codeOfAsync(act)).toBe("INVALID_KEY");
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
