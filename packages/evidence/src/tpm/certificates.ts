// SPDX-License-Identifier: Apache-2.0
// Certificates of TPM keys: an attestation key's, which makes it trusted, and an endorsement key's, which makes
// credential activation worth something. TCG EK Credential Profile 2.5, TCG "Keys for Device Identity" 1.0.

import { equal } from "@adyton/core/bytes";
import { type VerifiedChain, verifyChain } from "@adyton/core/chain";
import type { CertificateRevocationList } from "@adyton/core/crl";
import type { VerifyingCrypto } from "@adyton/core/crypto";
import { type DerValue, parseDer } from "@adyton/core/der";
import { type Certificate, KEY_USAGE } from "@adyton/core/x509";
import { type Anchor, selectAnchors, trustOf } from "../anchors.ts";
import type { VerificationCache } from "../cache.ts";
import { EvidenceError, type EvidenceErrorCode } from "../errors.ts";
import { remembered, scopeKey } from "../remember.ts";
import type { Trust } from "../verified.ts";

export interface CertificateSources {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
  /** Roots that the caller names. */
  readonly roots: readonly Certificate[];
  /** SHA-256 of roots that are pinned here. */
  readonly pins: ReadonlySet<string>;
  readonly now: Date;
  readonly requireRevocation: boolean;
  readonly cache?: VerificationCache | undefined;
  readonly crypto: VerifyingCrypto;
}

export interface TrustedCertificate {
  readonly certificate: Certificate;
  readonly chain: VerifiedChain;
  readonly trust: Trust;
}

const EXTENDED_KEY_USAGE = "2.5.29.37";
/** Critical in EK certificates, whose subject stands there; it names a model of TPM, which nothing here relies on. */
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const UNDERSTOOD: ReadonlySet<string> = new Set([EXTENDED_KEY_USAGE, SUBJECT_ALTERNATIVE_NAME]);
/** tcg-kp-EKCertificate and tcg-kp-AIKCertificate. Google and Alibaba certify signing keys as endorsement keys. */
const PURPOSE = { ek: "2.23.133.8.1", ak: "2.23.133.8.3" } as const;
const KEY_ENCIPHERMENT = 2;
const KEY_AGREEMENT = 4;

/** Verifies a certificate of an attestation key. Throws `INVALID_AK_CERTIFICATE`, or why the chain does not hold. */
export async function trustAkCertificate(
  certificate: Certificate,
  sources: CertificateSources,
): Promise<TrustedCertificate> {
  const invalid = (why: string): EvidenceError =>
    refusal("INVALID_AK_CERTIFICATE", "attestation", certificate, why);
  if (certificate.isCa) throw invalid("it is a CA's");
  if (certificate.keyUsage?.has(KEY_USAGE.digitalSignature) === false)
    throw invalid("its key is not for signatures");
  const purposes = purposesOf(certificate);
  if (purposes !== undefined && !purposes.includes(PURPOSE.ak) && !purposes.includes(PURPOSE.ek)) {
    throw invalid(`its purposes are ${purposes.join(", ")}, expected that of an attestation key`);
  }
  return trustCertificate(certificate, sources);
}

/** Verifies a certificate of an endorsement key. Throws `INVALID_EK_CERTIFICATE`, or why the chain does not hold. */
export async function trustEkCertificate(
  certificate: Certificate,
  sources: CertificateSources,
): Promise<TrustedCertificate> {
  const invalid = (why: string): EvidenceError =>
    refusal("INVALID_EK_CERTIFICATE", "endorsement", certificate, why);
  if (certificate.isCa) throw invalid("it is a CA's");
  const { keyUsage } = certificate;
  if (keyUsage !== undefined && !keyUsage.has(KEY_ENCIPHERMENT) && !keyUsage.has(KEY_AGREEMENT)) {
    throw invalid("its key is neither for encipherment nor for agreement");
  }
  const purposes = purposesOf(certificate);
  if (purposes?.includes(PURPOSE.ek) === false) {
    throw invalid(`its purposes are ${purposes.join(", ")}, expected ${PURPOSE.ek}`);
  }
  return trustCertificate(certificate, sources);
}

async function trustCertificate(
  certificate: Certificate,
  sources: CertificateSources,
): Promise<TrustedCertificate> {
  const { certificates, crls, roots, pins, now, cache, crypto, requireRevocation } = sources;
  const verify = (): Promise<TrustedCertificate> => verifyCertificate(certificate, sources);
  if (cache === undefined) return verify();
  const kind = `tpm ${requireRevocation} ${[...pins].join(" ")}`;
  const key = await scopeKey(kind, [[certificate], certificates, crls, roots], crypto);
  return remembered(cache, key, { now, lists: crls }, verify, ({ chain }) => ({
    from: chain.validFrom,
    until: chain.validUntil,
  }));
}

async function verifyCertificate(
  certificate: Certificate,
  sources: CertificateSources,
): Promise<TrustedCertificate> {
  const { certificates, roots, pins, now, crypto, requireRevocation } = sources;
  const anchors: Anchor[] = await selectAnchors(certificates, pins, roots, crypto);
  const issuers = [...certificates, ...roots];
  // A list is used when one of these issuers gave it, so that a revoked certificate is never let through.
  const crls = sources.crls.filter((crl) =>
    issuers.some(({ subject }) => equal(subject.der, crl.issuer.der)),
  );
  const chain = await verifyChain({
    leaf: certificate,
    pool: certificates,
    anchors: anchors.map((anchor) => anchor.certificate),
    at: now,
    crls: crls.length > 0 || requireRevocation ? crls : "unchecked",
    crypto,
    understood: UNDERSTOOD,
  });
  return { certificate, chain, trust: trustOf(anchors, chain.certificates.at(-1) ?? certificate) };
}

/** The OIDs of ExtendedKeyUsage (RFC 5280 section 4.2.1.12), undefined when it is absent. */
function purposesOf({ extensions }: Certificate): string[] | undefined {
  const extension = extensions.get(EXTENDED_KEY_USAGE);
  if (extension === undefined) return undefined;
  return parseDer(extension.value, "extended key usage")
    .sequence()
    .map((oid: DerValue) => oid.oid());
}

function refusal(
  code: EvidenceErrorCode,
  kind: string,
  certificate: Certificate,
  why: string,
): EvidenceError {
  return new EvidenceError(
    code,
    "not-authentic",
    `Cannot trust ${kind} key certificate ${certificate.subject.text || certificate.serial}: ${why}`,
    { detail: { subject: certificate.subject.text, serial: certificate.serial } },
  );
}
