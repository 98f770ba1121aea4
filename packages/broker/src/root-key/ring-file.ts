// SPDX-License-Identifier: Apache-2.0
// root-keys.json in a state folder.

import { join } from "node:path";
import { createPrivateFile, exchangePrivateFile, readPrivateFile } from "../private-file.ts";
import type { RingPlace } from "./ring-place.ts";

export const ROOT_KEYS = "root-keys.json";

export function ringFileIn(folder: string): RingPlace {
  const file = join(folder, ROOT_KEYS);
  return {
    read: () => readPrivateFile(file),
    create: (text) => createPrivateFile(file, text),
    replace: (from, to) => exchangePrivateFile(file, from, to),
  };
}
