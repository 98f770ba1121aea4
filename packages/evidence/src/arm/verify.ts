// SPDX-License-Identifier: Apache-2.0
// Authenticity of a CCA token, step by step: the platform's key, its signature, the binding of the realm's key, the
// realm's signature. RMM specification (DEN0137) A7.2.3; draft-ffm-rats-cca-token section 4.

import { equalConstantTime, toHex } from "@adyton/core/bytes";
import { type VerifyingCrypto, verifyingCrypto } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import type { VendorKey } from "../bag.ts";
import { checkReportData } from "../binding.ts";
import { type PreparedKey, preparedKey } from "../remember.ts";
import type { VerifyOptions } from "../scheme.ts";
import { checkTime } from "../time.ts";
import { seal, type VerifiedEvidence, type Warning } from "../verified.ts";
import { claimsOf } from "./claims.ts";
import { isSignedBy, platformKeysFor, signerAmong } from "./endorsements.ts";
import { type CcaToken, parseCcaToken } from "./evidence.ts";
import { hashNameOf } from "./hash.ts";
import { isSecured, lifecycleStateOf } from "./lifecycle.ts";
import { realmKeyOf } from "./realm.ts";
import { refusal } from "./refusal.ts";

/**
 * Verifies a CCA token. The platform's key comes from `options.anchors`: it is trusted because the caller named it. Keys
 * in `options.endorsements` are never trusted. What the key anchors is `simulated` unless the caller vouches for its
 * hardware.
 *
 * A platform in any lifecycle state but "secured" verifies with `debug: true` and a warning. Report data is the realm's
 * challenge, the init-data field its personalization value.
 *
 * Throws `INVALID_CCA_TOKEN`, `UNSUPPORTED_CCA_PROFILE`, `CPAK_MISSING`, `INVALID_CCA_PLATFORM_SIGNATURE`,
 * `CCA_BINDING_MISMATCH`, `INVALID_CCA_REALM_SIGNATURE`, `REPORT_DATA_MISMATCH`, `INVALID_TIME`, `CRL_MISSING`, or an
 * error of `@adyton/core` about encodings.
 */
export async function verifyCca(bytes: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  const { now, anchors, cache, crypto = verifyingCrypto } = options;
  checkTime(now, "CCA token");
  const token = parseCcaToken(bytes);
  const { platform, realm } = token;
  if (options.requireRevocation === true) throw noRevocation(toHex(platform.claims.instanceId));
  const named = platformKeysFor(platform.claims, anchors?.keys ?? [], options.endorsements?.keys ?? []);
  const prepare = (spki: Uint8Array): Promise<PreparedKey> => preparedKey(spki, cache, now, crypto);
  const key = await platformSigner(token, named, prepare);
  await checkBinding(token, crypto);
  const own = await prepare(realmKeyOf(realm.claims));
  if (!(await isSignedBy(realm.sign1, own.key))) {
    throw refusal("INVALID_CCA_REALM_SIGNATURE", "the realm token's signature is not by the realm's key");
  }
  own.keep();
  if (options.reportData !== undefined) checkReportData(realm.claims.challenge, options.reportData);
  return seal({
    tee: "cca",
    at: now,
    trust: {
      root: `CPAK of platform ${toHex(platform.claims.instanceId)}, ${key.hardware === true ? "vouched for" : "named"} by the caller`,
      rootSha256: toHex(await crypto.digest("SHA-256", key.spki)),
      simulated: key.hardware !== true,
    },
    tcb: { status: null, evaluationNumber: null, date: null, advisoryIds: [], components: {} },
    debug: !isSecured(platform.claims.lifecycle),
    reportData: realm.claims.challenge,
    initDataField: realm.claims.personalizationValue,
    claims: claimsOf(token),
    endorsements: { earliestIssue: null, earliestExpiry: null, revocation: "unchecked", items: [] },
    warnings: warningsOf(token),
    explanation: explain(token, options),
  });
}

