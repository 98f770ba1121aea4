// SPDX-License-Identifier: Apache-2.0
// The chain of a Nitro document: it travels inside, root first, and ends in the one root that AWS publishes.
// AWS Nitro Enclaves user guide, "Verifying the root of trust".

import { equal } from "@adyton/core/bytes";
import { checkRevocation, type VerifiedChain, verifyChain } from "@adyton/core/chain";
import type { CertificateRevocationList } from "@adyton/core/crl";
import type { PublicKey, VerifyingCrypto } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import { type Certificate, KEY_USAGE, parseCertificate, publicKeyOf } from "@adyton/core/x509";
import { selectAnchors, trustOf } from "../anchors.ts";
import type { VerificationCache } from "../cache.ts";
import { EvidenceError } from "../errors.ts";
import { remembered, scopeKey } from "../remember.ts";
import type { Trust } from "../verified.ts";
import type { NitroClaims } from "./evidence.ts";

/** SHA-256 of AWS_NitroEnclaves_Root-G1 (P-384, 2019 to 2049). */
export const PINNED_ROOTS: ReadonlySet<string> = new Set([
  "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b",
]);

export interface NitroChain {
  readonly publicKey: PublicKey;
  /** Leaf first, root last. */
  readonly certificates: readonly Certificate[];
  /** CRLs that were checked, in chain order. */
  readonly crls: readonly CertificateRevocationList[];
  /** Every certificate below the root was covered by a CRL of its issuer. */
  readonly revocationChecked: boolean;
  readonly trust: Trust;
  readonly validFrom: Date;
  readonly validUntil: Date;
}

export interface NitroMaterial {
  readonly crls: readonly CertificateRevocationList[];
  /** Roots that the caller named. */
  readonly roots: readonly Certificate[];
  readonly now: Date;
  readonly requireRevocation: boolean;
  readonly cache: VerificationCache | undefined;
  readonly crypto: VerifyingCrypto;
}

/** Documents are short-lived by design, so an expired one is the rule in archives and needs its own next step. */
const EXPIRED_HINT =
  "A document's certificate lives three hours: verify it while it is fresh, or for the time it was made.";

/**
 * Verifies leaf and bundle, or finds them in the cache. Throws what `verifyChain` and `checkRevocation` throw, and
 * `INVALID_NITRO_CERTIFICATE`.
 */
export async function trustNitroChain(claims: NitroClaims, material: NitroMaterial): Promise<NitroChain> {
  const { cache, now, roots, crls, requireRevocation, crypto } = material;
  const work = (): Promise<NitroChain> => verify(claims, material);
  if (cache === undefined) return work();
  const bundle = [claims.certificate, ...claims.cabundle].map((der) => ({ der }));
  const key = await scopeKey(`nitro ${requireRevocation}`, [bundle, roots, crls], crypto);
  return remembered(cache, key, { now, lists: crls }, work, ({ validFrom, validUntil }) => ({
    from: validFrom,
    until: validUntil,
  }));
}

async function verify(claims: NitroClaims, material: NitroMaterial): Promise<NitroChain> {
  const { roots, now, crypto } = material;
  const leaf = parseCertificate(claims.certificate);
  const bundle = claims.cabundle.map((der) => parseCertificate(der));
  const [top] = bundle;
  const anchors = await selectAnchors(top === undefined ? [] : [top], PINNED_ROOTS, roots, crypto);
  if (anchors.length === 0) throw rootNotTrusted(top);
  const chain = await building(leaf, () =>
    verifyChain({
      leaf,
      pool: bundle,
      anchors: anchors.map((anchor) => anchor.certificate),
      at: now,
      crls: "unchecked",
      maxLength: bundle.length + 1,
      crypto,
    }),
  );
  checkOrder(chain.certificates, bundle);
  checkLeaf(leaf);
  for (const certificate of chain.certificates) checkAlgorithm(certificate);
  const root = chain.certificates.at(-1) as Certificate;
  const { crls, complete } = await revocationOf(chain.certificates, material);
  return {
    publicKey: await publicKeyOf(leaf, crypto),
    certificates: chain.certificates,
    crls,
    revocationChecked: complete,
    trust: trustOf(anchors, root),
    validFrom: new Date(Math.max(chain.validFrom.getTime(), ...crls.map((crl) => crl.thisUpdate.getTime()))),
    validUntil: new Date(
      Math.min(chain.validUntil.getTime(), ...crls.map((crl) => crl.nextUpdate.getTime())),
    ),
  };
}

/** `build`, whose complaint about an expired leaf gets the hint that fits it. */
async function building(leaf: Certificate, build: () => Promise<VerifiedChain>): Promise<VerifiedChain> {
  try {
    return await build();
  } catch (error) {
    if (!(error instanceof CoreError) || error.code !== "CERTIFICATE_EXPIRED") throw error;
    if (error.detail.serial !== leaf.serial) throw error;
    throw new CoreError(error.code, error.category, error.message, {
      detail: error.detail,
      hint: EXPIRED_HINT,
      cause: error,
    });
  }
}

/** The bundle is the chain, root first, and nothing besides: no certificate travels unverified. */
function checkOrder(path: readonly Certificate[], bundle: readonly Certificate[]): void {
  const expected = [...bundle].reverse();
  const found = path.slice(1, -1);
  if (path.length === bundle.length + 1 && found.every((certificate, i) => certificate === expected[i]))
    return;
  throw invalidCertificate(
    `its bundle of ${bundle.length} is not its chain of ${path.length - 1} issuers, the root first`,
  );
}

function checkLeaf(leaf: Certificate): void {
  if (leaf.isCa || leaf.keyUsage?.has(KEY_USAGE.digitalSignature) === false) {
    throw invalidCertificate("it must be no CA and allow digital signatures");
  }
}

function checkAlgorithm(certificate: Certificate): void {
  const { key, signatureAlgorithm: by } = certificate;
  if (key.name === "EC" && key.curve === "P-384" && by.name === "ECDSA" && by.hash === "SHA-384") return;
  throw invalidCertificate(
    `${certificate.subject.text} is not of P-384 and ECDSA with SHA-384, as AWS makes them`,
  );
}

/** Checks every certificate whose issuer's CRL is at hand; with `requireRevocation` each must have one. */
async function revocationOf(
  path: readonly Certificate[],
  { crls, now, requireRevocation, crypto }: NitroMaterial,
): Promise<{ crls: CertificateRevocationList[]; complete: boolean }> {
  const used: CertificateRevocationList[] = [];
  for (const [index, issuer] of path.slice(1).entries()) {
    const own = crls.filter((crl) => equal(crl.issuer.der, issuer.subject.der));
    if (own.length === 0 && !requireRevocation) continue;
    used.push(await checkRevocation(path[index] as Certificate, issuer, own, now, crypto));
  }
  return { crls: used, complete: used.length === path.length - 1 };
}

function rootNotTrusted(top: Certificate | undefined): CoreError {
  return new CoreError(
    "ROOT_NOT_TRUSTED",
    "not-authentic",
    `Cannot trust certificate ${top?.subject.text}: the bundle begins with it, and it is neither AWS's root nor a named one`,
    { detail: { subject: top?.subject.text } },
  );
}

/** `why` ends the sentence "Cannot trust the certificate of a Nitro document: …". */
export function invalidCertificate(why: string): EvidenceError {
  return new EvidenceError(
    "INVALID_NITRO_CERTIFICATE",
    "not-authentic",
    `Cannot trust the certificate of a Nitro document: ${why}`,
  );
}
