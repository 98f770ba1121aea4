// SPDX-License-Identifier: Apache-2.0
// Sessions: known answers of virtee/sev (src/session/mod.rs and key.rs), and what changes break. Sessions with a whole
// platform are in the simulator's tests.

import { toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import {
  createSevSession,
  deriveSevKey,
  encodeSevSession,
  parseSevSession,
  unwrapSevSession,
  wrapSevSession,
} from "./session.ts";

const ZERO = new Uint8Array(16);
const KEYS = { tek: ZERO, tik: ZERO };

describe("known answers", () => {
  it("key derivation", async () => {
    const master = await deriveSevKey(ZERO, "sev-master-secret", ZERO, defaultCrypto);
    expect(toHex(master)).toBe("ab4d269fcc62bedb4511d56c386ce706");
  });

  it("a session of zeros", async () => {
    const blob = await wrapSevSession(ZERO, KEYS, 0, ZERO, ZERO, defaultCrypto);
    expect(toHex(encodeSevSession(blob))).toBe(
      [
        "00000000000000000000000000000000",
        "2137bc7f9bb8bd7c3e55a576a15d3454b3856b8ba27afadf46dcfee9f02c02c4",
        "00000000000000000000000000000000",
        "3176c0752738bd9d5e86689534020f528c088f16238826b000b327dee6aeed7d",
        "aa7855e13839dd767cd5da7c1ff5036540c9264b7a803029315e55375287b4af",
      ].join(""),
    );
  });
});

describe("a session", async () => {
  const shared = Uint8Array.from({ length: 48 }, (_, i) => 200 - i);
  const keys = { tek: defaultCrypto.randomBytes(16), tik: defaultCrypto.randomBytes(16) };
  const [nonce, iv] = [defaultCrypto.randomBytes(16), defaultCrypto.randomBytes(16)];
  const bytes = encodeSevSession(await wrapSevSession(shared, keys, 0x0f, nonce, iv, defaultCrypto));

  it("gives its keys to who shares the secret", async () => {
    expect(bytes).toHaveLength(128);
    expect(encodeSevSession(parseSevSession(bytes))).toEqual(bytes);
    expect(await unwrapSevSession(shared, parseSevSession(bytes), 0x0f)).toEqual(keys);
  });

  it("gives nothing with another secret or policy, or when any byte changed", async () => {
    const code = (secret: Uint8Array, blob: Uint8Array, policy: number): Promise<string> =>
      codeOfAsync(() => unwrapSevSession(secret, parseSevSession(blob), policy));
    expect(await code(new Uint8Array(48), bytes, 0x0f)).toBe("SEV_MAC_MISMATCH");
    expect(await code(shared, bytes, 0x0e)).toBe("SEV_MAC_MISMATCH");
    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      // The IV (48 to 63) is in no MAC, but another one gives another TIK, which the policy's MAC shows.
      expect(await code(shared, changed, 0x0f)).toBe("SEV_MAC_MISMATCH");
    }
  });

  it("with sizes that are not its own is refused", async () => {
    expect(codeOf(() => parseSevSession(bytes.subarray(1)))).toBe("INVALID_SEV_SESSION");
    const short = { ...parseSevSession(bytes), nonce: new Uint8Array(15) };
    expect(codeOf(() => encodeSevSession(short))).toBe("OUT_OF_BOUNDS");
    for (const wrong of [
      { ...keys, tek: new Uint8Array(32) },
      { ...keys, tik: new Uint8Array(15) },
    ]) {
      const act = () => wrapSevSession(shared, wrong, 0, nonce, iv, defaultCrypto);
      expect(await codeOfAsync(act)).toBe("INVALID_SEV_SESSION");
    }
  });

  it("is opened with nothing but a verified platform", async () => {
    const pretended = {} as Parameters<typeof createSevSession>[0];
    expect(await codeOfAsync(() => createSevSession(pretended, 0))).toBe("NOT_VERIFIED");
  });
});
