// SPDX-License-Identifier: Apache-2.0
// AWS Nitro Enclaves: a document of the Nitro Secure Module, with the report data as its user data.

import { join } from "node:path";
import type { AttesterKind } from "../attester.ts";
import { probeDevice, realWait } from "../lib/devices.ts";
import { realFileSystem } from "../lib/filesystem.ts";
import { realDeviceCalls } from "../lib/ioctl.ts";
import { paddedReportData } from "../lib/report-data.ts";
import { attestationDocument, nsmDevice } from "./nsm.ts";

const TITLE = "AWS Nitro through its secure module";
const DEVICE = "dev/nsm";

export const nitroAttester: AttesterKind = {
  tee: "nitro",
  title: TITLE,
  create: (options = {}) => {
    const { root = "/", files = realFileSystem, calls = realDeviceCalls, wait = realWait } = options;
    const path = join(root, DEVICE);
    const device = nsmDevice(path, calls, wait);
    return {
      tee: "nitro",
      title: TITLE,
      probe: () => probeDevice(path, "Run in a Nitro enclave whose kernel has the driver nsm.", files, calls),
      collect: async (reportData) => ({
        tee: "nitro",
        evidence: await attestationDocument(device, paddedReportData(reportData)),
      }),
    };
  },
};
