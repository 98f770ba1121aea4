// SPDX-License-Identifier: Apache-2.0
// Intel's certificates and CRLs, checked: the PCK chain, the TCB signing chain, and the revocation lists of both. The
// chains have a fixed form, and roles are told by common names, as Intel's quote verification library does (Intel SGX
// PCK Certificate and CRL Profile Specification, section 1.2). Each link is checked after RFC 5280, section 6.1.

import { equal } from "@adyton/core/bytes";
import { type CertificateRevocationList, verifyCrl } from "@adyton/core/crl";
import type { VerifyingCrypto } from "@adyton/core/crypto";
import { AdytonError, CoreError, type CoreErrorCode } from "@adyton/core/errors";
import { type Certificate, isSignedBy, KEY_USAGE, OID } from "@adyton/core/x509";
import type { Anchor } from "../anchors.ts";
import type { EvidenceError, EvidenceErrorCode } from "../errors.ts";
import { notAuthentic, notEndorsed } from "./refusal.ts";
import { isCurrent, type Span } from "./window.ts";

/** Roots of Intel: SHA-256 of "Intel SGX Root CA", 2018 to 2049. */
export const INTEL_ROOTS: ReadonlySet<string> = new Set([
  "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3",
]);

/** Texts that the common name of a role's certificate contains. */
const ROLE = {
  root: ["SGX Root CA"],
  pckCa: ["SGX PCK Platform CA", "SGX PCK Processor CA"],
  pck: ["SGX PCK Certificate"],
  tcbSigner: ["SGX TCB Signing"],
} as const;
export type Role = keyof typeof ROLE;

export interface Circumstances {
  readonly now: Date;
  readonly crypto: VerifyingCrypto;
}

export interface PckChain {
  readonly leaf: Certificate;
  readonly intermediate: Certificate;
  readonly root: Certificate;
}

/** Under which codes a chain fails. */
interface ChainCodes {
  readonly untrusted: EvidenceErrorCode;
  readonly expired: EvidenceErrorCode;
  readonly notYetValid: EvidenceErrorCode;
}

const PCK_CHAIN: ChainCodes = {
  untrusted: "PCK_CERT_CHAIN_UNTRUSTED",
  expired: "PCK_CERT_CHAIN_EXPIRED",
  notYetValid: "PCK_CERT_CHAIN_NOT_YET_VALID",
};
const SIGNER_CHAIN: ChainCodes = {
  untrusted: "TCB_SIGNING_CERT_CHAIN_UNTRUSTED",
  expired: "TCB_SIGNING_CERT_EXPIRED",
  notYetValid: "TCB_SIGNING_CERT_NOT_YET_VALID",
};
/** Core's codes under Intel's names; any other reason is the signature's. */
const CRL_CODES: Partial<Record<CoreErrorCode, EvidenceErrorCode>> = {
  CRL_UNKNOWN_ISSUER: "CRL_UNKNOWN_ISSUER",
  KEY_USAGE: "CRL_UNKNOWN_ISSUER",
  UNKNOWN_CRITICAL_EXTENSION: "CRL_INVALID_EXTENSIONS",
  CRL_EXPIRED: "CRL_EXPIRED",
  CRL_NOT_YET_VALID: "CRL_NOT_YET_VALID",
};
/** Critical extensions whose meaning is checked here. */
const UNDERSTOOD: ReadonlySet<string> = new Set([OID.basicConstraints, OID.keyUsage]);

export function hasRole(certificate: Certificate, role: Role): boolean {
  const name = certificate.subject.commonName ?? "";
  return ROLE[role].some((text) => name.includes(text));
}

/**
 * The chain from a PCK certificate to an anchor: PCK certificate, PCK CA, root. Throws `INTERMEDIATE_CA_MISSING`,
 * `SGX_ROOT_CA_MISSING`, `PCK_CERT_CHAIN_UNTRUSTED`, `PCK_CERT_CHAIN_EXPIRED`, `PCK_CERT_CHAIN_NOT_YET_VALID`.
 */
export async function verifyPckChain(
  leaf: Certificate,
  pool: readonly Certificate[],
  anchors: readonly Anchor[],
  circumstances: Circumstances,
): Promise<PckChain> {
  const { now, crypto } = circumstances;
  const trusted = anchors.map((anchor) => anchor.certificate);
  const current = byCurrency([...trusted, ...pool], validityOf, now);
  const intermediate = await issuerOf(leaf, current, "pckCa", "INTERMEDIATE_CA_MISSING", crypto);
  const root = await issuerOf(intermediate, current, "root", "SGX_ROOT_CA_MISSING", crypto);
  if (!trusted.some((anchor) => equal(anchor.der, root.der))) {
    throw notAuthentic(
      "PCK_CERT_CHAIN_UNTRUSTED",
      `Cannot trust ${leaf.subject.text}: the root ${root.subject.text} is neither Intel's nor named`,
      { root: root.subject.text, serial: root.serial },
      "Evidence of a simulator verifies only when its root is named.",
    );
  }
  if (!(await signedBy(root, root, crypto))) throw untrusted(PCK_CHAIN, root, "it is not self-signed");
  checkCertificate(leaf, PCK_CHAIN, now);
  checkCertificate(intermediate, PCK_CHAIN, now, 0);
  checkCertificate(root, PCK_CHAIN, now, 1);
  return { leaf, intermediate, root };
}

