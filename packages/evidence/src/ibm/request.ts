// SPDX-License-Identifier: Apache-2.0
// The attestation request control block: a measurement key and a nonce, readable by the ultravisors of named host keys and
// by whoever made it (s390-tools, uvattest, version 1). Integers are big-endian.

import { type Bytes, concat, isZero } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { hasSeFlag, SE_FLAGS } from "./measurement.ts";
import { invalidSe, unknownSeVersion } from "./refusal.ts";
import { openGcm, sealGcm } from "./symmetric.ts";

/** Who can read a request: the protection key, encrypted to one host key. */
export interface SeKeySlot {
  /** SHA-256 of the host key's coordinates: the public host key hash. */
  readonly phkh: Uint8Array;
  /** The protection key, encrypted, with its tag: 48 bytes. */
  readonly wrapped: Uint8Array;
}

/** A request as it stands. */
export interface SeRequest {
  readonly flags: bigint;
  /** The maker's P-521 key for this request: x and y, each padded on the left to 80 bytes. */
  readonly customerKey: Uint8Array;
  readonly slots: readonly SeKeySlot[];
  readonly iv: Uint8Array;
  /** Measurement key and nonce, encrypted, with their tag. */
  readonly sealed: Uint8Array;
}

/** What only the ultravisor and the maker know. */
export interface SeSecrets {
  /** 64 bytes. */
  readonly measurementKey: Uint8Array;
  /** 16 bytes, or undefined where the flags ask for none. */
  readonly nonce: Uint8Array | undefined;
}

const VERSION_1 = 0x100;
const HEAD = 0x30;
const AUTHENTICATED = 16;
/** Measurement algorithm 1: HMAC-SHA-512. */
const HMAC_SHA_512 = 1;
const SE_CUSTOMER_KEY = 160;
const IV = 12;
const PHKH = 32;
const WRAPPED = 48;
const TAG = 16;
const MEASUREMENT_KEY = 64;
const NONCE = 16;
/** The count is one byte. */
const MAX_SLOTS = 255;

/** Reads a request. Throws `INVALID_SE_EVIDENCE` or `OUT_OF_BOUNDS`. */
export function parseSeRequest(bytes: Uint8Array): SeRequest {
  const reader = new Reader(bytes, "attestation request");
  if (reader.u64be("magic") !== 0n) throw invalid("magic", "another", "zero");
  const version = reader.u32be("version");
  if (version !== VERSION_1) throw unknownSeVersion("attestation request", version.toString(16), "100");
  const size = reader.u32be("size");
  if (size !== bytes.length) throw invalid("size", `${size}`, `${bytes.length}, which is there`);
  const iv = reader.bytes(IV, "IV");
  reserved(reader, 11);
  const count = reader.u8("number of key slots");
  reserved(reader, 4);
  const encrypted = reader.u32be("size of the encrypted area");
  const flags = reader.u64be("flags");
  const algorithm = reader.u32be("measurement algorithm");
  if (algorithm !== HMAC_SHA_512) throw invalid("measurement algorithm", `${algorithm}`, "1 (HMAC-SHA-512)");
  reserved(reader, 4);
  const expected = MEASUREMENT_KEY + (hasSeFlag(flags, SE_FLAGS.nonce) ? NONCE : 0);
  if (encrypted !== expected) throw invalid("size of the encrypted area", `${encrypted}`, `${expected}`);
  if (count === 0) throw invalid("number of key slots", "0", `1 to ${MAX_SLOTS}`);
  const customerKey = reader.bytes(SE_CUSTOMER_KEY, "customer public key");
  const slots = Array.from({ length: count }, (_, i) => ({
    phkh: reader.bytes(PHKH, `key slot ${i}`),
    wrapped: reader.bytes(WRAPPED, `key slot ${i}`),
  }));
  const sealed = reader.bytes(encrypted + TAG, "encrypted area");
  reader.end();
  return { flags, customerKey, slots, iv, sealed };
}

/** Inverse of `parseSeRequest`. */
export function encodeSeRequest(request: SeRequest): Bytes {
  return concat(authenticatedPart(request), request.sealed);
}

/** A request whose encrypted area holds `secrets` under `protectionKey`, 32 bytes. */
export async function sealSeRequest(
  request: Omit<SeRequest, "sealed">,
  secrets: SeSecrets,
  protectionKey: Uint8Array,
): Promise<Bytes> {
  const plain = concat(secrets.measurementKey, secrets.nonce ?? new Uint8Array());
  const head = authenticatedPart({ ...request, sealed: new Uint8Array(plain.length + TAG) });
  return concat(head, await sealGcm(protectionKey, request.iv, head, plain));
}

/**
 * What is encrypted in a request, for whoever has its protection key. Everything else in it is authenticated thereby.
 * Throws `DECRYPTION_FAILED` for another key or a request that was changed, or as `parseSeRequest`.
 */
export async function openSeRequest(bytes: Uint8Array, protectionKey: Uint8Array): Promise<SeSecrets> {
  const { iv, sealed } = parseSeRequest(bytes);
  const head = bytes.subarray(0, bytes.length - sealed.length);
  const plain = await openGcm(protectionKey, iv, head, sealed);
  const nonce = plain.subarray(MEASUREMENT_KEY);
  return {
    measurementKey: plain.subarray(0, MEASUREMENT_KEY),
    nonce: nonce.length === 0 ? undefined : nonce,
  };
}

function authenticatedPart({ flags, customerKey, slots, iv, sealed }: SeRequest): Bytes {
  const size = HEAD + AUTHENTICATED + SE_CUSTOMER_KEY + slots.length * (PHKH + WRAPPED);
  if (slots.length < 1 || slots.length > MAX_SLOTS)
    throw invalid("number of key slots", `${slots.length}`, `1 to ${MAX_SLOTS}`);
  const writer = new Writer(size)
    .zeros(8)
    .u32be(VERSION_1)
    .u32be(size + sealed.length)
    .bytes(iv, IV, "IV")
    .zeros(11)
    .u8(slots.length)
    .zeros(4)
    .u32be(sealed.length - TAG)
    .u32be(Number(flags >> 32n))
    .u32be(Number(flags & 0xffffffffn))
    .u32be(HMAC_SHA_512)
    .zeros(4)
    .bytes(customerKey, SE_CUSTOMER_KEY, "customer public key");
  for (const { phkh, wrapped } of slots) writer.bytes(phkh, PHKH, "phkh").bytes(wrapped, WRAPPED, "key slot");
  return writer.finish();
}

function reserved(reader: Reader, length: number): void {
  if (!isZero(reader.bytes(length, "reserved"))) throw invalid("reserved", "not zero", "zero");
}

function invalid(field: string, found: string, expected: string): Error {
  return invalidSe("attestation request", field, found, expected);
}
