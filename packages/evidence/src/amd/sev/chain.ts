// SPDX-License-Identifier: Apache-2.0
// The platform's chain: ARK signs itself and ASK, ASK the CEK of one chip, CEK and OCA the PEK, OCA itself, PEK the
// PDH. SEV API (55766) section 2.1. A bag may hold a fleet's certificates: who signed what tells them apart, as the
// certificates carry no names, no dates, and no revocation.

import { equal, toHex } from "@adyton/core/bytes";
import type { VerifyingCrypto } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import type { Endorsements } from "../../bag.ts";
import type { VerificationCache } from "../../cache.ts";
import { EvidenceError } from "../../errors.ts";
import type { Trust } from "../../verified.ts";
import type { SevCaCertificate } from "./ca.ts";
import { type SevCertificate, sevCertificatesIn } from "./endorsements.ts";
import { type SevGeneration, sevGenerationOf } from "./generations.ts";
import { caSigned, caSignedSlot, platformSigned, sevSpkiOf } from "./keys.ts";
import type { SevUsage } from "./numbers.ts";
import type { SevPlatformCertificate, SevPlatformUsage } from "./platform.ts";

/** A PEK whose chain holds, for ever: nothing in it has a date. */
export interface TrustedPek {
  readonly ark: SevCaCertificate;
  readonly ask: SevCaCertificate;
  readonly cek: SevPlatformCertificate;
  readonly oca: SevPlatformCertificate;
  readonly pek: SevPlatformCertificate;
  /** Undefined below a root that is not AMD's. */
  readonly generation: SevGeneration | undefined;
  readonly trust: Trust;
}

/** What a chain is made from. */
export interface SevMaterial {
  readonly certificates: readonly SevCertificate[];
  /** Roots that the caller named. */
  readonly anchors: readonly SevCaCertificate[];
  readonly cache: VerificationCache | undefined;
  readonly crypto: VerifyingCrypto;
}

const ALWAYS = [new Date(-8.64e15), new Date(8.64e15)] as const;

/** The binary certificates of the bags, and the roots among the anchors. Throws `INVALID_SEV_CERTIFICATE`. */
export function sevMaterial(
  bags: readonly (Endorsements | undefined)[],
  anchors: Endorsements | undefined,
  cache: VerificationCache | undefined,
  crypto: VerifyingCrypto,
): SevMaterial {
  const named = sevCertificatesIn(anchors?.vendorCertificates);
  return {
    certificates: [...bags.flatMap((bag) => sevCertificatesIn(bag?.vendorCertificates)), ...named],
    anchors: named.filter(isCa).filter(({ usage }) => usage === "ARK"),
    cache,
    crypto,
  };
}

/**
 * Verifies the chain of `pek`, or finds it in the cache. Throws `SEV_CERTIFICATE_MISSING`, `CERTIFICATE_SIGNATURE`,
 * `ROOT_NOT_TRUSTED` or `INVALID_KEY`.
 */
export async function trustPek(pek: SevPlatformCertificate, material: SevMaterial): Promise<TrustedPek> {
  const { cache, anchors, crypto } = material;
  if (cache === undefined) return verifyPek(pek, material);
  // What a PEK rests on does not change with what else is in the bag.
  let id = "sev";
  for (const { bytes } of [pek, ...anchors]) id += `:${toHex(await crypto.digest("SHA-256", bytes))}`;
  const known = cache.get(id, ALWAYS[0]) as TrustedPek | undefined;
  if (known !== undefined) return known;
  const trusted = await verifyPek(pek, material);
  cache.set(id, trusted, ...ALWAYS);
  return trusted;
}

async function verifyPek(pek: SevPlatformCertificate, material: SevMaterial): Promise<TrustedPek> {
  const { crypto } = material;
  const by = (usage: SevPlatformUsage) => (signer: SevPlatformCertificate) =>
    slotSigned(pek, usage, signer, crypto);
  const cek = await signerOf(pek, platforms(material, "CEK"), by("CEK"), "CEK");
  const oca = await signerOf(pek, platforms(material, "OCA"), by("OCA"), "OCA");
  if (!(await slotSigned(oca, "OCA", oca, crypto))) throw notSigned("OCA", "OCA");
  // Platforms export their CEK without AMD's signature, AMD hands out the signed one: the key is the same.
  const signed = platforms(material, "CEK").filter(
    ({ algorithm, point }) => algorithm === cek.algorithm && equal(point, cek.point),
  );
  const asks = material.certificates.filter(isCa).filter(({ usage }) => usage === "ASK");
  const [endorsed, ask] = await endorsedCek(signed, asks, crypto);
  const { ark, trust, generation } = await trustedRoot(ask, material);
  return { ark, ask, cek: endorsed, oca, pek, generation, trust };
}

