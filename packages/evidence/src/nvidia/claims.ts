// SPDX-License-Identifier: Apache-2.0
// What policies see of an NVIDIA device: Trustee's names. Its `uuid` is left out: nothing in the evidence vouches for it.

import { toHex } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import type { NvidiaChip } from "./endorsements.ts";
import type { NvidiaReport } from "./evidence.ts";
import { opaqueClaims } from "./opaque.ts";

/** What the certificates add to a report. */
export interface NvidiaDevice extends NvidiaChip {
  /** The serial number that the signing key's certificate is made out to. */
  readonly serial: string | undefined;
}

/** The claims of a report; without `device`, those that need no certificate. Throws `INVALID_NVIDIA_REPORT`. */
export function claimsOf(report: NvidiaReport, device?: NvidiaDevice): JsonObject {
  return {
    ...(device === undefined ? {} : { arch: device.arch, chip: device.chip }),
    ...(device?.serial === undefined ? {} : { device_serial: device.serial }),
    nonce: toHex(report.nonce),
    measurements: Object.fromEntries(
      report.measurements.map(({ index, value }) => [`${index}`, toHex(value)]),
    ),
    config: opaqueClaims(report.opaque),
  };
}
