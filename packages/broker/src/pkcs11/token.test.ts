// SPDX-License-Identifier: Apache-2.0
// PKCS #11 against a real module: SoftHSM.

import { execFileSync } from "node:child_process";
import { equal, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSoftHsm, hasPkcs11Tool, hasSoftHsm, type SoftHsm } from "../../test/softhsm.ts";
import { openPkcs11Token, type Pkcs11Token } from "./token.ts";

describe.skipIf(!hasSoftHsm)("a PKCS #11 token", () => {
  let hsm: SoftHsm;
  let token: Pkcs11Token;

  beforeAll(async () => {
    hsm = createSoftHsm();
    token = await openPkcs11Token(hsm.options);
  });
  afterAll(() => {
    token.close();
  });

  it("makes an AES key that seals, opens, and never leaves", () => {
    expect(token.aesKey("root")).toBeUndefined();
    const key = token.aesKey("root", { make: true });
    if (key === undefined) throw new Error("no key");
    expect(token.aesKey("root", { make: true })).toEqual(key);
    const sealed = token.seal(key, fromUtf8("secret"), fromUtf8("place"));
    expect(toUtf8(token.open(key, sealed, fromUtf8("place")))).toBe("secret");
    expect(() => token.open(key, sealed, fromUtf8("other"))).toThrow(
      expect.objectContaining({ code: "HSM_FAILED" }),
    );
    const changed = sealed.with(20, (sealed[20] ?? 0) ^ 1);
    expect(() => token.open(key, changed, fromUtf8("place"))).toThrow(
      expect.objectContaining({ code: "HSM_FAILED" }),
    );
    expect(token.secretValue(key.handle)).toBeUndefined();
    expect(() => token.open(key, new Uint8Array(5), new Uint8Array(0))).toThrow(
      expect.objectContaining({ code: "HSM_FAILED" }),
    );
  });

  it("seals nothing at all, and a megabyte", () => {
    const key = token.aesKey("root", { make: true });
    if (key === undefined) throw new Error("no key");
    for (const size of [0, 1, 1024 * 1024]) {
      const plaintext = new Uint8Array(size).fill(7);
      const opened = token.open(key, token.seal(key, plaintext, new Uint8Array(0)), new Uint8Array(0));
      expect(equal(opened, plaintext)).toBe(true);
    }
  });

  it("keeps, lists and forgets secrets", () => {
    token.putSecret("a/b/c", Uint8Array.of(1, 2, 3));
    const [handle] = token.secrets("a/b/c");
    expect(handle === undefined ? undefined : token.secretValue(handle)).toEqual(Uint8Array.of(1, 2, 3));
    expect(token.secretLabels()).toContain("a/b/c");
    if (handle !== undefined) token.destroy(handle);
    expect(token.secrets("a/b/c")).toEqual([]);
  });

  it.skipIf(!hasPkcs11Tool)("keeps secrets as pkcs11-tool sees them", () => {
    token.putSecret("x/y/z", Uint8Array.of(1));
    const { module, pin, tokenLabel } = hsm.options;
    const seen = execFileSync(
      "pkcs11-tool",
      [
        ...["--module", module, "--token-label", tokenLabel ?? "", "--login", "--pin", pin],
        ...["--list-objects", "--type", "secrkey"],
      ],
      { stdio: "pipe" },
    );
    expect(toUtf8(seen)).toContain("x/y/z");
  });

  it("wraps to an RSA key pair whose private half stays inside", () => {
    token.generateRsa("wrap", 2048);
    const [publicKey, privateKey] = [token.rsaKey("wrap", "public"), token.rsaKey("wrap", "private")];
    if (publicKey === undefined || privateKey === undefined) throw new Error("no key pair");
    const wrapped = token.oaepEncrypt(publicKey, fromUtf8("key"), "SHA-1");
    expect(toUtf8(token.oaepDecrypt(privateKey, wrapped, "SHA-1"))).toBe("key");
    expect(token.rsaKey("none", "public")).toBeUndefined();
  });

  it.each([
    ["a wrong PIN", { pin: "wrong-pin" }],
    ["a token that is not there", { tokenLabel: "nobody" }],
    ["a module that is not there", { module: "/nowhere/module.so" }],
    ["a library that is no module", { module: "/lib/x86_64-linux-gnu/libc.so.6" }],
  ])("refuses %s", async (_name, change) => {
    // A token counts as logged in for the whole process: only a further one asks for its PIN.
    const options = { ...hsm.addToken(), ...change };
    await expect(openPkcs11Token(options)).rejects.toMatchObject({ code: "HSM_FAILED" });
  });
});
