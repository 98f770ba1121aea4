// SPDX-License-Identifier: Apache-2.0
// What policies see, under the names that Confidential Containers' Trustee gives them: snake_case, byte strings in hex,
// integers of the quote as the hex of their little-endian bytes. Members beyond Trustee's are ours.

import { reversed, toHex } from "@adyton/core/bytes";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import type { EndorsementsUsed, Tcb, TcbStatus } from "../verified.ts";
import type { Quote, QuoteHeader } from "./evidence.ts";
import type { PckExtension, SgxType } from "./pck.ts";
import {
  bitOf,
  ENCLAVE_FLAG,
  type EnclaveReport,
  TD_ATTRIBUTE,
  TD10_REPORT_SIZE,
  TD15_REPORT_SIZE,
  type TdReport,
} from "./reports.ts";

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

/** Bits 0 to 7: a TD with any of them set is under the host's eyes (TUD, "TD under debug"). */
const TUD_BITS = 8;
const KNOWN_TD_BITS: ReadonlySet<number> = new Set(Object.values(TD_ATTRIBUTE));

/** The TEE's owner can look inside: the enclave's DEBUG attribute, or any TUD attribute of the TD. */
export function isDebug(quote: Quote): boolean {
  const { body } = quote;
  if (body.tee === "sgx") return bitOf(body.report.attributes, ENCLAVE_FLAG.debug);
  return body.report.tdAttributes[0] !== 0;
}

/** TD attribute bits that no specification names, by number. */
export function reservedTdBits(report: TdReport): number[] {
  return bitsOf(report.tdAttributes).filter((bit) => !KNOWN_TD_BITS.has(bit));
}

/** What the quote itself says. */
export function claimsOfQuote(quote: Quote): JsonObject {
  const { body, header } = quote;
  return body.tee === "sgx" ? claimsOfEnclave(header, body.report) : claimsOfTd(header, body.report);
}

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

/** The verdict. */
export function claimsOfTcb(tcb: Tcb & { readonly status: TcbStatus }): JsonObject {
  return {
    tcb_status: STATUS[tcb.status] ?? tcb.status,
    tcb_date: tcb.date,
    advisory_ids: tcb.advisoryIds,
    tcb_eval_num: tcb.evaluationNumber,
  };
}

function claimsOfEnclave(header: QuoteHeader, report: EnclaveReport): JsonObject {
  const reserved = report.reserved ?? [12, 32, 32, 42].map((size) => new Uint8Array(size));
  const [reserved1, reserved2, reserved3, reserved4] = reserved.map(toHex);
  return {
    header: {
      version: hex16(header.version),
      att_key_type: hex16(header.attestationKeyType),
      att_key_data_0: hex32(header.teeType),
      qe_svn: hex16(header.qeSvn),
      pce_svn: hex16(header.pceSvn),
      vendor_id: toHex(header.qeVendorId),
      user_data: toHex(header.userData),
    },
    body: {
      cpu_svn: toHex(report.cpuSvn),
      misc_select: hex32(report.miscSelect),
      reserved1: reserved1 ?? "",
      isv_ext_prod_id: toHex(report.isvExtProdId),
      "attributes.flags": toHex(report.attributes.subarray(0, 8)),
      "attributes.xfrm": toHex(report.attributes.subarray(8)),
      mr_enclave: toHex(report.mrEnclave),
      reserved2: reserved2 ?? "",
      mr_signer: toHex(report.mrSigner),
      reserved3: reserved3 ?? "",
      config_id: toHex(report.configId),
      isv_prod_id: hex16(report.isvProdId),
      isv_svn: hex16(report.isvSvn),
      config_svn: hex16(report.configSvn),
      reserved4: reserved4 ?? "",
      isv_family_id: toHex(report.isvFamilyId),
      report_data: toHex(report.reportData),
    },
    enclave_attributes: {
      debug: bitOf(report.attributes, ENCLAVE_FLAG.debug),
      init: bitOf(report.attributes, ENCLAVE_FLAG.init),
      mode64: bitOf(report.attributes, ENCLAVE_FLAG.mode64),
      provision_key: bitOf(report.attributes, ENCLAVE_FLAG.provisionKey),
      einittoken_key: bitOf(report.attributes, ENCLAVE_FLAG.einittokenKey),
      kss: bitOf(report.attributes, ENCLAVE_FLAG.kss),
      aex_notify: bitOf(report.attributes, ENCLAVE_FLAG.aexNotify),
    },
    report_data: toHex(report.reportData),
    init_data: toHex(report.configId),
  };
}

