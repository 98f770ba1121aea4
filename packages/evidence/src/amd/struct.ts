// SPDX-License-Identifier: Apache-2.0
// A report as the `sev` Rust crate serialises its AttestationReport (versions 6 and later): byte arrays, nested TCB
// versions, nulls for what a report version does not have.

import { concat, isZero, reversed } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { EvidenceError } from "../errors.ts";
import type { Cpuid, FirmwareVersion, Report, ReportFields } from "./evidence.ts";
import { layoutOf } from "./products.ts";
import { encodeTcbVersion, parseTcbVersion, type TcbVersion } from "./tcb.ts";

/** r and s: little-endian, 72 bytes, of which P-384 fills 48. */
const SCALAR_FIELD = 72;
const SCALAR = 48;

/**
 * The fields of a struct. Members that are not the struct's are ignored: what the report said is signed, so a lost
 * field shows in the signature. Throws `INVALID_ENVELOPE`.
 */
export function reportFromStruct(struct: JsonObject): ReportFields {
  const u32 = (name: string): number => integerMember(struct[name], name, 0xffffffff);
  const word = (name: string): bigint => BigInt(integerMember(struct[name], name, Number.MAX_SAFE_INTEGER));
  const bytes = (name: string, length: number): Uint8Array => bytesMember(struct[name], length, name);
  const optional = (name: string): bigint | undefined =>
    (struct[name] ?? null) === null ? undefined : word(name);
  const algorithm = u32("sig_algo");
  if (algorithm !== 1) throw invalidMember("sig_algo", algorithm, "1");
  const keyInfo = u32("key_info");
  if (keyInfo > 31) throw invalidMember("key_info", keyInfo, "0 to 31");
  return {
    version: u32("version"),
    guestSvn: u32("guest_svn"),
    policy: word("policy"),
    familyId: bytes("family_id", 16),
    imageId: bytes("image_id", 16),
    vmpl: u32("vmpl"),
    currentTcb: tcbMember(struct, "current_tcb"),
    platformInfo: word("plat_info"),
    keyInfo: {
      authorKeyEnabled: (keyInfo & 1) !== 0,
      maskChipKey: (keyInfo & 2) !== 0,
      signingKey: keyInfo >>> 2,
    },
    reportData: bytes("report_data", 64),
    measurement: bytes("measurement", 48),
    hostData: bytes("host_data", 32),
    idKeyDigest: bytes("id_key_digest", 48),
    authorKeyDigest: bytes("author_key_digest", 48),
    reportId: bytes("report_id", 32),
    reportIdMa: bytes("report_id_ma", 32),
    reportedTcb: tcbMember(struct, "reported_tcb"),
    cpuid: cpuidMember(struct),
    chipId: bytes("chip_id", 64),
    committedTcb: tcbMember(struct, "committed_tcb"),
    current: firmwareMember(struct, "current"),
    committed: firmwareMember(struct, "committed"),
    launchTcb: tcbMember(struct, "launch_tcb"),
    launchMitVector: optional("launch_mit_vector"),
    currentMitVector: optional("current_mit_vector"),
    signature: signatureMember(struct),
  };
}

/** The struct of a report. Throws `UNSUPPORTED_REPORT_FORMAT` when a word exceeds what JSON carries exactly. */
export function reportToStruct(report: Report): JsonObject {
  const layout = layoutOf(report);
  const tcb = (raw: Uint8Array): JsonObject => ({ fmc: null, ...parseTcbVersion(raw, layout) });
  const { keyInfo, cpuid, launchMitVector, currentMitVector } = report;
  return {
    version: report.version,
    guest_svn: report.guestSvn,
    policy: exact(report.policy, "policy"),
    family_id: [...report.familyId],
    image_id: [...report.imageId],
    vmpl: report.vmpl,
    sig_algo: 1,
    current_tcb: tcb(report.currentTcb),
    plat_info: exact(report.platformInfo, "platform_info"),
    key_info: (keyInfo.authorKeyEnabled ? 1 : 0) | (keyInfo.maskChipKey ? 2 : 0) | (keyInfo.signingKey << 2),
    report_data: [...report.reportData],
    measurement: [...report.measurement],
    host_data: [...report.hostData],
    id_key_digest: [...report.idKeyDigest],
    author_key_digest: [...report.authorKeyDigest],
    report_id: [...report.reportId],
    report_id_ma: [...report.reportIdMa],
    reported_tcb: tcb(report.reportedTcb),
    cpuid_fam_id: cpuid?.family ?? null,
    cpuid_mod_id: cpuid?.model ?? null,
    cpuid_step: cpuid?.stepping ?? null,
    chip_id: [...report.chipId],
    committed_tcb: tcb(report.committedTcb),
    current: { ...report.current },
    committed: { ...report.committed },
    launch_tcb: tcb(report.launchTcb),
    launch_mit_vector: launchMitVector === undefined ? null : exact(launchMitVector, "launch_mit_vector"),
    current_mit_vector: currentMitVector === undefined ? null : exact(currentMitVector, "current_mit_vector"),
    signature: {
      r: scalarBytes(report.signature.subarray(0, SCALAR)),
      s: scalarBytes(report.signature.subarray(SCALAR)),
    },
  };
}

