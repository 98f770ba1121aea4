// SPDX-License-Identifier: Apache-2.0
// Arm CCA: a realm's token through configfs-tsm, whose provider is the kernel's arm-cca-guest (Linux 6.13 and newer).

import { equal } from "@adyton/core/bytes";
import { parseCcaToken } from "@adyton/evidence/cca";
import type { AttesterKind } from "../attester.ts";
import { checkSize, paddedReportData, wholeEvidence } from "../lib/report-data.ts";
import { type TsmProvider, tsmDevice } from "./tsm.ts";

const TITLE = "Arm CCA through configfs-tsm";
const PROVIDER: TsmProvider = { name: "arm_cca_guest", driver: "arm-cca-guest", since: "6.13" };
/** Less than two signatures and two challenges of 64 bytes is no token. */
const LEAST = 256;

export const ccaAttester: AttesterKind = {
  tee: "cca",
  title: TITLE,
  create: (options = {}) => {
    const device = tsmDevice(PROVIDER, options);
    return {
      tee: "cca",
      title: TITLE,
      probe: () => device.probe(),
      collect: async (reportData) => {
        const expected = paddedReportData(reportData);
        const { outblob } = await device.report(expected, (token) => {
          checkSize(token, LEAST, "configfs-tsm");
          const { realm } = wholeEvidence("configfs-tsm", () => parseCcaToken(token));
          return equal(realm.claims.challenge, expected);
        });
        return { tee: "cca", evidence: outblob };
      },
    };
  },
};
