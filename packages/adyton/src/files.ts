// SPDX-License-Identifier: Apache-2.0
// Files and stdin, bounded, with errors that name the path.

import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { type Bytes, concat } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { CliError } from "./errors.ts";
import type { Io } from "./io.ts";

/** Evidence and secrets are far smaller. */
const MAX_INPUT = 8 * 1024 * 1024;

/** The bytes of a file, or of stdin when `path` is "-". */
export async function readInput(path: string, io: Io): Promise<Bytes> {
  return path === "-" ? readBounded(io.stdin, "stdin") : readFileAt(path, io);
}

/** Everything up to the limit, whatever the size was said to be: devices and pipes say none. */
async function readBounded(stream: AsyncIterable<Uint8Array>, name: string): Promise<Bytes> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MAX_INPUT) throw tooLarge(name);
    chunks.push(chunk);
  }
  return concat(...chunks);
}

async function readFileAt(path: string, io: Io): Promise<Bytes> {
  try {
    const file = await open(resolve(io.cwd, path), "r");
    try {
      if ((await file.stat()).isDirectory()) {
        throw notReadable("misuse", path, "it is a folder, expected a file");
      }
      return await readBounded(file.createReadStream({ autoClose: false }), path);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof AdytonError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    if (code !== "ENOENT") throw notReadable("unavailable", path, code, cause);
    throw new CliError("FILE_NOT_FOUND", "misuse", `Cannot read ${path}: it does not exist`, {
      cause,
      detail: { path },
      hint: "Check the path, or give - for stdin.",
    });
  }
}

/** Writes a file that only its owner can read. An existing file loses its old content and wider permissions. */
export async function writePrivateFile(path: string, bytes: Uint8Array, io: Io): Promise<void> {
  try {
    const file = await open(resolve(io.cwd, path), "w", 0o600);
    try {
      if ((await file.stat()).isFile()) await file.chmod(0o600);
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CliError("FILE_NOT_WRITABLE", "unavailable", `Cannot write ${path}: ${code}`, {
      cause,
      detail: { path },
    });
  }
}

function notReadable(
  category: "misuse" | "unavailable",
  path: string,
  why: string,
  cause?: unknown,
): CliError {
  const options = cause === undefined ? {} : { cause };
  return new CliError("FILE_NOT_READABLE", category, `Cannot read ${path}: ${why}`, {
    ...options,
    detail: { path },
  });
}

function tooLarge(path: string): CliError {
  return new CliError(
    "FILE_TOO_LARGE",
    "malformed",
    `Cannot read ${path}: more than ${MAX_INPUT} bytes, which no evidence or secret needs`,
    { detail: { path, limit: MAX_INPUT } },
  );
}
