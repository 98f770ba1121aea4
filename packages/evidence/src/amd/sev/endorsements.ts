// SPDX-License-Identifier: Apache-2.0
// Binary certificates as they travel: one after the other, in any order. sevctl exports PDH, PEK, OCA and CEK so, the
// firmware PEK, OCA and CEK, AMD's site ASK and ARK; libvirt and QEMU hand the same out in base64.

import { type Bytes, concat, fromBase64 } from "@adyton/core/bytes";
import { type Endorsements, NO_ENDORSEMENTS, type VendorCertificate } from "../../bag.ts";
import type { EvidenceError } from "../../errors.ts";
import { looksLikeSevCa, parseSevCaCertificate, type SevCaCertificate, sevCaSize } from "./ca.ts";
import {
  looksLikeSevPlatform,
  parseSevPlatformCertificate,
  SEV_PLATFORM_CERTIFICATE_SIZE,
  type SevPlatformCertificate,
} from "./platform.ts";
import { invalidField } from "./refusal.ts";

/** Kinds of `VendorCertificate`. */
export const SEV_CA = "amd.sev-ca";
export const SEV_PLATFORM = "amd.sev-platform";

export type SevCertificate = SevCaCertificate | SevPlatformCertificate;

const MAX_CERTIFICATES = 64;
/** How base64 spells a version from 1 to 15, little-endian. */
const BASE64_START = /^[A-D][AQgw]AAA/;

/**
 * A file of binary certificates, raw or in base64, as a bag; undefined when it is none. Throws
 * `INVALID_SEV_CERTIFICATE` for one that begins as such a certificate and is broken.
 */
export function readSevCertificates(bytes: Uint8Array): Endorsements | undefined {
  const raw = looksLikeSevCertificates(bytes) ? bytes : fromText(bytes);
  if (raw === undefined) return undefined;
  return { ...NO_ENDORSEMENTS, vendorCertificates: splitSevCertificates(raw) };
}

/** Whether `bytes` begin with a binary certificate. */
export function looksLikeSevCertificates(bytes: Uint8Array): boolean {
  return looksLikeSevCa(bytes) || looksLikeSevPlatform(bytes);
}

/** Takes certificates that follow each other apart, each checked. Throws `INVALID_SEV_CERTIFICATE`. */
export function splitSevCertificates(bytes: Uint8Array): VendorCertificate[] {
  const certificates: VendorCertificate[] = [];
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    const isCa = looksLikeSevCa(rest);
    if (!isCa && !looksLikeSevPlatform(rest))
      throw invalid(`what stands at offset ${at}`, "something else", "a certificate");
    if (certificates.length === MAX_CERTIFICATES)
      throw invalid("their number", "larger", `at most ${MAX_CERTIFICATES}`);
    const part = rest.subarray(0, isCa ? sevCaSize(rest) : SEV_PLATFORM_CERTIFICATE_SIZE);
    const certificate = { kind: isCa ? SEV_CA : SEV_PLATFORM, bytes: part };
    parseSevCertificate(certificate);
    certificates.push(certificate);
    at += part.length;
  }
  return certificates;
}

/** Certificates one after the other. */
export function encodeSevCertificates(certificates: readonly VendorCertificate[]): Bytes {
  return concat(...certificates.map(({ bytes }) => bytes));
}

/** SEV's among the certificates of a bag, parsed. Throws `INVALID_SEV_CERTIFICATE`. */
export function sevCertificatesIn(certificates: readonly VendorCertificate[] = []): SevCertificate[] {
  return certificates.filter(({ kind }) => kind === SEV_CA || kind === SEV_PLATFORM).map(parseSevCertificate);
}

/** Of kind `SEV_CA` or `SEV_PLATFORM`, parsed once per object: a bag serves many reports. */
function parseSevCertificate(certificate: VendorCertificate): SevCertificate {
  let parsed = known.get(certificate);
  if (parsed === undefined) {
    // The bytes are the caller's, who may write over them: what is kept is a copy.
    const { kind } = certificate;
    const bytes = Uint8Array.from(certificate.bytes);
    parsed = kind === SEV_CA ? parseSevCaCertificate(bytes) : parseSevPlatformCertificate(bytes);
    known.set(certificate, parsed);
  }
  return parsed;
}
const known = new WeakMap<VendorCertificate, SevCertificate>();

function fromText(bytes: Uint8Array): Bytes | undefined {
  if (!BASE64_START.test(String.fromCharCode(...bytes.subarray(0, 5)))) return undefined;
  try {
    const raw = fromBase64(new TextDecoder().decode(bytes).replace(/\s+/g, ""));
    return looksLikeSevCertificates(raw) ? raw : undefined;
  } catch {
    return undefined;
  }
}

function invalid(field: string, found: unknown, expected: string): EvidenceError {
  return invalidField("INVALID_SEV_CERTIFICATE", "certificates", field, found, expected);
}
