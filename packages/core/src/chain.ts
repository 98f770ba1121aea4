// SPDX-License-Identifier: Apache-2.0
// Certification paths (RFC 5280 section 6, without policies and name constraints): built from a pool, ended at an
// anchor that the caller trusts, every certificate checked for signature, dates, role and revocation.

import { equal } from "./bytes.ts";
import { type CertificateRevocationList, verifyCrl } from "./crl.ts";
import { type VerifyingCrypto, verifyingCrypto } from "./crypto.ts";
import { CoreError, type CoreErrorCode, type ErrorCategory } from "./errors.ts";
import { type Certificate, isSignedBy, KEY_USAGE, OID } from "./x509.ts";

export interface ChainRequest {
  readonly leaf: Certificate;
  /** Certificates that may stand between leaf and anchor, anchors included or not, in any order. */
  readonly pool: readonly Certificate[];
  /** Self-signed certificates that are trusted by themselves. Empty is an error, never a pass. */
  readonly anchors: readonly Certificate[];
  readonly at: Date;
  /**
   * `"unchecked"` skips revocation, which the caller must report. With lists, every certificate but the anchor
   * must be covered by a valid CRL of its issuer. Where a vendor revokes only part of a chain (AMD), pass
   * `"unchecked"` and call `checkRevocation` for the part that is covered.
   */
  readonly crls: "unchecked" | readonly CertificateRevocationList[];
  readonly crypto?: VerifyingCrypto;
  /** Most certificates a chain may have, anchor included. */
  readonly maxLength?: number;
  /** Critical extensions that the caller processes itself, by OID. */
  readonly understood?: ReadonlySet<string>;
}

export interface VerifiedChain {
  /** Leaf first, anchor last. */
  readonly certificates: readonly Certificate[];
  /** CRLs that were used, in chain order. */
  readonly crls: readonly CertificateRevocationList[];
  /** The chain and its CRLs hold from here… */
  readonly validFrom: Date;
  /** …to here. */
  readonly validUntil: Date;
}

const MAX_LENGTH = 5;
const UNDERSTOOD: ReadonlySet<string> = new Set([OID.basicConstraints, OID.keyUsage]);

/**
 * Builds and verifies the path from `leaf` to an anchor.
 * Throws a `CoreError`: `NO_TRUST_ANCHOR`, `INVALID_TIME`, `ISSUER_NOT_FOUND`, `ROOT_NOT_TRUSTED`, `CHAIN_TOO_LONG`, `NOT_A_CA`,
 * `PATH_LENGTH_EXCEEDED`, `KEY_USAGE`, `UNKNOWN_CRITICAL_EXTENSION`, `CERTIFICATE_SIGNATURE`, `CERTIFICATE_EXPIRED`,
 * `CERTIFICATE_NOT_YET_VALID`, `CERTIFICATE_REVOKED`, `CRL_…`.
 */
export async function verifyChain(request: ChainRequest): Promise<VerifiedChain> {
  const { anchors, at, crypto = verifyingCrypto } = request;
  if (anchors.length === 0) {
    throw new CoreError(
      "NO_TRUST_ANCHOR",
      "endorsements",
      "Cannot verify certificate chain: no trust anchor was given",
    );
  }
  if (Number.isNaN(at.getTime()))
    throw new CoreError("INVALID_TIME", "misuse", "Cannot verify certificate chain: the time is no date");
  const path = await buildPath(request, crypto);
  const anchor = path.at(-1) as Certificate;
  for (const [index, certificate] of path.entries()) {
    checkValidity(certificate, at);
    checkExtensions(certificate, request.understood);
    if (index > 0) checkAuthority(certificate, index - 1);
  }
  if (!(await isSignedBy(anchor, anchor, crypto))) {
    throw refuse("CERTIFICATE_SIGNATURE", "not-authentic", anchor, "its self-signature is invalid");
  }
  const crls: CertificateRevocationList[] = [];
  if (request.crls !== "unchecked") {
    for (const [index, issuer] of path.slice(1).entries()) {
      crls.push(await checkRevocation(path[index] as Certificate, issuer, request.crls, at, crypto));
    }
  }
  return {
    certificates: path,
    crls,
    validFrom: latest([...path.map((c) => c.notBefore), ...crls.map((c) => c.thisUpdate)]),
    validUntil: earliest([...path.map((c) => c.notAfter), ...crls.map((c) => c.nextUpdate)]),
  };
}

/** The CRL that shows `certificate` to be unrevoked. Throws `CERTIFICATE_REVOKED`, or as `findCrl`. */
export async function checkRevocation(
  certificate: Certificate,
  issuer: Certificate,
  crls: readonly CertificateRevocationList[],
  at: Date,
  crypto: VerifyingCrypto = verifyingCrypto,
): Promise<CertificateRevocationList> {
  const crl = await findCrl(crls, issuer, at, crypto);
  const when = crl.revoked.get(certificate.serial);
  if (when !== undefined) {
    throw refuse(
      "CERTIFICATE_REVOKED",
      "not-authentic",
      certificate,
      `serial ${certificate.serial} was revoked ${when.toISOString()}`,
    );
  }
  return crl;
}

/** True for a certificate whose issuer is its subject. */
export function isSelfIssued(certificate: Certificate): boolean {
  return equal(certificate.issuer.der, certificate.subject.der);
}

