// SPDX-License-Identifier: Apache-2.0
// Authenticity of a Nitro document, step by step: form, chain to AWS's root, signature, time. AWS Nitro Enclaves user
// guide, "Verifying the root of trust".

import { padRight } from "@adyton/core/bytes";
import { verifySign1 } from "@adyton/core/cose";
import { verifyingCrypto } from "@adyton/core/crypto";
import { checkReportData } from "../binding.ts";
import { EvidenceError } from "../errors.ts";
import type { VerifyOptions } from "../scheme.ts";
import { checkTime } from "../time.ts";
import { endorsementsUsed, holdingsOf } from "../used.ts";
import { seal, type VerifiedEvidence, type Warning } from "../verified.ts";
import { claimsOf, isDebug } from "./claims.ts";
import { invalidCertificate, type NitroChain, trustNitroChain } from "./endorsements.ts";
import { type NitroClaims, type NitroDocument, parseNitroDocument } from "./evidence.ts";

/** Least width of the report data in results, as in other TEEs. */
const REPORT_DATA = 64;
/** Clocks of two machines may differ by this much, in milliseconds. */
const CLOCK_SKEW = 5 * 60 * 1000;

/**
 * Verifies a Nitro attestation document for `now`. Its certificate lives three hours, so `now` is when it was received:
 * to verify one from an archive, pass the time it was made.
 *
 * Report data is `user_data`, zero-padded to 64 bytes: the member that means what the enclave's program says it means.
 * `nonce` and `public_key` are claims, never report data, because programs echo the nonce of whoever asks.
 *
 * Throws `INVALID_NITRO_DOCUMENT`, `INVALID_NITRO_CERTIFICATE`, `INVALID_NITRO_SIGNATURE`, `REPORT_DATA_MISMATCH`,
 * `INVALID_TIME`, or an error of `@adyton/core` about encoding, chain or revocation.
 */
export async function verifyNitro(bytes: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  const {
    now,
    endorsements,
    roots = [],
    requireRevocation = false,
    cache,
    crypto = verifyingCrypto,
  } = options;
  checkTime(now, "Nitro document");
  const document = parseNitroDocument(bytes);
  const { claims } = document;
  const crls = endorsements?.crls ?? [];
  const chain = await trustNitroChain(claims, { crls, roots, now, requireRevocation, cache, crypto });
  if (!(await verifySign1(document.sign1, chain.publicKey))) {
    throw new EvidenceError(
      "INVALID_NITRO_SIGNATURE",
      "not-authentic",
      "Cannot accept Nitro document: its signature is not by the key of its certificate",
      { detail: { signer: chain.certificates[0]?.subject.text } },
    );
  }
  checkMadeWhileValid(claims, chain);
  const reportData = reportDataFieldOf(claims);
  if (options.reportData !== undefined) checkReportData(reportData, options.reportData);
  return seal({
    tee: "nitro",
    at: now,
    trust: chain.trust,
    tcb: { status: null, evaluationNumber: null, date: null, advisoryIds: [], components: {} },
    debug: isDebug(claims),
    reportData,
    initDataField: null,
    claims: claimsOf(claims),
    endorsements: endorsementsUsed(holdingsOf(chain.certificates, chain.crls), chain.revocationChecked),
    warnings: warningsOf(document, chain, now),
    explanation: explain(claims, chain, options),
  });
}

/** `user_data`, zero-padded on the right to 64 bytes where it is shorter; zeros where there is none. */
function reportDataFieldOf({ userData }: NitroClaims): Uint8Array {
  const field = userData ?? new Uint8Array();
  return padRight(field, Math.max(REPORT_DATA, field.length));
}

/** The key may only speak for the time that its certificate covers. */
function checkMadeWhileValid(claims: NitroClaims, chain: NitroChain): void {
  const [leaf] = chain.certificates;
  const { timestamp } = claims;
  if (leaf === undefined || timestamp < leaf.notBefore || timestamp > leaf.notAfter) {
    throw invalidCertificate(
      `the document was made ${timestamp.toISOString()}, outside its certificate's validity`,
    );
  }
}

function warningsOf(document: NitroDocument, chain: NitroChain, now: Date): Warning[] {
  const { claims, unknown } = document;
  const warnings: Warning[] = [];
  if (!chain.revocationChecked) {
    warnings.push({
      code: "REVOCATION_UNCHECKED",
      message: "Not every certificate of the chain was checked against a revocation list of its issuer.",
    });
  }
  if (isDebug(claims)) {
    warnings.push({
      code: "DEBUG_MODE",
      message: "PCR 0 is zero: the enclave runs in debug mode, and its measurements say nothing.",
    });
  }
  if (claims.timestamp.getTime() > now.getTime() + CLOCK_SKEW) {
    warnings.push({
      code: "TIMESTAMP_AHEAD",
      message: `The document says it was made ${claims.timestamp.toISOString()}, after the time of verification.`,
    });
  }
  if (unknown.length > 0) {
    warnings.push({
      code: "UNKNOWN_CLAIMS",
      message: `${unknown.length} members of the document are unknown here and were not read.`,
    });
  }
  return warnings;
}

function explain(claims: NitroClaims, chain: NitroChain, options: VerifyOptions): string[] {
  const [leaf] = chain.certificates;
  return [
    `The certificate of ${claims.moduleId} chains over ${chain.certificates.length - 2} issuers to ${chain.trust.root}, all valid at ${options.now.toISOString()}.`,
    chain.revocationChecked
      ? "No certificate of the chain is revoked."
      : "Whether a certificate of the chain is revoked was not checked.",
    `The certificate's key signed the document, made ${claims.timestamp.toISOString()}.`,
    `The certificate holds until ${leaf?.notAfter.toISOString()}: it is issued for three hours at a time.`,
    ...(options.reportData === undefined ? [] : ["The user data is the expected report data."]),
  ];
}
