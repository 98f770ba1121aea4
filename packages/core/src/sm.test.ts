// SPDX-License-Identifier: Apache-2.0
// Answers of the standards, RFC 8998, and whatever OpenSSL in this runtime can do.
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, fromUtf8, toHex } from "./bytes.ts";
import { defaultCrypto } from "./crypto.ts";
import { encryptBlock, expandKey } from "./sm/sm4.ts";
import {
  hmacSm3,
  SM2_DEFAULT_ID,
  sm2Decrypt,
  sm2Encrypt,
  sm2GenerateKey,
  sm2PublicKey,
  sm2Sign,
  sm2Verify,
  sm3,
  sm4Ctr,
  sm4GcmDecrypt,
  sm4GcmEncrypt,
} from "./sm.ts";

describe("SM3, GB/T 32905-2016 appendix A", () => {
  it.each([
    ["abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"],
    ["abcd".repeat(16), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"],
    ["", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"],
  ])("%j", (text, digest) => {
    expect(toHex(sm3(fromUtf8(text)))).toBe(digest);
  });

  it("differs for every length around the block", () => {
    const digests = Array.from({ length: 200 }, (_, length) => toHex(sm3(new Uint8Array(length))));
    expect(new Set(digests).size).toBe(200);
  });

  it("HMAC takes keys longer than a block", () => {
    expect(hmacSm3(new Uint8Array(65), fromUtf8("x"))).toEqual(
      hmacSm3(sm3(new Uint8Array(65)), fromUtf8("x")),
    );
    expect(hmacSm3(fromUtf8("k"), fromUtf8("x"))).not.toEqual(hmacSm3(fromUtf8("l"), fromUtf8("x")));
  });
});

describe("SM4", () => {
  const key = fromHex("0123456789abcdeffedcba9876543210");

  it("GB/T 32907-2016 appendix A", () => {
    const block = Uint8Array.from(key);
    encryptBlock(expandKey(key), new DataView(block.buffer), 0);
    expect(toHex(block)).toBe("681edf34d206965e86b3e94f536e4246");
  });

  it("GCM, RFC 8998 appendix A.1", () => {
    const nonce = fromHex("00001234567800000000abcd");
    const associated = fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const plaintext = fromHex(
      "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
    );
    const sealed = sm4GcmEncrypt(key, nonce, plaintext, associated);
    expect(toHex(sealed)).toBe(
      "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d" +
        "83de3541e4c2b58177e065a9bf7b62ec",
    );
    expect(sm4GcmDecrypt(key, nonce, sealed, associated)).toEqual(plaintext);
    for (let i = 0; i < sealed.length; i++) {
      const changed = Uint8Array.from(sealed);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(codeOf(() => sm4GcmDecrypt(key, nonce, changed, associated))).toBe("DECRYPTION_FAILED");
    }
    expect(codeOf(() => sm4GcmDecrypt(key, nonce, sealed, associated.subarray(1)))).toBe("DECRYPTION_FAILED");
    expect(codeOf(() => sm4GcmDecrypt(key, nonce, sealed.subarray(0, 15)))).toBe("DECRYPTION_FAILED");
  });

  it("CTR is its own inverse, and the counter wraps over all bytes", () => {
    const counter = new Uint8Array(16).fill(0xff);
    const data = Uint8Array.from({ length: 50 }, (_, i) => i);
    const sealed = sm4Ctr(key, counter, data);
    expect(sm4Ctr(key, counter, sealed)).toEqual(data);
    expect(sm4Ctr(key, new Uint8Array(16), data.subarray(16))).toEqual(sealed.subarray(16));
  });

  it.each([
    ["a short key", () => sm4Ctr(key.subarray(1), new Uint8Array(16), key)],
    ["a short counter", () => sm4Ctr(key, new Uint8Array(15), key)],
    ["a long nonce", () => sm4GcmEncrypt(key, new Uint8Array(16), key)],
  ])("refuses %s", (_, act) => {
    expect(codeOf(act)).toBe("INVALID_KEY");
  });
});

describe("SM2", () => {
  // GB/T 32918.5-2017 appendix A.2.
  const secret = fromHex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
  const key = fromHex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
  );
  const message = fromUtf8("message digest");
  const signature = fromHex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
  );

  it("verifies the standard's signature, and nothing else", () => {
    expect(sm2PublicKey(secret)).toEqual(key);
    expect(sm2Verify(key, SM2_DEFAULT_ID, message, signature)).toBe(true);
    expect(sm2Verify(key, fromUtf8("HYGON-SSD-HRK"), message, signature)).toBe(false);
    expect(sm2Verify(key, SM2_DEFAULT_ID, fromUtf8("message digesT"), signature)).toBe(false);
    for (let i = 0; i < signature.length; i += 7) {
      const changed = Uint8Array.from(signature);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(sm2Verify(key, SM2_DEFAULT_ID, message, changed)).toBe(false);
    }
  });

  it("refuses r and s out of range, points off the curve, wrong sizes", () => {
    const order = fromHex("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123");
    for (const bad of [new Uint8Array(32), order]) {
      for (const at of [0, 32]) {
        const changed = Uint8Array.from(signature);
        changed.set(bad, at);
        expect(sm2Verify(key, SM2_DEFAULT_ID, message, changed)).toBe(false);
      }
    }
    expect(sm2Verify(new Uint8Array(64).fill(1), SM2_DEFAULT_ID, message, signature)).toBe(false);
    expect(sm2Verify(key.subarray(1), SM2_DEFAULT_ID, message, signature)).toBe(false);
    expect(sm2Verify(key, SM2_DEFAULT_ID, message, signature.subarray(1))).toBe(false);
    expect(sm2Verify(key, new Uint8Array(8192), message, signature)).toBe(false);
  });

  it("signs and encrypts what it verifies and decrypts", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 40 }), (data, id) => {
        const d = sm2GenerateKey(defaultCrypto);
        const q = sm2PublicKey(d);
        expect(sm2Verify(q, id, data, sm2Sign(d, id, data, defaultCrypto))).toBe(true);
        const sealed = sm2Encrypt(q, data, defaultCrypto);
        expect(sm2Decrypt(d, sealed)).toEqual(data);
        sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
        expect(codeOf(() => sm2Decrypt(d, sealed))).toBe("DECRYPTION_FAILED");
      }),
      { numRuns: 10 },
    );
  });

  it("decrypts the standard's example, GB/T 32918.5-2017 appendix A.3", () => {
    const sealed = fromHex(
      "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0" +
        "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd876621886ca989ca9c7d58087307ca93092d651efa",
    );
    expect(toHex(sm2Decrypt(secret, sealed))).toBe(toHex(fromUtf8("encryption standard")));
  });

  it.each([
    ["zero", new Uint8Array(32)],
    ["n - 1", fromHex("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54122")],
    ["a short one", new Uint8Array(31).fill(1)],
  ])("refuses the private key %s", (_, d) => {
    expect(codeOf(() => sm2PublicKey(d))).toBe("INVALID_KEY");
  });

  it("refuses to encrypt to a point off the curve, and to decrypt one", () => {
    expect(codeOf(() => sm2Encrypt(new Uint8Array(64), message, defaultCrypto))).toBe("INVALID_KEY");
    expect(codeOf(() => sm2Decrypt(secret, new Uint8Array(100)))).toBe("DECRYPTION_FAILED");
    expect(codeOf(() => sm2Decrypt(secret, new Uint8Array(10)))).toBe("DECRYPTION_FAILED");
  });
});
