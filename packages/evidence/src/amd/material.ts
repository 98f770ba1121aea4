// SPDX-License-Identifier: Apache-2.0
// Where the endorsements of one report come from: the table that came with it and the caller's bag, which may hold
// those of a whole fleet. Which endorsement key is the report's own is decided by what binds the two.

import { equal, toHex } from "@adyton/core/bytes";
import { type CertificateRevocationList, parseCrl } from "@adyton/core/crl";
import type { VerifyingCrypto } from "@adyton/core/crypto";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import type { VerificationCache } from "../cache.ts";
import { EvidenceError } from "../errors.ts";
import { chipBinding, productBinding, tcbBinding } from "./bindings.ts";
import { type EndorsementKey, parseEndorsementKey, type SignerKind, signerKindOf } from "./endorsements.ts";
import type { Report } from "./evidence.ts";
import { refusal } from "./refusal.ts";
import type { SnpEvidence, TableEntry } from "./table.ts";

/** Certificates and CRLs, unverified. */
export interface Material {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
}

const ALWAYS = [new Date(-8.64e15), new Date(8.64e15)] as const;

/** The parsed contents of the evidence's own certificate table. Throws as `parseCertificate` and `parseCrl`. */
export async function tableMaterial(
  evidence: SnpEvidence,
  cache: VerificationCache | undefined,
  now: Date,
  crypto: VerifyingCrypto,
): Promise<Material> {
  if (evidence.table.length === 0) return { certificates: [], crls: [] };
  if (cache === undefined) return parseTable(evidence.table);
  const cacheKey = `snp-table:${toHex(await crypto.digest("SHA-256", evidence.tableBytes))}`;
  let material = cache.get(cacheKey, now) as Material | undefined;
  if (material === undefined) {
    // The evidence's buffer belongs to the caller, who may write over it: what outlives this call is a copy.
    const table = evidence.table.map((entry) => ({ ...entry, data: Uint8Array.from(entry.data) }));
    material = parseTable(table);
    cache.set(cacheKey, material, ...ALWAYS);
  }
  return material;
}

/** A key that fails a later one is closer than a key that fails an earlier one. */
const BINDINGS = [productBinding, chipBinding, tcbBinding] as const;

/**
 * The endorsement keys that may have signed `report`, all of the kind it names: those that fit it, or when none
 * does, the one that comes closest. Throws `VCEK_MISSING`, `VLEK_MISSING`, `SIGNER_KEY_MISMATCH`, `INVALID_VCEK`
 * or `UNKNOWN_PRODUCT`.
 */
export function candidateKeys(
  report: Report,
  kind: SignerKind,
  certificates: readonly Certificate[],
  now: Date,
): EndorsementKey[] {
  let first: unknown;
  let other: Certificate | undefined;
  const ranked: { key: EndorsementKey; rank: number }[] = [];
  for (const certificate of certificates) {
    const found = signerKindOf(certificate);
    if (found === undefined) continue;
    if (found !== kind) {
      other = certificate;
      continue;
    }
    try {
      const key = parseEndorsementKey(certificate);
      const failed = BINDINGS.findIndex((binding) => !binding.holds(report, key));
      const expired = now < certificate.notBefore || now > certificate.notAfter;
      ranked.push({ key, rank: (failed < 0 ? 0 : BINDINGS.length - failed) + (expired ? 0.5 : 0) });
    } catch (error) {
      first ??= error;
    }
  }
  ranked.sort((a, b) => a.rank - b.rank);
  const [best] = ranked;
  if (best === undefined) throw first ?? missing(report, kind, other);
  const fitting = ranked.filter(({ rank }) => rank < 1).map(({ key }) => key);
  return fitting.length === 0
    ? [best.key]
    : fitting.filter(
        ({ certificate }, index) =>
          fitting.findIndex((twin) => equal(twin.certificate.der, certificate.der)) === index,
      );
}

function missing(report: Report, kind: SignerKind, other: Certificate | undefined): EvidenceError {
  if (other !== undefined) {
    const found = other.subject.text;
    return refusal("SIGNER_KEY_MISMATCH", `it names a ${kind} as its signer, found ${found}`, {
      detail: { found, expected: kind },
    });
  }
  const where = kind === "VCEK" ? `the VCEK of chip ${toHex(report.chipId)}` : "the cloud provider's VLEK";
  return new EvidenceError(
    kind === "VCEK" ? "VCEK_MISSING" : "VLEK_MISSING",
    "endorsements",
    `Cannot verify SNP report: the ${kind} certificate is missing`,
    {
      detail: { chipId: toHex(report.chipId), reportedTcb: toHex(report.reportedTcb) },
      hint: `Supply ${where} for the reported TCB.`,
    },
  );
}

function parseTable(table: readonly TableEntry[]): Material {
  const certificates: Certificate[] = [];
  const crls: CertificateRevocationList[] = [];
  for (const { kind, data } of table) {
    if (kind === "CRL") crls.push(parseCrl(data));
    else if (kind !== undefined) certificates.push(parseCertificate(data));
  }
  return { certificates, crls };
}