/** Leaf to anchor, each signed by the next. Candidates are tried until one's key fits, because names may repeat. */
async function buildPath(request: ChainRequest, crypto: VerifyingCrypto): Promise<Certificate[]> {
  const { leaf, pool, anchors, at, maxLength = MAX_LENGTH } = request;
  const path = [leaf];
  for (;;) {
    const current = path.at(-1) as Certificate;
    if (anchors.some((anchor) => equal(anchor.der, current.der))) return path;
    if (isSelfIssued(current) && (await isSignedBy(current, current, crypto))) {
      throw refuse(
        "ROOT_NOT_TRUSTED",
        "not-authentic",
        current,
        "the chain ends in this root, which is not a trust anchor",
      );
    }
    if (path.length === maxLength)
      throw refuse("CHAIN_TOO_LONG", "not-authentic", leaf, `its chain is longer than ${maxLength}`);
    path.push(await findIssuer(current, [...anchors, ...pool], at, crypto));
  }
}

async function findIssuer(
  subject: Certificate,
  candidates: readonly Certificate[],
  at: Date,
  crypto: VerifyingCrypto,
): Promise<Certificate> {
  const named = candidates.filter(
    (candidate) => equal(candidate.subject.der, subject.issuer.der) && candidate !== subject,
  );
  if (named.length === 0) {
    throw new CoreError(
      "ISSUER_NOT_FOUND",
      "endorsements",
      `Cannot verify certificate ${subject.subject.text}: its issuer ${subject.issuer.text} is missing`,
      {
        detail: { subject: subject.subject.text, issuer: subject.issuer.text },
        hint: `Supply the certificate of ${subject.issuer.text}.`,
      },
    );
  }
  const current = named.filter((candidate) => at >= candidate.notBefore && at <= candidate.notAfter);
  for (const candidate of [...current, ...named.filter((c) => !current.includes(c))]) {
    if (await isSignedBy(subject, candidate, crypto)) return candidate;
  }
  throw refuse(
    "CERTIFICATE_SIGNATURE",
    "not-authentic",
    subject,
    `its signature is not by ${subject.issuer.text}`,
  );
}

function checkValidity(certificate: Certificate, at: Date): void {
  if (at < certificate.notBefore) {
    throw refuse(
      "CERTIFICATE_NOT_YET_VALID",
      "endorsements",
      certificate,
      `valid from ${certificate.notBefore.toISOString()}, now is ${at.toISOString()}`,
    );
  }
  if (at > certificate.notAfter) {
    throw refuse(
      "CERTIFICATE_EXPIRED",
      "endorsements",
      certificate,
      `valid until ${certificate.notAfter.toISOString()}, now is ${at.toISOString()}`,
    );
  }
}

function checkExtensions(certificate: Certificate, more: ReadonlySet<string> | undefined): void {
  for (const extension of certificate.extensions.values()) {
    if (extension.critical && !UNDERSTOOD.has(extension.oid) && more?.has(extension.oid) !== true) {
      throw refuse(
        "UNKNOWN_CRITICAL_EXTENSION",
        "not-authentic",
        certificate,
        `critical extension ${extension.oid} is unknown`,
      );
    }
  }
}

/** An issuer must be a CA, may sign certificates, and allows `below` CAs under it (RFC 5280 section 6.1.4 k to n). */
function checkAuthority(certificate: Certificate, below: number): void {
  if (!certificate.isCa)
    throw refuse("NOT_A_CA", "not-authentic", certificate, "it signed another certificate but is no CA");
  if (certificate.keyUsage !== undefined && !certificate.keyUsage.has(KEY_USAGE.keyCertSign)) {
    throw refuse(
      "KEY_USAGE",
      "not-authentic",
      certificate,
      "it signed another certificate, which its key usage does not allow",
    );
  }
  if (certificate.pathLength !== undefined && below > certificate.pathLength) {
    throw refuse(
      "PATH_LENGTH_EXCEEDED",
      "not-authentic",
      certificate,
      `${below} CAs stand below it, ${certificate.pathLength} are allowed`,
    );
  }
}

/** The newest CRL of `issuer` that verifies at `at`. Throws `CRL_MISSING`, or why the best candidate does not do. */
export async function findCrl(
  crls: readonly CertificateRevocationList[],
  issuer: Certificate,
  at: Date,
  crypto: VerifyingCrypto = verifyingCrypto,
): Promise<CertificateRevocationList> {
  const named = crls
    .filter((crl) => equal(crl.issuer.der, issuer.subject.der))
    .sort((a, b) => b.thisUpdate.getTime() - a.thisUpdate.getTime());
  let best: unknown;
  for (const crl of named) {
    try {
      await verifyCrl(crl, issuer, at, crypto);
      return crl;
    } catch (error) {
      // A list of this very issuer that is out of date says more than a namesake's.
      if (best === undefined || (!isOutOfDate(best) && isOutOfDate(error))) best = error;
    }
  }
  throw (
    best ??
    new CoreError(
      "CRL_MISSING",
      "endorsements",
      `Cannot check revocation: no CRL of ${issuer.subject.text} was given`,
      {
        detail: { issuer: issuer.subject.text },
        hint: `Supply the CRL issued by ${issuer.subject.text}.`,
      },
    )
  );
}

function isOutOfDate(error: unknown): boolean {
  return error instanceof CoreError && error.category === "endorsements";
}

function refuse(
  code: CoreErrorCode,
  category: ErrorCategory,
  certificate: Certificate,
  why: string,
): CoreError {
  return new CoreError(code, category, `Cannot trust certificate ${certificate.subject.text}: ${why}`, {
    detail: { subject: certificate.subject.text, serial: certificate.serial },
  });
}

function earliest(dates: readonly Date[]): Date {
  return new Date(Math.min(...dates.map((date) => date.getTime())));
}

function latest(dates: readonly Date[]): Date {
  return new Date(Math.max(...dates.map((date) => date.getTime())));
}
