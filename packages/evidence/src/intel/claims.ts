// SPDX-License-Identifier: Apache-2.0
// What policies see, under the names that Confidential Containers' Trustee gives them: snake_case, byte strings in hex,
// integers of the quote as the hex of their little-endian bytes. Members beyond Trustee's are ours.

import { reversed, toHex } from "@adyton/core/bytes";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import type { EndorsementsUsed, Tcb, TcbStatus } from "../verified.ts";
import type { Quote } from "./evidence.ts";
import type { PckExtension, SgxType } from "./pck.ts";

/** What a quote says of itself, whether true or not. */
export interface Description {
  readonly tee: "sgx" | "tdx";
  /** The TEE's owner can look inside. */
  readonly debug: boolean;
  readonly initDataField: Uint8Array;
  readonly claims: JsonObject;
}

/** One of Intel's TEEs. */
export interface Kind {
  readonly tee: "sgx" | "tdx";
  /** Adds the quote's claims to `others`. Throws `UNSUPPORTED_QUOTE_FORMAT` for a quote of the other TEE. */
  describe(quote: Quote, others: JsonObject): Description;
}

const SGX_TYPE: Readonly<Record<SgxType, string>> = {
  standard: "Standard",
  scalable: "Scalable",
  "scalable-with-integrity": "Scalable with Integrity",
};

/** Trustee's spelling where it differs. */
const STATUS: Partial<Record<TcbStatus, string>> = {
  TdRelaunchAdvised: "TDRelaunchAdvised",
  TdRelaunchAdvisedConfigurationNeeded: "TDRelaunchAdvisedConfigurationNeeded",
};

/** What Intel certifies about the platform. */
export function claimsOfPlatform(extension: PckExtension): JsonObject {
  const { configuration, platformInstanceId, sgxType } = extension;
  // Trustee shows the instance id in reverse, as a big-endian number.
  const instance =
    platformInstanceId === undefined ? {} : { platform_instance_id: toHex(reversed(platformInstanceId)) };
  return {
    platform_provider_id: toHex(extension.ppid),
    ...instance,
    fmspc: toHex(extension.fmspc),
    pce_id: toHex(extension.pceId),
    sgx_type: SGX_TYPE[sgxType],
    ...flag("is_dynamic_platform", configuration?.dynamicPlatform),
    ...flag("is_cached_keys", configuration?.cachedKeys),
    ...flag("is_smt_enabled", configuration?.smtEnabled),
  };
}

/** What endorsements say, whatever the quote says. */
export function claimsOfEndorsements(
  used: Pick<EndorsementsUsed, "earliestIssue" | "earliestExpiry">,
  latestIssue: string,
  crls: { readonly pck: string | undefined; readonly root: string | undefined },
  rootKeyId: string,
): JsonObject {
  return {
    collateral_expiration_status: "0",
    earliest_issue_date: used.earliestIssue,
    latest_issue_date: latestIssue,
    earliest_expiration_date: used.earliestExpiry,
    pck_crl_num: numberOfCrl(crls.pck),
    root_ca_crl_num: numberOfCrl(crls.root),
    root_key_id: rootKeyId,
  };
}

/** The verdict, beside `others`. */
export function withVerdict(others: JsonObject, tcb: Tcb & { readonly status: TcbStatus }): JsonObject {
  // Spreading first and once is several times faster than merging objects; this runs for every quote.
  return {
    ...others,
    tcb_status: STATUS[tcb.status] ?? tcb.status,
    tcb_date: tcb.date,
    advisory_ids: tcb.advisoryIds,
    tcb_eval_num: tcb.evaluationNumber,
  };
}

/** Hex of the two little-endian bytes of an integer. */
export function hex16(value: number): string {
  return toHex(Uint8Array.of(value, value >>> 8));
}

/** Hex of the four little-endian bytes of an integer. */
export function hex32(value: number): string {
  return toHex(Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24));
}

function flag(name: string, value: boolean | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

/** A CRL number as a JSON number, or in decimal digits when it exceeds what JSON numbers hold exactly. */
function numberOfCrl(hex: string | undefined): JsonValue {
  const number = BigInt(`0x${hex ?? "0"}`);
  return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : number.toString();
}
