// SPDX-License-Identifier: Apache-2.0
// OCSP responses (RFC 6960), for vendors that revoke by them (NVIDIA). Offline: a response is brought along like a CRL.
// A certificate on hold is a revoked one.

import { type Bytes, equal, toHex } from "@adyton/core/bytes";
import type { HashName, VerifyingCrypto } from "@adyton/core/crypto";
import { type DerValue, parseDer, TAG } from "@adyton/core/der";
import { AdytonError } from "@adyton/core/errors";
import {
  type Certificate,
  extensionValue,
  isSignedBy,
  parseCertificate,
  parseExtensions,
  parseSignatureAlgorithm,
} from "@adyton/core/x509";
import { EvidenceError } from "./errors.ts";

/** What one response says about one certificate. */
export interface OcspStatus {
  readonly hash: HashName;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** As `Certificate.serial`. */
  readonly serial: string;
  readonly status: "good" | "revoked" | "unknown";
  /** CRLReason (RFC 5280 section 5.3.1); undefined where none is given. */
  readonly reason: number | undefined;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
}

/** A BasicOCSPResponse. Nothing in it is verified. */
export interface OcspResponse {
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: Certificate["signatureAlgorithm"];
  readonly signature: Uint8Array;
  readonly statuses: readonly OcspStatus[];
  readonly certificates: readonly Certificate[];
}

/** The kind under which a response travels in a bag of endorsements. */
export const OCSP_KIND = "x509.ocsp";

const BASIC_RESPONSE = "1.3.6.1.5.5.7.48.1.1";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
const MAX_RESPONSE = 64 * 1024;
const HASHES: Readonly<Record<string, HashName>> = {
  "1.3.14.3.2.26": "SHA-1",
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};

/** Whether the bytes begin like a successful OCSPResponse. Never throws. */
export function isOcspResponse(bytes: Uint8Array): boolean {
  const at = bytes[1] !== undefined && bytes[1] >= 0x80 ? 2 + (bytes[1] & 0x7f) : 2;
  return bytes[0] === TAG.SEQUENCE && equal(bytes.subarray(at, at + 3), Uint8Array.of(TAG.ENUMERATED, 1, 0));
}

/** Reads a response (RFC 6960 section 4.2.1). Throws `INVALID_OCSP_RESPONSE`. */
export function parseOcspResponse(der: Uint8Array): OcspResponse {
  if (der.length > MAX_RESPONSE) throw malformed(`${der.length} bytes, at most ${MAX_RESPONSE} are read`);
  try {
    return parse(der);
  } catch (cause) {
    if (!(cause instanceof AdytonError) || cause instanceof EvidenceError) throw cause;
    throw malformed(cause.message, cause);
  }
}

/**
 * The status of `certificate` by a response that its issuer, or a responder that its issuer certified for this, signed
 * and that is current at `at`; undefined when no response speaks of it.
 * Throws `INVALID_OCSP_RESPONSE` when one speaks of it and is not to be believed.
 */
export async function ocspStatusOf(
  certificate: Certificate,
  issuer: Certificate,
  responses: readonly OcspResponse[],
  at: Date,
  crypto: VerifyingCrypto,
): Promise<OcspStatus | undefined> {
  let first: unknown;
  let newest: OcspStatus | undefined;
  for (const response of responses) {
    for (const status of response.statuses) {
      if (!(await speaksOf(status, certificate, issuer, crypto))) continue;
      try {
        await verifyResponse(response, status, issuer, at, crypto);
        // One revocation is enough, whatever a younger response says.
        if (status.status === "revoked") return status;
        if (newest === undefined || status.thisUpdate > newest.thisUpdate) newest = status;
      } catch (error) {
        if (!(error instanceof AdytonError)) throw error;
        first ??= error;
      }
    }
  }
  if (newest === undefined && first !== undefined) throw first;
  return newest;
}

function parse(der: Uint8Array): OcspResponse {
  const [status, wrapped] = parseDer(der, "OCSP response").sequence() as [DerValue?, DerValue?];
  const code = status?.smallInteger(TAG.ENUMERATED);
  if (code !== 0 || wrapped === undefined) throw malformed(`its status is ${code}, expected 0 (successful)`);
  const [responseBytes] = wrapped.elements(0xa0, 1) as [DerValue];
  const [type, basic] = responseBytes.sequence(2) as [DerValue, DerValue];
  if (type.oid() !== BASIC_RESPONSE) throw malformed(`its type is ${type.oid()}, expected ${BASIC_RESPONSE}`);
  const [tbs, algorithm, signature, certs, ...more] = parseDer(
    basic.octetString(),
    "OCSP response",
  ).sequence() as [DerValue?, DerValue?, DerValue?, DerValue?];
  if (tbs === undefined || algorithm === undefined || signature === undefined || more.length > 0) {
    throw malformed("it is not {data, algorithm, signature, certificates}");
  }
  const list = certs === undefined ? [] : (certs.elements(0xa0, 1)[0] as DerValue).sequence();
  return {
    tbs: tbs.encoded,
    signatureAlgorithm: parseSignatureAlgorithm(algorithm),
    signature: signature.bitString(),
    statuses: parseData(tbs),
    certificates: list.map((item) => parseCertificate(item.encoded)),
  };
}

/** ResponseData: version 1, whose default stands unwritten; the responder's id is a hint that is not needed. */
function parseData(tbs: DerValue): OcspStatus[] {
  const fields = tbs.sequence();
  const [responder, producedAt, responses, extensions, ...more] = fields as (DerValue | undefined)[];
  if (!responder?.is(0xa1) && !responder?.is(0xa2))
    throw malformed("it names no responder, or is not version 1");
  producedAt?.time();
  if (responses === undefined || more.length > 0) throw malformed("its data are not those of version 1");
  if (extensions !== undefined) refuseCritical(extensions);
  return responses.sequence().map(parseSingle);
}