/** The certificate among `candidates` whose key signed. Throws `SEV_CERTIFICATE_MISSING` or `CERTIFICATE_SIGNATURE`. */
export async function signerOf<Candidate extends SevCertificate>(
  subject: SevCertificate,
  candidates: readonly Candidate[],
  signed: (candidate: Candidate) => Promise<boolean>,
  usage: SevUsage,
): Promise<Candidate> {
  if (candidates.length === 0) throw missing(usage);
  for (const candidate of candidates) if (await signed(candidate)) return candidate;
  throw notSigned(subject.usage, usage);
}

/** Whether `certificate` carries a signature as `usage` that `signer` made. */
export async function slotSigned(
  certificate: SevPlatformCertificate,
  usage: SevPlatformUsage,
  signer: SevPlatformCertificate,
  crypto: VerifyingCrypto,
): Promise<boolean> {
  const slot = certificate.signatures.find((candidate) => candidate?.usage === usage);
  return slot !== undefined && platformSigned(slot, signer, certificate.signedPart, crypto);
}

/** The platform certificates for one usage. */
export function platforms(material: SevMaterial, usage: SevPlatformUsage): SevPlatformCertificate[] {
  return material.certificates.filter((each): each is SevPlatformCertificate => each.usage === usage);
}

/** Why a chain ends: `usage` is not at hand. */
export function missing(usage: SevUsage): EvidenceError {
  return new EvidenceError(
    "SEV_CERTIFICATE_MISSING",
    "endorsements",
    `Cannot verify SEV platform: the ${usage} certificate is missing`,
    { detail: { missing: usage }, hint: WHERE[usage] },
  );
}

const EXPORT =
  "Supply the platform's own certificates (sevctl export, or cert-chain and pdh of libvirt or QEMU).";
const AMD_CHAIN =
  "Supply AMD's ASK and ARK of the processor's generation (ask_ark_<generation>.cert on AMD's site).";
const WHERE: Readonly<Record<SevUsage, string>> = {
  ARK: AMD_CHAIN,
  ASK: AMD_CHAIN,
  CEK: "Supply the chip's CEK, signed by AMD (https://kdsintf.amd.com/cek/id/<chip id>).",
  OCA: EXPORT,
  PEK: EXPORT,
  PDH: EXPORT,
};

async function endorsedCek(
  ceks: readonly SevPlatformCertificate[],
  asks: readonly SevCaCertificate[],
  crypto: VerifyingCrypto,
): Promise<[SevPlatformCertificate, SevCaCertificate]> {
  if (asks.length === 0) throw missing("ASK");
  for (const cek of ceks) {
    const slot = cek.signatures.find((candidate) => candidate?.usage === "ASK");
    if (slot === undefined) continue;
    for (const ask of asks) if (await caSignedSlot(slot, ask, cek.signedPart, crypto)) return [cek, ask];
  }
  throw notSigned("CEK", "ASK", WHERE.CEK);
}

async function trustedRoot(
  ask: SevCaCertificate,
  { certificates, anchors, crypto }: SevMaterial,
): Promise<Pick<TrustedPek, "ark" | "trust" | "generation">> {
  const arks = certificates.filter(isCa).filter(({ usage }) => usage === "ARK");
  const ark = await signerOf(ask, arks, (candidate) => caSigned(ask, candidate, crypto), "ARK");
  if (!equal(ask.certifyingId, ark.keyId) || !equal(ark.certifyingId, ark.keyId))
    throw notSigned("ASK", "ARK");
  if (!(await caSigned(ark, ark, crypto))) throw notSigned("ARK", "ARK");
  const rootSha256 = toHex(await crypto.digest("SHA-256", ark.bytes));
  const generation = sevGenerationOf(rootSha256);
  const root = `${generation === undefined ? "SEV root" : `ARK of ${generation}`}, key id ${toHex(ark.keyId)}`;
  if (generation === undefined && !anchors.some(({ bytes }) => equal(bytes, ark.bytes))) {
    throw new CoreError(
      "ROOT_NOT_TRUSTED",
      "not-authentic",
      `Cannot trust ${root}: neither published by AMD nor named as trusted`,
      { detail: { root, sha256: rootSha256 } },
    );
  }
  return { ark, generation, trust: { root, rootSha256, simulated: generation === undefined } };
}

function isCa(certificate: SevCertificate): certificate is SevCaCertificate {
  return certificate.usage === "ARK" || certificate.usage === "ASK";
}

function notSigned(subject: SevUsage, issuer: SevUsage, hint?: string): CoreError {
  return new CoreError(
    "CERTIFICATE_SIGNATURE",
    "not-authentic",
    `Cannot trust SEV platform: its ${subject} is not signed by ${subject === issuer ? "itself" : `the ${issuer}`}`,
    { detail: { subject, issuer }, ...(hint === undefined ? {} : { hint }) },
  );
}

/** SHA-256 over the SubjectPublicKeyInfo of a certificate's key, hex: names the key whoever signs it. */
export async function sevKeyIdOf(certificate: SevCertificate, crypto: VerifyingCrypto): Promise<string> {
  return toHex(await crypto.digest("SHA-256", sevSpkiOf(certificate)));
}
