// SPDX-License-Identifier: Apache-2.0
// Nebula certificates, judged by the real nebula-cert.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toUtf8 } from "@adyton/core/bytes";
import { afterEach, describe, expect, it } from "vitest";
import { openedOf, refusalOf } from "../../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../../test/plugin-harness.ts";
import { type NebulaOptions, nebulaPlugin } from "./nebula.ts";

const TOOL = ["/usr/bin/nebula-cert", "/usr/local/bin/nebula-cert"].find((path) => existsSync(path));
if (TOOL === undefined) console.warn("nebula-cert was not found: its verdict is skipped.");
const BASE = "/kbs/v0/nebula-ca";

let harness: PluginHarness;
afterEach(() => harness.close());

const start = async (options: NebulaOptions = {}): Promise<void> => {
  harness = await createPluginHarness([nebulaPlugin(options)]);
};
const credential = async (query: string) => {
  const answer = await harness.guest("GET", `${BASE}/credential?${query}`);
  const files = JSON.parse(toUtf8(await openedOf(answer))) as Record<string, number[]>;
  return Object.fromEntries(
    Object.entries(files).map(([name, bytes]) => [name, toUtf8(Uint8Array.from(bytes))]),
  );
};

describe("a Nebula credential", () => {
  it("is issued no more once the authority has expired", async () => {
    await start({ caSeconds: 100 });
    await harness.attestAgain();
    const ask = () => harness.guest("GET", `${BASE}/credential?name=pod&ip=10.1.2.3/24`);
    expect((await ask()).status).toBe(200);
    harness.clock.time = new Date(harness.clock.time.getTime() + 100_000);
    expect((await refusalOf(await ask())).code).toBe("PLUGIN_FAILED");
  });

  it.skipIf(TOOL === undefined)("is one that nebula-cert verifies and reads", async () => {
    await start({ caName: "Test CA" });
    // The tool has no option for the time.
    harness.clock.time = new Date();
    await harness.attestAgain();
    const files = await credential(
      "name=pod-1&ip=10.1.2.3/24&groups=servers,ssh&subnets=192.168.0.0/16,0.0.0.0/0&duration=1h30m",
    );
    const folder = mkdtempSync(join(tmpdir(), "adyton-nebula-"));
    try {
      for (const [name, text] of Object.entries(files))
        writeFileSync(join(folder, name), text ?? "", { mode: 0o600 });
      const tool = (...argv: string[]) =>
        toUtf8(execFileSync(TOOL ?? "", argv, { cwd: folder, stdio: "pipe" }));
      tool("verify", "-ca", "ca_crt", "-crt", "node_crt");
      expect(JSON.parse(tool("print", "-json", "-path", "node_crt")).details).toMatchObject({
        name: "pod-1",
        ips: ["10.1.2.3/24"],
        subnets: ["192.168.0.0/16", "0.0.0.0/0"],
        groups: ["servers", "ssh"],
        isCa: false,
      });
      expect(JSON.parse(tool("print", "-json", "-path", "ca_crt")).details).toMatchObject({
        name: "Test CA",
        isCa: true,
      });
      expect(files.node_key).toMatch(/^-----BEGIN NEBULA X25519 PRIVATE KEY-----\n.{44}\n-----END/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("comes from an authority that stays, and is public", async () => {
    await start();
    const { ca_crt } = await credential("name=a&ip=10.0.0.1/8");
    const published = await (await harness.call("GET", `${BASE}/ca`)).text();
    expect(ca_crt).toBe(published);
    await harness.restart();
    expect(await (await harness.call("GET", `${BASE}/ca`)).text()).toBe(published);
    expect((await credential("name=a&ip=10.0.0.1/8")).node_crt).not.toBe(
      (await credential("name=a&ip=10.0.0.1/8")).node_crt,
    );
    expect((await harness.events())[0]).toMatchObject({ type: "plugin.use", name: "a", ip: "10.0.0.1/8" });
  });

  it.each([
    ["no name", "ip=10.0.0.1/8"],
    ["a bad name", "name=a/b&ip=10.0.0.1/8"],
    ["no address", "name=a"],
    ["an address that is none", "name=a&ip=10.0.0.256/8"],
    ["a prefix that is none", "name=a&ip=10.0.0.1/33"],
    ["an address elsewhere", "name=a&ip=11.0.0.1/8"],
    ["a network wider than given out", "name=a&ip=10.0.0.1/4"],
    ["a subnet elsewhere", "name=a&ip=10.0.0.1/8&subnets=192.168.0.0/16"],
    ["a group that is not given out", "name=a&ip=10.0.0.1/8&groups=admins"],
    ["a duration that is none", "name=a&ip=10.0.0.1/8&duration=soon"],
    ["something else", "name=a&ip=10.0.0.1/8&ca=mine"],
  ])("is refused for %s", async (_name, query) => {
    await start({ networks: ["10.0.0.0/8"], groups: ["servers"] });
    expect((await refusalOf(await harness.guest("GET", `${BASE}/credential?${query}`))).code).toBe(
      "INVALID_REQUEST",
    );
  });

  it("is for the attested alone", async () => {
    await start();
    const path = `${BASE}/credential?name=a&ip=10.0.0.1/8`;
    expect((await refusalOf(await harness.call("GET", path))).code).toBe("TOKEN_MISSING");
    expect((await refusalOf(await harness.guest("GET", `${BASE}/other`))).code).toBe("INVALID_PATH");
  });
});