/**
 * TCB signing certificates that the root issued and did not revoke, current at `now`. Throws why the best candidate
 * does not do: `TCB_SIGNING_CERT_MISSING`, `…_CHAIN_UNTRUSTED`, `…_EXPIRED`, `…_NOT_YET_VALID`, `…_REVOKED`.
 */
export async function verifySigners(
  certificates: readonly Certificate[],
  root: Certificate,
  rootCrl: CertificateRevocationList,
  { now, crypto }: Circumstances,
): Promise<Certificate[]> {
  const candidates = certificates.filter((certificate) => hasRole(certificate, "tcbSigner"));
  const signers: Certificate[] = [];
  let first: unknown;
  for (const signer of byCurrency(candidates, validityOf, now)) {
    try {
      // The PCK chain's own root: another trusted root must not speak for this one's platforms.
      if (!equal(signer.issuer.der, root.subject.der) || !(await signedBy(signer, root, crypto))) {
        throw untrusted(SIGNER_CHAIN, signer, "the root of the PCK chain did not issue it");
      }
      checkCertificate(signer, SIGNER_CHAIN, now);
      checkNotRevoked(signer, rootCrl, "TCB_SIGNING_CERT_REVOKED");
      signers.push(signer);
    } catch (error) {
      first ??= housed(error);
    }
  }
  if (signers.length > 0) return signers;
  throw (
    first ??
    notEndorsed(
      "TCB_SIGNING_CERT_MISSING",
      "Cannot verify TCB info: no TCB signing certificate was given",
      {},
      "Supply the issuer chain that comes with TCB info and QE identity.",
    )
  );
}

/**
 * The newest CRL of `issuer` that verifies and is current. Throws `whenMissing`, or why the best candidate does not
 * do: `CRL_UNKNOWN_ISSUER`, `CRL_INVALID_EXTENSIONS`, `CRL_INVALID_SIGNATURE`, `CRL_EXPIRED`, `CRL_NOT_YET_VALID`.
 */
export async function currentCrl(
  crls: readonly CertificateRevocationList[],
  issuer: Certificate,
  whenMissing: "PCK_CRL_MISSING" | "ROOT_CA_CRL_MISSING",
  { now, crypto }: Circumstances,
): Promise<CertificateRevocationList> {
  const newestFirst = crlsOf(crls, issuer).sort((a, b) => b.thisUpdate.getTime() - a.thisUpdate.getTime());
  let best: AdytonError | undefined;
  for (const crl of byCurrency(newestFirst, spanOfCrl, now)) {
    try {
      checkCrlExtensions(crl);
      await verifyCrl(crl, issuer, now, crypto);
      return crl;
    } catch (error) {
      const reason = namedAsIntelDoes(housed(error));
      // A list of this very issuer that is out of date says more than a namesake's.
      if (best === undefined || (best.category !== "endorsements" && reason.category === "endorsements"))
        best = reason;
    }
  }
  throw (
    best ??
    notEndorsed(
      whenMissing,
      `Cannot check revocation: no CRL of ${issuer.subject.text} was given`,
      { issuer: issuer.subject.text },
      "Intel's revocation lists are required: fetch them from Intel's service or a PCCS.",
    )
  );
}

/** CRLs that name `issuer`. */
export function crlsOf(
  crls: readonly CertificateRevocationList[],
  issuer: Certificate,
): CertificateRevocationList[] {
  return crls.filter((crl) => equal(crl.issuer.der, issuer.subject.der));
}

/** Throws `code` when the CRL lists the certificate. */
export function checkNotRevoked(
  certificate: Certificate,
  crl: CertificateRevocationList,
  code: "PCK_REVOKED" | "INTERMEDIATE_CA_REVOKED" | "TCB_SIGNING_CERT_REVOKED",
): void {
  const { serial, subject } = certificate;
  const date = crl.revoked.get(serial);
  if (date === undefined) return;
  throw notAuthentic(
    code,
    `Cannot trust ${subject.text}: its serial ${serial} was revoked ${date.toISOString()}`,
    { subject: subject.text, serial, crl: crl.issuer.text },
  );
}

