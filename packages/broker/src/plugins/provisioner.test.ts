// SPDX-License-Identifier: Apache-2.0
// Disk keys: provisioned for one machine, released to that machine's init-data alone.

import { createHash } from "node:crypto";
import { toHex, toUtf8 } from "@adyton/core/bytes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { jsonOf, openedOf, refusalOf } from "../../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../../test/plugin-harness.ts";
import { provisionerPlugin } from "./provisioner.ts";

const BASE = "/kbs/v0/provisioner";
let harness: PluginHarness;

beforeEach(async () => {
  harness = await createPluginHarness([provisionerPlugin()]);
});
afterEach(() => harness.close());

const provision = async (vm_name: string) =>
  jsonOf(await harness.admin("POST", `${BASE}/provision`, JSON.stringify({ vm_name })));

/** Attests as a machine with this init-data. */
async function bootWith(resource: string): Promise<void> {
  const body = `version = "0.1.0"\nalgorithm = "sha384"\n\n[data]\n"trustee.kbs.resource" = "${resource}"\n`;
  const digest = new Uint8Array(createHash("sha384").update(body).digest());
  await harness.setReferenceValues({ init_data: [toHex(digest).padEnd(128, "0")] });
  await harness.attestAgain({ initData: { format: "toml", body }, initDataField: digest });
}

describe("a disk key", () => {
  it("goes to the machine whose init-data names it, as the guest's data hub reads it", async () => {
    const { uuid, resource_path } = await provision("vm-1");
    // RFC 9562 version 5 of "default/vm-1", as Python's uuid computes it.
    expect(uuid).toBe("09e85a47-3fe8-5ba0-8a0e-58f96fbcae73");
    expect(resource_path).toBe(`default/${uuid}/root`);
    await bootWith(`kbs+provisioner:///${resource_path}`);
    const key = toUtf8(await openedOf(await harness.guest("GET", `${BASE}/${resource_path}`)));
    expect(key).toMatch(
      /^version = "0\.1\.0"\n\n\[data\]\n"io\.cryptsetup\.key\.text\.root" = "[A-Za-z0-9]{32}"\n$/,
    );
    expect(await provision("vm-1")).toEqual({ uuid, resource_path });
    expect(toUtf8(await openedOf(await harness.guest("GET", `${BASE}/${resource_path}`)))).toBe(key);
  });

  it("goes to no other machine, which does not learn whether it is there", async () => {
    const { resource_path } = await provision("vm-1");
    const { resource_path: other } = await provision("vm-2");
    await bootWith(`kbs+provisioner:///${other}`);
    const refused = await refusalOf(await harness.guest("GET", `${BASE}/${resource_path}`));
    expect(refused.code).toBe("POLICY_REFUSED");
    const nothing = await refusalOf(await harness.guest("GET", `${BASE}/default/nothing/root`));
    expect({ ...nothing, detail: "" }).toEqual({ ...refused, detail: "" });
    await harness.attestAgain();
    expect((await refusalOf(await harness.guest("GET", `${BASE}/${resource_path}`))).code).toBe(
      "POLICY_REFUSED",
    );
  });

  it("is gone when it is deleted", async () => {
    const { uuid, resource_path } = await provision("vm-1");
    await bootWith(`kbs+provisioner:///${resource_path}`);
    expect(await jsonOf(await harness.admin("DELETE", `${BASE}/provision/${uuid}`))).toEqual({
      status: "deleted",
    });
    const { code } = await refusalOf(await harness.guest("GET", `${BASE}/${resource_path}`));
    expect(code).toBe("RESOURCE_NOT_FOUND");
    expect((await harness.events()).map(({ type }) => type)).toContain("plugin.deprovision");
  });

  it.each([
    ["POST", "provision", "{}", "INVALID_REQUEST"],
    ["POST", "provision", '{"vm_name":""}', "INVALID_REQUEST"],
    ["POST", "provision", "no JSON", "INVALID_REQUEST"],
    ["POST", "other", "{}", "INVALID_PATH"],
    ["DELETE", "provision/not-a-uuid", "", "INVALID_PATH"],
  ])("is not provisioned by %s %s %s", async (method, path, body, code) => {
    const answer = await harness.admin(method, `${BASE}/${path}`, body === "" ? undefined : body);
    expect((await refusalOf(answer)).code).toBe(code);
  });

  it("is an administrator's to provision", async () => {
    const body = JSON.stringify({ vm_name: "x" });
    expect((await refusalOf(await harness.guest("POST", `${BASE}/provision`, body))).code).toBe(
      "ADMIN_REFUSED",
    );
  });
});
