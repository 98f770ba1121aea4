// SPDX-License-Identifier: Apache-2.0
// How a report is refused that parses but is not authentic.

import type { ErrorOptionsOf } from "@adyton/core/errors";
import { EvidenceError, type EvidenceErrorCode } from "../errors.ts";

/** `why` ends the sentence "Cannot accept SNP report: …". */
export function refusal(code: EvidenceErrorCode, why: string, options: ErrorOptionsOf): EvidenceError {
  return new EvidenceError(code, "not-authentic", `Cannot accept SNP report: ${why}`, options);
}
