// SPDX-License-Identifier: Apache-2.0
// The bodies of Intel quotes: the SGX enclave report (Intel SDM volume 3D, section 38.15) and the TD report as quoting
// enclaves give it (Intel TDX DCAP Quoting Library API, appendix A.3). All integers are little-endian.

import { type Bytes, isZero } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";

/** Bytes of an enclave report. */
export const ENCLAVE_REPORT_SIZE = 384;
/** Bytes of a TD 1.0 report body. */
export const TD10_REPORT_SIZE = 584;
/** Bytes of a TD 1.5 report body. */
export const TD15_REPORT_SIZE = 648;

/** Bytes of the enclave report's reserved areas, in order. */
const ENCLAVE_RESERVED = [12, 32, 32, 42] as const;

/** Bits of the enclave's ATTRIBUTES.FLAGS (Intel SDM volume 3D, section 35.7.1). */
export const ENCLAVE_FLAG = {
  init: 0,
  debug: 1,
  mode64: 2,
  provisionKey: 4,
  einittokenKey: 5,
  kss: 7,
  aexNotify: 10,
} as const;

/** Bits of the TD attributes (Intel TDX Module Base Architecture Specification, table "ATTRIBUTES Definition"). */
export const TD_ATTRIBUTE = {
  debug: 0,
  hgsPlusProf: 4,
  perfProf: 5,
  pmtProf: 6,
  icssd: 16,
  lass: 27,
  septVeDisable: 28,
  migratable: 29,
  pks: 30,
  keyLocker: 31,
  tpa: 62,
  perfmon: 63,
} as const;

/** An SGX enclave's report, or the quoting enclave's. */
export interface EnclaveReport {
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array;
  readonly miscSelect: number;
  /** 16 bytes; with KSS only. */
  readonly isvExtProdId: Uint8Array;
  /** FLAGS and XFRM, 8 bytes each. */
  readonly attributes: Uint8Array;
  /** 32 bytes. */
  readonly mrEnclave: Uint8Array;
  /** 32 bytes. */
  readonly mrSigner: Uint8Array;
  /** 64 bytes; with KSS only. */
  readonly configId: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly configSvn: number;
  /** 16 bytes; with KSS only. */
  readonly isvFamilyId: Uint8Array;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** The reserved areas of 12, 32, 32 and 42 bytes; absent when all are zero, as they should be. */
  readonly reserved?: readonly Uint8Array[];
}

/** A trust domain's report body. */
export interface TdReport {
  /** 16 bytes: the TDX module's SVN and version, SEAMLDR's SVN, then as TCB info's components say. */
  readonly teeTcbSvn: Uint8Array;
  /** 48 bytes. */
  readonly mrSeam: Uint8Array;
  /** 48 bytes. */
  readonly mrSignerSeam: Uint8Array;
  /** 8 bytes. */
  readonly seamAttributes: Uint8Array;
  /** 8 bytes. */
  readonly tdAttributes: Uint8Array;
  /** 8 bytes. */
  readonly xfam: Uint8Array;
  /** 48 bytes. */
  readonly mrTd: Uint8Array;
  /** 48 bytes. */
  readonly mrConfigId: Uint8Array;
  /** 48 bytes. */
  readonly mrOwner: Uint8Array;
  /** 48 bytes. */
  readonly mrOwnerConfig: Uint8Array;
  /** Four run-time measurement registers of 48 bytes. */
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** What TD 1.5 adds; absent in a TD 1.0 body. */
  readonly td15?: {
    /** 16 bytes: the SVNs of the module that runs now, after an update that kept the TD alive. */
    readonly teeTcbSvn2: Uint8Array;
    /** 48 bytes: the migration and other service TDs bound to this one. */
    readonly mrServiceTd: Uint8Array;
  };
}

