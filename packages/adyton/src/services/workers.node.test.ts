// SPDX-License-Identifier: Apache-2.0
// Several processes on one port, as the executable runs them. Skipped where nothing is built, or PostgreSQL is not here.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const BIN = resolve(import.meta.dirname, "../../dist/bin.js");
const POSTGRES = ["/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/17/bin"].find((path) =>
  existsSync(path),
);
const folder = mkdtempSync(join(tmpdir(), "adyton-workers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const argvFor = (url: string): readonly string[] => [
  ...[BIN, "up", "--json", "--workers", "2", "--port", "0", "--metrics-listen", "127.0.0.1:0"],
  ...["--set", "store.kind=postgres", "--set", `store.url=${url}`, "--root-key", "file", "--dir", "state"],
];

describe.skipIf(!existsSync(BIN))("adyton up --workers", () => {
  it("says so when a worker cannot start", () => {
    const url = "postgres://nobody:nothing@127.0.0.1:1/none";
    const { status, stdout } = spawnSync(process.execPath, argvFor(url), {
      cwd: folder,
      encoding: "utf8",
      timeout: 20_000,
    });
    // The worker's own reason stands before it.
    const last = stdout.split(/^(?=\{$)/m).at(-1) ?? "";
    expect(JSON.parse(last).error.code).toBe("WORKER_FAILED");
    expect(status).toBe(6);
  });

  it.skipIf(POSTGRES === undefined)(
    "serves one port from several processes, and puts a new one in the place of one that dies",
    async () => {
      const database = startDatabase(POSTGRES ?? "");
      const child = spawn(process.execPath, argvFor(database.url), {
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const lines: string[] = [];
      child.stderr.on("data", (chunk) => void lines.push(String(chunk)));
      try {
        const [answer] = await once(child.stdout, "data");
        const { metricsUrl, url, workers } = JSON.parse(String(answer)) as Record<string, string>;
        expect(workers).toBe(2);
        const ready = async (): Promise<number> =>
          (await fetch(`${url}/readyz`, { headers: { connection: "close" } })).status;
        for (let n = 0; n < 6; n++) expect(await ready()).toBe(200);
        // What both counted, together.
        expect(await (await fetch(String(metricsUrl))).text()).toMatch(
          /kbs_http_requests_total\{.*readyz.*\} 6/,
        );
        const [worker = ""] = execFileSync("pgrep", ["-P", String(child.pid)], { encoding: "utf8" }).split(
          "\n",
        );
        process.kill(Number(worker), "SIGKILL");
        await expect.poll(() => lines.join(""), { timeout: 20_000 }).toContain("worker died");
        expect(await ready()).toBe(200);
      } finally {
        child.kill("SIGTERM");
        const [code] = await once(child, "close");
        database.stop();
        expect(code).toBe(0);
      }
    },
    60_000,
  );
});

/** A PostgreSQL of its own on a Unix socket; as root it runs as the user postgres. */
function startDatabase(bin: string): { readonly url: string; stop(): void } {
  const home = mkdtempSync(join(tmpdir(), "adyton-pg-"));
  const asRoot = process.getuid?.() === 0;
  const run = (program: string, ...argv: string[]): void => {
    const line: [string, string[]] = asRoot
      ? ["runuser", ["-u", "postgres", "--", join(bin, program), ...argv]]
      : [join(bin, program), argv];
    execFileSync(...line, { stdio: "ignore", cwd: "/" });
  };
  if (asRoot) execFileSync("chown", ["postgres", home]);
  execFileSync("chmod", ["755", home]);
  const data = join(home, "data");
  run("initdb", "-D", data, "-U", "adyton", "-A", "trust", "--no-sync");
  run(
    "pg_ctl",
    "-D",
    data,
    "-w",
    "-o",
    `-k ${home} -c listen_addresses= -c fsync=off`,
    "-l",
    join(home, "log"),
    "start",
  );
  return {
    url: `postgres://adyton@localhost/postgres?host=${home}`,
    stop: () => {
      run("pg_ctl", "-D", data, "-m", "immediate", "stop");
      rmSync(home, { recursive: true, force: true });
    },
  };
}
