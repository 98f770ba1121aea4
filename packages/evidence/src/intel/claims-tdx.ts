// SPDX-License-Identifier: Apache-2.0
// The claims of a TD's quote, as Trustee names them; of `td_attributes`, what comes after `septve_disable` is ours.

import { toHex } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { type Description, hex16, hex32, type Kind } from "./claims.ts";
import type { Quote, QuoteHeader } from "./evidence.ts";
import { otherTee } from "./refusal.ts";
import {
  bitOf,
  bitsOf,
  reservedTdBits,
  TD_ATTRIBUTE,
  TD10_REPORT_SIZE,
  TD15_REPORT_SIZE,
  type TdReport,
} from "./reports.ts";

/** Bits 0 to 7: a TD with any of them set is under the host's eyes (TUD, "TD under debug"). */
const TUD_BITS = 8;

/** A trust domain: what TDX quotes speak of. */
export const TD: Kind = { tee: "tdx", describe };

function describe({ header, body }: Quote, others: JsonObject): Description {
  if (body.tee !== "tdx") throw otherTee(body.tee, "tdx");
  const { report } = body;
  return {
    tee: "tdx",
    debug: report.tdAttributes[0] !== 0,
    initDataField: report.mrConfigId,
    claims: claimsOfTd(header, report, others),
  };
}

function claimsOfTd(header: QuoteHeader, report: TdReport, others: JsonObject): JsonObject {
  const { td15, tdAttributes } = report;
  const reportData = toHex(report.reportData);
  const configId = toHex(report.mrConfigId);
  const [rtmr0, rtmr1, rtmr2, rtmr3] = report.rtmrs;
  return {
    ...others,
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
