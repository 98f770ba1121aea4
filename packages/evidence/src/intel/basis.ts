// SPDX-License-Identifier: Apache-2.0
// All that verifying a quote rests on and that does not depend on what the quote says: the PCK chain, revocation lists,
// TCB info and QE identity. Established once, kept in the caller's cache for exactly as long as it would come out the same.

import { equal, toHex } from "@adyton/core/bytes";
import type { CertificateRevocationList } from "@adyton/core/crl";
import type { PublicKey, VerifyingCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import type { JsonObject } from "@adyton/core/json";
import { type Certificate, fingerprintOf, publicKeyOf } from "@adyton/core/x509";
import { selectAnchors, trustOf } from "../anchors.ts";
import type { EvidenceError } from "../errors.ts";
import type { VerifyOptions } from "../scheme.ts";
import type { EndorsementsUsed, Trust } from "../verified.ts";
import {
  type Circumstances,
  checkNotRevoked,
  crlsOf,
  currentCrl,
  hasRole,
  INTEL_ROOTS,
  type PckChain,
  spanOfCrl,
  validityOf,
  verifyPckChain,
  verifySigners,
} from "./authority.ts";
import { type Bag, bagOf, numberOf, uniqueCertificates } from "./bag.ts";
import { type Certification, parseCertification } from "./certification.ts";
import { claimsOfEndorsements, claimsOfPlatform } from "./claims.ts";
import { type Collateral, spanOfDocument, verifyCollateral } from "./collateral.ts";
import { CERTIFICATION_TYPE, type Quote } from "./evidence.ts";
import { type PckExtension, pckExtensionOf } from "./pck.ts";
import { malformed, notEndorsed } from "./refusal.ts";
import { type Span, stableSpan } from "./window.ts";

export interface Basis extends PckChain, Collateral {
  readonly extension: PckExtension;
  /** The PCK's key. */
  readonly key: PublicKey;
  readonly rootCrl: CertificateRevocationList;
  readonly pckCrl: CertificateRevocationList;
  readonly trust: Trust;
  readonly endorsements: EndorsementsUsed;
  /** The platform's SVNs by name: sgx0 to sgx15, pceSvn. */
  readonly sgxSvn: Readonly<Record<string, number>>;
  /** The same with tdx0 to tdx15, zeros that each TD's quote fills in. */
  readonly platformSvn: Readonly<Record<string, number>>;
  /** Of platform and endorsements. */
  readonly claims: JsonObject;
}

const ECDSA_P256 = { name: "ECDSA", hash: "SHA-256" } as const;
const POINT_SIZE = 65;

/** Names of a TD's SVNs, by their place in tee_tcb_svn. */
export const TDX_SVN_NAMES: readonly string[] = Array.from({ length: 16 }, (_, i) => `tdx${i}`);

/** Finds or establishes the basis of a quote. Throws as the steps do: see authority.ts and collateral.ts. */
export async function basisOf(quote: Quote, options: VerifyOptions, crypto: VerifyingCrypto): Promise<Basis> {
  const bag = bagOf(options.endorsements);
  const { now, cache } = options;
  const { type, data } = quote.certification;
  const carried = type === CERTIFICATION_TYPE.pckLeaf || type === CERTIFICATION_TYPE.pckChain;
  if (cache === undefined || !carried) return establish(quote, bag, options, crypto);
  const key = [
    "intel",
    quote.body.tee,
    type,
    toHex(await crypto.digest("SHA-256", data)),
    numberOf(bag),
    numberOf(crypto),
    ...(options.roots ?? []).map(numberOf),
  ].join("/");
  const cached = cache.get(key, now) as Basis | undefined;
  if (cached !== undefined) return cached;
  const basis = await establish(quote, bag, options, crypto);
  const { from, until } = stableSpan(spansOf(bag, [basis.leaf, basis.intermediate, basis.root], basis), now);
  cache.set(key, basis, from, until);
  return basis;
}

async function establish(
  quote: Quote,
  bag: Bag,
  options: VerifyOptions,
  crypto: VerifyingCrypto,
): Promise<Basis> {
  const circumstances: Circumstances = { now: options.now, crypto };
  const certification = parseCertification(quote.certification);
  const carried = certification.kind === "certificates" ? certification.certificates : [];
  const roots = options.roots ?? [];
  const pool = uniqueCertificates([...bag.certificates, ...roots, ...carried]);
  const leaf = await pckOf(quote, certification, pool, crypto);
  const extension = pckExtensionOf(leaf);
  const anchors = await selectAnchors(pool, INTEL_ROOTS, roots, crypto);
  const chain = await verifyPckChain(leaf, pool, anchors, circumstances);
  const rootCrl = await currentCrl(bag.crls, chain.root, "ROOT_CA_CRL_MISSING", circumstances);
  const pckCrl = await currentCrl(bag.crls, chain.intermediate, "PCK_CRL_MISSING", circumstances);
  checkNotRevoked(chain.intermediate, rootCrl, "INTERMEDIATE_CA_REVOKED");
  checkNotRevoked(leaf, pckCrl, "PCK_REVOKED");
  const collateral = await collateralOf(quote, bag, chain.root, rootCrl, extension, options, crypto);
  // As Intel's supplemental data names the root: by SHA-384 over the point of its key.
  const rootKeyId = toHex(await crypto.digest("SHA-384", chain.root.spki.subarray(-POINT_SIZE)));
  const { endorsements, latestIssue } = summaryOf(chain, collateral, rootCrl, pckCrl);
  const sgxSvn = {
    ...Object.fromEntries(extension.components.map((svn, i) => [`sgx${i}`, svn])),
    pceSvn: extension.pceSvn,
  };
  const crlNumbers = { pck: pckCrl.number, root: rootCrl.number };
  return {
    ...chain,
    ...collateral,
    extension,
    key: await publicKeyOf(leaf, crypto),
    rootCrl,
    pckCrl,
    trust: trustOf(anchors, chain.root),
    endorsements,
    sgxSvn,
    platformSvn: { ...sgxSvn, ...Object.fromEntries(TDX_SVN_NAMES.map((name) => [name, 0])) },
    claims: {
      ...claimsOfPlatform(extension),
      ...claimsOfEndorsements(endorsements, latestIssue, crlNumbers, rootKeyId),
    },
  };
}

/** Verified collateral is shared by every platform of the same FMSPC under the same root. */
async function collateralOf(
  quote: Quote,
  bag: Bag,
  root: Certificate,
  rootCrl: CertificateRevocationList,
  extension: PckExtension,
  { now, cache }: VerifyOptions,
  crypto: VerifyingCrypto,
): Promise<Collateral> {
  const { tee } = quote.body;
  const establishCollateral = async (): Promise<Collateral> => {
    const signers = await verifySigners(bag.certificates, root, rootCrl, { now, crypto });
    return verifyCollateral(bag, tee, extension, signers, { now, crypto });
  };
  if (cache === undefined) return establishCollateral();
  const key = [
    "intel-collateral",
    tee,
    toHex(extension.fmspc),
    toHex(extension.pceId),
    await fingerprintOf(root, crypto),
    numberOf(bag),
    numberOf(crypto),
  ].join("/");
  const cached = cache.get(key, now) as Collateral | undefined;
  if (cached !== undefined) return cached;
  const collateral = await establishCollateral();
  const { from, until } = stableSpan(spansOf(bag, [root], collateral), now);
  cache.set(key, collateral, from, until);
  return collateral;
}

/** The PCK certificate: from the quote, or the one in the bag that fits what the quote says. Throws `PCK_MISSING`. */
async function pckOf(
  quote: Quote,
  certification: Certification,
  pool: readonly Certificate[],
  crypto: VerifyingCrypto,
): Promise<Certificate> {
  if (certification.kind === "manifest") {
    throw malformed(
      "UNSUPPORTED_CERT_FORMAT",
      "verify quote",
      "certification_data_type",
      "7, a platform manifest",
      "1 to 5",
    );
  }
  if (certification.kind === "certificates") {
    const leaf = certification.certificates.find((certificate) => hasRole(certificate, "pck"));
    if (leaf !== undefined) return pool.find((certificate) => equal(certificate.der, leaf.der)) ?? leaf;
    throw pckMissing("its certificate chain holds no PCK certificate");
  }
  const candidates = pool.filter(
    (certificate) =>
      hasRole(certificate, "pck") && (certification.encrypted || hasPpid(certificate, certification.ppid)),
  );
  for (const candidate of candidates) {
    const key = await publicKeyOf(candidate, crypto);
    if (await key.verify(ECDSA_P256, quote.qeReportSignature, quote.signedQeReport)) return candidate;
  }
  const [first] = candidates;
  if (first !== undefined) return first;
  throw pckMissing("it names its platform only, and no PCK certificate of that platform was given");
}

function hasPpid(certificate: Certificate, ppid: Uint8Array): boolean {
  try {
    return equal(pckExtensionOf(certificate).ppid, ppid);
  } catch (error) {
    if (!(error instanceof AdytonError)) throw error;
    return false;
  }
}

function pckMissing(why: string): EvidenceError {
  return notEndorsed(
    "PCK_MISSING",
    `Cannot verify quote: ${why}`,
    {},
    "Supply the PCK certificate and its chain.",
  );
}

/** Whatever could change the choices made: see `stableSpan`. */
function spansOf(bag: Bag, certificates: readonly Certificate[], collateral: Collateral): Span[] {
  const choosable = bag.certificates.filter(
    (certificate) => certificate.isCa || hasRole(certificate, "tcbSigner"),
  );
  return [
    ...[...certificates, ...choosable].map(validityOf),
    ...certificates.flatMap((certificate) => crlsOf(bag.crls, certificate)).map(spanOfCrl),
    ...collateral.spans,
  ];
}

function summaryOf(
  { leaf, intermediate, root }: PckChain,
  { tcbInfo, identity, signers }: Collateral,
  rootCrl: CertificateRevocationList,
  pckCrl: CertificateRevocationList,
): { readonly endorsements: EndorsementsUsed; readonly latestIssue: string } {
  const certificates = uniqueCertificates([leaf, intermediate, root, ...signers]);
  const used = [
    ...certificates.map((certificate) => ({
      kind: "certificate",
      subject: certificate.subject.text,
      ...validityOf(certificate),
    })),
    ...[rootCrl, pckCrl].map((crl) => ({ kind: "crl", subject: crl.issuer.text, ...spanOfCrl(crl) })),
    {
      kind: "tcbInfo",
      subject: `${tcbInfo.id} FMSPC ${toHex(tcbInfo.fmspc)}, evaluation number ${tcbInfo.tcbEvaluationDataNumber}`,
      ...spanOfDocument(tcbInfo),
    },
    {
      kind: "qeIdentity",
      subject: `${identity.id}, evaluation number ${identity.tcbEvaluationDataNumber}`,
      ...spanOfDocument(identity),
    },
  ];
  const issued = used.map(({ from }) => from.getTime());
  const expires = used.map(({ until }) => until.getTime());
  return {
    endorsements: {
      earliestIssue: rfc3339(Math.min(...issued)),
      earliestExpiry: rfc3339(Math.min(...expires)),
      revocation: "checked",
      items: used.map(({ kind, subject, until }) => ({ kind, subject, expires: rfc3339(until.getTime()) })),
    },
    latestIssue: rfc3339(Math.max(...issued)),
  };
}

/** Whole seconds, as every date of Intel's is. */
function rfc3339(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
