// SPDX-License-Identifier: Apache-2.0
// Intel TDX: a quote through configfs-tsm, and the event log that firmware left in memory.

import type { AttesterKind } from "../attester.ts";
import { readEventLog } from "../lib/event-log.ts";
import { carries, checkSize, paddedReportData, quoteReportDataOffset } from "../lib/report-data.ts";
import { tsmDevice } from "./tsm.ts";

const TITLE = "Intel TDX through configfs-tsm";
/** Smallest quote of version 4: header, TD report and the length of the signature data. */
const LEAST = 48 + 584 + 4;

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
        return { tee: "tdx", evidence: outblob, ...(await readEventLog(options)) };
      },
    };
  },
};