/** The one of `keys` that signed the platform token. */
async function platformSigner(
  { platform }: CcaToken,
  keys: readonly VendorKey[],
  prepare: (spki: Uint8Array) => Promise<PreparedKey>,
): Promise<VendorKey> {
  const key = await signerAmong(keys, platform.sign1, prepare);
  if (key !== undefined) return key;
  throw refusal(
    "INVALID_CCA_PLATFORM_SIGNATURE",
    "the platform token's signature is by none of the named keys",
    { detail: { instanceId: toHex(platform.claims.instanceId), keys: keys.length } },
  );
}

/** The platform's challenge is the hash of the realm's key, exactly as the key stands in the realm token. */
async function checkBinding({ platform, realm }: CcaToken, crypto: VerifyingCrypto): Promise<void> {
  const { publicKey, publicKeyHashAlgorithm } = realm.claims;
  const expected = await crypto.digest(hashNameOf(publicKeyHashAlgorithm), publicKey);
  const found = platform.claims.challenge;
  if (equalConstantTime(found, expected)) return;
  throw refusal("CCA_BINDING_MISMATCH", "the platform token vouches for another realm key", {
    detail: { found: toHex(found), expected: toHex(expected), hash: publicKeyHashAlgorithm },
    hint: "The two tokens do not belong together: collect the token anew.",
  });
}

function warningsOf({ platform, realm }: CcaToken): Warning[] {
  const warnings: Warning[] = [
    {
      code: "REVOCATION_UNCHECKED",
      message: "Platform keys of CCA have no revocation list: whoever named the key has to withdraw it.",
    },
  ];
  const { lifecycle } = platform.claims;
  if (!isSecured(lifecycle)) {
    warnings.push({
      code: "PLATFORM_NOT_SECURED",
      message: `The platform's lifecycle is ${lifecycleStateOf(lifecycle)} (${lifecycle}), expected secured: it counts as debug.`,
    });
  }
  for (const [name, part] of Object.entries({ platform, realm })) {
    if (part.unknown.length > 0) {
      warnings.push({
        code: "UNKNOWN_CLAIMS",
        message: `The ${name} token has claims that are unknown here and were not read: ${namesOf(part.unknown)}.`,
      });
    }
    if (part.sign1.unprotected.size > 0) {
      warnings.push({
        code: "UNSIGNED_HEADER",
        message: `The ${name} token has header parameters that its signature does not cover; they were not read.`,
      });
    }
  }
  return warnings;
}

const MAX_NAMED = 8;
const MAX_NAME = 40;

/** Keys come from the evidence: few of them, and none long. */
function namesOf(keys: readonly (number | string)[]): string {
  const shown = keys.slice(0, MAX_NAMED).map((key) => JSON.stringify(key).slice(0, MAX_NAME));
  return `${shown.join(", ")}${keys.length > MAX_NAMED ? ` and ${keys.length - MAX_NAMED} more` : ""}`;
}

function explain({ form, platform, realm }: CcaToken, options: VerifyOptions): string[] {
  const { claims } = platform;
  const envelope = form === "cmw" ? "a CMW collection" : "the legacy envelope";
  return [
    `The token stands in ${envelope}; its platform profile is ${claims.profile}, its realm profile ${realm.claims.profile ?? "the legacy one"}.`,
    `A key that the caller named for platform ${toHex(claims.instanceId)} signed the platform token.`,
    `The platform token vouches for the realm's key by its ${realm.claims.publicKeyHashAlgorithm} digest.`,
    "The realm's key signed the realm token.",
    `The platform's lifecycle is ${lifecycleStateOf(claims.lifecycle)}.`,
    "Whether the platform's key was withdrawn was not checked: CCA has no list of such keys.",
    ...(options.reportData === undefined ? [] : ["The realm's challenge is the expected report data."]),
  ];
}

function noRevocation(instance: string): CoreError {
  return new CoreError(
    "CRL_MISSING",
    "endorsements",
    `Cannot check revocation: there is no list of revoked platform keys for CCA`,
    {
      detail: { instanceId: instance },
      hint: "Do not require revocation for CCA; withdraw named keys instead.",
    },
  );
}
