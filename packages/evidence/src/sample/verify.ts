// SPDX-License-Identifier: Apache-2.0
// Authenticity of sample evidence: a chain to a root that the caller named, and the platform's signature.
// There is no pinned root: the software TEE never verifies by default, and what it says is always `simulated`.

import { equal } from "@adyton/core/bytes";
import { type VerifiedChain, verifyChain } from "@adyton/core/chain";
import { type SignatureAlgorithm, type VerifyingCrypto, verifyingCrypto } from "@adyton/core/crypto";
import { type Certificate, KEY_USAGE, parseCertificate, publicKeyOf } from "@adyton/core/x509";
import { selectAnchors, trustOf } from "../anchors.ts";
import { checkReportData } from "../binding.ts";
import { EvidenceError } from "../errors.ts";
import type { VerifyOptions } from "../scheme.ts";
import { checkTime } from "../time.ts";
import { endorsementsUsed, holdingsOf } from "../used.ts";
import { seal, type VerifiedEvidence, type Warning } from "../verified.ts";
import { claimsToJson, parseSampleEvidence, type SampleEvidence, signedPartOf } from "./evidence.ts";

/** Common name that a platform certificate must have: another certificate of the same root signs no evidence. */
export const SAMPLE_PLATFORM_NAME = "Adyton Sample Platform";

/** No root of a software TEE is anybody's by default. */
const NO_PINS: ReadonlySet<string> = new Set();

/**
 * Establishes that a platform of a named root said this. Throws `SAMPLE_ROOT_NOT_NAMED`, `SAMPLE_UNSIGNED`,
 * `INVALID_SAMPLE_EVIDENCE`, `INVALID_SAMPLE_CERTIFICATE`, `INVALID_SAMPLE_SIGNATURE`, `REPORT_DATA_MISMATCH`,
 * `INVALID_TIME`, or an error of `@adyton/core` about the chain.
 */
export async function verifySample(bytes: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  const { now, roots = [], crypto = verifyingCrypto } = options;
  checkTime(now, "sample evidence");
  const evidence = parseSampleEvidence(bytes);
  if (roots.length === 0) throw rootNotNamed();
  const anchors = await selectAnchors([], NO_PINS, roots, crypto);
  const chain = await verifyPlatform(evidence, options, crypto);
  const [platform, ...issuers] = chain.certificates;
  const root = issuers.at(-1);
  if (platform === undefined || root === undefined) throw invalidCertificate("it is itself a root");
  await verifySignature(evidence, platform, crypto);
  if (options.reportData !== undefined) checkReportData(evidence.claims.reportData, options.reportData);

  const trust = trustOf(anchors, root);
  const checked = chain.crls.length > 0;
  return seal({
    tee: "sample",
    at: now,
    trust,
    tcb: { status: null, evaluationNumber: null, date: null, advisoryIds: [], components: {} },
    debug: evidence.claims.debug,
    reportData: evidence.claims.reportData,
    initDataField: evidence.claims.initData,
    claims: claimsToJson(evidence.claims),
    endorsements: endorsementsUsed(holdingsOf(chain.certificates, chain.crls), checked),
    warnings: warningsOf(checked),
    explanation: [
      `The platform certificate chains to ${trust.root}, a root that the caller named.`,
      checked ? "The root's revocation list does not name the platform." : "Revocation was not checked.",
      "The platform key signed the claims.",
      ...(options.reportData === undefined ? [] : ["The report data is the expected one."]),
    ],
  });
}

/** The chain from platform to root. Every certificate that came along must stand in it: none travels unverified. */
async function verifyPlatform(
  evidence: SampleEvidence,
  options: VerifyOptions,
  crypto: VerifyingCrypto,
): Promise<VerifiedChain> {
  const certificates = evidence.certificates.map((der) => parseCertificate(der));
  const [platform] = certificates;
  if (platform === undefined) throw invalidCertificate("it is missing");
  const { roots = [], endorsements } = options;
  const issuers = [...certificates.slice(1), ...roots];
  // A list is used when the caller gives one of these issuers, so that a revoked platform is never let through.
  const crls = (endorsements?.crls ?? []).filter((crl) =>
    issuers.some((issuer) => equal(issuer.subject.der, crl.issuer.der)),
  );
  const chain = await verifyChain({
    leaf: platform,
    pool: certificates.slice(1),
    anchors: roots,
    at: options.now,
    crls: crls.length > 0 || options.requireRevocation === true ? crls : "unchecked",
    crypto,
  });
  if (chain.certificates.length !== certificates.length + 1) {
    throw invalidCertificate(
      `its chain has ${chain.certificates.length} certificates, root included, and ${certificates.length} came along`,
    );
  }
  if (certificates.some((certificate, i) => chain.certificates[i] !== certificate)) {
    throw invalidCertificate("the certificates do not follow each other to the root");
  }
  if (platform.subject.commonName !== SAMPLE_PLATFORM_NAME) {
    throw invalidCertificate(
      `it is made out to ${platform.subject.text}, expected CN=${SAMPLE_PLATFORM_NAME}`,
    );
  }
  if (platform.isCa || platform.keyUsage?.has(KEY_USAGE.digitalSignature) !== true) {
    throw invalidCertificate("it must be no CA and allow digital signatures");
  }
  return chain;
}

async function verifySignature(
  evidence: SampleEvidence,
  platform: Certificate,
  crypto: VerifyingCrypto,
): Promise<void> {
  const key = await publicKeyOf(platform, crypto);
  if (!(await key.verify(algorithmOf(platform), evidence.signature, signedPartOf(evidence.claims)))) {
    throw new EvidenceError(
      "INVALID_SAMPLE_SIGNATURE",
      "not-authentic",
      "Cannot accept sample evidence: the signature over its claims is not the platform's",
    );
  }
}

/** ES256 or ES384, fixed by the platform's key (RFC 7518 section 3.4). */
function algorithmOf(platform: Certificate): SignatureAlgorithm {
  const { key } = platform;
  if (key.name === "EC" && key.curve === "P-256") return { name: "ECDSA", hash: "SHA-256" };
  if (key.name === "EC" && key.curve === "P-384") return { name: "ECDSA", hash: "SHA-384" };
  throw invalidCertificate(
    `its key is ${key.name === "EC" ? key.curve : key.name}, expected EC on P-256 or P-384`,
  );
}

function warningsOf(revocationChecked: boolean): Warning[] {
  const warnings: Warning[] = [
    {
      code: "SIMULATED",
      message:
        "A software TEE made this evidence: it proves flows, not secrecy. Its machine's owner can look in.",
    },
  ];
  if (!revocationChecked) {
    warnings.push({
      code: "REVOCATION_UNCHECKED",
      message: "No revocation list of the software TEE's root was given.",
    });
  }
  return warnings;
}

function rootNotNamed(): EvidenceError {
  return new EvidenceError(
    "SAMPLE_ROOT_NOT_NAMED",
    "endorsements",
    "Cannot verify sample evidence: no root of a software TEE was named",
    {
      hint: "Name the root.pem of the software TEE to accept its evidence, which is simulated, in development.",
    },
  );
}

function invalidCertificate(why: string): EvidenceError {
  return new EvidenceError(
    "INVALID_SAMPLE_CERTIFICATE",
    "not-authentic",
    `Cannot trust the platform certificate of sample evidence: ${why}`,
  );
}
