// SPDX-License-Identifier: Apache-2.0
// `adyton audit`, against services that really run, are set back, and come again.

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";

let folder: string;
let dir: string;
let services: Services;
let logKey: string;

interface Services {
  readonly url: string;
  stop(): Promise<void>;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adyton-audit-"));
  dir = join(folder, "state");
  services = await up("0");
  for (const name of ["one", "two", "three"]) await put(name);
  logKey = (await adyton("audit", "key")).stdout.trim();
});

afterAll(async () => {
  await services.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Services over the state folder, in this process. */
async function up(port: string): Promise<Services> {
  let stop: () => void = () => {};
  const interruption = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const io = createBufferIo({ interruption });
  let told: (text: string) => void = () => {};
  const written = new Promise<string>((resolve) => {
    told = resolve;
  });
  const write = (chunk: string | Uint8Array): void => told(String(chunk));
  const argv = ["up", "--port", port, "--dir", dir, "--json"];
  const ended = run(argv, { ...io, stdout: { ...io.stdout, write } });
  const { url } = JSON.parse(await written) as { url: string };
  return {
    url,
    stop: async () => {
      stop();
      await ended;
    },
  };
}

async function adyton(...argv: readonly string[]) {
  const io = createBufferIo({ cwd: folder, env: { ADYTON_DIR: dir } });
  const exit = await run(argv, io);
  return { exit, ...io.output(), answer: () => JSON.parse(io.output().stdout) };
}

async function put(name: string): Promise<void> {
  const io = createBufferIo({ cwd: folder, env: { ADYTON_DIR: dir }, stdin: new Uint8Array([1]) });
  expect(await run(["secret", "put", `default/test/${name}`], io)).toBe(0);
}

describe("adyton audit", () => {
  it("lists entries, all or chosen ones", async () => {
    const { exit, answer } = await adyton("audit", "list", "--json", "--log-key", logKey);
    expect(exit).toBe(0);
    expect(answer().entries).toMatchObject([
      { seq: 1, event: { type: "resource.put", resource: "default/test/one" } },
      { seq: 2 },
      { seq: 3 },
    ]);
    const lines = async (...more: string[]) =>
      (await adyton("audit", "list", "--log-key", logKey, ...more)).stdout.split("\n").filter(Boolean).length;
    expect(await lines()).toBe(3);
    expect(await lines("--after", "1", "--limit", "1")).toBe(1);
    expect(await lines("--type", "resource")).toBe(3);
    expect(await lines("--type", "resource.release")).toBe(0);
    expect(await lines("--decision", "deny")).toBe(0);
    expect(await lines("--tenant", "other")).toBe(0);
    expect(await lines("--since", "2100-01-01")).toBe(0);
  });

  it("says where the key comes from when none was named", async () => {
    expect((await adyton("audit", "list")).stderr).toContain(`--log-key ${logKey}`);
  });

  it("proves an entry to whoever has the key, without any network", async () => {
    await writeFile(join(folder, "log.key"), `${logKey}\n`);
    expect((await adyton("audit", "prove", "2", "--out", "two.tlog-proof", "--log-key", logKey)).exit).toBe(
      0,
    );
    const offline = ["audit", "verify", "two.tlog-proof", "--log-key", "log.key"];
    expect((await adyton(...offline, "--json")).answer()).toMatchObject({
      verified: true,
      seq: 2,
      entry: { event: { resource: "default/test/two" } },
      witnesses: [],
    });
    expect((await adyton(...offline)).stdout).toMatch(/^PROVEN {2}entry 2 of 3/);
    const file = join(folder, "two.tlog-proof");
    await writeFile(file, (await readFile(file, "utf8")).replace("index 1", "index 0"));
    const changed = await adyton(...offline, "--json");
    expect([changed.exit, changed.answer().error.code]).toEqual([3, "LOG_PROOF"]);
    expect((await adyton("audit", "verify", "two.tlog-proof")).exit).toBe(1);
    expect((await adyton("audit", "prove", "99", "--log-key", logKey)).exit).toBe(1);
    expect((await adyton("audit", "verify", "two.tlog-proof", "--log-key", "a+00000000+b")).exit).toBe(1);
  });

  it("verifies the whole log against what was noted", async () => {
    const verify = ["audit", "verify", "--noted", "noted.checkpoint", "--log-key", logKey];
    expect((await adyton(...verify)).stdout).toMatch(/^VERIFIED {2}3 entries/);
    await put("four");
    expect((await adyton(...verify)).stdout).toContain("1 since the noted checkpoint");
    const { answer } = await adyton(...verify, "--json");
    expect(answer()).toMatchObject({ verified: true, checkpoint: { size: 4 } });
  });
});

describe("a witness", () => {
  const watch = (...more: string[]) => adyton("audit", "watch", "--once", "--url", services.url, ...more);

  it("remembers, and cosigns once the services know it", async () => {
    const first = await watch("--json");
    expect(first.answer()).toMatchObject({ size: 4, cosigned: false });
    expect(first.stderr).toContain("adyton audit witness add adyton-witness/");
    const key = (await adyton("audit", "witness", "key")).stdout.trim();
    expect((await adyton("audit", "witness", "add", key, "--log-key", logKey)).exit).toBe(0);
    expect((await watch()).stdout).toMatch(/ 5 entries, root [0-9a-f]{64}, cosigned\n$/);
    const { answer } = await adyton("audit", "witness", "list", "--json", "--log-key", logKey);
    expect(answer().witnesses).toMatchObject([{ key, size: 5 }]);
    const { name } = answer().witnesses[0];
    const prove = ["audit", "prove", "1", "--log-key", logKey, "--out"];
    await adyton(...prove, "seen.tlog-proof", "--witness", name);
    await adyton(...prove, "unseen.tlog-proof");
    const verify = async (file: string) =>
      (await adyton("audit", "verify", file, "--log-key", logKey, "--witness", key)).exit;
    expect(await verify("seen.tlog-proof")).toBe(0);
    expect(await verify("unseen.tlog-proof")).toBe(3);
    const missing = ["audit", "verify", "unseen.tlog-proof", "--log-key", logKey, "--witness", key, "--json"];
    expect((await adyton(...missing)).answer().error.code).toBe("WITNESS_MISSING");
    expect((await adyton(...prove, "x", "--witness", "nobody")).exit).toBe(1);
  });

  it("does not take another key for the log that it has seen", async () => {
    const other = logKey.replace("adyton-log", "adyton-lag");
    expect((await watch("--log-key", other)).exit).toBe(1);
  });

  it("alarms when the log was set back, keeps the evidence, and goes on alarming", async () => {
    const { port } = new URL(services.url);
    const memory = join(dir, "witness");
    await services.stop();
    await cp(dir, join(folder, "older"), { recursive: true });
    services = await up(port);
    await put("five");
    expect((await watch()).exit).toBe(0);
    await cp(memory, join(folder, "memory"), { recursive: true });
    await services.stop();
    await rm(dir, { recursive: true });
    await cp(join(folder, "older"), dir, { recursive: true });
    services = await up(port);
    const elsewhere = ["--witness-dir", join(folder, "memory")];
    const alarmed = await watch("--json", ...elsewhere);
    expect([alarmed.exit, alarmed.answer().error.code]).toEqual([3, "LOG_TAMPERED"]);
    for (const name of ["six", "seven", "eight"]) await put(name);
    expect((await watch(...elsewhere)).stderr).toContain("ALARM");
    const [alarm = ""] = (await readdir(join(folder, "memory"))).filter((name) => name.startsWith("alarm-"));
    const evidence = await readFile(join(folder, "memory", alarm), "utf8");
    expect(evidence.split("\n\n— adyton-log/")).toHaveLength(3);
  });

  it("does not start from a memory that it cannot read, nor with a broken key", async () => {
    const memory = join(folder, "memory");
    const [seen = ""] = (await readdir(memory)).filter((name) => name.startsWith("log-"));
    await writeFile(join(memory, seen), "{}");
    expect((await watch("--witness-dir", memory)).exit).toBe(2);
    await writeFile(join(memory, "witness.key"), "AAAA");
    expect((await adyton("audit", "witness", "key", "--witness-dir", memory)).exit).toBe(2);
  });

  it("asks again when the services are away, until it is stopped", async () => {
    const io = createBufferIo({ cwd: folder, env: { ADYTON_DIR: dir }, interruption: Promise.resolve() });
    const argv = ["audit", "watch", "--url", "http://127.0.0.1:1", "--log-key", logKey];
    expect(await run(argv, io)).toBe(0);
    expect((await adyton(...argv, "--once")).exit).toBe(6);
  });

  it("is removed by its name", async () => {
    const { answer } = await adyton("audit", "witness", "list", "--json", "--log-key", logKey);
    const { name } = answer().witnesses[0];
    expect((await adyton("audit", "witness", "remove", name, "--log-key", logKey)).exit).toBe(0);
    expect((await adyton("audit", "witness", "list", "--log-key", logKey)).stdout).toBe("");
    expect((await adyton("audit", "witness", "remove", name, "--log-key", logKey)).exit).not.toBe(0);
  });
});
