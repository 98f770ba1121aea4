// SPDX-License-Identifier: Apache-2.0
// What policies see of a CSV report: the names and spellings of Trustee. Byte strings are hex, the policy's flags 0 or 1.

import { toHex } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { CSV_USAGE, SM2_SA } from "./certificates.ts";
import type { CsvReport } from "./evidence.ts";
import { parseCsvPolicy } from "./policy.ts";
import { badField } from "./refusal.ts";

const TEXT = /^[\x21-\x7e]*$/;

/** The claims of a report. Throws `UNSUPPORTED_REPORT_FORMAT` when the serial number is no text. */
export function claimsOf(report: CsvReport): JsonObject {
  const policy = parseCsvPolicy(report.policy);
  const common = {
    version: `${report.version}`,
    policy: {
      nodbg: policy.nodbg,
      noks: policy.noks,
      es: policy.es,
      nosend: policy.nosend,
      domain: policy.domain,
      csv: policy.csv,
      csv3: policy.csv3,
      asid_reuse: policy.asidReuse,
      hsk_version: policy.hskVersion,
      cek_version: policy.cekVersion,
      api_major: policy.apiMajor,
      api_minor: policy.apiMinor,
    },
    user_pubkey_digest: toHex(report.userPubkeyDigest),
    vm_id: toHex(report.vmId),
    vm_version: toHex(report.vmVersion),
    report_data: toHex(report.reportData),
    mnonce: toHex(report.mnonce),
    measure: toHex(report.measure),
    sig_usage: littleEndian(CSV_USAGE.PEK),
    sig_algo: littleEndian(SM2_SA),
    serial_number: serialNumberOf(report),
  };
  if (report.version === 1) return { ...common, anonce: toHex(report.anonce) };
  const rtmrs = report.rtmrs.map((value, index) => [`rtmr${index}`, toHex(value)] as const);
  return {
    ...common,
    build: report.build,
    rtmr_version: report.rtmrVersion,
    reserved0: toHex(report.reserved0),
    ...Object.fromEntries(rtmrs),
    reserved1: toHex(report.reserved1),
  };
}

/** The chip's serial number, without the zeros after it. Throws `UNSUPPORTED_REPORT_FORMAT` when it is no text. */
export function serialNumberOf(report: CsvReport): string {
  const text = String.fromCharCode(...report.signer.serialNumber).replace(/\0+$/, "");
  if (TEXT.test(text)) return text;
  const at = report.version === 1 ? 2420 : 3252;
  throw badField(
    "UNSUPPORTED_REPORT_FORMAT",
    "CSV report",
    "sn",
    at,
    "no text",
    "printable ASCII, then zeros",
  );
}

/** As Trustee spells it: the bytes as they stand, in hex. */
function littleEndian(value: number): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return toHex(bytes);
}