export function validityOf(certificate: Certificate): Span {
  return { from: certificate.notBefore, until: certificate.notAfter };
}

export function spanOfCrl(crl: CertificateRevocationList): Span {
  return { from: crl.thisUpdate, until: crl.nextUpdate };
}

/** Those that are current at `now` first; otherwise in their order. */
export function byCurrency<T>(items: readonly T[], spanOf: (item: T) => Span, now: Date): T[] {
  const current = items.filter((item) => isCurrent(spanOf(item), now));
  return [...current, ...items.filter((item) => !current.includes(item))];
}

/** The certificate whose name and key issued `subject`: names repeat, so each candidate's key is tried. */
async function issuerOf(
  subject: Certificate,
  candidates: readonly Certificate[],
  role: "pckCa" | "root",
  whenMissing: EvidenceErrorCode,
  crypto: VerifyingCrypto,
): Promise<Certificate> {
  const { text } = subject.subject;
  const named = candidates.filter((candidate) => equal(candidate.subject.der, subject.issuer.der));
  for (const candidate of named) {
    if (!(await signedBy(subject, candidate, crypto))) continue;
    if (!candidate.isCa) throw untrusted(PCK_CHAIN, subject, "no CA issued it");
    if (hasRole(candidate, role)) return candidate;
    throw notEndorsed(
      whenMissing,
      `Cannot trust ${text}: issued by ${subject.issuer.text}, expected a name with ${ROLE[role].join(" or ")}`,
      { subject: text, issuer: subject.issuer.text },
    );
  }
  if (named.length > 0) throw untrusted(PCK_CHAIN, subject, "its signature is not by its issuer");
  throw notEndorsed(
    whenMissing,
    `Cannot trust ${text}: the certificate of its issuer ${subject.issuer.text} was not found`,
    { subject: text, issuer: subject.issuer.text },
    "Supply the PCK certificate's issuer chain.",
  );
}

/** Extensions, dates and, where `below` CAs stand beneath it, the right to issue certificates. */
function checkCertificate(certificate: Certificate, codes: ChainCodes, now: Date, below?: number): void {
  const { notBefore, notAfter, isCa, keyUsage, pathLength = Number.POSITIVE_INFINITY } = certificate;
  for (const { critical, oid } of certificate.extensions.values()) {
    if (critical && !UNDERSTOOD.has(oid)) {
      throw untrusted(codes, certificate, `critical extension ${oid} is unknown`);
    }
  }
  const mayIssue = isCa && keyUsage?.has(KEY_USAGE.keyCertSign) !== false;
  if (below !== undefined && !(mayIssue && below <= pathLength)) {
    throw untrusted(codes, certificate, "it issued a certificate that it may not issue");
  }
  if (now >= notBefore && now <= notAfter) return;
  const { text } = certificate.subject;
  throw notEndorsed(
    now < notBefore ? codes.notYetValid : codes.expired,
    `Cannot trust ${text}: valid from ${notBefore.toISOString()} to ${notAfter.toISOString()}, now is ${now.toISOString()}`,
    { subject: text, serial: certificate.serial },
  );
}

/** A signature or key that cannot be read is no signature. */
async function signedBy(
  subject: Certificate,
  issuer: Certificate,
  crypto: VerifyingCrypto,
): Promise<boolean> {
  try {
    return await isSignedBy(subject, issuer, crypto);
  } catch (error) {
    housed(error);
    return false;
  }
}

/** Intel's CRLs carry a number and name their issuer's key (PCK Certificate and CRL Profile Specification, 1.4). */
function checkCrlExtensions(crl: CertificateRevocationList): void {
  if (crl.number !== undefined && crl.authorityKeyId !== undefined) return;
  throw notAuthentic(
    "CRL_INVALID_EXTENSIONS",
    `Cannot use CRL of ${crl.issuer.text}: the CRL number or the authority key identifier is missing`,
    { crl: crl.issuer.text },
  );
}

function namedAsIntelDoes(error: AdytonError): AdytonError {
  if (!(error instanceof CoreError)) return error;
  const { message, detail, hint } = error;
  const refuse = error.category === "endorsements" ? notEndorsed : notAuthentic;
  return refuse(
    CRL_CODES[error.code] ?? "CRL_INVALID_SIGNATURE",
    message,
    { ...detail, reason: error.code },
    hint,
  );
}

function untrusted(codes: ChainCodes, { subject, serial }: Certificate, why: string): EvidenceError {
  return notAuthentic(codes.untrusted, `Cannot trust ${subject.text}: ${why}`, {
    subject: subject.text,
    serial,
  });
}

/** An error of the house as it is; any other is a defect and goes on. */
function housed(error: unknown): AdytonError {
  if (error instanceof AdytonError) return error;
  throw error;
}
