// SPDX-License-Identifier: Apache-2.0
// Secrets in a folder that somebody else writes, read only: `<folder>/<repository>/<type>/<tag>`. No link is followed,
// and nothing is read that others than its owner may write, or everybody may read.

import { constants, promises as fs } from "node:fs";
import { join } from "node:path";
import { BrokerError } from "../errors.ts";
import { parseResourcePath, resourceName } from "../resource-path.ts";
import type { ResourceBackend } from "./types.ts";

export interface FilesBackendOptions {
  readonly folder: string;
  /** Of one file. Default 2 MB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX = 2 * 1024 * 1024;
const OTHERS_WRITE = 0o022;
const EVERYBODY = 0o007;
const isPosix = process.platform !== "win32";

export function filesBackend({ folder, maxBytes = DEFAULT_MAX }: FilesBackendOptions): ResourceBackend {
  const readOnly = async (name: string): Promise<never> => {
    throw new BrokerError("BACKEND_READ_ONLY", "misuse", `Cannot change ${name}: its folder is only read`, {
      hint: "Change the file where the folder is written.",
    });
  };
  return {
    kind: "files",
    transactional: false,
    get: async (name, version = 1) => {
      const { repository, type, tag } = parseResourcePath(name);
      if (version !== 1) return undefined;
      for (const place of [folder, join(folder, repository), join(folder, repository, type)]) {
        if (!(await isOwnFolder(place))) return undefined;
      }
      const secret = await readPrivate(join(folder, repository, type, tag), maxBytes);
      return secret === undefined ? undefined : { secret, version: 1 };
    },
    put: readOnly,
    delete: readOnly,
    list: async (prefix = "") => {
      const names: string[] = [];
      for (const repository of await entriesOf(folder, "folder")) {
        for (const type of await entriesOf(join(folder, repository), "folder")) {
          for (const tag of await entriesOf(join(folder, repository, type), "file")) {
            const name = `${repository}/${type}/${tag}`;
            if (name.startsWith(prefix) && isName(name)) names.push(name);
          }
        }
      }
      return names.sort();
    },
    versions: async (name) => {
      const { repository, type, tag } = parseResourcePath(name);
      const stat = await fs.lstat(join(folder, repository, type, tag)).catch(absent);
      if (stat === undefined || !stat.isFile()) return undefined;
      return { versions: [{ version: 1, created: stat.mtime.toISOString(), bytes: stat.size }] };
    },
  };
}

/** False when there is none. Rejects with `BACKEND_FAILED` for a link, or a folder that others may write. */
async function isOwnFolder(path: string): Promise<boolean> {
  const stat = await fs.lstat(path).catch(absent);
  if (stat === undefined) return false;
  if (!stat.isDirectory()) throw unsafe("a part of the path is a link or no folder");
  if (isPosix && (stat.mode & OTHERS_WRITE) !== 0) throw unsafe("others may write to its folder");
  return true;
}

/** Opened once, without following a link, and checked on the open file: what is read is what was checked. */
async function readPrivate(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  // O_NONBLOCK: a pipe put there must not hold us.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await fs.open(path, flags).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ELOOP") throw unsafe("it is a link");
    return absent(error);
  });
  if (file === undefined) return undefined;
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw unsafe("it is no file");
    if (isPosix && (stat.mode & (OTHERS_WRITE | EVERYBODY)) !== 0)
      throw unsafe("others may write to it, or everybody may read it");
    if (stat.size > maxBytes) throw unsafe(`it has ${stat.size} bytes, expected at most ${maxBytes}`);
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

async function entriesOf(path: string, kind: "file" | "folder"): Promise<readonly string[]> {
  const entries = (await fs.readdir(path, { withFileTypes: true }).catch(absent)) ?? [];
  return entries
    .filter((entry) => (kind === "file" ? entry.isFile() : entry.isDirectory()))
    .map(({ name }) => name);
}

function isName(name: string): boolean {
  try {
    return resourceName(parseResourcePath(name)) === name;
  } catch {
    return false;
  }
}

function absent(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  throw unsafe(`the system answered ${code ?? "an error"}`);
}

function unsafe(why: string): BrokerError {
  return new BrokerError("BACKEND_FAILED", "unavailable", `Cannot read a secret from its file: ${why}`);
}
