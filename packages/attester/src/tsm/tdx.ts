// SPDX-License-Identifier: Apache-2.0
// Intel TDX: a quote through configfs-tsm, and the event log that firmware left in memory.

import { join } from "node:path";
import type { Envelope } from "@adyton/evidence";
import type { AttesterKind, AttesterOptions } from "../attester.ts";
import { deviceFailure } from "../lib/devices.ts";
import { realFileSystem } from "../lib/filesystem.ts";
import { carries, checkSize, paddedReportData, quoteReportDataOffset } from "../lib/report-data.ts";
import { tsmDevice } from "./tsm.ts";

const TITLE = "Intel TDX through configfs-tsm";
/** Smallest quote of version 4: header, TD report and the length of the signature data. */
const LEAST = 48 + 584 + 4;
/** The confidential computing event log (ACPI table CCEL, UEFI 2.10 section 38), as the kernel shows it. */
const EVENT_LOG = "sys/firmware/acpi/tables/data/CCEL";

export const tdxAttester: AttesterKind = {
  tee: "tdx",
  title: TITLE,
  create: (options = {}) => {
    const device = tsmDevice("tdx_guest", "tdx-guest", options);
    return {
      tee: "tdx",
      title: TITLE,
      probe: () => device.probe(),
      collect: async (reportData) => {
        const expected = paddedReportData(reportData);
        const { outblob } = await device.report(expected, (quote) => {
          checkSize(quote, LEAST, "configfs-tsm");
          return carries(quote, quoteReportDataOffset("tdx", quote), expected);
        });
        return { tee: "tdx", evidence: outblob, ...(await eventLogOf(options)) };
      },
    };
  },
};

/** The event log where firmware keeps one. */
async function eventLogOf(options: AttesterOptions): Promise<Pick<Envelope, "eventLog">> {
  const { root = "/", files = realFileSystem } = options;
  const path = join(root, EVENT_LOG);
  if (!(await files.exists(path))) return {};
  try {
    return { eventLog: await files.readFile(path) };
  } catch (error) {
    throw deviceFailure(`read ${path}`, error);
  }
}
