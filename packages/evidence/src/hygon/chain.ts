// SPDX-License-Identifier: Apache-2.0
// The chain of a platform's keys: HRK, HSK, CEK, PEK, and the PDH below the PEK. A signature counts only in a slot that
// names its signer's role, and under the signer's own user id. Nothing here expires, and Hygon revokes nothing.

import { equal, isZero, toHex } from "@adyton/core/bytes";
import type { VerifyingCrypto } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import { sm2Verify } from "@adyton/core/sm";
import type { Endorsements } from "../bag.ts";
import type { VerificationCache } from "../cache.ts";
import { EvidenceError } from "../errors.ts";
import type { Trust } from "../verified.ts";
import { CSV_USAGE, type CsvCa, type CsvCertificate } from "./certificates.ts";
import { type CsvRoot, type HygonCertificates, hygonCertificatesIn, PINNED_HRK } from "./endorsements.ts";

/** A PEK whose chain holds. */
export interface TrustedPek {
  readonly hsk: CsvCa;
  readonly cek: CsvCertificate;
  /** The owner's authority that also signed the PEK, when its certificate was at hand. */
  readonly oca: CsvCertificate | undefined;
  /** Certificates of owners' authorities were at hand, and none of them signed the PEK. */
  readonly ownerUnknown: boolean;
  readonly trust: Trust;
}

export interface ChainSources {
  /** Came with the evidence. */
  readonly own: Endorsements;
  readonly endorsements: Endorsements | undefined;
  /** HRKs that the caller named. */
  readonly anchors: Endorsements | undefined;
  readonly now: Date;
  readonly cache: VerificationCache | undefined;
  readonly crypto: VerifyingCrypto;
}

interface HrkAnchor extends CsvRoot {
  readonly sha256: string;
  readonly vendor: boolean;
}

const ALWAYS = [new Date(-8.64e15), new Date(8.64e15)] as const;

/** Whether `holder` made the SM2 signature. */
export function isSignedBy(
  holder: Pick<CsvRoot, "publicKey" | "userId">,
  signature: Uint8Array,
  message: Uint8Array,
): boolean {
  return sm2Verify(holder.publicKey, holder.userId, message, signature);
}

/**
 * Verifies the chain of a PEK, or finds it in the cache. `chip` names the platform in hints. Throws `HSK_CEK_MISSING`,
 * `NO_TRUST_ANCHOR`, `ROOT_NOT_TRUSTED` or `CERTIFICATE_SIGNATURE`.
 */
export async function trustPek(
  pek: CsvCertificate,
  chip: string | undefined,
  sources: ChainSources,
): Promise<TrustedPek> {
  const { cache, now } = sources;
  const [own, given] = [sources.own, sources.endorsements].map(hygonCertificatesIn) as [
    HygonCertificates,
    HygonCertificates,
  ];
  const pool: HygonCertificates = {
    authorities: [...own.authorities, ...given.authorities],
    platform: [...own.platform, ...given.platform],
  };
  const named = hygonCertificatesIn(sources.anchors).authorities;
  if (cache === undefined) return verifyPek(pek, chip, pool, named, sources.crypto);
  const key = await cacheKeyOf([[pek], pool.authorities, pool.platform, named], sources.crypto);
  const known = cache.get(key, now) as TrustedPek | undefined;
  if (known !== undefined) return known;
  const trusted = await verifyPek(pek, chip, pool, named, sources.crypto);
  cache.set(key, trusted, ...ALWAYS);
  return trusted;
}

/** HSK and CEK of a bag that lead to `pek`, by their signatures alone; undefined when they are not all there. */
export function issuersAtHand(
  pek: CsvCertificate,
  bag: Endorsements | undefined,
): Pick<TrustedPek, "hsk" | "cek"> | undefined {
  const { authorities, platform } = hygonCertificatesIn(bag);
  const cek = cekOf(pek, platform);
  const hsk = cek && hskCandidates(cek, authorities).find((each) => hasSigned(each, CSV_USAGE.HSK, cek));
  return cek === undefined || hsk === undefined ? undefined : { hsk, cek };
}

/** Whether the holder signed the certificate, in a slot that says so. */
export function hasSigned(
  issuer: Pick<CsvRoot, "publicKey" | "userId">,
  usage: number,
  subject: CsvCertificate,
): boolean {
  return subject.slots.some(
    (slot) => slot.usage === usage && isSignedBy(issuer, slot.signature, subject.signedPart),
  );
}

