// SPDX-License-Identifier: Apache-2.0
// The few file operations that kernel interfaces need, so that a kernel can be played in memory.

import { lstat, mkdir, readFile, rmdir, writeFile } from "node:fs/promises";

/** Operations reject with Node's errors: an `Error` whose `code` is the name of an errno. */
export interface FileSystem {
  /** True unless the path is known not to exist: what may not be looked at exists. */
  exists(path: string): Promise<boolean>;
  mkdir(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  readFile(path: string): Promise<Uint8Array>;
  /** Opens for writing only, writes once and closes. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
}

/** The file system of this machine. */
export const realFileSystem: FileSystem = {
  exists: async (path) => {
    try {
      await lstat(path);
      return true;
    } catch (error) {
      const errno = errnoOf(error);
      return errno !== "ENOENT" && errno !== "ENOTDIR";
    }
  },
  mkdir: async (path) => {
    await mkdir(path);
  },
  rmdir,
  readFile,
  writeFile: (path, bytes) => writeFile(path, bytes),
};

/** The errno's name, or undefined for an error that does not come from the system. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
