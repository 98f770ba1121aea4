// SPDX-License-Identifier: Apache-2.0
// How CCA tokens are refused.

import type { ErrorOptionsOf } from "@adyton/core/errors";
import type { RefuseField } from "../cbor-map.ts";
import { EvidenceError, type EvidenceErrorCode, unknownVersion } from "../errors.ts";

/** A token that parses but is not authentic. `why` ends the sentence "Cannot accept CCA token: …". */
export function refusal(code: EvidenceErrorCode, why: string, options: ErrorOptionsOf = {}): EvidenceError {
  return new EvidenceError(code, "not-authentic", `Cannot accept CCA token: ${why}`, options);
}

/** A token that does not parse. */
export const invalidToken: RefuseField = (field, found, expected) =>
  new EvidenceError(
    "INVALID_CCA_TOKEN",
    "malformed",
    `Cannot parse CCA token: ${field} is ${found}, expected ${expected}`,
    { detail: { field, found, expected } },
  );

/** A profile that is not handled. */
export function unknownProfile(
  part: "platform" | "realm",
  found: string,
  known: readonly string[],
): EvidenceError {
  const profile = JSON.stringify(found);
  const expected = known.join(" or ");
  return unknownVersion(
    "UNSUPPORTED_CCA_PROFILE",
    "parse CCA token",
    `the ${part} profile`,
    profile,
    expected,
  );
}
