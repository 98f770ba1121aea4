// SPDX-License-Identifier: Apache-2.0
// Policies in files of the configuration folder, each with its tests beside it.

import { promises as fs } from "node:fs";
import { join } from "node:path";
import { toUtf8 } from "@adyton/core/bytes";
import { BrokerError } from "./errors.ts";
import { testFileOf } from "./policy-rego.ts";

export interface PolicyFile {
  readonly text: string;
  readonly tests?: string;
}

const MAX_BYTES = 1024 * 1024;

/** A policy and its tests; undefined when there is no such file. Rejects with `STATE_INVALID` for what cannot be read. */
export async function readPolicyFile(folder: string, file: string): Promise<PolicyFile | undefined> {
  const text = await textOf(join(folder, file));
  if (text === undefined) return undefined;
  const tests = await textOf(join(folder, testFileOf(file)));
  return tests === undefined ? { text } : { text, tests };
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    const { size } = await fs.stat(path);
    if (size > MAX_BYTES) throw new RangeError(`it has ${size} bytes, expected at most ${MAX_BYTES}`);
    return toUtf8(await fs.readFile(path));
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    const why = cause instanceof Error ? cause.message : "it cannot be read";
    throw new BrokerError("STATE_INVALID", "misuse", `Cannot use ${path}: ${why}`, {
      cause,
      detail: { path },
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
