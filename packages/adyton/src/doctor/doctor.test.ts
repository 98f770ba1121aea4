// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";
import { type Diagnosis, diagnose, type MachineToLookAt } from "./diagnose.ts";

const NOW = new Date("2026-07-01T00:00:00Z");
const CPUINFO = `processor\t: 0
model name\t: Example CPU @ 2.00GHz
flags\t\t: fpu aes sgx sgx_lc tdx_guest hypervisor
processor\t: 1
flags\t\t: fpu
`;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "adyton-doctor-"));
  const files = {
    "/proc/cpuinfo": CPUINFO,
    "/proc/sys/kernel/osrelease": "6.8.0-example\n",
    "/sys/class/rtc/rtc0/since_epoch": `${NOW.getTime() / 1000 + 3600}\n`,
    "/dev/sgx_enclave": "",
    "/dev/tdx_guest": "",
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  await mkdir(join(root, "/sys/kernel/config/tsm/report"), { recursive: true });
});
afterAll(() => rm(root, { recursive: true }));

const look = (changes: Partial<MachineToLookAt> = {}): Promise<Diagnosis> =>
  diagnose({ root, now: NOW, nodeVersion: "v22.1.0", platform: "linux", arch: "x64", env: {}, ...changes });

describe("diagnose", () => {
  it("reads CPU, kernel and interfaces", async () => {
    const found = await look();
    expect(found.cpu.model).toBe("Example CPU @ 2.00GHz");
    expect(found.cpu.flags).toMatchObject({
      sgx: true,
      sgx_lc: true,
      tdx_guest: true,
      aes: true,
      sev: false,
    });
    expect(found.software.find(({ name }) => name === "kernel")).toMatchObject({
      ok: true,
      found: "Linux 6.8.0-example",
    });
    const present = found.interfaces.filter(({ ok }) => ok === true).map(({ name }) => name);
    expect(present).toEqual(["/sys/kernel/config/tsm/report", "/dev/tdx_guest", "/dev/sgx_enclave"]);
    const absent = found.interfaces.find(({ name }) => name === "/dev/sev-guest");
    expect(absent).toMatchObject({ ok: null, found: "absent" });
    expect(absent?.next).toContain("sev-guest");
  });

  it("says for each TEE what is missing and what to do", async () => {
    const { tees } = await look();
    expect(tees.map(({ tee }) => tee)).toEqual(expect.arrayContaining(["sgx", "tdx", "snp", "sample"]));
    for (const tee of tees) {
      if (tee.available) expect(tee.found.length).toBeGreaterThan(0);
      else expect([tee.missing.length > 0, tee.next !== undefined]).toEqual([true, true]);
    }
  });

  it.each([
    ["an old Node", { nodeVersion: "v20.18.1" }, "Node.js", false],
    ["the least Node", { nodeVersion: "v20.19.0" }, "Node.js", true],
    ["a newer Node", { nodeVersion: "v24.0.0" }, "Node.js", true],
    ["a clock in the past", { now: new Date("1970-01-02") }, "clock", false],
    ["a clock in the far future", { now: new Date("2051-01-01") }, "clock", false],
    ["a clock that is right", {}, "clock", true],
    ["a hardware clock that differs", {}, "hardware clock", false],
    ["a hardware clock that agrees", { now: new Date(NOW.getTime() + 3_600_000) }, "hardware clock", true],
    ["another system", { platform: "darwin" }, "kernel", null],
  ] as const)("%s", async (_name, changes, check, ok) => {
    const found = (await look(changes)).software.find(({ name }) => name === check);
    expect(found?.ok).toBe(ok);
    if (ok === false) expect(found?.next).toMatch(/\w/);
  });

  it("an empty machine lacks everything, and nothing fails", async () => {
    const found = await look({ root: join(root, "nowhere") });
    expect(found.interfaces.every(({ ok }) => ok === null)).toBe(true);
    expect(found.tees.every(({ available }) => !available)).toBe(true);
    expect(found.cpu.model).toContain("unknown");
  });
});

describe("adyton doctor", () => {
  it("for people", async () => {
    const io = createBufferIo({ now: NOW });
    expect(await run(["doctor", "--root", root], io)).toBe(0);
    const { stdout, stderr } = io.output();
    for (const heading of ["This machine", "CPU", "Kernel interfaces", "TEEs"]) {
      expect(stdout).toContain(heading);
    }
    expect(stdout).toContain("Example CPU");
    expect(stderr).toMatch(/^Next: /);
  });
  it("a fault comes first", async () => {
    const io = createBufferIo({ now: new Date("1970-01-02") });
    expect(await run(["doctor", "--root", root], io)).toBe(0);
    expect(io.output().stdout).toContain("FIX");
    expect(io.output().stderr).toMatch(/^Next: clock: /);
  });
  it("as JSON", async () => {
    const io = createBufferIo({ now: NOW });
    expect(await run(["doctor", "--root", root, "--json"], io)).toBe(0);
    const answer = JSON.parse(io.output().stdout);
    expect(Object.keys(answer)).toEqual(["software", "cpu", "interfaces", "tees"]);
  });
  it("exits 6 for a TEE that is not available", async () => {
    const io = createBufferIo({ now: NOW });
    expect(await run(["doctor", "--root", join(root, "nowhere"), "--tee", "snp", "--json"], io)).toBe(6);
  });
});
