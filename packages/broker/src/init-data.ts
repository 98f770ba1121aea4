// SPDX-License-Identifier: Apache-2.0
// The one line of an init-data document that is needed to check it: which hash its digest was made with.

import type { HashName } from "@adyton/core/crypto";
import { invalid } from "./protocol.ts";

type InitDataHash = Extract<HashName, "SHA-256" | "SHA-384" | "SHA-512">;

const HASHES: Readonly<Record<string, InitDataHash>> = {
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};
const LINE = /^\s*(?:algorithm|"algorithm"|'algorithm')\s*=\s*(?:"([^"\\]*)"|'([^']*)')\s*(?:#.*)?$/;

/**
 * The hash that `algorithm = "sha256|sha384|sha512"` before the first table names. Only that: the digest covers the
 * whole text, so a document that is read wrongly here does not match what the hardware holds. Throws `INVALID_REQUEST`.
 */
export function initDataHash(document: string): InitDataHash {
  const found: string[] = [];
  for (const line of document.split(/\r?\n/)) {
    if (/^\s*\[/.test(line)) break;
    const match = LINE.exec(line);
    if (match !== null) found.push(match[1] ?? match[2] ?? "");
  }
  const [name] = found;
  const hash =
    found.length === 1 && name !== undefined && Object.hasOwn(HASHES, name) ? HASHES[name] : undefined;
  if (hash === undefined)
    throw invalid("init-data names no algorithm, expected one line algorithm = sha256, sha384 or sha512");
  return hash;
}
