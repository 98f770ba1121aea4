// SPDX-License-Identifier: Apache-2.0
// The bag that endorsements travel in: certificates, CRLs and signed documents. Nothing in it is trusted: each scheme
// verifies what it takes out.

import type { CertificateRevocationList } from "@adyton/core/crl";
import type { Certificate } from "@adyton/core/x509";

/** A document that its vendor signs as text. */
export interface SignedDocument {
  readonly kind: "intel.tcbInfo" | "intel.enclaveIdentity" | "intel.tcbEvaluationDataNumbers";
  /** The exact signed text. */
  readonly body: string;
  readonly signature: Uint8Array;
}

export interface Endorsements {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
  readonly documents: readonly SignedDocument[];
}

export const NO_ENDORSEMENTS: Endorsements = Object.freeze({ certificates: [], crls: [], documents: [] });

/** One bag from several. */
export function mergeEndorsements(...bags: readonly Endorsements[]): Endorsements {
  return {
    certificates: bags.flatMap((bag) => bag.certificates),
    crls: bags.flatMap((bag) => bag.crls),
    documents: bags.flatMap((bag) => bag.documents),
  };
}
