// SPDX-License-Identifier: Apache-2.0
// The report of Azure's paravisor (host compatibility layer, HCL), which stands in NV index 01400001h of an Azure
// confidential VM's vTPM: the hardware's report, and the data with the vTPM's keys that the report binds.
// Microsoft, "Guest attestation for confidential VMs": attestation report, runtime data. Integers are little-endian.

import { type Bytes, concat, fromBase64Url, isZero, toUtf8 } from "@adyton/core/bytes";
import type { HashName } from "@adyton/core/crypto";
import { Reader, Writer } from "@adyton/core/cursor";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { EvidenceError, unknownVersion } from "../errors.ts";
import { rsaSpki } from "../tpm/public.ts";

export interface HclReport {
  /** 1 or 2; both occur with either kind of hardware. */
  readonly version: number;
  readonly kind: "snp" | "tdx";
  /** SNP: the report, 1,184 bytes. TDX: the TDREPORT, 1,024 bytes, which only its own CPU can check. */
  readonly hardwareReport: Uint8Array;
  /** Over the runtime data, in the hardware report's report data. */
  readonly hash: HashName;
  /** The runtime data exactly as bound. */
  readonly runtimeData: Uint8Array;
}

/** What the runtime data says. */
export interface RuntimeClaims {
  /** SubjectPublicKeyInfo of the vTPM's attestation key. */
  readonly akSpki: Bytes;
  readonly vmConfiguration: JsonObject;
  /** 64 bytes that the guest chose; absent from old reports. */
  readonly userData: Uint8Array | undefined;
}

const SIGNATURE = 0x414c4348; // "HCLA"
const REPORT_REQUEST = 2;
const HARDWARE_SIZE = 1184;
const TDREPORT_SIZE = 1024;
const HEADER_SIZE = 32 + HARDWARE_SIZE;
const DATA_HEADER = 20;
const MAX_RUNTIME_DATA = 16 * 1024;
const KINDS: Readonly<Record<number, HclReport["kind"]>> = { 2: "snp", 4: "tdx" };
const KIND_ID: Readonly<Record<HclReport["kind"], number>> = { snp: 2, tdx: 4 };
const HASHES: Readonly<Record<number, HashName>> = { 1: "SHA-256", 2: "SHA-384", 3: "SHA-512" };
const AK_NAME = "HCLAkPub";
const USER_DATA_SIZE = 64;

/** Parses a report; zeros may follow it, as in the NV index. Throws `INVALID_HCL_REPORT`. */
export function parseHclReport(bytes: Uint8Array): HclReport {
  return guarded(() => {
    const reader = new Reader(bytes, "HCL report");
    if (reader.u32le("signature") !== SIGNATURE) refuse("it does not begin with HCLA");
    const version = reader.u32le("version");
    if (version !== 1 && version !== 2) throw unknown("version", version, "1 to 2");
    const size = reader.u32le("report_size");
    const request = reader.u32le("request_type");
    if (request !== REPORT_REQUEST) refuse(`request type is ${request}, expected 2 (report)`);
    const status = reader.u32le("status");
    if (status !== 0) refuse(`status is ${status}, expected 0 (success)`);
    if (!isZero(reader.bytes(12, "reserved"))) refuse("reserved bytes at offset 20 are not zero");
    const hardware = reader.bytes(HARDWARE_SIZE, "hardware report");
    const dataSize = reader.u32le("data_size");
    const dataVersion = reader.u32le("data version");
    if (dataVersion !== 1) throw unknown("version of the runtime data", dataVersion, "1");
    const type = reader.u32le("report_type");
    const kind = KINDS[type] ?? refuse(`report type is ${type}, expected 2 (SNP) or 4 (TDX)`);
    const hashType = reader.u32le("hash_type");
    const hash = HASHES[hashType] ?? refuse(`hash type is ${hashType}, expected 1 to 3`);
    const length = reader.u32le("variable data size");
    if (length > MAX_RUNTIME_DATA || dataSize !== length + DATA_HEADER || size !== HEADER_SIZE + dataSize) {
      refuse(`sizes ${size}, ${dataSize} and ${length} contradict each other`);
    }
    const runtimeData = reader.bytes(length, "runtime data");
    if (!isZero(reader.rest())) refuse("bytes that are not zero follow it");
    if (kind === "tdx" && !isZero(hardware.subarray(TDREPORT_SIZE)))
      refuse("bytes that are not zero follow the TDREPORT");
    const hardwareReport = kind === "tdx" ? hardware.subarray(0, TDREPORT_SIZE) : hardware;
    return { version, kind, hardwareReport, hash, runtimeData };
  });
}

