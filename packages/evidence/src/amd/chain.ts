// SPDX-License-Identifier: Apache-2.0
// The chain of an endorsement key: VCEK under ASK, VLEK under ASVK, both under a trusted ARK, with AMD's signature
// parameters, roles and revocation. VCEK specification (57230) chapters 2 and 3.

import { equal, toHex } from "@adyton/core/bytes";
import { checkRevocation, isSelfIssued, verifyChain } from "@adyton/core/chain";
import type { CertificateRevocationList } from "@adyton/core/crl";
import type { PublicKey, VerifyingCrypto } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import { type Certificate, publicKeyOf } from "@adyton/core/x509";
import { selectAnchors, trustOf } from "../anchors.ts";
import type { VerificationCache } from "../cache.ts";
import type { EvidenceError } from "../errors.ts";
import { remembered } from "../remember.ts";
import { endorsementsUsed, holdingsOf } from "../used.ts";
import type { EndorsementsUsed, Trust } from "../verified.ts";
import { type EndorsementKey, issuerNameOf, rootNameOf, type SignerKind } from "./endorsements.ts";
import { PINNED_ARKS } from "./products.ts";
import { refusal } from "./refusal.ts";

/** An endorsement key whose chain holds from `validFrom` to `validUntil`. */
export interface TrustedKey {
  readonly publicKey: PublicKey;
  /** Leaf, ASK or ASVK, ARK. */
  readonly certificates: readonly Certificate[];
  /** The ARK's CRL that was checked; undefined when none was at hand. */
  readonly crl: CertificateRevocationList | undefined;
  readonly trust: Trust;
  readonly endorsements: EndorsementsUsed;
  readonly validFrom: Date;
  readonly validUntil: Date;
}

export interface ChainMaterial {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
  /** Roots that the caller named. */
  readonly roots: readonly Certificate[];
  readonly now: Date;
  /** Without a CRL of the ARK, fail with `CRL_MISSING`. */
  readonly requireRevocation: boolean;
  readonly cache: VerificationCache | undefined;
  readonly crypto: VerifyingCrypto;
}

const CHAIN_LENGTH = 3;

/**
 * Verifies the chain of `key`, or finds it in the cache. Throws what `verifyChain` throws, `ROOT_NOT_TRUSTED`,
 * `SIGNER_KEY_MISMATCH`, `PRODUCT_MISMATCH`, `UNSUPPORTED_ALGORITHM`, `ASK_REVOKED`, or why the CRL does not do.
 */
export async function trustKey(key: EndorsementKey, material: ChainMaterial): Promise<TrustedKey> {
  const leaf = key.certificate;
  // Only what can matter to this leaf: a bag may hold the chains of a whole fleet.
  const issuers = material.certificates.filter((candidate) => equal(candidate.subject.der, leaf.issuer.der));
  const arks = material.certificates.filter(
    (candidate) =>
      isSelfIssued(candidate) && issuers.some((issuer) => equal(issuer.issuer.der, candidate.subject.der)),
  );
  const named = [...arks, ...material.roots];
  const crls = material.crls.filter((crl) => named.some((ark) => equal(ark.subject.der, crl.issuer.der)));

  const { cache, now, requireRevocation, roots, crypto } = material;
  const work = (): Promise<TrustedKey> => verify(key, issuers, arks, crls, material);
  if (cache === undefined) return work();
  const cacheKey = await cacheKeyOf(requireRevocation, [[leaf], issuers, arks, roots, crls], crypto);
  return remembered(cache, cacheKey, { now, lists: crls }, work, ({ validFrom, validUntil }) => ({
    from: validFrom,
    until: validUntil,
  }));
}

async function verify(
  key: EndorsementKey,
  issuers: readonly Certificate[],
  arks: readonly Certificate[],
  crls: readonly CertificateRevocationList[],
  material: ChainMaterial,
): Promise<TrustedKey> {
  const { roots, now, crypto } = material;
  const anchors = await selectAnchors(arks, PINNED_ARKS, roots, crypto);
  if (issuers.length === 0) throw missing(key, "ISSUER_NOT_FOUND", key.certificate.issuer.text);
  if (anchors.length === 0) throw noAnchor(key, arks[0]);
  const chain = await verifyChain({
    leaf: key.certificate,
    pool: [...issuers, ...arks],
    anchors: anchors.map((anchor) => anchor.certificate),
    at: now,
    // AMD revokes ASKs and ASVKs only: there is no CRL for VCEKs and VLEKs.
    crls: "unchecked",
    crypto,
    maxLength: CHAIN_LENGTH,
  });
  const [leaf, issuer, root] = chain.certificates;
  if (leaf === undefined || issuer === undefined || root === undefined)
    throw wrongIssuer(key, chain.certificates.at(-1));
  checkRoles(key, issuer, root);
  for (const certificate of chain.certificates) checkSignatureParameters(certificate);
  const own = crls.filter((candidate) => equal(candidate.issuer.der, root.subject.der));
  const unchecked = own.length === 0 && !material.requireRevocation;
  const crl = unchecked ? undefined : await checkIssuer(key.kind, issuer, root, own, now, crypto);
  const validFrom = crl !== undefined && crl.thisUpdate > chain.validFrom ? crl.thisUpdate : chain.validFrom;
  const validUntil =
    crl !== undefined && crl.nextUpdate < chain.validUntil ? crl.nextUpdate : chain.validUntil;
  return {
    publicKey: await publicKeyOf(leaf, crypto),
    certificates: chain.certificates,
    crl,
    trust: trustOf(anchors, root),
    endorsements: endorsementsUsed(
      holdingsOf(chain.certificates, crl === undefined ? [] : [crl]),
      crl !== undefined,
    ),
    validFrom,
    validUntil,
  };
}

