// SPDX-License-Identifier: Apache-2.0
// Hygon's certificates as endorsements: out of files (hrk.cert, hsk_cek.cert, a platform's chain) into the bag, and out
// of the bag for verification.

import { equal, fromHex, fromUtf8 } from "@adyton/core/bytes";
import { type Endorsements, NO_ENDORSEMENTS, type VendorCertificate } from "../bag.ts";
import {
  CSV_CA_SIZE,
  CSV_CERTIFICATE_SIZE,
  type CsvCa,
  type CsvCertificate,
  isCsvCa,
  isCsvCertificate,
  parseCsvCa,
  parseCsvCertificate,
} from "./certificates.ts";

/** Kinds of Hygon's certificates in the bag: HRK and HSK; CEK, PEK, OCA and PDH. */
export const CSV_CA_KIND = "hygon.ca";
export const CSV_PLATFORM_KIND = "hygon.platform";

/** What a chain ends in. */
export interface CsvRoot {
  /** 16 bytes. */
  readonly keyId: Uint8Array;
  /** x || y, 64 bytes. */
  readonly publicKey: Uint8Array;
  readonly userId: Uint8Array;
}

/** Hygon's root, whole: the key that its hrk.cert certifies, so that nobody needs that file. */
export const PINNED_HRK: CsvRoot & { readonly sha256: string } = {
  /** Of the 832 bytes of hrk.cert. */
  sha256: "296efa97580464aca0ab5eefe42199ee05862182508d1629f29cf4dc175b10cd",
  keyId: fromHex("3ae86a9701355cce333a589de21583d7"),
  publicKey: fromHex(
    "be62e14d62a4f14cf3d702db09563a75c80935e785cd1f502af5f21d92c2f62d" +
      "3bab123a57bb7015584f8b97164e95384a640c10b9be884738744d68b41eb946",
  ),
  userId: fromUtf8("HYGON-SSD-HRK"),
};

/** Of a bag, the certificates that are Hygon's, parsed. */
export interface HygonCertificates {
  readonly authorities: readonly CsvCa[];
  readonly platform: readonly CsvCertificate[];
}

/** A file of Hygon certificates one after the other, in any order; undefined when it is none. */
export function readHygonCertificates(bytes: Uint8Array): Endorsements | undefined {
  const found: VendorCertificate[] = [];
  for (let at = 0; at < bytes.length; ) {
    const authority = bytes.subarray(at, at + CSV_CA_SIZE);
    const platform = bytes.subarray(at, at + CSV_CERTIFICATE_SIZE);
    if (isCsvCa(authority)) found.push({ kind: CSV_CA_KIND, bytes: parseCsvCa(authority).bytes });
    else if (isCsvCertificate(platform))
      found.push({ kind: CSV_PLATFORM_KIND, bytes: parseCsvCertificate(platform).bytes });
    else return undefined;
    at += found.at(-1)?.bytes.length ?? bytes.length;
  }
  return found.length === 0 ? undefined : { ...NO_ENDORSEMENTS, vendorCertificates: found };
}

/** Hygon's certificates in a bag. Throws `INVALID_CSV_CERTIFICATE` or `RESERVED_NOT_ZERO` when one is not well-formed. */
export function hygonCertificatesIn(bag: Endorsements | undefined): HygonCertificates {
  const authorities: CsvCa[] = [];
  const platform: CsvCertificate[] = [];
  for (const item of bag?.vendorCertificates ?? []) {
    if (item.kind === CSV_CA_KIND) authorities.push(parsedOnce(item, cas, parseCsvCa));
    if (item.kind === CSV_PLATFORM_KIND) platform.push(parsedOnce(item, certificates, parseCsvCertificate));
  }
  return { authorities, platform };
}

/** A bag outlives many verifications: what it holds is parsed once, as a copy. */
function parsedOnce<Parsed extends { readonly bytes: Uint8Array }>(
  item: VendorCertificate,
  known: WeakMap<VendorCertificate, Parsed>,
  parse: (bytes: Uint8Array) => Parsed,
): Parsed {
  const before = known.get(item);
  if (before !== undefined && equal(before.bytes, item.bytes)) return before;
  const parsed = parse(Uint8Array.from(item.bytes));
  known.set(item, parsed);
  return parsed;
}
const cas = new WeakMap<VendorCertificate, CsvCa>();
const certificates = new WeakMap<VendorCertificate, CsvCertificate>();
