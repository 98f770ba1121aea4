// SPDX-License-Identifier: Apache-2.0
// The time to verify for, which the caller gives.

import { EvidenceError } from "./errors.ts";

/** Throws `INVALID_TIME` unless `now` is a date. `what` is what should have been verified: "SNP report". */
export function checkTime(now: Date, what: string): void {
  if (Number.isNaN(now.getTime())) {
    throw new EvidenceError("INVALID_TIME", "misuse", `Cannot verify ${what}: the time is no date`);
  }
}