/** Everything the outcome depends on, as SHA-256 of each part, which is worked out once per object. */
async function cacheKeyOf(
  requireRevocation: boolean,
  groups: readonly (readonly { readonly der: Uint8Array }[])[],
  crypto: VerifyingCrypto,
): Promise<string> {
  let id = `snp ${requireRevocation}`;
  for (const group of groups) {
    id += ":";
    for (const item of group) {
      let digest = digests.get(item);
      if (digest === undefined) {
        digest = toHex(await crypto.digest("SHA-256", item.der));
        digests.set(item, digest);
      }
      id += digest;
    }
  }
  return id;
}
const digests = new WeakMap<object, string>();

/** ASK for VCEKs, ASVK for VLEKs, each of the key's own product. */
function checkRoles(key: EndorsementKey, issuer: Certificate, root: Certificate): void {
  if (issuer.subject.commonName !== issuerNameOf(key.kind, key.product.name)) throw wrongIssuer(key, issuer);
  if (root.subject.commonName !== rootNameOf(key.product.name)) {
    const found = root.subject.commonName;
    const expected = rootNameOf(key.product.name);
    throw refusal("PRODUCT_MISMATCH", `the root of its ${key.kind} is ${found}, expected ${expected}`, {
      detail: { found, expected },
    });
  }
}

function wrongIssuer(key: EndorsementKey, issuer: Certificate | undefined): EvidenceError {
  const found = issuer?.subject.commonName ?? "";
  const expected = issuerNameOf(key.kind, key.product.name);
  const foundKind = found.startsWith("SEV-VLEK-") ? "VLEK" : found.startsWith("SEV-") ? "VCEK" : undefined;
  return refusal(
    foundKind === key.kind ? "PRODUCT_MISMATCH" : "SIGNER_KEY_MISMATCH",
    `its ${key.kind} is issued by ${found}, expected ${expected}`,
    { detail: { found, expected } },
  );
}

/** RSASSA-PSS with SHA-384, MGF1-SHA-384 and a salt of 48 bytes (57230 section 3.1). */
function checkSignatureParameters(certificate: Certificate): void {
  const algorithm = certificate.signatureAlgorithm;
  if (algorithm.name === "RSA-PSS" && algorithm.hash === "SHA-384" && algorithm.saltLength === 48) return;
  const { text } = certificate.subject;
  throw new CoreError(
    "UNSUPPORTED_ALGORITHM",
    "not-authentic",
    `Cannot trust certificate ${text}: signed with ${JSON.stringify(algorithm)}, expected RSASSA-PSS, SHA-384, salt 48`,
    { detail: { subject: text, algorithm } },
  );
}

/** The ARK's CRL lists ASKs and ASVKs. A CRL that does not verify is an error, never "nothing revoked". */
async function checkIssuer(
  kind: SignerKind,
  issuer: Certificate,
  root: Certificate,
  crls: readonly CertificateRevocationList[],
  now: Date,
  crypto: VerifyingCrypto,
): Promise<CertificateRevocationList> {
  try {
    return await checkRevocation(issuer, root, crls, now, crypto);
  } catch (cause) {
    if (!(cause instanceof CoreError) || cause.code !== "CERTIFICATE_REVOKED") throw cause;
    throw refusal("ASK_REVOKED", `the issuer of its ${kind}, ${issuer.subject.text}, is revoked`, {
      detail: cause.detail,
      cause,
    });
  }
}

/** No anchor: either nothing that could be one was given, or something that is not trusted. */
function noAnchor(key: EndorsementKey, ark: Certificate | undefined): CoreError {
  if (ark === undefined) return missing(key, "NO_TRUST_ANCHOR", rootNameOf(key.product.name));
  return new CoreError(
    "ROOT_NOT_TRUSTED",
    "not-authentic",
    `Cannot trust certificate ${ark.subject.text}: neither published by AMD nor named as trusted`,
    { detail: { subject: ark.subject.text } },
  );
}

function missing(key: EndorsementKey, code: "ISSUER_NOT_FOUND" | "NO_TRUST_ANCHOR", name: string): CoreError {
  const product = key.product.name;
  return new CoreError(
    code,
    "endorsements",
    `Cannot verify ${key.kind}: the certificate of ${name} is missing`,
    {
      detail: { subject: key.certificate.subject.text, missing: name },
      hint: `Supply AMD's certificate chain for ${product} (KDS: ${key.kind.toLowerCase()}/v1/${product}/cert_chain).`,
    },
  );
}
