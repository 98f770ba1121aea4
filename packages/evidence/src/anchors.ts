// SPDX-License-Identifier: Apache-2.0
// Trust anchors: vendors' roots are pinned by the SHA-256 of their certificate, others must be named by the caller.

import { equal } from "@adyton/core/bytes";
import type { VerifyingCrypto } from "@adyton/core/crypto";
import { type Certificate, fingerprintOf } from "@adyton/core/x509";
import type { Trust } from "./verified.ts";

export interface Anchor {
  readonly certificate: Certificate;
  readonly sha256: string;
  /** Pinned by this package as a hardware vendor's root. */
  readonly vendor: boolean;
}

/** The anchors for one verification: pinned roots found in `pool`, and every root that the caller named. */
export async function selectAnchors(
  pool: readonly Certificate[],
  pins: ReadonlySet<string>,
  named: readonly Certificate[],
  crypto: VerifyingCrypto,
): Promise<Anchor[]> {
  const anchors = new Map<string, Anchor>();
  for (const certificate of pool) {
    if (!equal(certificate.issuer.der, certificate.subject.der)) continue;
    const sha256 = await fingerprintOf(certificate, crypto);
    if (pins.has(sha256)) anchors.set(sha256, { certificate, sha256, vendor: true });
  }
  for (const certificate of named) {
    const sha256 = await fingerprintOf(certificate, crypto);
    anchors.set(sha256, { certificate, sha256, vendor: pins.has(sha256) });
  }
  return [...anchors.values()];
}

/** How the anchor a chain ended in shows in results. */
export function trustOf(anchors: readonly Anchor[], root: Certificate): Trust {
  const anchor = anchors.find((candidate) => equal(candidate.certificate.der, root.der));
  if (anchor === undefined) throw new TypeError("trustOf: the root is not among the anchors");
  return { root: root.subject.text, rootSha256: anchor.sha256, simulated: !anchor.vendor };
}
