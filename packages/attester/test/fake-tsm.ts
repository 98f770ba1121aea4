// SPDX-License-Identifier: Apache-2.0
// configfs-tsm played in memory, after the kernel's documentation and drivers/virt/coco/guest/report.c: making an
// instance makes its attributes, every write moves the generation on, a report is made when it is first read.

import type { FileSystem } from "@adyton/attester";
import { toHex } from "@adyton/core/bytes";

export const REPORTS = "/sys/kernel/config/tsm/report";

/** One report instance. */
export interface Instance {
  writeGeneration: bigint;
  readGeneration: bigint;
  inblob: Uint8Array;
  privlevel: number;
  report: FakeReport | undefined;
}

export interface FakeReport {
  readonly outblob: Uint8Array;
  readonly auxblob?: Uint8Array;
}

export interface FakeTsm extends FileSystem {
  /** Instances that exist, by path. */
  readonly instances: ReadonlyMap<string, Instance>;
  /** Writes from outside: what another process does to the same instance. */
  write(instance: string, name: string, bytes: Uint8Array): void;
}

export interface FakeTsmOptions {
  /** As in the attribute; undefined: no driver is loaded. */
  readonly provider?: string;
  /** Makes a report, or throws an errno. */
  readonly report?: (inblob: Uint8Array, privlevel: number) => FakeReport;
  /** Lowest privilege level; undefined: the provider has none, and shows no such files. */
  readonly privlevelFloor?: number;
  /** Files besides the interface. */
  readonly others?: Readonly<Record<string, Uint8Array>>;
  readonly mounted?: boolean;
  /** The caller may not make instances. */
  readonly forbidden?: boolean;
  /** Called before an attribute is read. */
  readonly beforeRead?: (kernel: FakeTsm, path: string) => void;
}

const INBLOB_MAX = 64;
const PRIVLEVEL_MAX = 3;
const WORD = 1n << 64n;

/** An error as Node throws it for a failed system call. */
export function errno(code: string): Error {
  return Object.assign(new Error(`${code}: fake`), { code });
}

export function createFakeTsm(options: FakeTsmOptions): FakeTsm {
  const { provider, report, privlevelFloor, others = {}, mounted = true, forbidden = false } = options;
  const instances = new Map<string, Instance>();
  const names = ["inblob", "outblob", "generation", "provider"];
  if (provider === "sev_guest") names.push("auxblob", "manifestblob");
  if (privlevelFloor !== undefined) names.push("privlevel", "privlevel_floor");

  const locate = (path: string): { instance: Instance; name: string } => {
    const slash = path.lastIndexOf("/");
    const instance = instances.get(path.slice(0, slash));
    const name = path.slice(slash + 1);
    if (instance === undefined || !names.includes(name)) throw errno("ENOENT");
    return { instance, name };
  };

  const advance = (instance: Instance): boolean => {
    if (instance.writeGeneration === (instance.readGeneration - 1n + WORD) % WORD) return false;
    instance.writeGeneration = (instance.writeGeneration + 1n) % WORD;
    return true;
  };

  const write = (path: string, bytes: Uint8Array): void => {
    const { instance, name } = locate(path);
    switch (name) {
      case "inblob":
        if (bytes.length > INBLOB_MAX) throw errno("EFBIG");
        // A binary attribute is stored when the file is closed, where EBUSY gets lost.
        if (advance(instance)) instance.inblob = Uint8Array.from(bytes);
        return;
      case "privlevel": {
        const level = Number(new TextDecoder().decode(bytes));
        if (!Number.isInteger(level) || level < (privlevelFloor ?? 0) || level > PRIVLEVEL_MAX) {
          throw errno("EINVAL");
        }
        if (!advance(instance)) throw errno("EBUSY");
        instance.privlevel = level;
        return;
      }
      default:
        throw errno("EACCES");
    }
  };

  const blob = (instance: Instance, name: string): Uint8Array => {
    if (instance.inblob.length === 0) throw errno("EINVAL");
    if (instance.report === undefined || instance.readGeneration !== instance.writeGeneration) {
      instance.report = undefined;
      if (provider === undefined || report === undefined) throw errno("ENXIO");
      // Both guest drivers demand the full width.
      if (instance.inblob.length !== INBLOB_MAX) throw errno("EINVAL");
      instance.report = report(instance.inblob, instance.privlevel);
      instance.readGeneration = instance.writeGeneration;
    }
    if (name === "outblob") return instance.report.outblob;
    return name === "auxblob" ? (instance.report.auxblob ?? new Uint8Array(0)) : new Uint8Array(0);
  };

  const read = (path: string): Uint8Array => {
    const other = others[path];
    if (other !== undefined) return other;
    options.beforeRead?.(kernel, path);
    const { instance, name } = locate(path);
    const line = (text: string): Uint8Array => new TextEncoder().encode(`${text}\n`);
    switch (name) {
      case "generation":
        return line(String(instance.writeGeneration));
      case "provider":
        if (provider === undefined) throw errno("ENXIO");
        return line(provider);
      case "privlevel_floor":
        return line(String(privlevelFloor));
      case "inblob":
      case "privlevel":
        throw errno("EACCES");
      default:
        return blob(instance, name);
    }
  };

  const kernel: FakeTsm = {
    instances,
    write: (instance, name, bytes) => write(`${instance}/${name}`, bytes),
    exists: async (path) => {
      if (path in others) return true;
      if (path === REPORTS) return mounted;
      if (instances.has(path)) return true;
      try {
        locate(path);
        return true;
      } catch {
        return false;
      }
    },
    mkdir: async (path) => {
      if (!mounted || path.slice(0, path.lastIndexOf("/")) !== REPORTS) throw errno("ENOENT");
      if (forbidden) throw errno("EACCES");
      if (provider === undefined) throw errno("ENXIO");
      if (instances.has(path)) throw errno("EEXIST");
      instances.set(path, {
        writeGeneration: 0n,
        readGeneration: 0n,
        inblob: new Uint8Array(0),
        privlevel: 0,
        report: undefined,
      });
    },
    rmdir: async (path) => {
      if (!instances.delete(path)) throw errno("ENOENT");
    },
    readFile: async (path) => read(path),
    writeFile: async (path, bytes) => write(path, bytes),
  };
  return kernel;
}

/** Bytes of `size` with the report data at `offset`: the shape of a report, as far as an attester looks. */
export function shapedReport(size: number, offset: number, reportData: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(size).fill(0xee);
  bytes.set([4, 0]);
  bytes.set(reportData, offset);
  return bytes;
}

/** What a list of byte arrays is compared by. */
export function hexOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "none" : toHex(bytes);
}
