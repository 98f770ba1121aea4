// SPDX-License-Identifier: Apache-2.0
// Secrets in Vault: the common suite over both engines, logins, and answers that are none.

import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { describe, expect, it } from "vitest";
import { beside, testBackend } from "../../test/backend-suite.ts";
import { createFakeVault } from "../../test/fake-vault.ts";
import { type VaultKvOptions, vaultKvBackend } from "./vault-kv.ts";

const URL_BASE = "https://vault.test:8200/";
const backend = (options: Partial<VaultKvOptions> = {}, vault = createFakeVault()) =>
  vaultKvBackend({ url: URL_BASE, login: { token: "root" }, fetch: vault.fetch, ...options });

describe("secrets in Vault's KV engine, version 2", () => {
  testBackend(async () => backend(), { versions: true, restores: true });
});

describe("secrets in Vault's KV engine, version 1", () => {
  testBackend(async () => backend({ version: 1, mount: "kv1" }), { versions: false, restores: false });

  it("are read as Trustee writes them, and as people put them", async () => {
    const vault = createFakeVault();
    const put = (name: string, data: unknown) =>
      vault.fetch(`${URL_BASE}v1/kv1/${name}`, {
        method: "POST",
        headers: { "x-vault-token": "root" },
        body: JSON.stringify({ data }),
      });
    await put("a/b/bytes", [104, 105]);
    await put("a/b/text", "hi");
    await put("a/b/other", { no: "secret" });
    const kv = backend({ version: 1, mount: "kv1" }, vault);
    for (const name of ["a/b/bytes", "a/b/text"])
      expect(toUtf8((await kv.get(name))?.secret ?? new Uint8Array(0))).toBe("hi");
    await expect(kv.get("a/b/other")).rejects.toMatchObject({ code: "BACKEND_FAILED" });
  });
});

describe("Vault", () => {
  it("is logged in to with an AppRole, again when the token has ended", async () => {
    const vault = createFakeVault();
    const kv = backend({ login: { roleId: "role", secretId: "secret" } }, vault);
    await kv.put("a/b/c", fromUtf8("s"), beside);
    vault.expireTokens();
    expect(toUtf8((await kv.get("a/b/c"))?.secret ?? new Uint8Array(0))).toBe("s");
    expect(vault.asked.filter((line) => line.includes("login")).length).toBe(2);
  });

  it.each<[string, Partial<VaultKvOptions>]>([
    ["a token that is refused", { login: { token: "wrong" } }],
    ["an AppRole that is refused", { login: { roleId: "role", secretId: "wrong" } }],
    ["no answer", { fetch: async () => Promise.reject(new TypeError("fetch failed")) }],
    ["no JSON", { fetch: async () => new Response("<html>") }],
    ["JSON of another form", { fetch: async () => Response.json({ data: 5 }) }],
    ["a seal", { fetch: async () => Response.json({ errors: ["Vault is sealed"] }, { status: 503 }) }],
  ])("with %s is a back end that failed", async (_name, options) => {
    await expect(backend(options).get("a/b/c")).rejects.toMatchObject({ code: "BACKEND_FAILED" });
  });

  it("is never asked over plain HTTP beyond this machine", () => {
    expect(() => backend({ url: "http://vault.test:8200" })).toThrow(
      expect.objectContaining({ code: "INSECURE_ADDRESS" }),
    );
    expect(() => backend({ url: "http://127.0.0.1:8200" })).not.toThrow();
  });
});
