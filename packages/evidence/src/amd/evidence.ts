// SPDX-License-Identifier: Apache-2.0
// The SEV-SNP attestation report, versions 2 to 5, byte for byte.
// SEV-SNP Firmware ABI (56860) section 7.3, table "ATTESTATION_REPORT structure"; signature: section 10.2.

import { type Bytes, isZero, reversed } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { EvidenceError, type EvidenceErrorCode } from "../errors.ts";
import { POLICY_RESERVED_ONE } from "./policy.ts";

/** Bytes of a report. */
export const REPORT_SIZE = 0x4a0;
/** The signature covers everything before it. */
export const SIGNED_SIZE = 0x2a0;
/** The newest version whose reserved fields are known to be reserved. */
export const NEWEST_VERSION = 5;
/** VMPL of a report that the host asked for. */
export const VMPL_HOST = 0xffffffff;

const OLDEST_VERSION = 2;
const ECDSA_P384_SHA384 = 1;
/** r and s take 72 bytes each, little-endian, of which P-384 fills 48. */
const SCALAR_FIELD = 72;
const SCALAR = 48;
const SIGNATURE_RESERVED = 512 - 2 * SCALAR_FIELD;

export interface Cpuid {
  /** Extended and base family, summed: 19h, 1Ah. */
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
}

export interface FirmwareVersion {
  readonly major: number;
  readonly minor: number;
  readonly build: number;
}

export interface KeyInfo {
  /** The digest of the author key stands in `authorKeyDigest`. */
  readonly authorKeyEnabled: boolean;
  readonly maskChipKey: boolean;
  /** 0 VCEK, 1 VLEK, 7 none; 2 to 6 are reserved. */
  readonly signingKey: number;
}

/** What a report says. TCB versions are raw: their layout depends on the processor (see `tcb.ts`). */
export interface ReportFields {
  /** 2 to 5; later versions are read as 5. */
  readonly version: number;
  readonly guestSvn: number;
  /** See `parsePolicy`. */
  readonly policy: bigint;
  /** 16 bytes. */
  readonly familyId: Uint8Array;
  /** 16 bytes. */
  readonly imageId: Uint8Array;
  /** 0 to 3, or `VMPL_HOST`. */
  readonly vmpl: number;
  /** 8 bytes. */
  readonly currentTcb: Uint8Array;
  /** See `parsePlatformInfo`. */
  readonly platformInfo: bigint;
  readonly keyInfo: KeyInfo;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** 48 bytes: the launch digest. */
  readonly measurement: Uint8Array;
  /** 32 bytes. */
  readonly hostData: Uint8Array;
  /** 48 bytes. */
  readonly idKeyDigest: Uint8Array;
  /** 48 bytes. */
  readonly authorKeyDigest: Uint8Array;
  /** 32 bytes. */
  readonly reportId: Uint8Array;
  /** 32 bytes: the migration agent's report id, all FF when there is none. */
  readonly reportIdMa: Uint8Array;
  /** 8 bytes: the TCB that the signing key was derived for. */
  readonly reportedTcb: Uint8Array;
  /** From version 3 on. */
  readonly cpuid: Cpuid | undefined;
  /** 64 bytes. */
  readonly chipId: Uint8Array;
  /** 8 bytes. */
  readonly committedTcb: Uint8Array;
  readonly current: FirmwareVersion;
  readonly committed: FirmwareVersion;
  /** 8 bytes. */
  readonly launchTcb: Uint8Array;
  /** From version 5 on. */
  readonly launchMitVector: bigint | undefined;
  /** From version 5 on. */
  readonly currentMitVector: bigint | undefined;
  /** 96 bytes: r || s, big-endian. */
  readonly signature: Uint8Array;
}

export interface Report extends ReportFields {
  /** The signed bytes, as received. */
  readonly signedPart: Uint8Array;
}

/**
 * Parses a report. Views, not copies. Throws `UNSUPPORTED_REPORT_FORMAT`, `RESERVED_NOT_ZERO`, `OUT_OF_BOUNDS`
 * or `TRAILING_BYTES`. From version 6 on the fields are read as version 5's and reserved bytes are let through.
 */
