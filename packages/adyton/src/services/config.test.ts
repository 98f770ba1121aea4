// SPDX-License-Identifier: Apache-2.0
// adyton config, and what `up` makes of settings.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterAll, describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";

const folder = mkdtempSync(join(tmpdir(), "adyton-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function adyton(argv: readonly string[], env: Record<string, string> = {}) {
  const buffer = createBufferIo({ cwd: folder, env });
  const exit = await run(argv, buffer);
  const { stderr, stdout } = buffer.output();
  return { exit, stdout, stderr };
}
const file = (name: string, text: string): void => writeFileSync(join(folder, name), text);

describe("adyton config", () => {
  it("check says whether a file is right", async () => {
    file("good.toml", "[server]\nport = 9000\n");
    expect(await adyton(["config", "check", "good.toml"])).toMatchObject({ exit: 0 });
    expect(JSON.parse((await adyton(["config", "check", "good.toml", "--json"])).stdout)).toEqual({
      file: "good.toml",
      ok: true,
    });
    file("bad.toml", "[server]\nprot = 9000\n[limits]\nsesions = 1\n");
    const { exit, stderr } = await adyton(["config", "check", "bad.toml"]);
    expect(exit).toBe(1);
    expect(stderr).toContain("server.prot: there is no such setting; did you mean port?");
    expect(stderr).toContain("limits.sesions");
  });

  it("show tells what counts, and where it comes from", async () => {
    file("good.toml", "[server]\nport = 9000\nhost = '::1'\n");
    const { stdout } = await adyton(
      [
        "config",
        "show",
        "--config",
        "good.toml",
        "--changed",
        "--json",
        "--set",
        "limits.burst=7",
        "--port",
        "0",
      ],
      { ADYTON_BROKER__SERVER__HOST: "127.0.0.1" },
    );
    expect(JSON.parse(stdout)).toEqual([
      { name: "server.host", value: "127.0.0.1", from: "env" },
      { name: "server.port", value: 0, from: "flag" },
      { name: "limits.burst", value: 7, from: "flag" },
    ]);
    expect((await adyton(["config", "show"], { ADYTON_CONFIG: "good.toml" })).stdout).toMatch(
      /server\.port\s+9000\s+file/,
    );
  });

  it("refuses settings that are none", async () => {
    expect((await adyton(["config", "show", "--set", "port"])).stderr).toContain("section.name=value");
    expect((await adyton(["config", "show", "--set", "server.port=x"])).exit).toBe(1);
  });

  it("schema is JSON Schema, or a page", async () => {
    const { stdout } = await adyton(["config", "schema"]);
    expect(JSON.parse(stdout)).toMatchObject({ type: "object", additionalProperties: false });
    expect((await adyton(["config", "schema", "--markdown"])).stdout).toMatch(/^# Configuration\n/);
  });

  it("import says Trustee's in ours, and what is left", async () => {
    file(
      "kbs.toml",
      '[http_server]\nsockets = ["127.0.0.1:8080"]\nworker_count = 2\n[admin]\nauthorization_mode = "DenyAll"\n',
    );
    const { exit, stderr, stdout } = await adyton(["config", "import", "kbs.toml"]);
    expect(exit).toBe(0);
    expect(parse(stdout)).toEqual({ server: { host: "127.0.0.1", port: 8080 } });
    expect(stderr).toContain("Not taken over: http_server.worker_count");
    expect(
      JSON.parse((await adyton(["config", "import", "kbs.toml", "--json"])).stdout).ignored,
    ).toHaveLength(1);
  });
});

describe("adyton up", () => {
  it("serves as settings say: metrics on their own, the state elsewhere, lines in JSON", async () => {
    file(
      "broker.toml",
      'state_dir = "kept"\n[server]\nport = 0\n[metrics]\nlisten = "127.0.0.1:0"\n[log]\nrequests = true\n',
    );
    let stop = (): void => {};
    const buffer = createBufferIo({
      cwd: folder,
      interruption: new Promise<void>((resolve) => {
        stop = resolve;
      }),
    });
    const ended = run(["up", "--dev", "--config", "broker.toml", "--json"], buffer);
    await expect.poll(() => buffer.output().stdout, { timeout: 20_000 }).toContain("url");
    const { dir, metricsUrl, url } = JSON.parse(buffer.output().stdout) as Record<string, string>;
    expect(dir).toBe(join(folder, "kept"));
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(String(metricsUrl))).text()).toContain("kbs_build_info");
    stop();
    expect(await ended).toBe(0);
    const lines = buffer
      .output()
      .stderr.split("\n")
      .filter((line) => line.startsWith("{"));
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({
        event: "request",
        facts: expect.objectContaining({ route: "/readyz", status: 200 }),
      }),
    );
  });

  it("refuses several workers over SQLite", async () => {
    const { exit, stdout } = await adyton(["up", "--workers", "2", "--json"]);
    const { error } = JSON.parse(stdout) as { error: { code: string; hint: string } };
    expect(exit).toBe(1);
    expect(error.code).toBe("WORKERS_REFUSED");
    expect(error.hint).toContain("postgres");
  });

  it("refuses plain HTTP beyond loopback", async () => {
    const { stderr } = await adyton(["up", "--host", "0.0.0.0", "--port", "0", "--dir", "plain"]);
    expect(stderr).toContain("[INSECURE_ADDRESS]");
  });
});