async function verifyPek(
  pek: CsvCertificate,
  chip: string | undefined,
  { authorities, platform }: HygonCertificates,
  named: readonly CsvCa[],
  crypto: VerifyingCrypto,
): Promise<TrustedPek> {
  const cek = cekOf(pek, platform);
  if (cek === undefined) {
    const other = platform.some(({ role }) => role === "CEK");
    throw other ? unsigned("PEK", "any CEK at hand") : missing("CEK", chip);
  }
  const candidates = hskCandidates(cek, authorities);
  if (candidates.length === 0) throw missing("HSK", chip);
  const hsk = candidates.find((each) => hasSigned(each, CSV_USAGE.HSK, cek));
  if (hsk === undefined) throw unsigned("CEK", `the HSK ${toHex(cek.signingKeyId)}`);
  const root = await anchorOf(hsk, authorities, named, crypto);
  if (!isSignedBy(root, hsk.signature, hsk.signedPart)) throw unsigned("HSK", `the HRK ${toHex(root.keyId)}`);
  const owners = platform.filter(({ role }) => role === "OCA");
  const oca = owners.find(
    (each) => hasSigned(each, CSV_USAGE.OCA, pek) && hasSigned(each, CSV_USAGE.OCA, each),
  );
  return {
    hsk,
    cek,
    oca,
    ownerUnknown: owners.length > 0 && oca === undefined,
    trust: {
      root: `${new TextDecoder().decode(root.userId)}, key ${toHex(root.keyId)}`,
      rootSha256: root.sha256,
      simulated: !root.vendor,
    },
  };
}

function cekOf(pek: CsvCertificate, platform: readonly CsvCertificate[]): CsvCertificate | undefined {
  return platform.find((each) => each.role === "CEK" && hasSigned(each, CSV_USAGE.CEK, pek));
}

/** A CEK names its issuer's key; where it does not, any HSK may be it. */
function hskCandidates(cek: CsvCertificate, authorities: readonly CsvCa[]): CsvCa[] {
  return authorities.filter(
    ({ role, keyId }) => role === "HSK" && (isZero(cek.signingKeyId) || equal(keyId, cek.signingKeyId)),
  );
}

/** The HRK that the HSK names: Hygon's, or one that the caller named. */
async function anchorOf(
  hsk: CsvCa,
  authorities: readonly CsvCa[],
  named: readonly CsvCa[],
  crypto: VerifyingCrypto,
): Promise<HrkAnchor> {
  const isRootOfHsk = (each: CsvCa): boolean => each.role === "HRK" && equal(each.keyId, hsk.signingKeyId);
  if (equal(PINNED_HRK.keyId, hsk.signingKeyId)) return { ...PINNED_HRK, vendor: true };
  const own = named.find(isRootOfHsk);
  if (own !== undefined) {
    if (!equal(own.keyId, own.signingKeyId) || !isSignedBy(own, own.signature, own.signedPart))
      throw unsigned("HRK", "itself");
    return { ...own, sha256: toHex(await crypto.digest("SHA-256", own.bytes)), vendor: false };
  }
  const keyId = toHex(hsk.signingKeyId);
  if (authorities.some(isRootOfHsk)) {
    throw new CoreError(
      "ROOT_NOT_TRUSTED",
      "not-authentic",
      `Cannot trust HRK ${keyId}: neither Hygon's nor named as trusted`,
      { detail: { keyId } },
    );
  }
  throw new CoreError(
    "NO_TRUST_ANCHOR",
    "endorsements",
    `Cannot verify HSK: its root, HRK ${keyId}, is missing`,
    {
      detail: { keyId, pinned: toHex(PINNED_HRK.keyId) },
      hint: "The chain does not end in Hygon's root. Name another HRK only if you mean to trust it.",
    },
  );
}

/** Everything that the outcome depends on: SHA-256 of each certificate, worked out once per parsed one. */
async function cacheKeyOf(
  groups: readonly (readonly { readonly bytes: Uint8Array }[])[],
  crypto: VerifyingCrypto,
): Promise<string> {
  let key = "csv";
  for (const group of groups) {
    key += ":";
    for (const item of group) {
      let digest = digests.get(item);
      if (digest === undefined) {
        digest = toHex(await crypto.digest("SHA-256", item.bytes));
        digests.set(item, digest);
      }
      key += digest;
    }
  }
  return key;
}
const digests = new WeakMap<object, string>();

function missing(role: "CEK" | "HSK", chip: string | undefined): EvidenceError {
  const named = chip === undefined ? "the platform" : `chip ${chip}`;
  const query =
    chip === undefined ? "" : ` (Hygon's certificate service: hsk_cek?snumber=${encodeURIComponent(chip)})`;
  return new EvidenceError(
    "HSK_CEK_MISSING",
    "endorsements",
    `Cannot verify CSV platform: the ${role} certificate of ${named} is missing`,
    {
      detail: { missing: role, serialNumber: chip ?? null },
      hint: `Supply hsk_cek.cert of ${named}${query}.`,
    },
  );
}

function unsigned(subject: string, issuer: string): CoreError {
  return new CoreError(
    "CERTIFICATE_SIGNATURE",
    "not-authentic",
    `Cannot trust ${subject} certificate: it is not signed by ${issuer}`,
    { detail: { subject, issuer }, hint: "Check that hsk_cek.cert is that of the chip." },
  );
}
