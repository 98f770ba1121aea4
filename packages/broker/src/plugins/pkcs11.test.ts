// SPDX-License-Identifier: Apache-2.0
// Trustee's PKCS #11 plugin, and the broker's secrets in a token, on SoftHSM.

import { toBase64Url, toUtf8 } from "@adyton/core/bytes";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openedOf, refusalOf } from "../../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../../test/plugin-harness.ts";
import { createSoftHsm, hasSoftHsm, type SoftHsm } from "../../test/softhsm.ts";
import { pkcs11Backend } from "../backends/pkcs11-backend.ts";
import { openPkcs11Token, type Pkcs11Token } from "../pkcs11/token.ts";
import { pkcs11Plugin } from "./pkcs11.ts";

const BASE = "/kbs/v0/pkcs11";

describe.skipIf(!hasSoftHsm)("the PKCS #11 plugin", () => {
  let hsm: SoftHsm;
  let token: Pkcs11Token;
  let harness: PluginHarness;

  beforeAll(async () => {
    hsm = createSoftHsm();
    token = await openPkcs11Token(hsm.options);
    token.generateRsa("wrap", 2048);
  });
  afterAll(() => {
    token.close();
  });
  beforeEach(async () => {
    // SoftHSM 2.6 knows OAEP with SHA-1 alone.
    harness = await createPluginHarness([pkcs11Plugin({ token, lookupLabel: "wrap", hash: "SHA-1" })]);
  });
  afterEach(() => harness.close());

  it("keeps secrets in the token", async () => {
    const path = `${BASE}/resource/default/disk/key`;
    expect((await harness.admin("POST", path, "in the token")).status).toBe(200);
    expect(token.secrets("default/disk/key").length).toBe(1);
    expect(toUtf8(await openedOf(await harness.guest("GET", path)))).toBe("in the token");
    expect((await harness.events())[0]).toMatchObject({
      type: "plugin.use",
      plugin: "pkcs11",
      decision: "allow",
    });
    expect((await refusalOf(await harness.guest("POST", path, "mine"))).code).toBe("ADMIN_REFUSED");
    expect((await harness.admin("DELETE", path)).status).toBe(200);
    expect((await refusalOf(await harness.admin("DELETE", path))).code).toBe("RESOURCE_NOT_FOUND");
    expect((await refusalOf(await harness.guest("GET", path))).code).toBe("RESOURCE_NOT_FOUND");
  });

  it("wraps for the administrator, unwraps for the attested", async () => {
    const answer = await harness.admin("POST", `${BASE}/wrap-key`, "a data key");
    const wrapped = new Uint8Array(await answer.arrayBuffer());
    expect(wrapped.length).toBe(256);
    for (const opened of [
      await harness.guest("GET", `${BASE}/wrap-key?wrapped=${toBase64Url(wrapped)}`),
      await harness.guest("POST", `${BASE}/unwrap-key`, wrapped),
    ])
      expect(toUtf8(await openedOf(opened))).toBe("a data key");
    const changed = wrapped.with(9, (wrapped[9] ?? 0) ^ 1);
    expect((await refusalOf(await harness.guest("POST", `${BASE}/unwrap-key`, changed))).code).toBe(
      "HSM_FAILED",
    );
    expect((await refusalOf(await harness.admin("POST", `${BASE}/unwrap-key`, wrapped))).code).toBe(
      "TOKEN_REFUSED",
    );
  });

  it.each([
    ["GET", "wrap-key?wrapped=!!", "INVALID_REQUEST"],
    ["GET", "other", "INVALID_PATH"],
    ["GET", "resource/a/../c", "INVALID_PATH"],
    ["GET", "wrap-key/more", "INVALID_PATH"],
  ])("refuses %s %s", async (method, path, code) => {
    expect((await refusalOf(await harness.guest(method, `${BASE}/${path}`))).code).toBe(code);
  });

  it("refuses to wrap without a key pair", async () => {
    await harness.restart({ plugins: [pkcs11Plugin({ token, lookupLabel: "none" })] });
    expect((await refusalOf(await harness.admin("POST", `${BASE}/wrap-key`, "x"))).code).toBe(
      "KEY_NOT_FOUND",
    );
  });

  it("can be where all of the broker's secrets rest", async () => {
    await harness.restart({ backend: pkcs11Backend(token) });
    expect((await harness.admin("POST", "/kbs/v0/resource/a/b/c", "secret")).status).toBe(200);
    expect((await harness.events())[0]).toMatchObject({ type: "resource.put", resource: "a/b/c", bytes: 6 });
    expect(toUtf8(await openedOf(await harness.guest("GET", "/kbs/v0/resource/a/b/c")))).toBe("secret");
    expect((await harness.admin("DELETE", "/kbs/v0/resource/a/b/c")).status).toBe(200);
    const restored = await harness.admin("POST", "/v1/resources/a/b/c/restore");
    expect(await restored.text()).toContain("BACKEND_READ_ONLY");
  });
});
