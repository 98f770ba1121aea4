// SPDX-License-Identifier: Apache-2.0
import { defaultCrypto, type VerifyingCrypto } from "@adyton/core/crypto";
import { describe, expect, it } from "vitest";
import { createCache } from "./cache.ts";
import { preparedKey, remembered, scopeKey } from "./remember.ts";

const NOW = new Date("2026-06-01T12:00:00Z");
const after = (hours: number): Date => new Date(NOW.getTime() + hours * 60 * 60 * 1000);
const item = (...bytes: number[]) => ({ der: Uint8Array.from(bytes) });

describe("a cache's key", () => {
  const keyOf = (...groups: { der: Uint8Array }[][]): Promise<string> => scopeKey("k", groups, defaultCrypto);

  it("tells groups, order and kinds apart", async () => {
    const keys = await Promise.all([
      keyOf([item(1), item(2)], []),
      keyOf([item(1)], [item(2)]),
      keyOf([item(2), item(1)], []),
      keyOf([item(1, 2)], []),
      scopeKey("other", [[item(1), item(2)], []], defaultCrypto),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(await keyOf([item(1), item(2)], [])).toBe(keys[0]);
  });
});

describe("an outcome", () => {
  async function twice(then: Date, lists: { thisUpdate: Date }[] = []): Promise<number> {
    const cache = createCache();
    let worked = 0;
    for (const now of [NOW, then]) {
      await remembered(
        cache,
        "key",
        { now, lists },
        async () => ++worked,
        () => ({ from: after(-1), until: after(10) }),
      );
    }
    return worked;
  }

  it.each<[what: string, then: Date, lists: { thisUpdate: Date }[], worked: number]>([
    ["is kept while it holds", after(10), [], 1],
    ["is not kept after it", after(11), [], 2],
    ["is not used for a time before it", after(-2), [], 2],
    ["is kept until a list takes effect", after(4), [{ thisUpdate: after(5) }], 1],
    ["is worked out anew when a list takes effect", after(5), [{ thisUpdate: after(5) }], 2],
    ["is kept beside a list that was in effect before", after(9), [{ thisUpdate: after(-1) }], 1],
  ])("%s", async (_what, then, lists, worked) => {
    expect(await twice(then, lists)).toBe(worked);
  });

  it("that is a refusal is not kept", async () => {
    const cache = createCache();
    const refuse = () =>
      remembered(
        cache,
        "key",
        { now: NOW, lists: [] },
        () => Promise.reject(new Error("no")),
        () => ({ from: NOW, until: NOW }),
      );
    await expect(refuse()).rejects.toThrow("no");
    expect(cache.get("key", NOW)).toBeUndefined();
  });
});

describe("a prepared key", async () => {
  const { publicKey } = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
  const counting = (): VerifyingCrypto & { imports: number } => {
    const crypto = {
      ...defaultCrypto,
      imports: 0,
      importPublicKey: (spki: Uint8Array) => {
        crypto.imports++;
        return defaultCrypto.importPublicKey(spki);
      },
    };
    return crypto;
  };

  it("is kept only once it is trusted", async () => {
    const [crypto, cache] = [counting(), createCache()];
    await preparedKey(publicKey.spki, cache, NOW, crypto);
    const { key, keep } = await preparedKey(publicKey.spki, cache, NOW, crypto);
    expect(crypto.imports).toBe(2);
    keep();
    expect((await preparedKey(publicKey.spki, cache, after(1e6), crypto)).key).toBe(key);
    expect(crypto.imports).toBe(2);
  });

  it("is prepared each time without a cache", async () => {
    const crypto = counting();
    for (let i = 0; i < 2; i++) (await preparedKey(publicKey.spki, undefined, NOW, crypto)).keep();
    expect(crypto.imports).toBe(2);
  });
});
