// SPDX-License-Identifier: Apache-2.0
// Intel SGX inside Gramine: a quote through the pseudo-files of /dev/attestation (Gramine documentation, "Attestation
// and Secret Provisioning", low-level interface).

import { join } from "node:path";
import { toUtf8 } from "@adyton/core/bytes";
import type { AttesterKind, Probe } from "../attester.ts";
import { AttesterError } from "../errors.ts";
import { deviceFailure, patiently, realWait } from "../lib/devices.ts";
import { type FileSystem, realFileSystem } from "../lib/filesystem.ts";
import { carries, checkSize, paddedReportData, quoteReportDataOffset } from "../lib/report-data.ts";

const TITLE = "Intel SGX through Gramine";
const FOLDER = "dev/attestation";
/** Smallest quote of version 3: header, enclave report and the length of the signature data. */
const LEAST = 48 + 384 + 4;
/** Tries while other threads of the enclave ask for their own quotes. */
const TRIES = 5;
const NEXT = 'Run in Gramine on SGX, with sgx.remote_attestation = "dcap" in the manifest.';

export const sgxAttester: AttesterKind = {
  tee: "sgx",
  title: TITLE,
  create: (options = {}) => {
    const { root = "/", files = realFileSystem, wait = realWait } = options;
    const folder = join(root, FOLDER);
    return {
      tee: "sgx",
      title: TITLE,
      probe: () => probe(files, folder),
      collect: async (reportData) => {
        const expected = paddedReportData(reportData);
        await checkType(files, folder);
        for (let attempt = 1; attempt <= TRIES; attempt++) {
          const quote = await quoteOver(files, folder, expected, wait);
          checkSize(quote, LEAST, join(folder, "quote"));
          // The report data belongs to the whole enclave: another thread may have written its own in between.
          if (carries(quote, quoteReportDataOffset("sgx", quote), expected)) {
            return { tee: "sgx", evidence: quote };
          }
        }
        throw new AttesterError(
          "REPORT_CONFLICT",
          "unavailable",
          `Cannot collect evidence: others wrote to ${join(folder, "user_report_data")} at each of ${TRIES} tries`,
          { hint: "Let one part of the enclave collect evidence at a time." },
        );
      },
    };
  },
};

async function quoteOver(
  files: FileSystem,
  folder: string,
  reportData: Uint8Array,
  wait: (milliseconds: number) => Promise<void>,
): Promise<Uint8Array> {
  const input = join(folder, "user_report_data");
  await files.writeFile(input, reportData).catch((error: unknown) => {
    throw deviceFailure(`write ${input}`, error);
  });
  const output = join(folder, "quote");
  return patiently(`read ${output}`, wait, () => files.readFile(output));
}

/** Throws `UNEXPECTED_PROVIDER` unless quotes are made by DCAP. Older versions have no such file. */
async function checkType(files: FileSystem, folder: string): Promise<void> {
  const type = await typeOf(files, folder);
  if (type !== undefined && type !== "dcap") {
    throw new AttesterError(
      "UNEXPECTED_PROVIDER",
      "unavailable",
      `Cannot collect evidence: Gramine's attestation type is ${type}, expected dcap`,
      { detail: { found: type, expected: "dcap" }, hint: NEXT },
    );
  }
}

async function typeOf(files: FileSystem, folder: string): Promise<string | undefined> {
  const path = join(folder, "attestation_type");
  if (!(await files.exists(path))) return undefined;
  try {
    return toUtf8(await files.readFile(path)).trim();
  } catch (error) {
    throw deviceFailure(`read ${path}`, error);
  }
}

async function probe(files: FileSystem, folder: string): Promise<Probe> {
  if (!(await files.exists(folder))) return { available: false, found: [], missing: [folder], next: NEXT };
  const found = [folder];
  const missing: string[] = [];
  for (const name of ["user_report_data", "quote"]) {
    ((await files.exists(join(folder, name))) ? found : missing).push(join(folder, name));
  }
  try {
    const type = await typeOf(files, folder);
    if (type !== undefined) found.push(`attestation type ${type}`);
    if (type !== undefined && type !== "dcap") missing.push("attestation type dcap");
  } catch {
    missing.push(`permission to read ${join(folder, "attestation_type")}`);
  }
  return missing.length === 0
    ? { available: true, found, missing }
    : { available: false, found, missing, next: NEXT };
}
