// SPDX-License-Identifier: Apache-2.0
// root-keys.json in a state folder.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BrokerError } from "../errors.ts";
import { createPrivateFile, replacePrivateFile } from "../private-file.ts";
import type { RingFile } from "./keeper.ts";

export const ROOT_KEYS = "root-keys.json";

export function ringFileIn(folder: string): RingFile {
  const file = join(folder, ROOT_KEYS);
  return {
    read: () => {
      try {
        return readFileSync(file, "utf8");
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        if (code === "ENOENT") return undefined;
        throw new BrokerError(
          "STATE_INVALID",
          "misuse",
          `Cannot use ${file}: ${code ?? "it cannot be read"}`,
          {
            detail: { path: file },
          },
        );
      }
    },
    create: (text) => createPrivateFile(file, text),
    replace: (text) => replacePrivateFile(file, text),
  };
}
