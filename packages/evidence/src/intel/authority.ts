// SPDX-License-Identifier: Apache-2.0
// Intel's certificates and CRLs, checked: the PCK chain, the TCB signing chain, and the revocation lists of both. Roles
// are told by common names, as Intel's quote verification library does (Intel SGX PCK Certificate and CRL Profile
// Specification, section 1.2).

import { equal } from "@adyton/core/bytes";
import { isSelfIssued, verifyChain } from "@adyton/core/chain";
import { type CertificateRevocationList, verifyCrl } from "@adyton/core/crl";
import type { CryptoProvider } from "@adyton/core/crypto";
import { CoreError, type CoreErrorCode } from "@adyton/core/errors";
import type { Certificate } from "@adyton/core/x509";
import type { Anchor } from "../anchors.ts";
import { EvidenceError, type EvidenceErrorCode } from "../errors.ts";
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
  readonly crypto: CryptoProvider;
}

export interface PckChain {
  readonly leaf: Certificate;
  readonly intermediate: Certificate;
  readonly root: Certificate;
}

type Translation = Partial<Record<CoreErrorCode, EvidenceErrorCode>>;

const PCK_CHAIN: Translation = {
  CERTIFICATE_EXPIRED: "PCK_CERT_CHAIN_EXPIRED",
  CERTIFICATE_NOT_YET_VALID: "PCK_CERT_CHAIN_NOT_YET_VALID",
};
const SIGNER_CHAIN: Translation = {
  CERTIFICATE_EXPIRED: "TCB_SIGNING_CERT_EXPIRED",
  CERTIFICATE_NOT_YET_VALID: "TCB_SIGNING_CERT_NOT_YET_VALID",
};
const CRL: Translation = {
  CRL_UNKNOWN_ISSUER: "CRL_UNKNOWN_ISSUER",
  KEY_USAGE: "CRL_UNKNOWN_ISSUER",
  UNKNOWN_CRITICAL_EXTENSION: "CRL_INVALID_EXTENSIONS",
  CRL_EXPIRED: "CRL_EXPIRED",
  CRL_NOT_YET_VALID: "CRL_NOT_YET_VALID",
};

export function hasRole(certificate: Certificate, role: Role): boolean {
  const name = certificate.subject.commonName ?? "";
  return ROLE[role].some((text) => name.includes(text));
}

/**
 * The chain from a PCK certificate to an anchor: PCK certificate, PCK CA, root. Throws `PCK_MISSING`,
 * `INTERMEDIATE_CA_MISSING`, `SGX_ROOT_CA_MISSING`, `PCK_CERT_CHAIN_UNTRUSTED`, `PCK_CERT_CHAIN_EXPIRED`,
 * `PCK_CERT_CHAIN_NOT_YET_VALID`.
 */
