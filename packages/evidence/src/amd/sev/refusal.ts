// SPDX-License-Identifier: Apache-2.0
// How SEV's binary structures are refused: those that do not parse, and those that are not authentic.

import type { ErrorOptionsOf } from "@adyton/core/errors";
import { EvidenceError, type EvidenceErrorCode } from "../../errors.ts";

/** A structure that does not parse; `what` ends "Cannot parse SEV …". */
export function invalidField(
  code: EvidenceErrorCode,
  what: string,
  field: string,
  found: unknown,
  expected: string,
  options: Pick<ErrorOptionsOf, "hint"> = {},
): EvidenceError {
  return new EvidenceError(
    code,
    "malformed",
    `Cannot parse SEV ${what}: ${field} is ${found}, expected ${expected}`,
    { detail: { field, found, expected }, ...options },
  );
}

/** A structure that parses but is not authentic; `what` ends "Cannot accept SEV …", `why` the sentence. */
export function refusal(
  code: EvidenceErrorCode,
  what: string,
  why: string,
  options: ErrorOptionsOf = {},
): EvidenceError {
  return new EvidenceError(code, "not-authentic", `Cannot accept SEV ${what}: ${why}`, options);
}
