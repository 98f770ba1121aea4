// SPDX-License-Identifier: Apache-2.0
// The Secure Execution header of an image: what the ultravisor measures at start, and what an owner vouches for. s390-tools
// (libpv), boot request control block, version 1. Integers are big-endian.

import { type Bytes, concat, equal, fromUtf8 } from "@adyton/core/bytes";
import { Reader } from "@adyton/core/cursor";
import { type Endorsements, NO_ENDORSEMENTS } from "../bag.ts";
import { invalidSe, unknownSeVersion } from "./refusal.ts";

/** What a measurement covers of a header. */
export interface SeHeaderTags {
  /** Page list digest, 64 bytes. */
  readonly pld: Uint8Array;
  /** Address list digest, 64 bytes. */
  readonly ald: Uint8Array;
  /** Tweak list digest, 64 bytes. */
  readonly tld: Uint8Array;
  /** The header's own authentication tag, 16 bytes: it names the image. */
  readonly tag: Uint8Array;
}

/** The kind under which an image's header travels in a bag of endorsements. */
export const SE_HEADER_KIND = "ibm.se-header";
/** pld, ald, tld and tag, one after the other. */
const SE_TAGS_SIZE = 208;

const MAGIC: Bytes = /* @__PURE__ */ fromUtf8("IBMSecEx");
const VERSION_1 = 0x100;
const DIGEST = 64;
const TAG = 16;
/** IV of 12 bytes, 4 reserved. */
const IV_AND_RESERVED = 16;
/** Bytes before the page list digest: IV, counts, entry point, control flags and the customer's public key. */
const BEFORE_DIGESTS = 0xe0;
const HEAD = 0x1a0;
const KEY_SLOT = 80;
const MAX_HEADER = 16 * 1024;

/** Whether the bytes begin like a header. */
export function isSeHeader(bytes: Uint8Array): boolean {
  return equal(bytes.subarray(0, MAGIC.length), MAGIC);
}

/** A header as an endorsement; undefined for anything else. Throws as `parseSeHeader`. */
export function readSeHeader(bytes: Uint8Array): Endorsements | undefined {
  if (!isSeHeader(bytes)) return undefined;
  parseSeHeader(bytes);
  return { ...NO_ENDORSEMENTS, vendorCertificates: [{ kind: SE_HEADER_KIND, bytes }] };
}

/** The tags of a header. Throws `INVALID_SE_EVIDENCE` or `OUT_OF_BOUNDS`. */
export function parseSeHeader(bytes: Uint8Array): SeHeaderTags {
  const invalid = (field: string, found: string, expected: string): Error =>
    invalidSe("Secure Execution header", field, found, expected);
  if (!isSeHeader(bytes)) throw invalid("magic", "another", "IBMSecEx");
  if (bytes.length > MAX_HEADER) throw invalid("size", `${bytes.length} bytes`, `at most ${MAX_HEADER}`);
  const reader = new Reader(bytes, "Secure Execution header");
  reader.bytes(MAGIC.length, "magic");
  const version = reader.u32be("version");
  if (version !== VERSION_1) throw unknownSeVersion("Secure Execution header", version.toString(16), "100");
  const size = reader.u32be("size");
  if (size !== bytes.length) throw invalid("size", `${size}`, `${bytes.length}, which is there`);
  reader.bytes(IV_AND_RESERVED, "IV");
  const slots = reader.u64be("number of key slots");
  const encrypted = reader.u64be("size of the encrypted area");
  const expected = BigInt(HEAD + TAG) + slots * BigInt(KEY_SLOT) + encrypted;
  if (slots === 0n || expected !== BigInt(size)) {
    throw invalid("size", `${size}`, `${expected}, by its ${slots} key slots and encrypted area`);
  }
  reader.bytes(BEFORE_DIGESTS - reader.offset, "entry point, flags and key");
  const [pld, ald, tld] = [
    reader.bytes(DIGEST, "pld"),
    reader.bytes(DIGEST, "ald"),
    reader.bytes(DIGEST, "tld"),
  ];
  return { pld, ald, tld, tag: bytes.subarray(size - TAG) };
}

/** Tags of their 208 bytes. Throws `INVALID_SE_EVIDENCE`. */
export function parseSeTags(bytes: Uint8Array): SeHeaderTags {
  if (bytes.length !== SE_TAGS_SIZE)
    throw invalidSe("image header tags", "size", `${bytes.length} bytes`, `${SE_TAGS_SIZE}`);
  return {
    pld: bytes.subarray(0, DIGEST),
    ald: bytes.subarray(DIGEST, 2 * DIGEST),
    tld: bytes.subarray(2 * DIGEST, 3 * DIGEST),
    tag: bytes.subarray(3 * DIGEST),
  };
}

/** Inverse of `parseSeTags`. */
export function encodeSeTags({ pld, ald, tld, tag }: SeHeaderTags): Bytes {
  return concat(pld, ald, tld, tag);
}
