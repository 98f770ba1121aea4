// SPDX-License-Identifier: Apache-2.0
// TPM 2.0 alone, for small bundles: verify quotes, read and write TPM structures, activate credentials.

import type { CryptoProvider } from "@adyton/core/crypto";
import { verifyingCrypto } from "@adyton/core/crypto";
import type { Certificate } from "@adyton/core/x509";
import type { Endorsements } from "./bag.ts";
import { type TrustedCertificate, trustEkCertificate } from "./tpm/certificates.ts";
import { TPM_ROOTS } from "./tpm/verify.ts";

export { ALIBABA_ROOTS, encodeAlibabaEvidence } from "./alibaba/form.ts";
export { encodeGceAttestation, GOOGLE_ROOTS } from "./gcp/form.ts";
export { instanceClaims } from "./gcp/instance.ts";
export { ALGORITHM, digestOf, digestSize, hashOfId, idOfHash, type TpmHash } from "./tpm/algorithms.ts";
export {
  encodeQuoteAttest,
  encodeSized,
  encodeTpmSignature,
  type PcrSelection,
  parseQuoteAttest,
  parseTpmSignature,
  type QuoteAttest,
  type TpmSignature,
} from "./tpm/attest.ts";
export type { TrustedCertificate } from "./tpm/certificates.ts";
export {
  acceptActivation,
  type CredentialRequest,
  type CredentialSession,
  credentialKeys,
  encodeCredentialFile,
  openCredentialSession,
  seedOfPoint,
} from "./tpm/credential.ts";
export { encodeTpmEvidence, type TpmEvidence } from "./tpm/evidence.ts";
export { parseTpmEvidence } from "./tpm/forms.ts";
export { aesCfb, kdfa, kdfe } from "./tpm/kdf.ts";
export {
  encodeTpmPublic,
  isAttestationKey,
  nameOf,
  OBJECT_ATTRIBUTE,
  parseTpmPublic,
  rsaSpki,
  spkiOfTpmPublic,
  type TpmPublic,
  type TpmPublicFields,
} from "./tpm/public.ts";
export { type CheckedQuote, checkQuote, type PcrBank, type TpmQuote } from "./tpm/quote.ts";
export { tpm } from "./tpm/scheme.ts";
export { verifyTpm } from "./tpm/verify.ts";

export interface EkOptions {
  readonly now: Date;
  /** Issuers' certificates and CRLs. */
  readonly endorsements?: Endorsements;
  /** Roots of TPM manufacturers that the caller trusts: none but clouds' are pinned here. */
  readonly roots?: readonly Certificate[];
  readonly requireRevocation?: boolean;
  readonly crypto?: Pick<CryptoProvider, "name" | "digest" | "importPublicKey">;
}

/** Establishes that an endorsement key's certificate holds. Throws `INVALID_EK_CERTIFICATE`, or why its chain does not. */
export function verifyEkCertificate(
  certificate: Certificate,
  options: EkOptions,
): Promise<TrustedCertificate> {
  const { now, endorsements, roots = [], requireRevocation = false, crypto = verifyingCrypto } = options;
  return trustEkCertificate(certificate, {
    certificates: endorsements?.certificates ?? [],
    crls: endorsements?.crls ?? [],
    roots,
    pins: TPM_ROOTS,
    now,
    requireRevocation,
    crypto,
  });
}
