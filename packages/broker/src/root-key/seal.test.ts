// SPDX-License-Identifier: Apache-2.0
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { KEY_BYTES, newPassphraseKey, passphraseKey } from "./seal.ts";

describe("the key of a passphrase", () => {
  it.each([
    { logN: 1, r: 1, p: 16 },
    { logN: 4, r: 8, p: 1 },
    { logN: 2, r: 32, p: 16 },
  ])("is the same again for %j", async (cost) => {
    const { key, record } = await newPassphraseKey("six words nobody guesses", cost);
    expect(key).toHaveLength(KEY_BYTES);
    expect(await passphraseKey("six words nobody guesses", record)).toEqual(key);
  });

  it.each([
    ["all memory", { logN: 20, r: 32, p: 1 }],
    ["hours", { logN: 4, r: 1, p: 17 }],
    ["a vast number", { logN: 4, r: 1e15, p: 1 }],
    ["nothing", { logN: 4, r: 0, p: 1 }],
    ["another function", { kdf: "argon2id" }],
  ])("is not made where a file asks for %s", async (_what, changed) => {
    const record = { kdf: "scrypt", salt: "AAAAAAAAAAAAAAAAAAAAAA", logN: 4, r: 1, p: 1, ...changed };
    expect(await codeOfAsync(() => passphraseKey("six words nobody guesses", record))).toBe("STATE_INVALID");
  });
});
