// SPDX-License-Identifier: Apache-2.0
// What a verdict rests on, as results tell it.

import type { CertificateRevocationList } from "@adyton/core/crl";
import type { Certificate } from "@adyton/core/x509";
import type { EndorsementsUsed } from "./verified.ts";

/** One endorsement that was relied on, and from when until when it holds. */
export interface Holding {
  readonly kind: string;
  readonly subject: string;
  readonly from: Date;
  readonly until: Date;
}

/** Certificates and revocation lists as holdings, in this order. */
export function holdingsOf(
  certificates: readonly Certificate[],
  crls: readonly CertificateRevocationList[],
): Holding[] {
  return [
    ...certificates.map((each) => ({
      kind: "certificate",
      subject: each.subject.text || each.serial,
      from: each.notBefore,
      until: each.notAfter,
    })),
    ...crls.map((crl) => ({
      kind: "crl",
      subject: crl.issuer.text,
      from: crl.thisUpdate,
      until: crl.nextUpdate,
    })),
  ];
}

/** The summary of at least one holding. */
export function endorsementsUsed(holdings: readonly Holding[], revocationChecked: boolean): EndorsementsUsed {
  const earliest = (dates: readonly Date[]): string =>
    new Date(Math.min(...dates.map((date) => date.getTime()))).toISOString();
  return {
    earliestIssue: earliest(holdings.map(({ from }) => from)),
    earliestExpiry: earliest(holdings.map(({ until }) => until)),
    revocation: revocationChecked ? "checked" : "unchecked",
    items: holdings.map(({ kind, subject, until }) => ({ kind, subject, expires: until.toISOString() })),
  };
}
