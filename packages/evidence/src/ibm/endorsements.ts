// SPDX-License-Identifier: Apache-2.0
// Host-key documents: certificates of the keys that only the ultravisor of one machine has. They stand under IBM's signing
// service, whose certificate is no CA's, and that under a public CA; IBM's procedure checks every list on the way.

import { type Bytes, equal, padRight, reversed } from "@adyton/core/bytes";
import { type VerifiedChain, verifyChain } from "@adyton/core/chain";
import type { CertificateRevocationList } from "@adyton/core/crl";
import { pointOfSpki, type VerifyingCrypto } from "@adyton/core/crypto";
import { CoreError, type CoreErrorCode, type ErrorCategory } from "@adyton/core/errors";
import { type Certificate, isSignedBy } from "@adyton/core/x509";
import { selectAnchors, trustOf } from "../anchors.ts";
import { EvidenceError } from "../errors.ts";
import { checkTime } from "../time.ts";
import type { Trust } from "../verified.ts";
import { isSameService, isSigningServiceName } from "./names.ts";

/**
 * SHA-256 of the certificates that IBM's signing service stands under: "DigiCert Trusted Root G4". It is a public CA's, so
 * that the name of the signing service is part of what is checked.
 */
const IBM_ROOTS: ReadonlySet<string> = new Set([
  "552f7bdcf1a7af9e6ce672017f4f12abf77240c78e761ac203d1d9d20ac89988",
]);

declare const brand: unique symbol;

/** A host key that IBM vouches for. Only `verifyHostKeyDocument` makes one. */
export interface VerifiedHostKey {
  readonly [brand]: true;
  readonly document: Certificate;
  /** SHA-256 of the key's coordinates, as requests and answers name it. */
  readonly phkh: Uint8Array;
  /** Document, signing service, CAs; the root last. */
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
  readonly trust: Trust;
  readonly validUntil: Date;
}

export interface HostKeyOptions {
  readonly now: Date;
  /** The signing service's certificate and the CAs above it, in any order; others do no harm. */
  readonly certificates: readonly Certificate[];
  /** Of the signing service and of every CA. */
  readonly crls: readonly CertificateRevocationList[];
  /** Named besides the pinned one. */
  readonly roots: readonly Certificate[];
  readonly crypto: VerifyingCrypto;
}

const CURVE = "P-521";
/** A coordinate, padded on the left. */
const COORDINATE = 80;
const KEY_AGREEMENT = 4;
const genuine = new WeakSet<object>();

/** Whether the certificate has the form of a host-key document: a P-521 key for key agreement. */
export function isHostKeyDocument(certificate: Certificate): boolean {
  const { key, keyUsage } = certificate;
  return key.name === "EC" && key.curve === CURVE && keyUsage?.has(KEY_AGREEMENT) === true;
}

/** x and y of a P-521 key, each padded on the left to 80 bytes. Throws `INVALID_SE_HOST_KEY`. */
export function coordinatesOf(spki: Uint8Array): Bytes {
  const xy = pointOfSpki(CURVE, spki);
  if (xy === undefined) throw invalidHostKey("its key is no uncompressed point on P-521");
  const half = xy.length / 2;
  const out = new Uint8Array(2 * COORDINATE);
  for (const [i, at] of [0, half].entries()) {
    const padded = reversed(padRight(reversed(xy.subarray(at, at + half)), COORDINATE));
    out.set(padded, i * COORDINATE);
  }
  return out;
}

/** The public host key hash of a P-521 key. Throws `INVALID_SE_HOST_KEY`. */
export async function phkhOf(spki: Uint8Array, crypto: VerifyingCrypto): Promise<Bytes> {
  return crypto.digest("SHA-256", coordinatesOf(spki));
}

/**
 * Establishes that IBM vouches for a host key. Revocation is always checked, as IBM's procedure demands.
 * Throws `INVALID_SE_HOST_KEY`, or a `CoreError` as `verifyChain` and `verifyCrl` do.
 */
