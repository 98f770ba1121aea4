// SPDX-License-Identifier: Apache-2.0
// AMD SEV-SNP: a report through configfs-tsm, with the host's certificates behind it where it has any.

import { concat } from "@adyton/core/bytes";
import type { AttesterKind } from "../attester.ts";
import { carries, checkSize, paddedReportData, SNP_REPORT_DATA } from "../lib/report-data.ts";
import { type TsmProvider, tsmDevice } from "./tsm.ts";

const TITLE = "AMD SEV-SNP through configfs-tsm";
const PROVIDER: TsmProvider = { name: "sev_guest", driver: "sev-guest", since: "6.7" };
/** ATTESTATION_REPORT (AMD 56860). */
const REPORT_SIZE = 1184;

export const snpAttester: AttesterKind = {
  tee: "snp",
  title: TITLE,
  create: (options = {}) => {
    const device = tsmDevice(PROVIDER, options);
    return {
      tee: "snp",
      title: TITLE,
      probe: () => device.probe(),
      collect: async (reportData) => {
        const expected = paddedReportData(reportData);
        const { outblob, auxblob } = await device.report(expected, (report) => {
          checkSize(report, REPORT_SIZE, "configfs-tsm");
          return carries(report, SNP_REPORT_DATA, expected);
        });
        // auxblob is the certificate table of the extended request (AMD 56421, "SNP Extended Guest Request"): together
        // they are an extended report, which the verifier reads and trusts no more than any other certificates.
        return { tee: "snp", evidence: concat(outblob, auxblob) };
      },
    };
  },
};
