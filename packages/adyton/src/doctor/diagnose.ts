// SPDX-License-Identifier: Apache-2.0
// Looks at a machine and says what it can do. Reads only; takes the root folder, so that it can look at a mounted
// file system, and tests at a made-up one.

import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ATTESTERS } from "@adyton/attester";
import type { TeeName } from "@adyton/evidence";
import { CPU_FLAGS, KERNEL_INTERFACES } from "./interfaces.ts";

export interface MachineToLookAt {
  /** "/" for this machine. */
  readonly root: string;
  readonly now: Date;
  /** Of the running Node, with its "v". */
  readonly nodeVersion: string;
  readonly platform: string;
  readonly arch: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One thing looked at. `ok` is null where absence is no fault. */
export interface Check {
  readonly name: string;
  readonly ok: boolean | null;
  readonly found: string;
  readonly next?: string;
}

export interface TeeReadiness {
  readonly tee: TeeName;
  readonly title: string;
  readonly available: boolean;
  readonly found: readonly string[];
  readonly missing: readonly string[];
  readonly next?: string;
}

export interface Diagnosis {
  readonly software: readonly Check[];
  readonly cpu: { readonly model: string; readonly flags: Readonly<Record<string, boolean>> };
  readonly interfaces: readonly (Check & { readonly purpose: string })[];
  readonly tees: readonly TeeReadiness[];
}

const NODE_FLOOR = [20, 19] as const;
/** No clock that is right is earlier than this release, or later than the end of Intel's root certificate. */
const CLOCK_FROM = new Date("2026-01-01T00:00:00Z");
const CLOCK_UNTIL = new Date("2049-12-31T23:59:59Z");
const MAX_RTC_DRIFT_SECONDS = 300;

/** The whole picture. Never throws for what a machine lacks. */
export async function diagnose(machine: MachineToLookAt): Promise<Diagnosis> {
  const cpuinfo = (await textAt(machine.root, "/proc/cpuinfo")) ?? "";
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.split(/\s+/) ?? []);
  return {
    software: [
      nodeCheck(machine.nodeVersion),
      await kernelCheck(machine),
      clockCheck(machine.now),
      await hardwareClockCheck(machine),
    ],
    cpu: {
      model: /^model name\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.trim() ?? `unknown (${machine.arch})`,
      flags: Object.fromEntries(CPU_FLAGS.map(({ name }) => [name, flags.has(name)])),
    },
    interfaces: await Promise.all(
      KERNEL_INTERFACES.map(async ({ path, purpose, next }) => {
        const state = await stateOf(join(machine.root, path));
        const check = { name: path, purpose, ok: state === "present" ? true : null, found: state };
        if (state === "present") return check;
        const allow = `give this user the right to read and write ${path}`;
        return {
          ...check,
          ok: state === "no access" ? false : null,
          next: state === "no access" ? allow : next,
        };
      }),
    ),
    tees: await Promise.all(
      ATTESTERS.map(async ({ tee, title, create }) => {
        const probe = await create({ root: machine.root, env: machine.env }).probe();
        return { tee, title, ...probe };
      }),
    ),
  };
}

function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const ok = major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1]);
  const check = { name: "Node.js", ok, found: version };
  return ok ? check : { ...check, next: `install Node ${NODE_FLOOR.join(".")} or newer` };
}

async function kernelCheck(machine: MachineToLookAt): Promise<Check> {
  const release = (await textAt(machine.root, "/proc/sys/kernel/osrelease"))?.trim();
  if (machine.platform === "linux" && release !== undefined) {
    return { name: "kernel", ok: true, found: `Linux ${release}` };
  }
  const next = "hardware evidence is collected on Linux; verification and the trust services work everywhere";
  return { name: "kernel", ok: null, found: machine.platform, next };
}

function clockCheck(now: Date): Check {
  const ok = now >= CLOCK_FROM && now <= CLOCK_UNTIL;
  const check = { name: "clock", ok, found: now.toISOString() };
  const next = "set the clock: dates of certificates and TCB data are judged by it";
  return ok ? check : { ...check, next };
}

async function hardwareClockCheck(machine: MachineToLookAt): Promise<Check> {
  const text = (await textAt(machine.root, "/sys/class/rtc/rtc0/since_epoch"))?.trim();
  if (text === undefined || !/^\d{1,12}$/.test(text))
    return { name: "hardware clock", ok: null, found: "none" };
  const drift = Math.round(machine.now.getTime() / 1000 - Number(text));
  const ok = Math.abs(drift) <= MAX_RTC_DRIFT_SECONDS;
  const check = { name: "hardware clock", ok, found: `differs by ${Math.abs(drift)} s` };
  return ok ? check : { ...check, next: "find out which of the two clocks is right; a time service helps" };
}

async function stateOf(path: string): Promise<"present" | "absent" | "no access"> {
  try {
    const stats = await stat(path);
    await access(path, stats.isDirectory() ? constants.R_OK : constants.R_OK | constants.W_OK);
    return "present";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EACCES" || code === "EPERM" ? "no access" : "absent";
  }
}

async function textAt(root: string, path: string): Promise<string | undefined> {
  try {
    return await readFile(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}
