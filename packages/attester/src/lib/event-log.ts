// SPDX-License-Identifier: Apache-2.0
// The event log that firmware left in memory, as the kernel shows it.

import { join } from "node:path";
import type { Envelope } from "@adyton/evidence";
import type { AttesterOptions } from "../attester.ts";
import { deviceFailure } from "./devices.ts";
import { realFileSystem } from "./filesystem.ts";

/** The confidential computing event log (ACPI table CCEL, UEFI 2.10 section 38). */
const EVENT_LOG = "sys/firmware/acpi/tables/data/CCEL";

/** The log where firmware keeps one. Throws `DEVICE_FAILED` where it may not be read. */
export async function readEventLog(options: AttesterOptions): Promise<Pick<Envelope, "eventLog">> {
  const { root = "/", files = realFileSystem } = options;
  const path = join(root, EVENT_LOG);
  if (!(await files.exists(path))) return {};
  try {
    return { eventLog: await files.readFile(path) };
  } catch (error) {
    throw deviceFailure(`read ${path}`, error);
  }
}
