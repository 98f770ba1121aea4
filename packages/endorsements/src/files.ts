// SPDX-License-Identifier: Apache-2.0
// Endorsements from files and folders. A file named outright must be an endorsement; in a folder, what is none is
// left out and listed, because folders of the field hold quotes and notes beside certificates.

import { type Dirent, promises as fs } from "node:fs";
import { join } from "node:path";
import { AdytonError } from "@adyton/core/errors";
import { type Endorsements, mergeEndorsements, readEndorsement } from "@adyton/evidence/endorsements";
import { EndorsementsError } from "./errors.ts";

export interface FoundEndorsements {
  readonly endorsements: Endorsements;
  /** Files that were taken. */
  readonly read: readonly string[];
  /** Files in folders that were left out, and why. */
  readonly ignored: readonly { readonly path: string; readonly reason: string }[];
}

const MAX_FILES = 2_000;
const MAX_DEPTH = 6;
const MAX_FILE = 8 * 1024 * 1024;

/**
 * Reads every path: a file, or a folder with everything below it (six levels, 2,000 files).
 * Throws `PATH_NOT_FOUND`, `PATH_NOT_READABLE`, `FOLDER_TOO_LARGE`, or what is wrong with a file named outright.
 */
export async function readEndorsementPaths(paths: readonly string[]): Promise<FoundEndorsements> {
  const bags: Endorsements[] = [];
  const read: string[] = [];
  const ignored: { path: string; reason: string }[] = [];
  for (const path of paths) {
    const stats = await accessing(path, () => fs.stat(path));
    if (!stats.isDirectory()) {
      bags.push(readEndorsement({ name: path, bytes: await accessing(path, () => fs.readFile(path)) }));
      read.push(path);
      continue;
    }
    for (const file of await filesBelow(path)) {
      try {
        bags.push(readEndorsement({ name: file, bytes: await accessing(file, () => readBounded(file)) }));
        read.push(file);
      } catch (error) {
        if (!(error instanceof AdytonError)) throw error;
        ignored.push({ path: file, reason: error.message });
      }
    }
  }
  return { endorsements: mergeEndorsements(...bags), read, ignored };
}

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    const entries: Dirent[] = await accessing(path, () => fs.readdir(path, { withFileTypes: true }));
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const child = join(path, entry.name);
      if (entry.isDirectory() && depth < MAX_DEPTH) await visit(child, depth + 1);
      else if (entry.isFile()) files.push(child);
      if (files.length > MAX_FILES) {
        throw new EndorsementsError(
          "FOLDER_TOO_LARGE",
          "misuse",
          `Cannot read folder ${folder}: it holds more than ${MAX_FILES} files`,
          {
            hint: "Name a smaller folder, or the files themselves.",
          },
        );
      }
    }
  };
  await visit(folder, 1);
  return files;
}

async function readBounded(file: string): Promise<Uint8Array> {
  const { size } = await fs.stat(file);
  if (size > MAX_FILE) {
    throw new EndorsementsError(
      "FOLDER_TOO_LARGE",
      "malformed",
      `Cannot read ${file}: ${size} bytes, at most ${MAX_FILE} are read`,
    );
  }
  return fs.readFile(file);
}

async function accessing<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof AdytonError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new EndorsementsError(
      missing ? "PATH_NOT_FOUND" : "PATH_NOT_READABLE",
      missing ? "misuse" : "unavailable",
      missing
        ? `Cannot read ${path}: it does not exist`
        : `Cannot read ${path}: ${(cause as NodeJS.ErrnoException).code ?? "refused"}`,
      { cause, detail: { path } },
    );
  }
}