export async function verifyPckChain(
  leaf: Certificate,
  pool: readonly Certificate[],
  anchors: readonly Anchor[],
  { now, crypto }: Circumstances,
): Promise<PckChain> {
  if (anchors.length === 0) throw noAnchor(pool);
  const path = await verifyChain({
    leaf,
    pool,
    anchors: anchors.map((anchor) => anchor.certificate),
    at: now,
    crls: "unchecked",
    crypto,
    maxLength: 3,
  }).then(
    (chain) => chain.certificates,
    (error: unknown) => {
      if (error instanceof CoreError && error.code === "ISSUER_NOT_FOUND") {
        const ofLeaf = error.detail.subject === leaf.subject.text;
        throw missing(ofLeaf ? "INTERMEDIATE_CA_MISSING" : "SGX_ROOT_CA_MISSING", error.message, error);
      }
      throw translated(error, PCK_CHAIN, "PCK_CERT_CHAIN_UNTRUSTED");
    },
  );
  const [, intermediate, root] = path;
  if (intermediate === undefined || !hasRole(intermediate, "pckCa")) {
    throw missing(
      "INTERMEDIATE_CA_MISSING",
      `Cannot trust PCK certificate: issued by ${leaf.issuer.text}, expected a PCK Platform CA or PCK Processor CA`,
    );
  }
  if (root === undefined || !hasRole(root, "root")) {
    throw missing(
      "SGX_ROOT_CA_MISSING",
      `Cannot trust PCK certificate: its chain ends in ${intermediate.issuer.text}, expected an SGX Root CA`,
    );
  }
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
  circumstances: Circumstances,
): Promise<Certificate[]> {
  const candidates = byCurrency(
    certificates.filter((certificate) => hasRole(certificate, "tcbSigner")),
    validityOf,
    circumstances.now,
  );
  const signers: Certificate[] = [];
  let first: unknown;
  for (const signer of candidates) {
    try {
      await verifySigner(signer, root, rootCrl, circumstances);
      signers.push(signer);
    } catch (error) {
      first ??= error;
    }
  }
  if (signers.length > 0) return signers;
  throw (
    first ??
    missing(
      "TCB_SIGNING_CERT_MISSING",
      "Cannot verify TCB info: no TCB signing certificate was given",
      undefined,
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
  let best: EvidenceError | undefined;
  for (const crl of byCurrency(newestFirst, spanOfCrl, now)) {
    try {
      checkCrlExtensions(crl);
      await verifyCrl(crl, issuer, now, crypto);
      return crl;
    } catch (error) {
      const reason = asEvidenceError(error, CRL, "CRL_INVALID_SIGNATURE");
      // A list of this very issuer that is out of date says more than a namesake's.
      if (best === undefined || (best.category !== "endorsements" && reason.category === "endorsements"))
        best = reason;
    }
  }
  throw (
    best ??
    missing(
      whenMissing,
      `Cannot check revocation: no CRL of ${issuer.subject.text} was given`,
      undefined,
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
  const date = crl.revoked.get(certificate.serial);
  if (date === undefined) return;
  throw new EvidenceError(
    code,
    "not-authentic",
    `Cannot trust ${certificate.subject.text}: its serial ${certificate.serial} was revoked ${date.toISOString()}`,
    { detail: { subject: certificate.subject.text, serial: certificate.serial, crl: crl.issuer.text } },
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

async function verifySigner(
  signer: Certificate,
  root: Certificate,
  rootCrl: CertificateRevocationList,
  { now, crypto }: Circumstances,
): Promise<void> {
  if (!equal(signer.issuer.der, root.subject.der)) {
    throw new EvidenceError(
      "TCB_SIGNING_CERT_CHAIN_UNTRUSTED",
      "not-authentic",
      `Cannot trust ${signer.subject.text}: issued by ${signer.issuer.text}, expected ${root.subject.text}`,
      { detail: { subject: signer.subject.text, serial: signer.serial, issuer: signer.issuer.text } },
    );
  }
  try {
    // The PCK chain's own root: another trusted root must not speak for this one's platforms.
    await verifyChain({
      leaf: signer,
      pool: [],
      anchors: [root],
      at: now,
      crls: "unchecked",
      crypto,
      maxLength: 2,
    });
  } catch (error) {
    throw translated(error, SIGNER_CHAIN, "TCB_SIGNING_CERT_CHAIN_UNTRUSTED");
  }
  checkNotRevoked(signer, rootCrl, "TCB_SIGNING_CERT_REVOKED");
}

/** Intel's CRLs carry a number and name their issuer's key (PCK Certificate and CRL Profile Specification, 1.4). */
function checkCrlExtensions(crl: CertificateRevocationList): void {
  if (crl.number !== undefined && crl.authorityKeyId !== undefined) return;
  throw new EvidenceError(
    "CRL_INVALID_EXTENSIONS",
    "not-authentic",
    `Cannot use CRL of ${crl.issuer.text}: the CRL number or the authority key identifier is missing`,
    { detail: { crl: crl.issuer.text } },
  );
}

function noAnchor(pool: readonly Certificate[]): EvidenceError {
  const root = pool.find(isSelfIssued);
  if (root === undefined) {
    return missing(
      "SGX_ROOT_CA_MISSING",
      "Cannot trust PCK certificate: no root certificate was found",
      undefined,
      "Supply Intel's SGX Root CA certificate.",
    );
  }
  return new EvidenceError(
    "PCK_CERT_CHAIN_UNTRUSTED",
    "not-authentic",
    `Cannot trust PCK certificate: the root ${root.subject.text} is not Intel's, and none was named`,
    {
      detail: { root: root.subject.text, serial: root.serial },
      hint: "Evidence of a simulator verifies only when its root is named.",
    },
  );
}

function missing(
  code: "PCK_CRL_MISSING" | "ROOT_CA_CRL_MISSING" | EvidenceErrorCode,
  message: string,
  cause?: unknown,
  hint?: string,
): EvidenceError {
  return new EvidenceError(code, "endorsements", message, {
    ...(cause === undefined ? {} : { cause }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** As `translated`, where nothing but an error of the house can be. */
function asEvidenceError(error: unknown, names: Translation, otherwise: EvidenceErrorCode): EvidenceError {
  const translation = translated(error, names, otherwise);
  if (translation instanceof EvidenceError) return translation;
  throw translation;
}

/** A core error under Intel's name: dates stay a matter of endorsements, all else is not authentic. */
function translated(error: unknown, names: Translation, otherwise: EvidenceErrorCode): unknown {
  if (!(error instanceof CoreError)) return error;
  const category = error.category === "endorsements" ? "endorsements" : "not-authentic";
  return new EvidenceError(names[error.code] ?? otherwise, category, error.message, {
    detail: { ...error.detail, reason: error.code },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}