export function parseReport(bytes: Uint8Array): Report {
  const reader = new Reader(bytes, "SNP report");
  const version = reader.u32le("version");
  if (version < OLDEST_VERSION) refuseField("version", 0, version, `at least ${OLDEST_VERSION}`);
  const strict = version <= NEWEST_VERSION;
  const reserved = (length: number, field: string): void => {
    const offset = reader.offset;
    const skipped = reader.bytes(length, field);
    if (strict && !isZero(skipped)) refuseReserved(field, offset);
  };

  const guestSvn = reader.u32le("guest_svn");
  const policy = reader.u64le("policy");
  if ((policy & POLICY_RESERVED_ONE) === 0n) refuseField("policy bit 17", 0x008, 0, "1");
  const familyId = reader.bytes(16, "family_id");
  const imageId = reader.bytes(16, "image_id");
  const vmpl = reader.u32le("vmpl");
  if (vmpl > 3 && vmpl !== VMPL_HOST) refuseField("vmpl", 0x030, vmpl, "0 to 3, or FFFFFFFFh");
  const algorithm = reader.u32le("signature_algo");
  if (algorithm !== ECDSA_P384_SHA384)
    refuseField("signature_algo", 0x034, algorithm, "1 (ECDSA P-384 with SHA-384)");
  const currentTcb = reader.bytes(8, "current_tcb");
  const platformInfo = reader.u64le("platform_info");
  const keyInfo = parseKeyInfo(reader.u32le("key_info"), strict);
  reserved(4, "reserved 04Ch");
  const reportData = reader.bytes(64, "report_data");
  const measurement = reader.bytes(48, "measurement");
  const hostData = reader.bytes(32, "host_data");
  const idKeyDigest = reader.bytes(48, "id_key_digest");
  const authorKeyDigest = reader.bytes(48, "author_key_digest");
  const reportId = reader.bytes(32, "report_id");
  const reportIdMa = reader.bytes(32, "report_id_ma");
  const reportedTcb = reader.bytes(8, "reported_tcb");
  let cpuid: Cpuid | undefined;
  if (version >= 3) {
    cpuid = {
      family: reader.u8("cpuid_fam_id"),
      model: reader.u8("cpuid_mod_id"),
      stepping: reader.u8("cpuid_step"),
    };
  } else reserved(3, "reserved 188h");
  reserved(21, "reserved 18Bh");
  const chipId = reader.bytes(64, "chip_id");
  const committedTcb = reader.bytes(8, "committed_tcb");
  const current = readFirmwareVersion(reader, "current");
  reserved(1, "reserved 1EBh");
  const committed = readFirmwareVersion(reader, "committed");
  reserved(1, "reserved 1EFh");
  const launchTcb = reader.bytes(8, "launch_tcb");
  let launchMitVector: bigint | undefined;
  let currentMitVector: bigint | undefined;
  if (version >= 5) {
    launchMitVector = reader.u64le("launch_mit_vector");
    currentMitVector = reader.u64le("current_mit_vector");
  } else reserved(16, "reserved 1F8h");
  reserved(152, "reserved 208h");
  const signature = readSignature(reader);
  reader.end();
  return {
    version,
    guestSvn,
    policy,
    familyId,
    imageId,
    vmpl,
    currentTcb,
    platformInfo,
    keyInfo,
    reportData,
    measurement,
    hostData,
    idKeyDigest,
    authorKeyDigest,
    reportId,
    reportIdMa,
    reportedTcb,
    cpuid,
    chipId,
    committedTcb,
    current,
    committed,
    launchTcb,
    launchMitVector,
    currentMitVector,
    signature,
    signedPart: bytes.subarray(0, SIGNED_SIZE),
  };
}

