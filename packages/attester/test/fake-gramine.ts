// SPDX-License-Identifier: Apache-2.0
// Gramine's /dev/attestation played in memory: one report data for the whole enclave, zero-padded as it is written;
// a quote is made when it is read; without remote attestation there is no quote file.

import type { FileSystem } from "@adyton/attester";
import { errno } from "./fake-tsm.ts";

export interface FakeGramineOptions {
  /** Contents of attestation_type; undefined: an old version without that file. */
  readonly type?: string;
  readonly quote: (reportData: Uint8Array) => Uint8Array;
  /** Called before the quote is made, with the report data that it may replace. */
  readonly beforeQuote?: (reportData: Uint8Array) => void;
  /** Errno of every read of attestation_type. */
  readonly typeError?: string;
}

const FOLDER = "/dev/attestation";
const REPORT_DATA = 64;

export function createFakeGramine({ type, quote, beforeQuote, typeError }: FakeGramineOptions): FileSystem {
  const reportData = new Uint8Array(REPORT_DATA);
  const names = ["user_report_data", "target_info", "my_target_info", "report"];
  if (type !== undefined) names.push("attestation_type");
  if (type !== "none") names.push("quote");
  return {
    exists: async (path) => path === FOLDER || names.some((name) => path === `${FOLDER}/${name}`),
    mkdir: async () => {
      throw errno("EACCES");
    },
    rmdir: async () => {
      throw errno("EACCES");
    },
    readFile: async (path) => {
      const name = path.slice(FOLDER.length + 1);
      if (!names.includes(name)) throw errno("ENOENT");
      if (name === "attestation_type") {
        if (typeError !== undefined) throw errno(typeError);
        return new TextEncoder().encode(type);
      }
      if (name !== "quote") throw errno("EACCES");
      beforeQuote?.(reportData);
      return quote(Uint8Array.from(reportData));
    },
    writeFile: async (path, bytes) => {
      if (path !== `${FOLDER}/user_report_data`) throw errno("EACCES");
      reportData.fill(0);
      reportData.set(bytes.subarray(0, REPORT_DATA));
    },
  };
}
