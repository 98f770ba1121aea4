// SPDX-License-Identifier: Apache-2.0
// How CSV evidence is refused, in the house's grammar.

import type { ErrorOptionsOf } from "@adyton/core/errors";
import { EvidenceError, type EvidenceErrorCode } from "../errors.ts";

/** Authentic it is not: `why` ends the sentence "Cannot accept CSV report: …". */
export function refusal(code: EvidenceErrorCode, why: string, options: ErrorOptionsOf = {}): EvidenceError {
  return new EvidenceError(code, "not-authentic", `Cannot accept CSV report: ${why}`, options);
}

/** A field of a layout that does not hold what it must. `offset` counts from the start of `what`. */
export function badField(
  code: EvidenceErrorCode,
  what: string,
  field: string,
  offset: number,
  found: unknown,
  expected: string,
): EvidenceError {
  return new EvidenceError(
    code,
    "malformed",
    `Cannot parse ${what}: ${field} is ${found} at offset ${offset}, expected ${expected}`,
    { detail: { what, field, offset, found, expected } },
  );
}

/** A reserved area that is not zero. */
export function notZero(what: string, field: string, offset: number): EvidenceError {
  return badField("RESERVED_NOT_ZERO", what, field, offset, "not zero", "zeros");
}
