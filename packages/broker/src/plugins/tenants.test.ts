// SPDX-License-Identifier: Apache-2.0
// Plugins and tenants: one plugin, and nothing of one tenant's seen by another.

import { fromUtf8, toBase64 } from "@adyton/core/bytes";
import { afterEach, expect, it } from "vitest";
import { jsonOf, refusalOf } from "../../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../../test/plugin-harness.ts";
import { caPlugin } from "./ca.ts";
import { externalPlugins } from "./external/external.ts";
import { transitPlugin } from "./transit.ts";

const BASES = ["", "/tenants/alpha", "/tenants/beta"] as const;
let harness: PluginHarness;
afterEach(() => harness.close());

it("a plugin keeps keys and authorities of its own for each tenant", async () => {
  harness = await createPluginHarness([transitPlugin(), caPlugin({ trustDomain: "example.org" })]);
  for (const name of ["alpha", "beta"])
    expect((await harness.admin("POST", "/v1/tenants", JSON.stringify({ name }))).status).toBe(201);
  const roots = new Set<string>();
  const ciphertexts: string[] = [];
  for (const base of BASES) {
    const transit = `${base}/kbs/v0/transit`;
    expect(await jsonOf(await harness.admin("GET", `${transit}/keys`))).toEqual({ data: { keys: [] } });
    await harness.admin("POST", `${transit}/keys/orders`);
    const plaintext = toBase64(fromUtf8(base));
    const { data } = await jsonOf(
      await harness.admin("POST", `${transit}/encrypt/orders`, JSON.stringify({ plaintext })),
    );
    ciphertexts.push(String((data as { ciphertext: string }).ciphertext));
    roots.add(await (await harness.call("GET", `${base}/kbs/v0/ca/chain`)).text());
  }
  expect(roots.size).toBe(BASES.length);
  for (const [i, base] of BASES.entries()) {
    for (const [j, ciphertext] of ciphertexts.entries()) {
      const path = `${base}/kbs/v0/transit/decrypt/orders`;
      const answer = await harness.admin("POST", path, JSON.stringify({ ciphertext }));
      if (i === j) expect(answer.status).toBe(200);
      else expect((await refusalOf(answer)).code).toBe("CIPHERTEXT_REFUSED");
    }
  }
});

it("a plugin that keeps things elsewhere is there for the default tenant alone", async () => {
  harness = await createPluginHarness([externalPlugins([])]);
  await harness.admin("POST", "/v1/tenants", JSON.stringify({ name: "alpha" }));
  const codes = [];
  for (const base of ["", "/tenants/alpha"])
    codes.push((await refusalOf(await harness.admin("GET", `${base}/kbs/v0/external/x/y`))).code);
  expect(codes).toEqual(["INVALID_PATH", "UNKNOWN_PLUGIN"]);
});
