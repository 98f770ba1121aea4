// SPDX-License-Identifier: Apache-2.0
// `adyton explain` and `adyton policy activate`, against services that really run.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@adyton/broker";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";
import { type Services, startServices } from "./start.ts";

let folder: string;
let services: Services;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adyton-explain-"));
  const dir = join(folder, "state");
  services = await startServices({ dir, port: 0, dev: true, now: () => new Date(), logger: silentLogger });
});
afterAll(async () => {
  await services.close();
  await rm(folder, { recursive: true, force: true });
});

async function adyton(...words: string[]) {
  const env = { ADYTON_DIR: services.dir, ADYTON_URL: services.url };
  const io = createBufferIo({ cwd: folder, env });
  const exit = await run(words, io);
  return { exit, ...io.output() };
}

describe("adyton explain", () => {
  it("has nothing to tell before anybody attested", async () => {
    expect(await adyton("explain")).toMatchObject({ exit: 0, stdout: "" });
    expect((await adyton("explain", "last")).exit).toBe(1);
  });

  it("tells why, by id, by token and for the newest", async () => {
    expect((await adyton("attest", "--tee", "sample", "--out", "token.jwt")).exit).toBe(0);
    const last = await adyton("explain", "last");
    expect(last.exit).toBe(0);
    expect(last.stdout).toMatch(/adyton\/sample\.rego:\d+/);
    expect(last.stdout).toContain("reference value launch_digest = []");
    const listed = JSON.parse((await adyton("explain", "--json")).stdout);
    const [{ id }] = listed.explanations;
    expect((await adyton("explain")).stdout).toContain(id);
    expect((await adyton("explain", id)).stdout).toBe(last.stdout);
    expect((await adyton("explain", "--token", "token.jwt")).stdout).toBe(last.stdout);
    expect(JSON.parse((await adyton("explain", id, "--json")).stdout)).toMatchObject({
      id,
      submods: { cpu0: { tee: "sample", reasons: { kind: "decision", ok: false } } },
    });
    // What the guest holds says less.
    const token = await adyton("token", "inspect", "token.jwt");
    expect(token.stdout).toContain("launch_digest");
    expect(token.stdout).not.toMatch(/\.rego/);
  });

  it("a decision of the audit log, with what the guest may hear and what only the administrator does", async () => {
    const get = await adyton(
      "secret",
      "get",
      "default/hello/secret",
      "--tee",
      "sample",
      "--out",
      "secret.bin",
    );
    expect(get.exit).toBe(5);
    expect(get.stderr).not.toMatch(/\.rego/);
    const { entries } = JSON.parse((await adyton("audit", "list", "--json")).stdout);
    const { seq } = entries.at(-1);
    const told = await adyton("explain", String(seq));
    expect(told.exit).toBe(0);
    expect(told.stdout).toMatch(/Refused by policy .*\n[\s\S]*✗ reference:launch_digest/);
    expect(told.stdout).toMatch(/at adyton\/sample\.rego:\d+/);
    expect(told.stdout).toContain("reference value launch_digest = []");
    expect(JSON.parse((await adyton("explain", String(seq), "--json")).stdout)).toMatchObject({
      seq,
      event: { decision: "deny" },
    });
    expect((await adyton("explain", "99999")).exit).not.toBe(0);
    expect((await adyton("explain", "0".repeat(32))).stderr).toContain("session");
  });

  it("refuses two things at once, and ids that there are not", async () => {
    expect((await adyton("explain", "last", "--token", "token.jwt")).exit).toBe(1);
    expect((await adyton("explain", "0-000000000000000000000000")).exit).not.toBe(0);
  });
});

describe("adyton policy activate", () => {
  it("lists versions, and puts an older one in force again", async () => {
    const [one, two] = ["package policy\n\nallow := true\n", "package policy\n\nallow := false\n"];
    for (const text of [one, two]) {
      await writeFile(join(folder, "resource.rego"), text);
      expect((await adyton("policy", "set", "resource", "resource.rego")).exit).toBe(0);
    }
    expect((await adyton("policy", "activate", "resource")).stdout).toMatch(/^\* +@2 /);
    const { exit, stderr } = await adyton("policy", "activate", "resource", "@1");
    expect([exit, stderr]).toEqual([0, "Version @1 of policy resource is in force again, as @3\n"]);
    expect((await adyton("policy", "get", "resource")).stdout).toBe(one);
    expect((await adyton("policy", "activate", "resource", "9")).exit).not.toBe(0);
    expect((await adyton("policy", "activate", "resource", "first")).exit).toBe(1);
  });
});
