// SPDX-License-Identifier: Apache-2.0
// What was found of evidence stands in the audit log before anybody is told.

import type { EarClaims } from "@adyton/appraisal";
import { AdytonError } from "@adyton/core/errors";
import type { JsonObject } from "@adyton/core/json";
import type { TeeName } from "@adyton/evidence";
import { decodeJwt } from "jose";
import { auditChange } from "../audit.ts";
import type { Store } from "../store/types.ts";

export interface JudgedEvidence {
  readonly tee: TeeName;
  /** By which protocol it came. */
  readonly api: "kbs" | "veraison" | "as";
}

/** The token that `judge` makes, once the verdict is in the log; what it refuses stands there with its code. */
export async function loggedVerdict(
  store: Store,
  { tee, api }: JudgedEvidence,
  now: Date,
  judge: () => Promise<string>,
): Promise<string> {
  const record = (facts: JsonObject) =>
    store.write([auditChange(now, { type: "attestation", tee, api, ...facts })]);
  let token: string;
  try {
    token = await judge();
  } catch (error) {
    // What a service of ours could not do is no verdict.
    if (error instanceof AdytonError && error.category !== "unavailable")
      await record({ verdict: "refused", reason: error.code });
    throw error;
  }
  const { jti, submods } = decodeJwt<EarClaims>(token);
  const statuses = Object.entries(submods).map(([name, submod]) => [name, submod["ear.status"]] as const);
  await record({
    verdict: "appraised",
    submods: Object.fromEntries(statuses),
    ...(typeof jti === "string" ? { id: jti } : {}),
  });
  return token;
}
