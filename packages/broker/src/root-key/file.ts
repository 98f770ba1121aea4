// SPDX-License-Identifier: Apache-2.0
// The key of the root keys in a file beside them, for its owner's eyes alone: against copies of the database, not against
// whoever reads the whole folder.

import { promises as fs } from "node:fs";
import { join } from "node:path";
import { equalConstantTime, fromBase64Url, toBase64Url } from "@adyton/core/bytes";
import { BrokerError } from "../errors.ts";
import { createPrivateFile, readPrivateFile } from "../private-file.ts";
import { type RootKeyProvider, strangeRecord } from "./provider.ts";
import { deriveKey, KEY_BYTES } from "./seal.ts";

const KIND = "file";
const NAME = /^root(?:-[0-9a-f]{8})?\.key$/;
const FIRST = "root.key";

/** Keeps the key in `folder`: `root.key`, or when there is one of another key already, `root-<digits>.key`. */
export function fileProvider(folder: string): RootKeyProvider {
  return {
    kind: KIND,
    protect: async (key) => {
      const text = `${toBase64Url(key)}\n`;
      if (await sameOrNew(join(folder, FIRST), text)) return { file: FIRST };
      const digits = Buffer.from(deriveKey(key, "root key file")).toString("hex", 0, 4);
      const file = `root-${digits}.key`;
      if (await sameOrNew(join(folder, file), text)) return { file };
      throw invalid(join(folder, file), "it holds another key");
    },
    recover: async ({ file }) => {
      if (typeof file !== "string" || !NAME.test(file)) throw strangeRecord(KIND);
      const text = await readPrivateFile(join(folder, file));
      if (text === undefined)
        throw invalid(join(folder, file), "it is missing, and the root keys can only be opened with it");
      return keyIn(text, join(folder, file));
    },
    forget: async ({ file }) => {
      if (typeof file !== "string" || !NAME.test(file)) throw strangeRecord(KIND);
      await fs.rm(join(folder, file), { force: true });
    },
  };
}

async function sameOrNew(file: string, text: string): Promise<boolean> {
  const found = await createPrivateFile(file, text);
  return equalConstantTime(Buffer.from(found), Buffer.from(text));
}

function keyIn(text: string, file: string): Uint8Array {
  let key: Uint8Array | undefined;
  try {
    key = fromBase64Url(text.trim());
  } catch {
    // The error would quote the key.
  }
  if (key?.length !== KEY_BYTES) throw invalid(file, `it holds no key of ${KEY_BYTES} bytes`);
  return key;
}

function invalid(path: string, why: string): BrokerError {
  return new BrokerError("STATE_INVALID", "misuse", `Cannot use ${path}: ${why}`, {
    detail: { path },
    hint: "Restore it from a backup, or open the state with recovery shares (adyton recovery open).",
  });
}
