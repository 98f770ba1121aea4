// SPDX-License-Identifier: Apache-2.0
// What a software TEE keeps between runs: one private file with its keys, and root.pem, which relying parties name.

import { randomUUID } from "node:crypto";
import {
  constants,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  rename,
  unlink,
} from "node:fs/promises";
import { join } from "node:path";
import { toUtf8 } from "@adyton/core/bytes";
import { parsePem, toPem } from "@adyton/core/pem";
import {
  createSampleVendor,
  type ExportedIdentity,
  importSampleMachine,
  importSampleVendor,
  type SampleMachine,
  type SampleVendor,
} from "@adyton/simulator";
import { AttesterError } from "../errors.ts";
import { errnoOf } from "../lib/filesystem.ts";

export interface SoftwareTeeState {
  readonly vendor: SampleVendor;
  readonly machine: SampleMachine;
  /** Path of the root's certificate. */
  readonly rootPath: string;
}

/** Root and machine: certificate and key of each, in this order, in one file so that they come and go together. */
const KEYS = "keys.pem";
const ROOT = "root.pem";
const LABELS = ["CERTIFICATE", "PRIVATE KEY", "CERTIFICATE", "PRIVATE KEY"];
const MAX_KEYS = 64 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
const LIFETIME_DAYS = 3650;

/**
 * Loads the state in `dir`, or makes it: of several processes that make it at once, one wins and all use its keys.
 * Throws `SOFTWARE_TEE_NOT_PRIVATE`, `SOFTWARE_TEE_STATE` or `SOFTWARE_TEE_EXPIRED`.
 */
export async function openState(dir: string, now: Date): Promise<SoftwareTeeState> {
  return guarded(dir, async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    checkPrivate(dir, (await lstat(dir)).mode, "700");
    const text = (await readKeys(dir)) ?? (await makeKeys(dir, now));
    const { vendor, machine } = await parseKeys(dir, text);
    checkDates(dir, machine, now);
    const rootPath = join(dir, ROOT);
    if ((await textOf(rootPath)) !== vendor.rootPem) await replace(rootPath, vendor.rootPem);
    return { vendor, machine, rootPath };
  });
}

/** The keys as text, or undefined when there are none yet. */
async function readKeys(dir: string): Promise<string | undefined> {
  const path = join(dir, KEYS);
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { mode, size } = await file.stat();
    checkPrivate(path, mode, "600");
    if (size > MAX_KEYS) throw broken(dir, `${KEYS} has ${size} bytes, at most ${MAX_KEYS} are read`);
    return toUtf8(await file.readFile());
  } finally {
    await file.close();
  }
}

async function makeKeys(dir: string, now: Date): Promise<string> {
  // Certificates hold whole seconds; a day earlier, because the clocks of relying parties differ.
  const start = Math.floor(now.getTime() / 1000) * 1000;
  const vendor = await createSampleVendor({
    notBefore: new Date(start - DAY_MS),
    notAfter: new Date(start + LIFETIME_DAYS * DAY_MS),
  });
  const machine = await vendor.machine();
  const text = [await vendor.export(), await machine.export()]
    .map(({ certificate, key }) => toPem("CERTIFICATE", certificate) + toPem("PRIVATE KEY", key))
    .join("");
  const draft = join(dir, `.${KEYS}.${randomUUID()}`);
  await writeWhole(draft, text, 0o600);
  try {
    // Unlike a rename, a link never replaces what another process has made in the meantime.
    await link(draft, join(dir, KEYS));
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  } finally {
    await unlink(draft);
  }
  await syncFolder(dir);
  const kept = await readKeys(dir);
  if (kept === undefined) throw broken(dir, `${KEYS} went away while it was made`);
  return kept;
}

async function parseKeys(dir: string, text: string): Promise<Pick<SoftwareTeeState, "vendor" | "machine">> {
  try {
    const blocks = parsePem(text);
    if (blocks.map(({ label }) => label).join() !== LABELS.join()) {
      throw broken(dir, `${KEYS} does not hold ${LABELS.join(", ")}`);
    }
    const identity = (at: number): ExportedIdentity => ({
      certificate: blocks[at]?.der ?? new Uint8Array(0),
      key: blocks[at + 1]?.der ?? new Uint8Array(0),
    });
    return { vendor: await importSampleVendor(identity(0)), machine: await importSampleMachine(identity(2)) };
  } catch (cause) {
    if (cause instanceof AttesterError) throw cause;
    throw broken(dir, `${KEYS} is damaged`, cause);
  }
}

function checkDates(dir: string, { certificate }: SampleMachine, now: Date): void {
  const { notBefore, notAfter } = certificate;
  if (now >= notBefore && now <= notAfter) return;
  throw new AttesterError(
    "SOFTWARE_TEE_EXPIRED",
    "endorsements",
    `Cannot use the software TEE in ${dir}: it is valid from ${notBefore.toISOString()} to ${notAfter.toISOString()}, now is ${now.toISOString()}`,
    { hint: "Set the clock right, or remove the folder to make a new software TEE." },
  );
}

/** Keys that others can read are no keys. Windows has no such bits. */
function checkPrivate(path: string, mode: number, expected: string): void {
  if (process.platform === "win32" || (mode & 0o077) === 0) return;
  throw new AttesterError(
    "SOFTWARE_TEE_NOT_PRIVATE",
    "misuse",
    `Cannot use ${path}: others may open it (mode ${(mode & 0o777).toString(8)}), expected ${expected}`,
    { hint: `Run chmod ${expected} on it, and make a new software TEE if others did open it.` },
  );
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Puts `text` at `path` at once: readers see the old file or the new one. */
async function replace(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  await writeWhole(draft, text, 0o644);
  await rename(draft, path);
}

async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** System errors as `SOFTWARE_TEE_STATE`. */
async function guarded<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const errno = errnoOf(error);
    if (error instanceof AttesterError || errno === undefined) throw error;
    throw new AttesterError(
      "SOFTWARE_TEE_STATE",
      "unavailable",
      `Cannot use the software TEE in ${dir}: the system said ${errno}`,
      { cause: error, detail: { errno } },
    );
  }
}

function broken(dir: string, why: string, cause?: unknown): AttesterError {
  return new AttesterError(
    "SOFTWARE_TEE_STATE",
    "malformed",
    `Cannot use the software TEE in ${dir}: ${why}`,
    {
      cause,
      hint: "Remove the folder to make a new software TEE; relying parties must then name its new root.",
    },
  );
}