/** `value` as a JSON object. Throws `INVALID_ENVELOPE`. */
export function objectMember(value: JsonValue | undefined, name: string): JsonObject {
  if (!isJsonObject(value)) throw invalidMember(name, typeName(value), "an object");
  return value;
}

/** `value` as an array of bytes, exactly `length` of them, or at most `limit`. Throws `INVALID_ENVELOPE`. */
export function bytesMember(
  value: JsonValue | undefined,
  length: number | undefined,
  name: string,
  limit: number = length ?? 0,
): Uint8Array {
  if (!Array.isArray(value)) throw invalidMember(name, typeName(value), "an array of bytes");
  if (value.length > limit || (length !== undefined && value.length !== length)) {
    throw invalidMember(
      name,
      `${value.length} bytes`,
      length === undefined ? `at most ${limit}` : `${length}`,
    );
  }
  return Uint8Array.from(value, (byte: JsonValue, index) => integerMember(byte, `${name}[${index}]`, 0xff));
}

/** The refusal of a member of the protocol's JSON. */
export function invalidMember(name: string, found: unknown, expected: string): EvidenceError {
  return new EvidenceError(
    "INVALID_ENVELOPE",
    "malformed",
    `Cannot read SNP evidence: ${name} is ${found}, expected ${expected}`,
    { detail: { field: name, found, expected } },
  );
}

function integerMember(value: JsonValue | undefined, name: string, most: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > most) {
    throw invalidMember(
      name,
      typeof value === "number" ? value : typeName(value),
      `an integer up to ${most}`,
    );
  }
  return value;
}

function tcbMember(struct: JsonObject, name: string): Uint8Array {
  const tcb = objectMember(struct[name], name);
  const svn = (part: keyof TcbVersion): number => integerMember(tcb[part], `${name}.${part}`, 0xff);
  return encodeTcbVersion({
    ...((tcb.fmc ?? null) === null ? {} : { fmc: svn("fmc") }),
    bootloader: svn("bootloader"),
    tee: svn("tee"),
    snp: svn("snp"),
    microcode: svn("microcode"),
  });
}

function firmwareMember(struct: JsonObject, name: string): FirmwareVersion {
  const version = objectMember(struct[name], name);
  const part = (which: keyof FirmwareVersion): number =>
    integerMember(version[which], `${name}.${which}`, 0xff);
  return { major: part("major"), minor: part("minor"), build: part("build") };
}

function cpuidMember(struct: JsonObject): Cpuid | undefined {
  if ((struct.cpuid_fam_id ?? null) === null) return undefined;
  const part = (name: string): number => integerMember(struct[name], name, 0xff);
  return { family: part("cpuid_fam_id"), model: part("cpuid_mod_id"), stepping: part("cpuid_step") };
}

function signatureMember(struct: JsonObject): Uint8Array {
  const signature = objectMember(struct.signature, "signature");
  const scalars = (["r", "s"] as const).map((name) => {
    const field = bytesMember(signature[name], SCALAR_FIELD, `signature.${name}`);
    if (!isZero(field.subarray(SCALAR)))
      throw invalidMember(`signature.${name}`, "more than 384 bits", "48 bytes and zeros");
    return reversed(field.subarray(0, SCALAR));
  });
  return concat(...scalars);
}

function scalarBytes(bigEndian: Uint8Array): number[] {
  return [...concat(reversed(bigEndian), new Uint8Array(SCALAR_FIELD - SCALAR))];
}

function exact(word: bigint, field: string): number {
  if (word <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(word);
  throw new EvidenceError(
    "UNSUPPORTED_REPORT_FORMAT",
    "malformed",
    `Cannot write SNP report as JSON: ${field} is ${word}, expected at most 2^53 - 1`,
    { detail: { field, found: word.toString() } },
  );
}

function typeName(value: JsonValue | undefined): string {
  return value === null || value === undefined
    ? "missing"
    : Array.isArray(value)
      ? "an array"
      : `of type ${typeof value}`;
}
