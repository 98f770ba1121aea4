// SPDX-License-Identifier: Apache-2.0
// The SEV-SNP attestation report, versions 2 to 5, byte for byte.
// SEV-SNP Firmware ABI (56860) section 7.3, table "ATTESTATION_REPORT structure"; signature: section 10.2.

import { type Bytes, concat, isZero, reversed } from "@adyton/core/bytes";
import { Writer } from "@adyton/core/cursor";
import { EvidenceError, type EvidenceErrorCode, unknownVersion } from "../errors.ts";
import { POLICY_RESERVED_ONE } from "./policy.ts";

/** Bytes of a report. */
export const REPORT_SIZE = 0x4a0;
/** The signature covers everything before it. */
export const SIGNED_SIZE = 0x2a0;
/** VMPL of a report that the host asked for. */
export const VMPL_HOST = 0xffffffff;

const OLDEST_VERSION = 2;
const NEWEST_VERSION = 5;
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
  /** 2 to 5. */
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

/** Reserved areas: [offset, size, from version, to version]. */
const RESERVED: readonly (readonly [offset: number, size: number, from: number, to: number])[] = [
  [0x04c, 4, 2, 5],
  [0x188, 3, 2, 2],
  [0x18b, 21, 2, 5],
  [0x1eb, 1, 2, 5],
  [0x1ef, 1, 2, 5],
  [0x1f8, 16, 2, 4],
  [0x208, 152, 2, 5],
];

/**
 * Parses a report of exactly `REPORT_SIZE` bytes. Byte fields are views, not copies. Throws
 * `UNSUPPORTED_REPORT_FORMAT`, also for a version that is not known, or `RESERVED_NOT_ZERO`.
 */
export function parseReport(bytes: Uint8Array): Report {
  if (bytes.length !== REPORT_SIZE) refuseField("size", 0, bytes.length, `${REPORT_SIZE}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (offset: number, size: number): Uint8Array => bytes.subarray(offset, offset + size);
  const u32 = (offset: number): number => view.getUint32(offset, true);
  const u64 = (offset: number): bigint => view.getBigUint64(offset, true);

  const version = u32(0x000);
  checkVersion(version);
  const policy = u64(0x008);
  if ((policy & POLICY_RESERVED_ONE) === 0n) refuseField("policy bit 17", 0x008, 0, "1");
  const vmpl = u32(0x030);
  if (vmpl > 3 && vmpl !== VMPL_HOST) refuseField("vmpl", 0x030, vmpl, "0 to 3, or FFFFFFFFh");
  const algorithm = u32(0x034);
  if (algorithm !== ECDSA_P384_SHA384)
    refuseField("signature_algo", 0x034, algorithm, "1 (ECDSA P-384, SHA-384)");
  const keyInfo = u32(0x048);
  if (keyInfo >>> 5 !== 0) refuseReserved(0x048, 4);
  for (const [offset, size, from, to] of RESERVED) {
    if (version >= from && version <= to && !isZero(at(offset, size))) refuseReserved(offset, size);
  }
  const firmware = (offset: number): FirmwareVersion => ({
    major: view.getUint8(offset + 2),
    minor: view.getUint8(offset + 1),
    build: view.getUint8(offset),
  });
  return {
    version,
    guestSvn: u32(0x004),
    policy,
    familyId: at(0x010, 16),
    imageId: at(0x020, 16),
    vmpl,
    currentTcb: at(0x038, 8),
    platformInfo: u64(0x040),
    keyInfo: {
      authorKeyEnabled: (keyInfo & 1) !== 0,
      maskChipKey: (keyInfo & 2) !== 0,
      signingKey: (keyInfo >>> 2) & 7,
    },
    reportData: at(0x050, 64),
    measurement: at(0x090, 48),
    hostData: at(0x0c0, 32),
    idKeyDigest: at(0x0e0, 48),
    authorKeyDigest: at(0x110, 48),
    reportId: at(0x140, 32),
    reportIdMa: at(0x160, 32),
    reportedTcb: at(0x180, 8),
    cpuid:
      version < 3
        ? undefined
        : { family: view.getUint8(0x188), model: view.getUint8(0x189), stepping: view.getUint8(0x18a) },
    chipId: at(0x1a0, 64),
    committedTcb: at(0x1e0, 8),
    current: firmware(0x1e8),
    committed: firmware(0x1ec),
    launchTcb: at(0x1f0, 8),
    launchMitVector: version < 5 ? undefined : u64(0x1f8),
    currentMitVector: version < 5 ? undefined : u64(0x200),
    signature: concat(scalar(bytes, SIGNED_SIZE), scalar(bytes, SIGNED_SIZE + SCALAR_FIELD)),
    signedPart: at(0, SIGNED_SIZE),
  };
}

/** The bytes of a report of version 2 to 5. Throws `UNSUPPORTED_REPORT_FORMAT` or `OUT_OF_BOUNDS`. */
export function encodeReport(fields: ReportFields): Bytes {
  const { version, keyInfo, cpuid, signature } = fields;
  checkVersion(version);
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
    .bytes(encodeReportSignature(signature), REPORT_SIZE - SIGNED_SIZE, "signature")
    .finish();
}

/** The signature field of a report, 512 bytes: r and s little-endian. `signature` is r || s, big-endian. */
export function encodeReportSignature(signature: Uint8Array): Bytes {
  return new Writer(REPORT_SIZE - SIGNED_SIZE)
    .bytes(reversed(signature.subarray(0, SCALAR)), SCALAR, "signature r")
    .zeros(SCALAR_FIELD - SCALAR)
    .bytes(reversed(signature.subarray(SCALAR)), SCALAR, "signature s")
    .zeros(SCALAR_FIELD - SCALAR)
    .zeros(SIGNATURE_RESERVED)
    .finish();
}

/** r or s: big-endian, after zeros above it and, above s, to the end. Whether it is in range the verifier checks. */
function scalar(bytes: Uint8Array, offset: number): Bytes {
  const above = offset + SCALAR;
  const end = offset === SIGNED_SIZE ? SIGNED_SIZE + SCALAR_FIELD : REPORT_SIZE;
  if (!isZero(bytes.subarray(above, end))) refuseReserved(above, end - above);
  return reversed(bytes.subarray(offset, above));
}

function checkVersion(version: number): void {
  if (version >= OLDEST_VERSION && version <= NEWEST_VERSION) return;
  const known = `${OLDEST_VERSION} to ${NEWEST_VERSION}`;
  throw unknownVersion("UNSUPPORTED_REPORT_FORMAT", "parse SNP report", "version", version, known);
}

function refuseField(field: string, offset: number, found: unknown, expected: string): never {
  return refuse("UNSUPPORTED_REPORT_FORMAT", field, offset, found, expected);
}

function refuseReserved(offset: number, size: number): never {
  return refuse("RESERVED_NOT_ZERO", `reserved area of ${size} bytes`, offset, "not zero", "zeros");
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
