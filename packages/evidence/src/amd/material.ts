// SPDX-License-Identifier: Apache-2.0
// Where the endorsements of one report come from: the table that came with it, and the caller's bag. Which
// endorsement key is the report's own is decided by what it says, because bags may hold those of a whole fleet.

import { equal, isZero, toHex, toUtf8 } from "@adyton/core/bytes";
import { type CertificateRevocationList, parseCrl } from "@adyton/core/crl";
import type { CryptoProvider } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { parsePem } from "@adyton/core/pem";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import type { VerificationCache } from "../cache.ts";
import { EvidenceError } from "../errors.ts";
import { type EndorsementKey, parseEndorsementKey, type SignerKind, signerKindOf } from "./endorsements.ts";
import type { Report } from "./evidence.ts";
import { productOfCpuid } from "./products.ts";
import type { SnpEvidence, TableEntry } from "./table.ts";
import { TCB_BYTES } from "./tcb.ts";

/** Certificates and CRLs, unverified. */
export interface Material {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
}

const ALWAYS = [new Date(-8.64e15), new Date(8.64e15)] as const;
const DASH = 0x2d;

/** The parsed contents of the evidence's own certificate table. Throws `UNKNOWN_ENDORSEMENT`. */
export async function tableMaterial(
  evidence: SnpEvidence,
  cache: VerificationCache | undefined,
  now: Date,
  crypto: CryptoProvider,
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
  const leaves = certificates.filter(
    (certificate, index) =>
      signerKindOf(certificate) !== undefined &&
      certificates.findIndex((other) => equal(other.der, certificate.der)) === index,
  );
  const named = leaves.filter((certificate) => signerKindOf(certificate) === kind);
  if (named.length === 0) throw missing(report, kind, leaves[0]);
  let first: unknown;
  const ranked: { key: EndorsementKey; rank: number; current: boolean }[] = [];
  for (const certificate of named) {
    try {
      const key = parseEndorsementKey(certificate);
      const rank = CHECKS.length - CHECKS.findIndex((check) => check(report, key) !== undefined);
      const current = now >= certificate.notBefore && now <= certificate.notAfter;
      ranked.push({ key, rank: rank > CHECKS.length ? 0 : rank, current });
    } catch (error) {
      first ??= error;
    }
  }
  ranked.sort((a, b) => a.rank - b.rank || Number(b.current) - Number(a.current));
  const [best] = ranked;
  if (best === undefined) throw first;
  return ranked.filter(({ rank }, index) => index === 0 || rank === 0).map(({ key }) => key);
}

/** The CPUID or, before version 3, the form of the chip id contradicts the key's product. */
export function productMisfit(report: Report, key: EndorsementKey): EvidenceError | undefined {
  const { cpuid, chipId } = report;
  let found: string;
  if (cpuid !== undefined) {
    const product = productOfCpuid(cpuid);
    if (product?.name === key.product.name) return undefined;
    found = product?.name ?? "an unknown product";
  } else {
    // Version 2 names no processor, but chip ids of family 1Ah fill 8 of the 64 bytes.
    if (
      key.kind === "VLEK" ||
      isZero(chipId) ||
      isZero(chipId.subarray(8)) === (key.product.chipIdSize === 8)
    ) {
      return undefined;
    }
    found = `a chip id of ${isZero(chipId.subarray(8)) ? 8 : 64} bytes`;
  }
  return new EvidenceError(
    "PRODUCT_MISMATCH",
    "not-authentic",
    `Cannot accept SNP report: it comes from ${found}, but its ${key.kind} is for ${key.productName}`,
    { detail: { found, expected: key.productName } },
  );
}

/** The chip id is not the VCEK's hwID. A VLEK names no chip; a masked chip id is zero. */
export function chipMisfit(report: Report, key: EndorsementKey): EvidenceError | undefined {
  const { chipId, keyInfo } = report;
  if (key.hwId === undefined || (keyInfo.maskChipKey && isZero(chipId))) return undefined;
  const size = key.product.chipIdSize;
  if (equal(chipId.subarray(0, size), key.hwId) && isZero(chipId.subarray(size))) return undefined;
  return new EvidenceError(
    "VCEK_CHIP_ID_MISMATCH",
    "not-authentic",
    "Cannot accept SNP report: its chip id is not the hwID of the VCEK",
    {
      detail: { found: toHex(chipId), expected: toHex(key.hwId) },
      hint: "Supply the VCEK of the chip that made the report.",
    },
  );
}

/** An SPL differs from the reported TCB: equality, not order, because the key is derived from these very numbers. */
export function tcbMisfit(report: Report, key: EndorsementKey): EvidenceError | undefined {
  if (equal(report.reportedTcb, key.tcb)) return undefined;
  const components = TCB_BYTES[key.product.layout].flatMap((name, index) => {
    const found = report.reportedTcb[index];
    const expected = key.tcb[index];
    return found === expected ? [] : [{ name, found, expected }];
  });
  const text = components.map(({ name, found, expected }) => `${name} ${found} instead of ${expected}`);
  return new EvidenceError(
    "VCEK_TCB_MISMATCH",
    "not-authentic",
    `Cannot accept SNP report: its reported TCB is not that of the ${key.kind}: ${text.join(", ")}`,
    {
      detail: { components },
      hint: `Supply the ${key.kind} for the reported TCB: a firmware update gives the platform another one.`,
    },
  );
}

/** From what a key must fit most to least: the later the first misfit, the closer the key. */
const CHECKS = [productMisfit, chipMisfit, tcbMisfit] as const;

function missing(report: Report, kind: SignerKind, other: Certificate | undefined): EvidenceError {
  if (other !== undefined) {
    return new EvidenceError(
      "SIGNER_KEY_MISMATCH",
      "not-authentic",
      `Cannot accept SNP report: it names a ${kind} as its signer, found ${other.subject.text}`,
      { detail: { found: other.subject.text, expected: kind } },
    );
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
  for (const { kind, guid, data } of table) {
    if (kind === undefined) continue;
    try {
      // Hosts store what their operator gave them: DER as the specification says, but PEM too.
      const ders = data[0] === DASH ? parsePem(toUtf8(data)).map((block) => block.der) : [data];
      for (const der of ders) {
        if (kind === "CRL") crls.push(parseCrl(der));
        else certificates.push(parseCertificate(der));
      }
    } catch (cause) {
      if (!(cause instanceof AdytonError)) throw cause;
      throw new EvidenceError(
        "UNKNOWN_ENDORSEMENT",
        "malformed",
        `Cannot read certificate table of SNP evidence: its ${kind} entry does not parse`,
        { detail: { kind, guid, why: cause.message }, cause },
      );
    }
  }
  return { certificates, crls };
}
