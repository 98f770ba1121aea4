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

/** A certificate in a vendor's own binary format, parsed by that vendor's scheme. */
export interface VendorCertificate {
  /** The vendor's format and the role, for example "amd.sev-ca", "amd.sev-platform", "hygon.ca", "hygon.platform". */
  readonly kind: string;
  readonly bytes: Uint8Array;
}

/** A bare public key, as vendors without a public root publish them for one device (Arm CCA's CPAK). */
export interface VendorKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** What the key belongs to, by the vendor's names: "instance-id", "implementation-id"; hex. Empty: not said. */
  readonly identifiers: Readonly<Record<string, string>>;
  /**
   * Whoever names the key as an anchor vouches that real hardware holds it. Otherwise what it anchors is `simulated`:
   * no vendor's root says so instead.
   */
  readonly hardware?: boolean;
}

export interface Endorsements {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
  readonly documents: readonly SignedDocument[];
  readonly vendorCertificates?: readonly VendorCertificate[];
  readonly keys?: readonly VendorKey[];
}

export const NO_ENDORSEMENTS: Endorsements = Object.freeze({ certificates: [], crls: [], documents: [] });

/** One bag from several. */
export function mergeEndorsements(...bags: readonly Endorsements[]): Endorsements {
  return {
    certificates: bags.flatMap((bag) => bag.certificates),
    crls: bags.flatMap((bag) => bag.crls),
    documents: bags.flatMap((bag) => bag.documents),
    vendorCertificates: bags.flatMap((bag) => bag.vendorCertificates ?? []),
    keys: bags.flatMap((bag) => bag.keys ?? []),
  };
}
