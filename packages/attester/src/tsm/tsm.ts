// SPDX-License-Identifier: Apache-2.0
// Reports through configfs-tsm, the kernel's one interface for TDX and SEV-SNP guests since Linux 6.7, for Arm CCA since 6.13
// (Documentation/ABI/testing/configfs-tsm-report).

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { toUtf8 } from "@adyton/core/bytes";
import type { AttesterOptions, Probe } from "../attester.ts";
import { AttesterError } from "../errors.ts";
import { deviceFailure, patiently, realWait } from "../lib/devices.ts";
import { errnoOf, type FileSystem, realFileSystem } from "../lib/filesystem.ts";

/** What one report instance gave. */
export interface TsmReport {
  readonly outblob: Uint8Array;
  /** Empty where the provider has none. */
  readonly auxblob: Uint8Array;
}

export interface TsmDevice {
  /** Whether this kernel's provider is `provider`. Never throws. */
  probe(): Promise<Probe>;
  /** A report over exactly 64 bytes. `accept` says whether the report is the answer to them. */
  report(inblob: Uint8Array, accept: (outblob: Uint8Array) => boolean): Promise<TsmReport>;
}

/** Who makes reports in a kernel. */
export interface TsmProvider {
  /** As the attribute says: "tdx_guest", "sev_guest" or "arm_cca_guest". */
  readonly name: string;
  /** The kernel module. */
  readonly driver: string;
  /** The first Linux that has it. */
  readonly since: string;
}

/** Folder of report instances, below the root. */
const REPORTS = "sys/kernel/config/tsm/report";
/** Tries while others write to the same instance. */
const TRIES = 5;

/**
 * The device of one provider.
 * Every report uses an instance of its own, which nobody else should know; the generation is checked all the same.
 */
export function tsmDevice(provider: TsmProvider, options: AttesterOptions = {}): TsmDevice {
  const { root = "/", files = realFileSystem, wait = realWait } = options;
  const reports = join(root, REPORTS);
  return {
    probe: () => probe(files, reports, provider),
    report: (inblob, accept) =>
      withInstance(files, reports, async (instance) => {
        await checkProvider(files, instance, provider.name);
        for (let attempt = 1; attempt <= TRIES; attempt++) {
          const report = await generate(files, instance, inblob, wait);
          if (report !== undefined && accept(report.outblob)) return report;
        }
        throw new AttesterError(
          "REPORT_CONFLICT",
          "unavailable",
          `Cannot collect evidence: others wrote to ${instance} at each of ${TRIES} tries`,
          { hint: "Find out which process writes to report instances that are not its own." },
        );
      }),
  };
}

/** One report, or undefined when the number of writes to the instance is not the number of ours. */
async function generate(
  files: FileSystem,
  instance: string,
  inblob: Uint8Array,
  wait: (milliseconds: number) => Promise<void>,
): Promise<TsmReport | undefined> {
  const before = await generationOf(files, instance);
  const floor = await privilegeFloor(files, instance);
  let writes = 1n;
  // A guest below VMPL 0 must name a level it may ask for: the default, 0, is not.
  if (floor > 0) {
    await writeAttribute(files, instance, "privlevel", new TextEncoder().encode(String(floor)));
    writes += 1n;
  }
  // The kernel takes a binary attribute when it is closed, and drops that step's error: only the generation tells.
  await writeAttribute(files, instance, "inblob", inblob);
  const read = (name: string): Promise<Uint8Array> =>
    patiently(`read ${join(instance, name)}`, wait, () => files.readFile(join(instance, name)));
  const outblob = await read("outblob");
  const auxblob = (await files.exists(join(instance, "auxblob"))) ? await read("auxblob") : new Uint8Array(0);
  return (await generationOf(files, instance)) === before + writes ? { outblob, auxblob } : undefined;
}

/** Makes an instance, hands it out and removes it, whatever happens: the kernel keeps what is left behind. */
async function withInstance<T>(
  files: FileSystem,
  reports: string,
  use: (instance: string) => Promise<T>,
): Promise<T> {
  const instance = join(reports, `adyton-${randomUUID()}`);
  await files.mkdir(instance).catch((error: unknown) => {
    throw deviceFailure(`make ${instance}`, error);
  });
  let result: T;
  try {
    result = await use(instance);
  } catch (error) {
    // What went wrong first is what the caller has to know.
    await files.rmdir(instance).catch(() => undefined);
    throw error;
  }
  await files.rmdir(instance).catch((error: unknown) => {
    throw deviceFailure(`remove ${instance}`, error);
  });
  return result;
}

async function checkProvider(files: FileSystem, instance: string, expected: string): Promise<void> {
  const found = await readText(files, instance, "provider");
  if (found !== expected) {
    throw new AttesterError(
      "UNEXPECTED_PROVIDER",
      "unavailable",
      `Cannot collect evidence: the kernel's report provider is ${found}, expected ${expected}`,
      { detail: { found, expected } },
    );
  }
}

async function generationOf(files: FileSystem, instance: string): Promise<bigint> {
  return BigInt(await readNumber(files, instance, "generation"));
}

async function privilegeFloor(files: FileSystem, instance: string): Promise<number> {
  // Providers without privilege levels (TDX) show no such file.
  if (!(await files.exists(join(instance, "privlevel_floor")))) return 0;
  return Number(await readNumber(files, instance, "privlevel_floor"));
}

async function readNumber(files: FileSystem, instance: string, name: string): Promise<string> {
  const text = await readText(files, instance, name);
  if (!/^[0-9]{1,20}$/.test(text)) {
    throw new AttesterError(
      "INVALID_DEVICE_OUTPUT",
      "malformed",
      `Cannot collect evidence: ${join(instance, name)} holds ${JSON.stringify(text.slice(0, 40))}, expected a number`,
    );
  }
  return text;
}

async function readText(files: FileSystem, instance: string, name: string): Promise<string> {
  const path = join(instance, name);
  try {
    return toUtf8(await files.readFile(path)).trim();
  } catch (error) {
    throw deviceFailure(`read ${path}`, error);
  }
}

async function writeAttribute(
  files: FileSystem,
  instance: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const path = join(instance, name);
  await files.writeFile(path, bytes).catch((error: unknown) => {
    throw deviceFailure(`write ${path}`, error);
  });
}

async function probe(
  files: FileSystem,
  reports: string,
  { name: provider, driver, since }: TsmProvider,
): Promise<Probe> {
  const unavailable = (found: string[], missing: string, next: string): Probe => ({
    available: false,
    found,
    missing: [missing],
    next,
  });
  if (!(await files.exists(reports))) {
    return unavailable(
      [],
      reports,
      `On a guest with Linux ${since} or newer, mount configfs on /sys/kernel/config and load ${driver}.`,
    );
  }
  let found = "";
  try {
    await withInstance(files, reports, async (instance) => {
      found = await readText(files, instance, "provider");
    });
  } catch (error) {
    const errno = error instanceof AttesterError ? error.detail.errno : errnoOf(error);
    return errno === "EACCES" || errno === "EPERM"
      ? unavailable([reports], `permission to make a report instance in ${reports}`, "Run as root.")
      : unavailable([reports], `the provider ${provider}`, `Load ${driver} in a guest that has the TEE.`);
  }
  return found === provider
    ? { available: true, found: [`${reports} with provider ${provider}`], missing: [] }
    : unavailable(
        [`${reports} with provider ${found}`],
        `the provider ${provider}`,
        "Ask the attester of that provider's TEE.",
      );
}
