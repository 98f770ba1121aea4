// SPDX-License-Identifier: Apache-2.0
// Why reference values are not kept, or not found.

import { BrokerError } from "../errors.ts";
import type { Registered } from "./types.ts";

export function revokedAll(revoked: Registered["revoked"]): BrokerError {
  const ids = [...new Set(revoked.map(({ id }) => id))].slice(0, 5);
  return new BrokerError(
    "REFERENCE_REVOKED",
    "policy",
    `Cannot register reference values: every value of ${ids.join(", ")} was revoked`,
    { detail: { ids }, hint: "Un-revoke the value first, if it is good after all." },
  );
}

export function tooMany(limit: number): BrokerError {
  return new BrokerError(
    "QUOTA_EXCEEDED",
    "policy",
    `Cannot keep more reference values: there are ${limit} ids, and no more fit`,
    { hint: "Delete those that no policy asks for." },
  );
}

export function notFound(what: string): BrokerError {
  return new BrokerError("REFERENCE_VALUE_NOT_FOUND", "misuse", `Cannot find reference value ${what}`, {
    hint: "List the reference values to see what is there.",
  });
}
