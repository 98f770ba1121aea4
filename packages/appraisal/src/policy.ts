// SPDX-License-Identifier: Apache-2.0
// The seam between appraisal and a policy language: a policy turns what is known about one piece of evidence into
// AR4SI trust claims and the findings that explain them.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { misuse } from "./errors.ts";
import type { Explanation } from "./explanation.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import type { ReferenceValues } from "./reference.ts";
import { isTrustValue, TRUST_CLAIMS, type TrustClaim, type TrustVector } from "./trust.ts";

export interface PolicyInput {
  readonly facts: Facts;
  /**
   * What Trustee's policies call `input`, and tokens carry as annotated evidence: the claims under the TEE's name,
   * `report_data` and `init_data` in hex, `runtime_data_claims`, `init_data_claims`.
   */
  readonly document: JsonObject;
  readonly referenceValues: ReferenceValues;
  readonly now: Date;
  /** Who vouches for a reference value, where the store of them tells. */
  readonly vouchersOf?: (id: string, value: JsonValue) => JsonValue | undefined;
}

export interface PolicyOutput {
  /** Claims left out assert nothing (0). */
  readonly trustworthiness: Readonly<Partial<Record<TrustClaim, number>>>;
  /** Why, rule by rule. */
  readonly findings: readonly Finding[];
  /** Further claims of the appraisal, for example `ear.trustee.identifiers`. */
  readonly extensions?: JsonObject;
  /** The tree that the findings are the leaves of, where the policy language tells. */
  readonly explanation?: Explanation;
}

export interface Policy {
  /** Stands in the token as `ear.appraisal-policy-id`. */
  readonly id: string;
  /** Must be pure: no clock, no network. What it throws, `appraise` throws. */
  evaluate(input: PolicyInput): PolicyOutput;
}

/** Claims of an appraisal that a policy's extensions must not overwrite. */
const RESERVED =
  /^(?:ear\.status|ear\.trustworthiness-vector|ear\.appraisal-policy-id|ear\.veraison\..*|adyton\..*)$/;
/** Extensions become members of a JSON object that JavaScript reads back. */
const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/** A whole trustworthiness vector from a policy's output. Throws `INVALID_POLICY_OUTPUT`. */
export function vectorOf(output: PolicyOutput): TrustVector {
  const given: unknown = output.trustworthiness;
  if (!isJsonObject(given)) throw invalid("trustworthiness is no object");
  const unknown = Object.keys(given).find((name) => !(TRUST_CLAIMS as readonly string[]).includes(name));
  if (unknown !== undefined) throw invalid(`${JSON.stringify(unknown)} is no AR4SI claim`);
  const value = (claim: TrustClaim): number => {
    const stated = Object.hasOwn(given, claim) ? given[claim] : 0;
    if (!isTrustValue(stated)) throw invalid(`${claim} is ${JSON.stringify(stated)}, expected -128 to 127`);
    return stated;
  };
  return {
    "instance-identity": value("instance-identity"),
    configuration: value("configuration"),
    executables: value("executables"),
    "file-system": value("file-system"),
    hardware: value("hardware"),
    "runtime-opaque": value("runtime-opaque"),
    "storage-opaque": value("storage-opaque"),
    "sourced-data": value("sourced-data"),
  };
}

/** The extensions of a policy's output. Throws `INVALID_POLICY_OUTPUT`. */
export function extensionsOf(output: PolicyOutput): Readonly<Record<string, JsonValue>> {
  const extensions: unknown = output.extensions ?? {};
  if (!isJsonObject(extensions)) throw invalid("extensions is no object");
  const taken = Object.keys(extensions).find((name) => RESERVED.test(name) || FORBIDDEN.has(name));
  if (taken !== undefined) throw invalid(`extension ${JSON.stringify(taken)} would overwrite a claim`);
  return extensions;
}

function invalid(why: string): Error {
  return misuse("INVALID_POLICY_OUTPUT", `Cannot use what the policy returned: ${why}`);
}
