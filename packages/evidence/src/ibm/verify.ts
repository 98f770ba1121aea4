// SPDX-License-Identifier: Apache-2.0
// Authenticity of Secure Execution evidence, step by step: the request is the verifier's own, every key that could read it
// belongs to a machine that IBM vouches for, and the measurement is one that only such a machine could compute.

import { equal, equalConstantTime, padRight, toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { NO_ENDORSEMENTS } from "../bag.ts";
import { checkReportData } from "../binding.ts";
import type { VerifyOptions } from "../scheme.ts";
import { checkTime } from "../time.ts";
import { endorsementsUsed, holdingsOf } from "../used.ts";
import { type EndorsementsUsed, seal, type VerifiedEvidence, type Warning } from "../verified.ts";
import { claimsOf } from "./claims.ts";
import type { VerifiedHostKey } from "./endorsements.ts";
import { parseSeEvidence, type SeEvidence } from "./evidence.ts";
import { encodeSeTags, parseSeHeader, SE_HEADER_KIND, type SeHeaderTags } from "./header.ts";
import { hostKeysOf } from "./host-keys.ts";
import { parseAdditionalData, type SeAdditionalData, seMeasurement, unknownSeFlags } from "./measurement.ts";
import { refuseSe } from "./refusal.ts";
import { openSeRequest, parseSeRequest } from "./request.ts";
import { type OpenedSeSecrets, openSeSecrets } from "./secrets.ts";

const VERIFIER_KEY = 32;
/** Report data of Confidential Containers; shorter user data is padded to it. */
const REPORT_DATA = 64;

/**
 * Verifies an answer in pvattest's exchange format or as Confidential Containers' SeAttestationResponse.
 *
 * `options.verifierKeys` holds the keys that only the verifier has: the protection keys of its requests, or the key that
 * its challenges were sealed under. `options.endorsements` holds the host-key documents of every machine that a request
 * was for, IBM's chain, all revocation lists, and for an exchange the image's Secure Execution header.
 *
 * Throws `INVALID_SE_EVIDENCE`, `SE_VERIFIER_KEY_MISSING`, `SE_REQUEST_MISMATCH`, `SE_HOST_KEY_MISSING`,
 * `INVALID_SE_HOST_KEY`, `SE_HEADER_MISSING`, `INVALID_SE_MEASUREMENT`, `SE_HOST_KEY_MISMATCH`, `REPORT_DATA_MISMATCH`,
 * `INVALID_TIME`, or an error of `@adyton/core` about encodings, chain or revocation.
 */
export async function verifySe(bytes: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  const { now, crypto = verifyingCrypto } = options;
  checkTime(now, "Secure Execution evidence");
  const evidence = parseSeEvidence(bytes);
  const secrets = await secretsOf(evidence, options.verifierKeys ?? []);
  const { endorsements = NO_ENDORSEMENTS, roots = [], cache } = options;
  const { certificates, crls } = endorsements;
  const hostKeys = await hostKeysOf(secrets.phkhs, { now, certificates, crls, roots, cache, crypto });
  const tags = await measuredTags(evidence, secrets, options);
  const additional = parseAdditionalData(evidence.additional, secrets.flags);
  const hostKey = answeringKey(additional, hostKeys);
  const reportData = padRight(evidence.userData, Math.max(REPORT_DATA, evidence.userData.length));
  if (options.reportData !== undefined) checkReportData(reportData, options.reportData);
  const { trust } = hostKey;
  return seal({
    tee: "se",
    at: now,
    trust,
    tcb: { status: null, evaluationNumber: null, date: null, advisoryIds: [], components: {} },
    debug: false,
    reportData,
    initDataField: null,
    claims: claimsOf(evidence, tags, additional),
    endorsements: usedFor(hostKeys),
    warnings: warningsOf(trust.simulated, trust.root, secrets.flags),
    explanation: [
      "The request that was answered is the verifier's own.",
      `Each of the ${hostKeys.length} host keys that could read it stands under ${trust.root}, and none is revoked.`,
      `The measurement is that of the image with tag ${toHex(tags.tag)}, by a key that only they know.`,
      additional.attestationPhkh === undefined
        ? "Which of them answered was not asked."
        : `Host key ${toHex(additional.attestationPhkh)} answered.`,
      ...(options.reportData === undefined ? [] : ["The report data is the expected one."]),
    ],
  });
}

/** What is secret in the request, by whichever of the verifier's keys opens it. */
async function secretsOf(evidence: SeEvidence, keys: readonly Uint8Array[]): Promise<OpenedSeSecrets> {
  const usable = keys.filter((key) => key.length === VERIFIER_KEY);
  if (usable.length === 0) {
    throw refuseSe("SE_VERIFIER_KEY_MISSING", "no key of the verifier's was given", {
      category: "endorsements",
      hint: "Give the protection key that the request was made with (32 bytes); only its maker can verify the answer.",
    });
  }
  for (const key of usable) {
    try {
      if (evidence.form === "response")
        return await openSeSecrets(evidence.sealedMeasurementKey, evidence.sealedNonce, key);
      const { flags, slots } = parseSeRequest(evidence.request);
      const secrets = await openSeRequest(evidence.request, key);
      return { ...secrets, flags, phkhs: slots.map(({ phkh }) => phkh) };
    } catch (error) {
      if (!(error instanceof AdytonError) || error.code !== "DECRYPTION_FAILED") throw error;
    }
  }
  throw refuseSe("SE_REQUEST_MISMATCH", "it answers a request that none of the verifier's keys was used for");
}

/** The image whose measurement this is, among those that the verifier knows. */
async function measuredTags(
  evidence: SeEvidence,
  { measurementKey, nonce }: OpenedSeSecrets,
  { endorsements }: VerifyOptions,
): Promise<SeHeaderTags> {
  const images = (endorsements?.vendorCertificates ?? [])
    .filter(({ kind }) => kind === SE_HEADER_KIND)
    .map(({ bytes }) => parseSeHeader(bytes));
  const known = evidence.form === "response" ? imagesBehind(evidence.tags, images) : images;
  if (known.length === 0) {
    throw refuseSe("SE_HEADER_MISSING", "the Secure Execution header of its image is missing", {
      category: "endorsements",
      hint: "Supply the header, as pvextract-hdr takes it out of the image.",
    });
  }
  const { cuid, userData, additional, measurement } = evidence;
  for (const tags of known) {
    const expected = await seMeasurement(measurementKey, { tags, cuid, userData, nonce, additional });
    if (equalConstantTime(expected, measurement)) return tags;
  }
  throw refuseSe(
    "INVALID_SE_MEASUREMENT",
    "its measurement is not that of an image that is known here, with this data, by a machine that could read the request",
  );
}

/** A guest repeats the tags of its challenge: they are its own, or where the verifier named an image, any that it knows. */
function imagesBehind(named: SeHeaderTags, images: readonly SeHeaderTags[]): readonly SeHeaderTags[] {
  const bytes = encodeSeTags(named);
  return images.some((image) => equal(encodeSeTags(image), bytes)) ? images : [named];
}

/** The host key that the ultravisor says it used, which must be one of those it can have used. */
function answeringKey(
  { attestationPhkh }: SeAdditionalData,
  hostKeys: readonly VerifiedHostKey[],
): VerifiedHostKey {
  const answering = hostKeys.find(
    ({ phkh }) => attestationPhkh === undefined || equal(phkh, attestationPhkh),
  );
  if (answering === undefined) {
    throw refuseSe("SE_HOST_KEY_MISMATCH", "it names a host key that the request was not made for", {
      detail: { found: toHex(attestationPhkh ?? new Uint8Array()) },
    });
  }
  return answering;
}

function warningsOf(simulated: boolean, root: string, flags: bigint): Warning[] {
  const unknown = unknownSeFlags(flags);
  return [
    ...(simulated
      ? [
          {
            code: "SIMULATED",
            message: `The evidence stands under ${root}, which is no root of IBM's host keys.`,
          },
        ]
      : []),
    ...(unknown === 0n
      ? []
      : [
          {
            code: "UNKNOWN_REQUEST_FLAGS",
            message: `The request's flags ${unknown.toString(16)}h are unknown; what they asked for is shown in hex.`,
          },
        ]),
  ];
}

function usedFor(hostKeys: readonly VerifiedHostKey[]): EndorsementsUsed {
  const certificates = [...new Set(hostKeys.flatMap((each) => each.certificates))];
  const crls = [...new Set(hostKeys.flatMap((each) => each.crls))];
  return endorsementsUsed(holdingsOf(certificates, crls), true);
}
