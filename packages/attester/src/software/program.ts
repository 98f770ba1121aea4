// SPDX-License-Identifier: Apache-2.0
// A program file as the software TEE sees it: its measurement, and how it is started.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { extname } from "node:path";
import { pipeline } from "node:stream/promises";
import { AttesterError } from "../errors.ts";
import { errnoOf } from "../lib/filesystem.ts";

/** Files that node runs; any other is executed. */
const NODE_EXTENSIONS: ReadonlySet<string> = new Set([".js", ".mjs", ".cjs"]);

/** SHA-384 of the file, lower-case hex: the launch digest. Throws `PROGRAM_NOT_READABLE`. */
export async function measureProgram(path: string): Promise<string> {
  const hash = createHash("sha384");
  try {
    await pipeline(createReadStream(path), hash);
  } catch (cause) {
    throw new AttesterError(
      "PROGRAM_NOT_READABLE",
      "misuse",
      `Cannot measure ${path}: the system said ${errnoOf(cause) ?? "no"}`,
      { cause, detail: { path } },
    );
  }
  return hash.digest("hex");
}

/** Command and arguments that run the file. */
export function commandOf(path: string, args: readonly string[]): readonly [command: string, args: string[]] {
  return NODE_EXTENSIONS.has(extname(path)) ? [process.execPath, [path, ...args]] : [path, [...args]];
}
