// SPDX-License-Identifier: Apache-2.0
// A few runs of the built executable: streams, exit codes, signals. Skipped where nothing is built.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { VERSION } from "./version.ts";

const BIN = resolve(import.meta.dirname, "../dist/bin.js");
const folder = await mkdtemp(join(tmpdir(), "adyton-bin-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const adyton = (argv: readonly string[], input = "") =>
  spawnSync(process.execPath, [BIN, ...argv], { encoding: "utf8", input, cwd: folder });

describe.skipIf(!existsSync(BIN))("the executable", () => {
  it.each([
    ["--version", [], "", 0, `adyton ${VERSION}\n`],
    ["evidence inspect -", [], "00ff", 2, ""],
    ["evidence frob", [], "", 1, ""],
  ])("adyton %s", (line, more, input, status, stdout) => {
    const result = adyton([...line.split(" "), ...more], input);
    expect({ status: result.status, stdout: result.stdout }).toEqual({ status, stdout });
    if (status !== 0) expect(result.stderr).toMatch(/^adyton: Cannot .*\[[A-Z_]+\]/);
  });

  it("writes long answers to a pipe whole", () => {
    const { stdout, status } = adyton(["completion", "bash", "--json"]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).shell).toBe("bash");
  });

  it("leaves quietly when its reader does", async () => {
    const child = spawn(process.execPath, [BIN, "evidence", "verify", "--help"], { cwd: folder });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += String(chunk);
    });
    await once(child, "close");
    expect(stderr).toBe("");
  });

  it.each(["SIGINT", "SIGTERM"] as const)("`up` stops cleanly on %s", async (signal) => {
    const child = spawn(process.execPath, [BIN, "up", "--port", "0", "--dir", signal, "--json"], {
      cwd: folder,
    });
    await once(child.stdout, "data");
    child.kill(signal);
    expect(await once(child, "close")).toEqual([0, null]);
  });

  it("keeps the tour's services up until Ctrl-C", async () => {
    const child = spawn(process.execPath, [BIN, "tour", "--json"], { cwd: folder });
    const [answer] = await once(child.stdout, "data");
    const { url } = JSON.parse(String(answer)) as { url: string };
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    child.kill("SIGINT");
    expect(await once(child, "close")).toEqual([0, null]);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });
});
