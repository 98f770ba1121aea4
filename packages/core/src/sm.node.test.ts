// SPDX-License-Identifier: Apache-2.0
// The TypeScript that browsers run, against OpenSSL as the counterpart, and the choice between the two.
import { createCipheriv, createHash, createHmac, getCiphers, getHashes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromUtf8, toHex } from "./bytes.ts";
import { accelerated } from "./sm/openssl.ts";
import * as portable from "./sm/portable.ts";
import * as sm from "./sm.ts";

const data = fc.uint8Array({ maxLength: 300 });
const block = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe("the choice", () => {
  it("is OpenSSL where it has the algorithm", () => {
    expect(accelerated).toEqual({
      sm3: getHashes().includes("sm3"),
      sm4: getCiphers().includes("sm4-ctr"),
    });
    expect(sm.sm3 === portable.sm3).toBe(!accelerated.sm3);
    expect(sm.hmacSm3 === portable.hmacSm3).toBe(!accelerated.sm3);
  });

  it("changes no answer", () => {
    fc.assert(
      fc.property(data, data, block, block, (message, key, cipherKey, counter) => {
        expect(sm.sm3(message)).toEqual(portable.sm3(message));
        expect(sm.hmacSm3(key, message)).toEqual(portable.hmacSm3(key, message));
        expect(sm.sm4Ctr(cipherKey, counter, message)).toEqual(
          portable.sm4CtrBlocks(cipherKey, counter, message),
        );
      }),
    );
  });
});

describe("SM3 in TypeScript", () => {
  it("GB/T 32905-2016 appendix A.1", () => {
    expect(toHex(portable.sm3(fromUtf8("abc")))).toBe(
      "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    );
  });

  it.skipIf(!getHashes().includes("sm3"))("is OpenSSL's, digest and HMAC", () => {
    fc.assert(
      fc.property(data, data, (message, key) => {
        expect(portable.sm3(message)).toEqual(new Uint8Array(createHash("sm3").update(message).digest()));
        expect(portable.hmacSm3(key, message)).toEqual(
          new Uint8Array(createHmac("sm3", key).update(message).digest()),
        );
      }),
    );
  });
});

describe("SM4 in TypeScript", () => {
  it.skipIf(!getCiphers().includes("sm4-ctr"))("CTR is OpenSSL's", () => {
    fc.assert(
      fc.property(block, block, data, (key, counter, message) => {
        const cipher = createCipheriv("sm4-ctr", key, counter);
        expect(portable.sm4CtrBlocks(key, counter, message)).toEqual(
          new Uint8Array(Buffer.concat([cipher.update(message), cipher.final()])),
        );
      }),
    );
  });
});
