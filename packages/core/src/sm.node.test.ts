// SPDX-License-Identifier: Apache-2.0
// OpenSSL as the counterpart.
import { createCipheriv, createHash, createHmac, getCiphers, getHashes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hmacSm3, sm3, sm4Ctr } from "./sm.ts";

const data = fc.uint8Array({ maxLength: 300 });

describe.skipIf(!getHashes().includes("sm3"))("SM3 as OpenSSL", () => {
  it("digest and HMAC", () => {
    fc.assert(
      fc.property(data, data, (message, key) => {
        expect(sm3(message)).toEqual(new Uint8Array(createHash("sm3").update(message).digest()));
        expect(hmacSm3(key, message)).toEqual(
          new Uint8Array(createHmac("sm3", key).update(message).digest()),
        );
      }),
    );
  });
});

describe.skipIf(!getCiphers().includes("sm4-ctr"))("SM4 as OpenSSL", () => {
  it("CTR", () => {
    const block = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(block, block, data, (key, counter, message) => {
        const cipher = createCipheriv("sm4-ctr", key, counter);
        expect(sm4Ctr(key, counter, message)).toEqual(
          new Uint8Array(Buffer.concat([cipher.update(message), cipher.final()])),
        );
      }),
    );
  });
});
