// SPDX-License-Identifier: Apache-2.0
// The launch session of CSV and CSV2, byte for byte, after csv-rs (src/api/launch): transport keys for a guest, wrapped
// for one platform and signed by the guest's owner.

import { type Bytes, concat, isZero, reversed } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { EvidenceError } from "../errors.ts";

/** Bytes of a session, and how many of them the owner signs. */
export const CSV_SESSION_SIZE = 772;
export const SESSION_SIGNED = 708;
/** Bytes of the field that holds the master secret. */
export const SEALED_FIELD = 256;

/** What the session says of the guest; all zeros unless given. */
export interface CsvGuestIdentity {
  /** 32 bytes. */
  readonly vmDigest: Uint8Array;
  /** 32 bytes. */
  readonly pubkeyDigest: Uint8Array;
  /** 16 bytes. */
  readonly vmId: Uint8Array;
  /** 16 bytes. */
  readonly vmVersion: Uint8Array;
  /** 64 bytes. */
  readonly userData: Uint8Array;
}

export interface CsvSession extends CsvGuestIdentity {
  /** 16 bytes: goes into the master secret. */
  readonly nonce: Uint8Array;
  /** 32 bytes: TEK and TIK, encrypted. */
  readonly wrapTk: Uint8Array;
  /** 16 bytes. */
  readonly wrapIv: Uint8Array;
  /** 32 bytes: over `wrapIv` and `wrapTk`. */
  readonly wrapMac: Uint8Array;
  /** 32 bytes: over policy, sealed master secret and identity. */
  readonly sessionMac: Uint8Array;
  /** 256 bytes: the master secret, encrypted to the PDH. */
  readonly sealedMaster: Uint8Array;
  /** r || s, 64 bytes, big-endian: by the owner. */
  readonly signature: Uint8Array;
}

/** Parses a session of 772 bytes. Throws `INVALID_CSV_SESSION`. */
export function parseCsvSession(bytes: Uint8Array): CsvSession {
  if (bytes.length !== CSV_SESSION_SIZE)
    throw malformed(`its size is ${bytes.length}, expected ${CSV_SESSION_SIZE}`);
  const reader = new Reader(bytes, "CSV launch session");
  const wrapped = {
    nonce: reader.bytes(16, "nonce"),
    wrapTk: reader.bytes(32, "wrap_tk"),
    wrapIv: reader.bytes(16, "wrap_iv"),
    wrapMac: reader.bytes(32, "wrap_mac"),
    sessionMac: reader.bytes(32, "session_mac"),
  };
  if (!isZero(reader.bytes(16 + 148, "key_id, rnd_pub_key_data")))
    throw malformed("its unused fields at offset 128 are not zero, expected zeros");
  const sealedMaster = reader.bytes(SEALED_FIELD, "ms_enc");
  const identity = {
    vmDigest: reader.bytes(32, "vm_digest"),
    pubkeyDigest: reader.bytes(32, "pubkey_digest"),
    vmId: reader.bytes(16, "vm_id"),
    vmVersion: reader.bytes(16, "vm_version"),
    userData: reader.bytes(64, "user_data"),
  };
  const signature = concat(reversed(reader.bytes(32, "r")), reversed(reader.bytes(32, "s")));
  reader.end();
  return { ...wrapped, sealedMaster, ...identity, signature };
}

/** The bytes of a session. Throws `OUT_OF_BOUNDS` for a field of another length. */
export function encodeCsvSession(session: CsvSession): Bytes {
  return new Writer(CSV_SESSION_SIZE)
    .bytes(session.nonce, 16, "nonce")
    .bytes(session.wrapTk, 32, "wrap_tk")
    .bytes(session.wrapIv, 16, "wrap_iv")
    .bytes(session.wrapMac, 32, "wrap_mac")
    .bytes(session.sessionMac, 32, "session_mac")
    .zeros(16 + 148)
    .bytes(session.sealedMaster, SEALED_FIELD, "ms_enc")
    .bytes(encodeIdentity(session), 160, "identity")
    .bytes(reversed(session.signature.subarray(0, 32)), 32, "r")
    .bytes(reversed(session.signature.subarray(32)), 32, "s")
    .finish();
}

/** The 160 bytes that say what guest it is. */
export function encodeIdentity(identity: CsvGuestIdentity): Bytes {
  return new Writer(160)
    .bytes(identity.vmDigest, 32, "vm_digest")
    .bytes(identity.pubkeyDigest, 32, "pubkey_digest")
    .bytes(identity.vmId, 16, "vm_id")
    .bytes(identity.vmVersion, 16, "vm_version")
    .bytes(identity.userData, 64, "user_data")
    .finish();
}

function malformed(why: string): EvidenceError {
  return new EvidenceError("INVALID_CSV_SESSION", "malformed", `Cannot parse CSV launch session: ${why}`);
}
