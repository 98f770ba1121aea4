// SPDX-License-Identifier: Apache-2.0
// Providers against what keeps the keys: a software TPM, SoftHSM, and a transit engine that answers as Vault does.

import { execFileSync } from "node:child_process";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { equal, toBase64Url } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { codeOfAsync } from "@adyton/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSoftHsm, hasSoftHsm, type SoftHsm } from "../../test/softhsm.ts";
import { passphraseProvider } from "./passphrase.ts";
import { pkcs11Provider } from "./pkcs11.ts";
import { tpmProvider } from "./tpm.ts";
import { type VaultTransitPlace, vaultTransitProvider } from "./vault-transit.ts";

const KEY = randomBytes(32);

describe("a passphrase", () => {
  const cost = { logN: 4, r: 1, p: 1 };
  const under = (text: string) => passphraseProvider({ passphrase: async () => text, cost });

  it("opens however its accents are written, and only it", async () => {
    const record = await under("caf\u00e9 with twelve").protect(KEY);
    expect(equal(await under("cafe\u0301 with twelve").recover(record), KEY)).toBe(true);
    expect(await codeOfAsync(() => under("cafe with twelve").recover(record))).toBe("ROOT_KEY_REFUSED");
    expect(JSON.stringify(record)).not.toContain(toBase64Url(KEY));
  });

  it.each([
    { kdf: "md5" },
    { logN: 40 },
    { logN: 0 },
    { r: 10_000_000 },
    { p: 1e6 },
    { salt: 1 },
    { wrapped: undefined },
  ])("refuses parameters %j", async (change) => {
    const record = { ...(await under("twelve letters").protect(KEY)), ...change } as JsonObject;
    expect(await codeOfAsync(() => under("twelve letters").recover(record))).toBe("STATE_INVALID");
  });

  it("has at least twelve characters", async () => {
    expect(await codeOfAsync(() => under("eleven char").protect(KEY))).toBe("ROOT_KEY_REFUSED");
  });
});

const hasSwtpm = ["swtpm", "tpm2_pcrextend"].every((tool) => {
  try {
    execFileSync(tool, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});
if (!hasSwtpm) console.warn("swtpm was not found: tests of root keys in a TPM are skipped.");

describe.skipIf(!hasSwtpm)("a TPM", () => {
  let folder: string;
  let address: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "adyton-tpm-"));
    const socket = join(folder, "sock");
    address = `swtpm:path=${socket}`;
    execFileSync("swtpm", [
      ...["socket", "--tpm2", "--tpmstate", `dir=${folder}`, "--flags", "not-need-init,startup-clear"],
      ...["--daemon", "--pid", `file=${join(folder, "pid")}`],
      ...["--server", `type=unixio,path=${socket}`, "--ctrl", `type=unixio,path=${socket}.ctrl`],
    ]);
  });
  afterAll(() => {
    process.kill(Number(execFileSync("cat", [join(folder, "pid")], { encoding: "utf8" })));
    rmSync(folder, { recursive: true, force: true });
  });

  it("opens while the machine is what it was", async () => {
    const provider = tpmProvider({ address, pcrs: { hash: "SHA-256", indices: [7, 16] } });
    const record = await provider.protect(KEY);
    expect(equal(await provider.recover(record), KEY)).toBe(true);
    // What is opened is what was sealed to, whatever the options say now.
    expect(equal(await tpmProvider({ address }).recover(record), KEY)).toBe(true);
    execFileSync("tpm2_pcrextend", [`16:sha256=${"11".repeat(32)}`], {
      env: { ...process.env, TPM2TOOLS_TCTI: address },
    });
    expect(await codeOfAsync(() => provider.recover(record))).toBe("ROOT_KEY_REFUSED");
    for (const change of [{ private: "AAAA" }, { pcrs: "7" }, { hash: "MD5" }])
      expect(["STATE_INVALID", "ROOT_KEY_REFUSED", "ROOT_KEY_UNAVAILABLE"]).toContain(
        await codeOfAsync(() => provider.recover({ ...record, ...change })),
      );
  });

  it("that is away is unavailable", async () => {
    const provider = tpmProvider({ address: `swtpm:path=${join(folder, "nothing")}` });
    expect(await codeOfAsync(() => provider.protect(KEY))).toBe("ROOT_KEY_UNAVAILABLE");
  });
});

describe.skipIf(!hasSoftHsm)("a PKCS #11 token", () => {
  let hsm: SoftHsm;
  let other: string;
  beforeAll(() => {
    hsm = createSoftHsm();
    other = hsm.addToken().tokenLabel ?? "";
  });

  it("opens what its key sealed, and nothing else", async () => {
    const { module, pin, tokenLabel = "" } = hsm.options;
    const provider = pkcs11Provider({ module, pin: async () => pin, tokenLabel });
    const record = await provider.protect(KEY);
    expect(equal(await provider.recover(record), KEY)).toBe(true);
    expect(record).toMatchObject({ keyLabel: "adyton-root", tokenLabel });
    expect(await codeOfAsync(() => provider.recover({ ...record, keyLabel: "other" }))).toBe(
      "ROOT_KEY_REFUSED",
    );
    expect(await codeOfAsync(() => provider.recover({ ...record, wrapped: "A".repeat(80) }))).toBe(
      "ROOT_KEY_REFUSED",
    );
    expect(await codeOfAsync(() => provider.recover({ wrapped: 1 }))).toBe("STATE_INVALID");
    // With the same key label on another token.
    await pkcs11Provider({ module, pin: async () => pin, tokenLabel: other }).protect(KEY);
    expect(await codeOfAsync(() => provider.recover({ ...record, tokenLabel: other }))).toBe(
      "ROOT_KEY_REFUSED",
    );
    const wrong = pkcs11Provider({ module, pin: async () => "0000", tokenLabel: "nowhere" });
    expect(await codeOfAsync(() => wrong.protect(KEY))).toBe("HSM_FAILED");
  });
});

