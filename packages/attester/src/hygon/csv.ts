// SPDX-License-Identifier: Apache-2.0
// Hygon CSV: a report through /dev/csv-guest, which the kernels that Hygon supports have (openEuler, OpenCloudOS, deepin,
// Anolis; Documentation/virt/csv-guest). No kernel known has a configfs-tsm provider for CSV.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { concat, equal, fromUtf8, padRight } from "@adyton/core/bytes";
import { sm3 } from "@adyton/core/sm";
import type { Envelope } from "@adyton/evidence";
import { CSV_PAGE_SIZE, CSV_REPORT_SIZE, parseCsvEvidence } from "@adyton/evidence/csv";
import type { AttesterKind } from "../attester.ts";
import { deviceFailure, patiently, probeDevice, realWait } from "../lib/devices.ts";
import { readEventLog } from "../lib/event-log.ts";
import { errnoOf, realFileSystem } from "../lib/filesystem.ts";
import { type DeviceCalls, realDeviceCalls } from "../lib/ioctl.ts";
import { invalidOutput, paddedReportData, wholeEvidence } from "../lib/report-data.ts";

const TITLE = "Hygon CSV through its guest device";
const DEVICE = "dev/csv-guest";
const SOURCE = "the CSV guest device";
/** CSV_CMD_GET_REPORT: _IOWR('D', 1, struct csv_report_req of 16 bytes: address, length). */
const GET_REPORT = 0xc0104401;
/** CSV_CMD_RTMR: _IOWR('D', 2, struct csv_rtmr_req of 24 bytes: address, length, subcommand and firmware's answer). */
const RTMR = 0xc0184402;
/** CSV_GUEST_USER_RTMR_STATUS and the size of its answer. */
const RTMR_STATUS = 1n;
const RTMR_STATUS_SIZE = 3;
const MNONCE = 16;
/** What a request for a report of version 2 goes on with: a magic and a flag, little-endian. */
const EXTENSION: Uint8Array = concat(fromUtf8("ATTESTATION_EXT\0"), Uint8Array.of(1, 0, 0, 0));
/** What drivers and guests without registers say to a question about them. */
const UNSUPPORTED: ReadonlySet<string> = new Set(["ENOTTY", "ENODEV", "EINVAL", "EOPNOTSUPP"]);

export const csvAttester: AttesterKind = {
  tee: "csv",
  title: TITLE,
  create: (options = {}) => {
    const { root = "/", files = realFileSystem, calls = realDeviceCalls, wait = realWait } = options;
    const path = join(root, DEVICE);
    return {
      tee: "csv",
      title: TITLE,
      probe: () => probeDevice(path, "Load csv-guest in a guest with Hygon's CSV.", files, calls),
      collect: async (reportData): Promise<Envelope> => {
        const expected = paddedReportData(reportData);
        const extended = await hasRegisters(path, calls);
        const mnonce = new Uint8Array(randomBytes(MNONCE));
        const request = requestFor(expected, mnonce, extended);
        const page = await patiently(`ask ${path}`, wait, () => exchange(path, calls, request));
        const { report } = wholeEvidence(SOURCE, () => parseCsvEvidence(page));
        if (!equal(report.reportData, expected) || !equal(report.mnonce, mnonce)) {
          throw invalidOutput(SOURCE, "a report over other data", "one over that of the request");
        }
        const evidence = page.subarray(0, CSV_REPORT_SIZE[report.version]);
        // Version 1 shows no registers that a log could be checked against.
        return report.version === 2
          ? { tee: "csv", evidence, ...(await readEventLog(options)) }
          : { tee: "csv", evidence };
      },
    };
  },
};

/** Data and nonce under their SM3 digest; drivers and firmware that know no extension leave it unread. */
function requestFor(reportData: Uint8Array, mnonce: Uint8Array, extended: boolean): Uint8Array {
  const said = concat(reportData, mnonce);
  return concat(said, sm3(said), extended ? EXTENSION : new Uint8Array());
}

/** The page that a request becomes: the driver puts the report where the request stood. */
async function exchange(path: string, calls: DeviceCalls, request: Uint8Array): Promise<Uint8Array> {
  const page = padRight(request, CSV_PAGE_SIZE);
  await calls.ioctl(path, GET_REPORT, [page, BigInt(CSV_PAGE_SIZE)]);
  return page;
}

/** Whether the guest has RTMRs, with which its firmware makes reports of version 2. */
async function hasRegisters(path: string, calls: DeviceCalls): Promise<boolean> {
  const argument = [new Uint8Array(RTMR_STATUS_SIZE), BigInt(RTMR_STATUS_SIZE), RTMR_STATUS];
  try {
    const status = (await calls.ioctl(path, RTMR, argument))[2];
    return status !== undefined && status >> 32n === 0n;
  } catch (error) {
    // Older kernels do not know the command, older guests and firmware have no registers.
    if (UNSUPPORTED.has(errnoOf(error) ?? "")) return false;
    throw deviceFailure(`ask ${path}`, error);
  }
}
