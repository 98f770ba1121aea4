// SPDX-License-Identifier: Apache-2.0
// Wrapping: the administrator in, the attested out, and nothing else.

import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openedOf, refusalOf } from "../../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../../test/plugin-harness.ts";
import { wrapPlugin } from "./wrap.ts";

const BASE = "/kbs/v0/wrap";
let harness: PluginHarness;

beforeEach(async () => {
  harness = await createPluginHarness([wrapPlugin()]);
  await harness.admin("PUT", `${BASE}/disk`);
});
afterEach(() => harness.close());

const wrapped = async (key = "disk"): Promise<Uint8Array> => {
  const answer = await harness.admin("POST", `${BASE}/${key}/wrap`, "a disk key");
  expect(answer.status).toBe(200);
  return new Uint8Array(await answer.arrayBuffer());
};

describe("a wrapped key", () => {
  it("opens for the attested, encrypted to the attested key, also after a rotation", async () => {
    const first = await wrapped();
    await harness.admin("POST", `${BASE}/disk/rotate`);
    const second = await wrapped();
    for (const bytes of [first, second])
      expect(toUtf8(await openedOf(await harness.guest("POST", `${BASE}/disk/unwrap`, bytes)))).toBe(
        "a disk key",
      );
    expect((await harness.events())[0]).toMatchObject({ type: "plugin.use", keyName: "disk", version: 2 });
    expect(await (await harness.admin("GET", `${BASE}/keys`)).json()).toEqual({ keys: ["disk"] });
  });

  it("does not open for the administrator, under another key, or changed", async () => {
    const bytes = await wrapped();
    const code = async (answer: Promise<Response>) => (await refusalOf(await answer)).code;
    expect(await code(harness.admin("POST", `${BASE}/disk/unwrap`, bytes))).toBe("TOKEN_REFUSED");
    await harness.admin("PUT", `${BASE}/other`);
    expect(await code(harness.guest("POST", `${BASE}/other/unwrap`, bytes))).toBe("CIPHERTEXT_REFUSED");
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.with(at, (bytes[at] ?? 0) ^ 1);
      expect(await code(harness.guest("POST", `${BASE}/disk/unwrap`, changed))).toBe("CIPHERTEXT_REFUSED");
    }
    expect(await code(harness.guest("POST", `${BASE}/disk/unwrap`, fromUtf8("x")))).toBe(
      "CIPHERTEXT_REFUSED",
    );
  });

  it.each([
    ["POST", "disk/wrap", "ADMIN_REFUSED"],
    ["PUT", "mine", "ADMIN_REFUSED"],
    ["POST", "disk/rotate", "ADMIN_REFUSED"],
    ["GET", "keys", "ADMIN_REFUSED"],
  ])("is not made by the attested: %s %s", async (method, path, code) => {
    expect((await refusalOf(await harness.guest(method, `${BASE}/${path}`))).code).toBe(code);
  });

  it("has no further paths", async () => {
    for (const path of ["disk", "disk/wrap/more", "disk/other"])
      expect((await refusalOf(await harness.admin("POST", `${BASE}/${path}`))).code).toBe("INVALID_PATH");
    expect((await refusalOf(await harness.admin("POST", `${BASE}/none/wrap`, "x"))).code).toBe(
      "KEY_NOT_FOUND",
    );
  });
});
