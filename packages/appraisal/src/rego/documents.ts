// SPDX-License-Identifier: Apache-2.0
// What policies see, form by form.

import { fromHex, isZero, toBase64, toHex } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import type { Facts } from "../facts.ts";
import type { PolicyInput } from "../policy.ts";
import type { Rules } from "../rules.ts";
import { parseTime } from "../time.ts";

/** Trustee's input: the document, TEE names also with underscores, and under `adyton` what verification found. */
export function trusteeInput({ facts, document }: PolicyInput): JsonObject {
  const { tee, claims } = facts;
  const alias = tee.replaceAll("-", "_");
  return {
    ...document,
    [tee]: claims,
    [alias]: claims,
    adyton: verdictOf(facts),
  };
}

/** What verification found that is no claim of the evidence itself. */
function verdictOf({ tee, trust, tcb, debug, confidential, endorsements, initDataField }: Facts): JsonObject {
  return {
    tee,
    root: trust.root,
    root_sha256: trust.rootSha256,
    simulated: trust.simulated,
    debug,
    confidential: confidential !== false,
    revocation: endorsements.revocation,
    init_data: initDataField === null || isZero(initDataField) ? "" : toHex(initDataField),
    tcb: tcbOf(tcb),
  };
}

function tcbOf({ components, advisoryIds, ...tcb }: Facts["tcb"]): JsonObject {
  return {
    ...tcb,
    advisoryIds: [...advisoryIds],
    components: Object.fromEntries(
      Object.entries(components).map(([name, { advisoryIds: ids, svn, ...component }]) => [
        name,
        {
          ...component,
          ...(ids === undefined ? {} : { advisoryIds: [...ids] }),
          ...(svn === undefined ? {} : { svn: { ...svn } }),
        },
      ]),
    ),
  };
}

/** verdictd's input for a TEE: SGX and CSV as it has them, all claims of any other. */
export function verdictdInput({ facts }: PolicyInput): JsonObject {
  const { tee, claims } = facts;
  if (tee === "csv") return { measure: base64Of(claims.measure) };
  if (tee !== "sgx" || !isJsonObject(claims.body)) return claims;
  const { mr_enclave, mr_signer, isv_prod_id, isv_svn } = claims.body;
  return {
    mrEnclave: base64Of(mr_enclave),
    mrSigner: base64Of(mr_signer),
    productId: u16Of(isv_prod_id),
    svn: u16Of(isv_svn),
  };
}

/** Rules as `data.rules`; dates in full, so that a policy can read them. */
export function rulesDocument(rules: Rules): JsonObject {
  const { minTcbDate, acceptedTcbStatuses, acceptedAdvisories, minTcb, ...others } = rules;
  const time = minTcbDate === undefined ? undefined : parseTime(minTcbDate);
  const date = time === undefined ? {} : { minTcbDate: new Date(time).toISOString() };
  return {
    ...others,
    ...date,
    ...(acceptedTcbStatuses === undefined ? {} : { acceptedTcbStatuses: [...acceptedTcbStatuses] }),
    ...(acceptedAdvisories === undefined ? {} : { acceptedAdvisories: [...acceptedAdvisories] }),
    ...(minTcb === undefined ? {} : { minTcb: { ...minTcb } }),
  };
}

function base64Of(value: JsonValue | undefined): JsonValue {
  return typeof value === "string" ? toBase64(fromHex(value)) : null;
}

function u16Of(value: JsonValue | undefined): JsonValue {
  if (typeof value !== "string") return value ?? null;
  const [low = 0, high = 0] = fromHex(value);
  return low + high * 256;
}