/** The bytes of a report, padded with zeros to `size` where that is more. */
export function encodeHclReport(report: HclReport, size = 2600): Bytes {
  const { version, kind, hardwareReport, hash, runtimeData } = report;
  const dataSize = runtimeData.length + DATA_HEADER;
  const hashType = Number(Object.keys(HASHES).find((id) => HASHES[Number(id)] === hash));
  const bytes = concat(
    new Writer(32)
      .u32le(SIGNATURE)
      .u32le(version)
      .u32le(HEADER_SIZE + dataSize)
      .u32le(REPORT_REQUEST)
      .zeros(16)
      .finish(),
    hardwareReport,
    new Uint8Array(HARDWARE_SIZE - hardwareReport.length),
    new Writer(DATA_HEADER)
      .u32le(dataSize)
      .u32le(1)
      .u32le(KIND_ID[kind])
      .u32le(hashType)
      .u32le(runtimeData.length)
      .finish(),
    runtimeData,
  );
  return concat(bytes, new Uint8Array(Math.max(0, size - bytes.length)));
}

/** The report data of the hardware's report: SNP at 50h, TDREPORT in REPORTMACSTRUCT at 80h. 64 bytes. */
export function hardwareReportData({ kind, hardwareReport }: HclReport): Uint8Array {
  const at = kind === "snp" ? 0x50 : 0x80;
  return hardwareReport.subarray(at, at + 64);
}

/** Parses runtime data. Throws `INVALID_HCL_REPORT`. */
export function parseRuntimeData(bytes: Uint8Array): RuntimeClaims {
  return guarded(() => {
    const members = parseJson(toUtf8(bytes));
    if (!isJsonObject(members)) return refuse("its runtime data is no JSON object");
    const keys = Array.isArray(members.keys) ? (members.keys as readonly JsonValue[]) : [];
    const named = keys.filter((key): key is JsonObject => isJsonObject(key) && key.kid === AK_NAME);
    const [key, ...more] = named;
    if (key === undefined || more.length > 0)
      return refuse(`its runtime data has ${named.length} keys ${AK_NAME}`);
    const configuration = members["vm-configuration"];
    return {
      akSpki: spkiOfJwk(key),
      vmConfiguration: isJsonObject(configuration) ? configuration : {},
      userData: userDataOf(members["user-data"]),
    };
  });
}

function spkiOfJwk({ kty, n, e }: JsonObject): Bytes {
  if (kty !== "RSA" || typeof n !== "string" || typeof e !== "string") {
    return refuse(`its key ${AK_NAME} is no RSA key`);
  }
  const exponent = fromBase64Url(e).reduce((value, byte) => value * 256 + byte, 0);
  if (exponent % 2 === 0 || exponent > 0xffffffff) return refuse(`its key ${AK_NAME} has no proper exponent`);
  return rsaSpki(fromBase64Url(n), exponent);
}

/** Upper-case hex in the reports seen. */
function userDataOf(value: JsonValue | undefined): Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || !/^[0-9a-fA-F]*$/.test(value) || value.length !== 2 * USER_DATA_SIZE) {
    return refuse(`its user data is no hex of ${USER_DATA_SIZE} bytes`);
  }
  return Uint8Array.from(value.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function guarded<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof EvidenceError || !(cause instanceof AdytonError)) throw cause;
    throw new EvidenceError("INVALID_HCL_REPORT", "malformed", cause.message, {
      detail: cause.detail,
      cause,
    });
  }
}

function unknown(field: string, found: number, known: string): EvidenceError {
  return unknownVersion("INVALID_HCL_REPORT", "parse HCL report", field, found, known);
}

function refuse(found: string): never {
  throw new EvidenceError("INVALID_HCL_REPORT", "malformed", `Cannot parse HCL report: ${found}`);
}
