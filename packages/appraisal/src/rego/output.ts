// SPDX-License-Identifier: Apache-2.0
// What policies give, checked: trust claims and extensions.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { misuse } from "../errors.ts";
import { isTrustValue, statusOf, TRUST_CLAIMS, type TrustClaim } from "../trust.ts";

/** Trust claims as a policy gave them. Throws `INVALID_POLICY_OUTPUT`. */
export function claimsOf(value: JsonValue | undefined): Partial<Record<TrustClaim, number>> {
  if (!isJsonObject(value))
    throw output(`trust_claims is ${value === undefined ? "undefined" : "no object"}`);
  const claims: Partial<Record<TrustClaim, number>> = {};
  for (const [name, trust] of Object.entries(value)) {
    const claim = TRUST_CLAIMS.find((known) => known === name);
    if (claim === undefined) throw output(`${JSON.stringify(name)} is no AR4SI claim`);
    if (!isTrustValue(trust)) throw output(`${name} is ${JSON.stringify(trust)}, expected -128 to 127`);
    claims[claim] = trust;
  }
  return claims;
}

/** Trustee's list of `{name, key, value}`, or an object. */
export function extensionsOf(value: JsonValue | undefined): JsonObject {
  if (value === undefined) return {};
  if (isJsonObject(value)) return value;
  if (!Array.isArray(value)) throw output("extensions is neither list nor object");
  return Object.fromEntries(
    value.map((extension: JsonValue) => {
      if (!isJsonObject(extension) || typeof extension.name !== "string" || extension.value === undefined) {
        throw output("an extension has no name and value");
      }
      return [extension.name, extension.value];
    }),
  );
}

export function statusOfPart(vector: Readonly<Partial<Record<TrustClaim, number>>>): string {
  const whole = Object.fromEntries(TRUST_CLAIMS.map((claim) => [claim, vector[claim] ?? 0]));
  return statusOf(whole as Record<TrustClaim, number>);
}

function output(why: string): Error {
  return misuse("INVALID_POLICY_OUTPUT", `Cannot use what the policy returned: ${why}`);
}