/** The bytes of a report of version 2 to 5. Throws `UNSUPPORTED_REPORT_FORMAT` or `OUT_OF_BOUNDS`. */
export function encodeReport(fields: ReportFields): Bytes {
  const { version, keyInfo, cpuid, signature } = fields;
  if (version < OLDEST_VERSION || version > NEWEST_VERSION) {
    refuseField("version", 0, version, `${OLDEST_VERSION} to ${NEWEST_VERSION}`);
  }
  const writer = new Writer(REPORT_SIZE)
    .u32le(version)
    .u32le(fields.guestSvn)
    .u64le(fields.policy)
    .bytes(fields.familyId, 16, "family_id")
    .bytes(fields.imageId, 16, "image_id")
    .u32le(fields.vmpl)
    .u32le(ECDSA_P384_SHA384)
    .bytes(fields.currentTcb, 8, "current_tcb")
    .u64le(fields.platformInfo)
    .u32le((keyInfo.authorKeyEnabled ? 1 : 0) | (keyInfo.maskChipKey ? 2 : 0) | (keyInfo.signingKey << 2))
    .zeros(4)
    .bytes(fields.reportData, 64, "report_data")
    .bytes(fields.measurement, 48, "measurement")
    .bytes(fields.hostData, 32, "host_data")
    .bytes(fields.idKeyDigest, 48, "id_key_digest")
    .bytes(fields.authorKeyDigest, 48, "author_key_digest")
    .bytes(fields.reportId, 32, "report_id")
    .bytes(fields.reportIdMa, 32, "report_id_ma")
    .bytes(fields.reportedTcb, 8, "reported_tcb");
  if (version >= 3) {
    if (cpuid === undefined) return refuseField("cpuid", 0x188, "none", "family, model and stepping");
    writer.u8(cpuid.family).u8(cpuid.model).u8(cpuid.stepping);
  } else writer.zeros(3);
  writer
    .zeros(21)
    .bytes(fields.chipId, 64, "chip_id")
    .bytes(fields.committedTcb, 8, "committed_tcb")
    .u8(fields.current.build)
    .u8(fields.current.minor)
    .u8(fields.current.major)
    .zeros(1)
    .u8(fields.committed.build)
    .u8(fields.committed.minor)
    .u8(fields.committed.major)
    .zeros(1)
    .bytes(fields.launchTcb, 8, "launch_tcb");
  if (version >= 5) writer.u64le(fields.launchMitVector ?? 0n).u64le(fields.currentMitVector ?? 0n);
  else writer.zeros(16);
  return writer
    .zeros(152)
    .bytes(reversed(signature.subarray(0, SCALAR)), SCALAR, "signature r")
    .zeros(SCALAR_FIELD - SCALAR)
    .bytes(reversed(signature.subarray(SCALAR)), SCALAR, "signature s")
    .zeros(SCALAR_FIELD - SCALAR)
    .zeros(SIGNATURE_RESERVED)
    .finish();
}

function parseKeyInfo(raw: number, strict: boolean): KeyInfo {
  if (strict && raw >>> 5 !== 0) refuseReserved("key_info bits 31:5", 0x048);
  return { authorKeyEnabled: (raw & 1) !== 0, maskChipKey: (raw & 2) !== 0, signingKey: (raw >>> 2) & 7 };
}

function readFirmwareVersion(reader: Reader, which: string): FirmwareVersion {
  const build = reader.u8(`${which}_build`);
  const minor = reader.u8(`${which}_minor`);
  const major = reader.u8(`${which}_major`);
  return { major, minor, build };
}

/** r and s, little-endian with zeros above, as r || s big-endian. Whether they are in range is the verifier's job. */
function readSignature(reader: Reader): Bytes {
  const signature = new Uint8Array(2 * SCALAR);
  for (const [index, name] of (["r", "s"] as const).entries()) {
    signature.set(reversed(reader.bytes(SCALAR, `signature ${name}`)), index * SCALAR);
    const offset = reader.offset;
    if (!isZero(reader.bytes(SCALAR_FIELD - SCALAR, `signature ${name}`))) {
      refuseReserved(`signature ${name} above 48 bytes`, offset);
    }
  }
  const offset = reader.offset;
  if (!isZero(reader.bytes(SIGNATURE_RESERVED, "signature"))) refuseReserved("signature above s", offset);
  return signature;
}

function refuseField(field: string, offset: number, found: unknown, expected: string): never {
  return refuse("UNSUPPORTED_REPORT_FORMAT", field, offset, found, expected);
}

function refuseReserved(field: string, offset: number): never {
  return refuse("RESERVED_NOT_ZERO", field, offset, "other bytes", "zeros");
}

function refuse(
  code: EvidenceErrorCode,
  field: string,
  offset: number,
  found: unknown,
  expected: string,
): never {
  throw new EvidenceError(
    code,
    "malformed",
    `Cannot parse SNP report: ${field} is ${found} at offset ${offset}, expected ${expected}`,
    { detail: { field, offset, found, expected } },
  );
}