export async function verifyHostKeyDocument(
  document: Certificate,
  options: HostKeyOptions,
): Promise<VerifiedHostKey> {
  const { now, certificates, crls, roots, crypto } = options;
  checkTime(now, "host-key document");
  if (!isHostKeyDocument(document)) {
    throw invalidHostKey(`${document.subject.text} has no P-521 key for key agreement`);
  }
  const services = certificates.filter(
    (each) => isSigningServiceName(each.subject) && isSameService(each.subject, document.issuer),
  );
  const signers = await signersOf(document, services, crypto);
  const anchors = await selectAnchors(certificates, IBM_ROOTS, roots, crypto);
  let first: unknown;
  for (const service of signers) {
    try {
      const chain = await verifyChain({
        leaf: service,
        pool: certificates,
        anchors: anchors.map(({ certificate }) => certificate),
        at: now,
        crls,
        crypto,
      });
      const list = await checkDocument(document, service, crls, now, crypto);
      return seal(document, await phkhOf(document.spki, crypto), chain, list, (root) =>
        trustOf(anchors, root),
      );
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/** Throws `NOT_VERIFIED` unless `hostKey` came from `verifyHostKeyDocument`. */
export function assertHostKey(hostKey: VerifiedHostKey): void {
  if (!genuine.has(hostKey)) {
    throw new EvidenceError(
      "NOT_VERIFIED",
      "misuse",
      "Cannot use host key: it did not come from verifyHostKeyDocument",
    );
  }
}

/** The services whose key signed the document. Throws when there is none. */
async function signersOf(
  document: Certificate,
  services: readonly Certificate[],
  crypto: VerifyingCrypto,
): Promise<Certificate[]> {
  if (services.length === 0) {
    throw new CoreError(
      "ISSUER_NOT_FOUND",
      "endorsements",
      `Cannot verify host-key document: the certificate of ${document.issuer.text} is missing, or it is not IBM's signing service`,
      {
        detail: { issuer: document.issuer.text },
        hint: "Supply ibm-z-host-key-signing.crt of its generation.",
      },
    );
  }
  const signers: Certificate[] = [];
  for (const service of services) {
    const { subjectKeyId } = service;
    const named =
      document.authorityKeyId === undefined ||
      subjectKeyId === undefined ||
      equal(document.authorityKeyId, subjectKeyId);
    if (named && (await isSignedBy(document, service, crypto))) signers.push(service);
  }
  if (signers.length === 0) {
    throw distrust("CERTIFICATE_SIGNATURE", "not-authentic", document, "no signing service given signed it");
  }
  return signers;
}

/** Dates and revocation of the document itself: the newest list that holds. */
async function checkDocument(
  document: Certificate,
  service: Certificate,
  crls: readonly CertificateRevocationList[],
  now: Date,
  crypto: VerifyingCrypto,
): Promise<CertificateRevocationList> {
  if (now < document.notBefore)
    throw distrust("CERTIFICATE_NOT_YET_VALID", "endorsements", document, "its time has not come");
  if (now > document.notAfter)
    throw distrust(
      "CERTIFICATE_EXPIRED",
      "endorsements",
      document,
      `valid until ${document.notAfter.toISOString()}`,
    );
  const named = crls
    .filter((crl) => isSameService(crl.issuer, service.subject))
    .sort((a, b) => b.thisUpdate.getTime() - a.thisUpdate.getTime());
  let best: CoreError | undefined;
  for (const crl of named) {
    const fault = await faultOf(crl, service, now, crypto);
    if (fault === undefined) {
      const when = crl.revoked.get(document.serial);
      if (when === undefined) return crl;
      throw distrust("CERTIFICATE_REVOKED", "not-authentic", document, `revoked ${when.toISOString()}`);
    }
    if (best === undefined || (best.category !== "endorsements" && fault.category === "endorsements")) {
      best = fault;
    }
  }
  throw (
    best ??
    new CoreError(
      "CRL_MISSING",
      "endorsements",
      `Cannot check revocation: no CRL of ${service.subject.text} was given`,
      { detail: { issuer: service.subject.text }, hint: "Supply ibm-z-host-key.crl of its generation." },
    )
  );
}

/** Why a list of the signing service does not do. Its key may sign lists although its key usage does not say so. */
async function faultOf(
  crl: CertificateRevocationList,
  service: Certificate,
  now: Date,
  crypto: VerifyingCrypto,
): Promise<CoreError | undefined> {
  const fault = (code: CoreErrorCode, category: ErrorCategory, why: string): CoreError =>
    new CoreError(code, category, `Cannot use CRL of ${crl.issuer.text}: ${why}`, {
      detail: { crl: crl.issuer.text },
    });
  for (const { oid, critical } of crl.extensions.values()) {
    if (critical)
      return fault("UNKNOWN_CRITICAL_EXTENSION", "not-authentic", `critical extension ${oid} is unknown`);
  }
  const { authorityKeyId } = crl;
  const { subjectKeyId } = service;
  if (authorityKeyId !== undefined && subjectKeyId !== undefined && !equal(authorityKeyId, subjectKeyId)) {
    return fault("CRL_UNKNOWN_ISSUER", "not-authentic", "it names another key than the signing service's");
  }
  if (!(await isSignedBy(crl, service, crypto)))
    return fault("CRL_SIGNATURE", "not-authentic", "its signature is invalid");
  if (now < crl.thisUpdate)
    return fault("CRL_NOT_YET_VALID", "endorsements", `issued ${crl.thisUpdate.toISOString()}`);
  if (now > crl.nextUpdate)
    return fault("CRL_EXPIRED", "endorsements", `its next update was due ${crl.nextUpdate.toISOString()}`);
  return undefined;
}

function seal(
  document: Certificate,
  phkh: Uint8Array,
  chain: VerifiedChain,
  list: CertificateRevocationList,
  trusted: (root: Certificate) => Trust,
): VerifiedHostKey {
  const ends = [chain.validUntil, document.notAfter, list.nextUpdate].map((date) => date.getTime());
  const fields: Omit<VerifiedHostKey, typeof brand> = {
    document,
    phkh,
    certificates: [document, ...chain.certificates],
    crls: [list, ...chain.crls],
    trust: trusted(chain.certificates.at(-1) as Certificate),
    validUntil: new Date(Math.min(...ends)),
  };
  const hostKey = Object.freeze({ ...fields }) as VerifiedHostKey;
  genuine.add(hostKey);
  return hostKey;
}

function invalidHostKey(why: string): EvidenceError {
  return new EvidenceError("INVALID_SE_HOST_KEY", "malformed", `Cannot use host-key document: ${why}`);
}

function distrust(
  code: CoreErrorCode,
  category: ErrorCategory,
  document: Certificate,
  why: string,
): CoreError {
  return new CoreError(code, category, `Cannot trust host-key document ${document.serial}: ${why}`, {
    detail: { subject: document.subject.text, serial: document.serial },
  });
}
