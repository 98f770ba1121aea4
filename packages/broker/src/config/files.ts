// SPDX-License-Identifier: Apache-2.0
// Files that settings name.

import { promises as fs } from "node:fs";
import { toUtf8 } from "@adyton/core/bytes";
import { BrokerError } from "../errors.ts";

const MAX_FILE = 1_048_576;

/** The text of a file with a secret, without the line break at its end. Rejects with `CONFIG_INVALID`. */
export async function secretFile(path: string): Promise<string> {
  return (await textFile(path)).replace(/\r?\n$/, "");
}

/** Rejects with `CONFIG_INVALID`, never with what stands in the file. */
export async function textFile(path: string): Promise<string> {
  try {
    const { size } = await fs.stat(path);
    if (size > MAX_FILE) throw new RangeError("it is too large");
    return toUtf8(await fs.readFile(path));
  } catch (cause) {
    const why =
      cause instanceof Error && "code" in cause ? String(cause.code) : "it is no text of a sensible size";
    throw new BrokerError("CONFIG_INVALID", "misuse", `Cannot use ${path}: ${why}`, {
      detail: { path },
      hint: "Paths in a configuration file start from its folder.",
    });
  }
}

/** For what a choice needs and nobody said. */
export function missing(setting: string, why: string): BrokerError {
  return new BrokerError(
    "CONFIG_INVALID",
    "misuse",
    `Cannot use the configuration: ${setting} is missing, ${why}`,
  );
}
