// SPDX-License-Identifier: Apache-2.0
// Intel TDX: a quote through configfs-tsm, and the event log that firmware left in memory.

import type { AttesterKind } from "../attester.ts";
import { readEventLog } from "../lib/event-log.ts";
import { carries, checkSize, paddedReportData, quoteReportDataOffset } from "../lib/report-data.ts";
import { type TsmProvider, tsmDevice } from "./tsm.ts";

const TITLE = "Intel TDX through configfs-tsm";
const PROVIDER: TsmProvider = { name: "tdx_guest", driver: "tdx-guest", since: "6.7" };
/** Smallest quote of version 4: header, TD report and the length of the signature data. */
const LEAST = 48 + 584 + 4;

export const tdxAttester: AttesterKind = {
  tee: "tdx",
  title: TITLE,
  create: (options = {}) => {
    const device = tsmDevice(PROVIDER, options);
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