describe("a transit engine", () => {
  const place: VaultTransitPlace = { url: "http://127.0.0.1:8200", key: "adyton", namespace: "team" };
  const seen: { url: string; headers: Headers }[] = [];
  const transitKey = randomBytes(32);

  /** As the transit engine's API documentation has it: base64 in, `vault:v1:…` out, errors as a list. */
  const engine = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    seen.push({ url, headers });
    if (headers.get("x-vault-token") !== "s.good")
      return Response.json({ errors: ["permission denied"] }, { status: 403 });
    const body = JSON.parse(String(init.body)) as { plaintext?: string; ciphertext?: string };
    if (url.endsWith("/v1/transit/encrypt/adyton")) {
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", transitKey, iv);
      const sealed = Buffer.concat([
        ...[iv, cipher.update(body.plaintext ?? "", "base64"), cipher.final()],
        cipher.getAuthTag(),
      ]);
      return Response.json({ data: { ciphertext: `vault:v1:${sealed.toString("base64")}`, key_version: 1 } });
    }
    if (url.endsWith("/v1/transit/decrypt/adyton")) {
      const sealed = Buffer.from((body.ciphertext ?? "").replace("vault:v1:", ""), "base64");
      const cipher = createDecipheriv("aes-256-gcm", transitKey, sealed.subarray(0, 12));
      cipher.setAuthTag(sealed.subarray(-16));
      try {
        const plain = Buffer.concat([cipher.update(sealed.subarray(12, -16)), cipher.final()]);
        return Response.json({ data: { plaintext: plain.toString("base64") } });
      } catch {
        return Response.json({ errors: ["cipher: message authentication failed"] }, { status: 400 });
      }
    }
    return Response.json({ errors: ["unsupported path"] }, { status: 404 });
  };
  const provider = (token = "s.good", send = engine, at: VaultTransitPlace | undefined = place) =>
    vaultTransitProvider({
      token: async () => token,
      fetch: send,
      ...(at === undefined ? {} : { place: at }),
    });

  it("wraps and unwraps, with its token and namespace in headers alone", async () => {
    const record = await provider().protect(KEY);
    expect(record).toMatchObject({ url: place.url, mount: "transit", key: "adyton", namespace: "team" });
    expect(record.ciphertext).toMatch(/^vault:v1:/);
    expect(
      equal(await vaultTransitProvider({ token: async () => "s.good", fetch: engine }).recover(record), KEY),
    ).toBe(true);
    expect(seen.every(({ headers }) => headers.get("x-vault-namespace") === "team")).toBe(true);
    expect(JSON.stringify(record)).not.toContain("s.good");
  });

  it("says who refused: the engine its token or the ciphertext, or nobody answered", async () => {
    const record = await provider().protect(KEY);
    expect(await codeOfAsync(() => provider("s.bad").recover(record))).toBe("ROOT_KEY_REFUSED");
    const other = { ...record, ciphertext: `vault:v1:${"A".repeat(80)}` };
    expect(await codeOfAsync(() => provider().recover(other))).toBe("ROOT_KEY_REFUSED");
    const answers = [
      () => Promise.reject(new TypeError("fetch failed")),
      async () => Response.json({ errors: ["Vault is sealed"] }, { status: 503 }),
      async () => new Response("<html>"),
      async () => Response.json({ data: { plaintext: "AAAA" } }),
      async () => Response.json({ data: { plaintext: 1 } }),
      async () => new Response("x".repeat(70_000)),
    ];
    for (const answer of answers)
      expect(await codeOfAsync(() => provider("s.good", answer).recover(record))).toBe(
        "ROOT_KEY_UNAVAILABLE",
      );
    expect(
      await codeOfAsync(() => provider("s.good", async () => Response.json({ data: {} })).protect(KEY)),
    ).toBe("ROOT_KEY_UNAVAILABLE");
  });

  it.each([
    { url: "http://vault.example:8200" },
    { url: "ftp://127.0.0.1" },
    { url: "nonsense" },
    { key: "../sys" },
    { mount: "a/../b" },
  ])("is not asked at %j", async (change) => {
    expect(await codeOfAsync(() => provider("s.good", engine, { ...place, ...change }).protect(KEY))).toBe(
      "ROOT_KEY_REFUSED",
    );
  });

  it("needs a place to protect, and a record of its own to recover", async () => {
    const nowhere = vaultTransitProvider({ token: async () => "s.good", fetch: engine });
    expect(await codeOfAsync(() => nowhere.protect(KEY))).toBe("ROOT_KEY_REFUSED");
    expect(await codeOfAsync(() => nowhere.recover({ ciphertext: "x" }))).toBe("STATE_INVALID");
  });
});