/** Bit `index` of a little-endian bit field. */
export function bitOf(field: Uint8Array, index: number): boolean {
  return (((field[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

/** The bits that are set, by number. */
export function bitsOf(field: Uint8Array): number[] {
  const bits: number[] = [];
  for (let bit = 0; bit < 8 * field.length; bit++) if (bitOf(field, bit)) bits.push(bit);
  return bits;
}

/** TD attribute bits that no specification names, by number. */
export function reservedTdBits(report: TdReport): number[] {
  const named: readonly number[] = Object.values(TD_ATTRIBUTE);
  return bitsOf(report.tdAttributes).filter((bit) => !named.includes(bit));
}

/** Reads the next 384 bytes. Throws `OUT_OF_BOUNDS`. */
export function readEnclaveReport(reader: Reader): EnclaveReport {
  const cpuSvn = reader.bytes(16, "cpuSvn");
  const miscSelect = reader.u32le("miscSelect");
  const reserved1 = reader.bytes(ENCLAVE_RESERVED[0], "reserved1");
  const isvExtProdId = reader.bytes(16, "isvExtProdId");
  const attributes = reader.bytes(16, "attributes");
  const mrEnclave = reader.bytes(32, "mrEnclave");
  const reserved2 = reader.bytes(ENCLAVE_RESERVED[1], "reserved2");
  const mrSigner = reader.bytes(32, "mrSigner");
  const reserved3 = reader.bytes(ENCLAVE_RESERVED[2], "reserved3");
  const configId = reader.bytes(64, "configId");
  const isvProdId = reader.u16le("isvProdId");
  const isvSvn = reader.u16le("isvSvn");
  const configSvn = reader.u16le("configSvn");
  const reserved4 = reader.bytes(ENCLAVE_RESERVED[3], "reserved4");
  const isvFamilyId = reader.bytes(16, "isvFamilyId");
  const reportData = reader.bytes(64, "reportData");
  const report: EnclaveReport = {
    cpuSvn,
    miscSelect,
    isvExtProdId,
    attributes,
    mrEnclave,
    mrSigner,
    configId,
    isvProdId,
    isvSvn,
    configSvn,
    isvFamilyId,
    reportData,
  };
  const reserved = [reserved1, reserved2, reserved3, reserved4];
  return reserved.every(isZero) ? report : { ...report, reserved };
}

/** An enclave report of exactly 384 bytes. Throws `OUT_OF_BOUNDS` or `TRAILING_BYTES`. */
export function parseEnclaveReport(bytes: Uint8Array): EnclaveReport {
  const reader = new Reader(bytes, "enclave report");
  const report = readEnclaveReport(reader);
  reader.end();
  return report;
}

/** The 384 bytes of an enclave report. Throws `OUT_OF_BOUNDS` when a field has another size. */
export function encodeEnclaveReport(report: EnclaveReport): Bytes {
  const [reserved1, reserved2, reserved3, reserved4] = ENCLAVE_RESERVED.map(
    (size, i) => report.reserved?.[i] ?? new Uint8Array(size),
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  return new Writer(ENCLAVE_REPORT_SIZE)
    .bytes(report.cpuSvn, 16, "cpuSvn")
    .u32le(report.miscSelect)
    .bytes(reserved1, ENCLAVE_RESERVED[0], "reserved1")
    .bytes(report.isvExtProdId, 16, "isvExtProdId")
    .bytes(report.attributes, 16, "attributes")
    .bytes(report.mrEnclave, 32, "mrEnclave")
    .bytes(reserved2, ENCLAVE_RESERVED[1], "reserved2")
    .bytes(report.mrSigner, 32, "mrSigner")
    .bytes(reserved3, ENCLAVE_RESERVED[2], "reserved3")
    .bytes(report.configId, 64, "configId")
    .u16le(report.isvProdId)
    .u16le(report.isvSvn)
    .u16le(report.configSvn)
    .bytes(reserved4, ENCLAVE_RESERVED[3], "reserved4")
    .bytes(report.isvFamilyId, 16, "isvFamilyId")
    .bytes(report.reportData, 64, "reportData")
    .finish();
}

/** Reads the next 584 bytes, or 648 with `td15`. Throws `OUT_OF_BOUNDS`. */
export function readTdReport(reader: Reader, td15: boolean): TdReport {
  const report: TdReport = {
    teeTcbSvn: reader.bytes(16, "teeTcbSvn"),
    mrSeam: reader.bytes(48, "mrSeam"),
    mrSignerSeam: reader.bytes(48, "mrSignerSeam"),
    seamAttributes: reader.bytes(8, "seamAttributes"),
    tdAttributes: reader.bytes(8, "tdAttributes"),
    xfam: reader.bytes(8, "xfam"),
    mrTd: reader.bytes(48, "mrTd"),
    mrConfigId: reader.bytes(48, "mrConfigId"),
    mrOwner: reader.bytes(48, "mrOwner"),
    mrOwnerConfig: reader.bytes(48, "mrOwnerConfig"),
    rtmrs: [
      reader.bytes(48, "rtmr0"),
      reader.bytes(48, "rtmr1"),
      reader.bytes(48, "rtmr2"),
      reader.bytes(48, "rtmr3"),
    ],
    reportData: reader.bytes(64, "reportData"),
  };
  if (!td15) return report;
  return {
    ...report,
    td15: { teeTcbSvn2: reader.bytes(16, "teeTcbSvn2"), mrServiceTd: reader.bytes(48, "mrServiceTd") },
  };
}

/** A TD report body: 584 bytes for TD 1.0, 648 for TD 1.5. Throws `OUT_OF_BOUNDS` or `TRAILING_BYTES`. */
export function parseTdReport(bytes: Uint8Array): TdReport {
  const reader = new Reader(bytes, "TD report body");
  const report = readTdReport(reader, bytes.length > TD10_REPORT_SIZE);
  reader.end();
  return report;
}

/** The 584 or 648 bytes of a TD report body. Throws `OUT_OF_BOUNDS` when a field has another size. */
export function encodeTdReport(report: TdReport): Bytes {
  const writer = new Writer(report.td15 === undefined ? TD10_REPORT_SIZE : TD15_REPORT_SIZE)
    .bytes(report.teeTcbSvn, 16, "teeTcbSvn")
    .bytes(report.mrSeam, 48, "mrSeam")
    .bytes(report.mrSignerSeam, 48, "mrSignerSeam")
    .bytes(report.seamAttributes, 8, "seamAttributes")
    .bytes(report.tdAttributes, 8, "tdAttributes")
    .bytes(report.xfam, 8, "xfam")
    .bytes(report.mrTd, 48, "mrTd")
    .bytes(report.mrConfigId, 48, "mrConfigId")
    .bytes(report.mrOwner, 48, "mrOwner")
    .bytes(report.mrOwnerConfig, 48, "mrOwnerConfig");
  for (const [index, rtmr] of report.rtmrs.entries()) writer.bytes(rtmr, 48, `rtmr${index}`);
  writer.bytes(report.reportData, 64, "reportData");
  if (report.td15 !== undefined) {
    writer.bytes(report.td15.teeTcbSvn2, 16, "teeTcbSvn2").bytes(report.td15.mrServiceTd, 48, "mrServiceTd");
  }
  return writer.finish();
}