function parseSingle(single: DerValue): OcspStatus {
  const [id, status, thisUpdate, ...rest] = single.sequence() as [DerValue?, DerValue?, DerValue?];
  if (id === undefined || status === undefined || thisUpdate === undefined)
    throw malformed("a status is cut short");
  const [algorithm, nameHash, keyHash, serial] = id.sequence(4) as [DerValue, DerValue, DerValue, DerValue];
  const [oid] = algorithm.sequence() as [DerValue?];
  const hash = HASHES[oid?.oid() ?? ""];
  if (hash === undefined) throw malformed("a certificate is identified by an unknown hash");
  const next = (rest as DerValue[]).find((part) => part.is(0xa0));
  const extensions = (rest as DerValue[]).find((part) => part.is(0xa1));
  if (rest.length !== [next, extensions].filter((part) => part !== undefined).length)
    throw malformed("a status has unknown members");
  if (extensions !== undefined) refuseCritical(extensions);
  return {
    hash,
    issuerNameHash: nameHash.octetString(),
    issuerKeyHash: keyHash.octetString(),
    serial: toHex(serial.unsigned()),
    ...parseStatus(status),
    thisUpdate: thisUpdate.time(),
    nextUpdate: (next?.elements(0xa0, 1)[0] as DerValue | undefined)?.time(),
  };
}

/** CertStatus: [0] good, [1] revoked with time and reason, [2] unknown. */
function parseStatus(status: DerValue): Pick<OcspStatus, "status" | "reason"> {
  if (status.is(0x80)) return { status: "good", reason: undefined };
  if (status.is(0x82)) return { status: "unknown", reason: undefined };
  const [time, reason] = status.elements(0xa1) as [DerValue?, DerValue?];
  time?.time();
  const code = reason?.elements(0xa0, 1)[0] as DerValue | undefined;
  return { status: "revoked", reason: code?.smallInteger(TAG.ENUMERATED) };
}

function refuseCritical(wrapper: DerValue): void {
  for (const { oid, critical } of parseExtensions(wrapper).values()) {
    if (critical) throw malformed(`its critical extension ${oid} is unknown`);
  }
}

async function speaksOf(
  status: OcspStatus,
  certificate: Certificate,
  issuer: Certificate,
  crypto: VerifyingCrypto,
): Promise<boolean> {
  return (
    status.serial === certificate.serial &&
    equal(status.issuerNameHash, await crypto.digest(status.hash, issuer.subject.der)) &&
    equal(status.issuerKeyHash, await crypto.digest(status.hash, keyBitsOf(issuer)))
  );
}

/** The BIT STRING of the key without tag, length and unused bits: what issuerKeyHash covers. */
function keyBitsOf(issuer: Certificate): Bytes {
  const [, bits] = parseDer(issuer.spki, "SubjectPublicKeyInfo").sequence(2) as [DerValue, DerValue];
  return Uint8Array.from(bits.bitString());
}

/** RFC 6960 sections 3.2 and 4.2.2.2. Without a next update a response says nothing about any later time. */
async function verifyResponse(
  response: OcspResponse,
  status: OcspStatus,
  issuer: Certificate,
  at: Date,
  crypto: VerifyingCrypto,
): Promise<void> {
  const subject = issuer.subject.text;
  const signer = (await signed(response, issuer, crypto))
    ? issuer
    : await delegateOf(response, issuer, at, crypto);
  if (signer === undefined) {
    throw distrust(`its signature is neither by ${subject} nor by a responder that it certified`);
  }
  const { thisUpdate, nextUpdate } = status;
  if (nextUpdate === undefined) throw distrust("it does not say until when it holds");
  if (at < thisUpdate || at > nextUpdate) {
    throw new EvidenceError(
      "INVALID_OCSP_RESPONSE",
      "endorsements",
      `Cannot use OCSP response about certificates of ${subject}: it holds from ${thisUpdate.toISOString()} to ${nextUpdate.toISOString()}, now is ${at.toISOString()}`,
      { hint: "Fetch a current response." },
    );
  }
}

/** A responder's certificate by the issuer itself, valid, and for this purpose. */
async function delegateOf(
  response: OcspResponse,
  issuer: Certificate,
  at: Date,
  crypto: VerifyingCrypto,
): Promise<Certificate | undefined> {
  for (const candidate of response.certificates) {
    const purposes = extensionValue(candidate.extensions, EXTENDED_KEY_USAGE)?.sequence() ?? [];
    if (
      equal(candidate.issuer.der, issuer.subject.der) &&
      purposes.some((purpose) => purpose.oid() === OCSP_SIGNING) &&
      at >= candidate.notBefore &&
      at <= candidate.notAfter &&
      (await signed(candidate, issuer, crypto)) &&
      (await signed(response, candidate, crypto))
    ) {
      return candidate;
    }
  }
  return undefined;
}

/** A signature that does not even parse is nobody's. */
async function signed(
  what: Parameters<typeof isSignedBy>[0],
  signer: Certificate,
  crypto: VerifyingCrypto,
): Promise<boolean> {
  try {
    return await isSignedBy(what, signer, crypto);
  } catch (error) {
    if (error instanceof AdytonError) return false;
    throw error;
  }
}

function malformed(why: string, cause?: AdytonError): EvidenceError {
  return new EvidenceError(
    "INVALID_OCSP_RESPONSE",
    "malformed",
    `Cannot parse OCSP response: ${why}`,
    cause === undefined ? {} : { cause },
  );
}

function distrust(why: string): EvidenceError {
  return new EvidenceError("INVALID_OCSP_RESPONSE", "not-authentic", `Cannot use OCSP response: ${why}`);
}
