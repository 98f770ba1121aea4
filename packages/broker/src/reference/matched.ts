// SPDX-License-Identifier: Apache-2.0
// Which reference values a token says that the evidence met, for the audit log.

import type { EarAppraisal } from "@adyton/appraisal";
import type { JsonValue } from "@adyton/core/json";

const PREFIX = "reference:";

/** By reference id, the values that matched and who vouches for each; undefined when the token tells of none. */
export function matchedReferences(submod: EarAppraisal): JsonValue | undefined {
  const met = (submod["adyton.explanation"] ?? []).flatMap(({ rule, ok, vouchers }) =>
    ok && vouchers !== undefined && rule.startsWith(PREFIX)
      ? [[rule.slice(PREFIX.length), vouchers] as const]
      : [],
  );
  return met.length === 0 ? undefined : Object.fromEntries(met);
}