function claimsOfTd(header: QuoteHeader, report: TdReport): JsonObject {
  const { td15, tdAttributes } = report;
  const reportData = toHex(report.reportData);
  const configId = toHex(report.mrConfigId);
  const [rtmr0, rtmr1, rtmr2, rtmr3] = report.rtmrs;
  return {
    quote: {
      header: {
        version: hex16(header.version),
        att_key_type: hex16(header.attestationKeyType),
        tee_type: hex32(header.teeType),
        reserved: hex16(header.qeSvn) + hex16(header.pceSvn),
        vendor_id: toHex(header.qeVendorId),
        user_data: toHex(header.userData),
      },
      ...(header.version === 5
        ? {
            type: hex16(td15 === undefined ? 2 : 3),
            size: hex32(td15 === undefined ? TD10_REPORT_SIZE : TD15_REPORT_SIZE),
          }
        : {}),
      body: {
        tcb_svn: toHex(report.teeTcbSvn),
        mr_seam: toHex(report.mrSeam),
        mrsigner_seam: toHex(report.mrSignerSeam),
        seam_attributes: toHex(report.seamAttributes),
        td_attributes: toHex(tdAttributes),
        xfam: toHex(report.xfam),
        mr_td: toHex(report.mrTd),
        mr_config_id: configId,
        mr_owner: toHex(report.mrOwner),
        mr_owner_config: toHex(report.mrOwnerConfig),
        rtmr_0: toHex(rtmr0),
        rtmr_1: toHex(rtmr1),
        rtmr_2: toHex(rtmr2),
        rtmr_3: toHex(rtmr3),
        report_data: reportData,
        ...(td15 === undefined
          ? {}
          : { tee_tcb_svn2: toHex(td15.teeTcbSvn2), mr_servicetd: toHex(td15.mrServiceTd) }),
      },
    },
    td_attributes: {
      debug: bitOf(tdAttributes, TD_ATTRIBUTE.debug),
      key_locker: bitOf(tdAttributes, TD_ATTRIBUTE.keyLocker),
      perfmon: bitOf(tdAttributes, TD_ATTRIBUTE.perfmon),
      protection_keys: bitOf(tdAttributes, TD_ATTRIBUTE.pks),
      septve_disable: bitOf(tdAttributes, TD_ATTRIBUTE.septVeDisable),
      migratable: bitOf(tdAttributes, TD_ATTRIBUTE.migratable),
      lass: bitOf(tdAttributes, TD_ATTRIBUTE.lass),
      icssd: bitOf(tdAttributes, TD_ATTRIBUTE.icssd),
      tpa: bitOf(tdAttributes, TD_ATTRIBUTE.tpa),
      tud_bits: bitsOf(tdAttributes).filter((bit) => bit < TUD_BITS),
      reserved_bits: reservedTdBits(report),
    },
    report_data: reportData,
    init_data: configId,
  };
}

function bitsOf(field: Uint8Array): number[] {
  const bits: number[] = [];
  for (let bit = 0; bit < 8 * field.length; bit++) if (bitOf(field, bit)) bits.push(bit);
  return bits;
}

function flag(name: string, value: boolean | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

/** A CRL number as a JSON number, or in decimal digits when it exceeds what JSON numbers hold exactly. */
function numberOfCrl(hex: string | undefined): JsonValue {
  const number = BigInt(`0x${hex ?? "0"}`);
  return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : number.toString();
}

function hex16(value: number): string {
  return toHex(Uint8Array.of(value, value >>> 8));
}

function hex32(value: number): string {
  return toHex(Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24));
}
