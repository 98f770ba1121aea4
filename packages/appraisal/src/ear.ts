// SPDX-License-Identifier: Apache-2.0
// EAR: the attestation result as a JWT signed with ES256 (draft-ietf-rats-ear), in Trustee's profile.

import { fromBase64Url, fromUtf8 } from "@adyton/core/bytes";
import { CompactSign, compactVerify, errors, type JWK } from "jose";
import { type Appraisal, type AttestationResult, assertAppraised } from "./appraise.ts";
import {
  EAR_PROFILE,
  type EarAppraisal,
  type EarClaims,
  parseEarClaims,
  type VerifierId,
} from "./ear-claims.ts";
import { type EarSigningKey, importEarPublicKey } from "./ear-key.ts";
import { AppraisalError, type AppraisalErrorCode, misuse } from "./errors.ts";

export interface SignEarOptions {
  readonly key: EarSigningKey;
  readonly now: Date;
  /** `iss`. Default "Adyton". */
  readonly issuer?: string;
  readonly verifierId?: VerifierId;
  /** Whole seconds, at most a day. Default 300. The token never outlives the endorsements it stands on. */
  readonly lifetimeSeconds?: number;
}

export interface VerifyEarOptions {
  /** Keys that are trusted to sign results: a broker's JWKS. The key inside a token is never trusted by itself. */
  readonly keys: readonly JWK[];
  readonly now: Date;
  /** The `iss` to insist on. */
  readonly issuer?: string;
  /** How far clocks may differ, in seconds. Default 0. */
  readonly toleranceSeconds?: number;
}

const DEFAULT_ISSUER = "Adyton";
/** Named in tokens unless the caller says otherwise. */
export const DEFAULT_VERIFIER: VerifierId = { developer: "Adyton", build: "@adyton/appraisal 0.1.0" };
/** Trustee's `duration_min` of 5. */
const DEFAULT_LIFETIME = 300;
const MAX_LIFETIME = 86_400;
const MAX_TOKEN = 8 * 1024 * 1024;
const MAX_KEYS = 64;

/**
 * The token of a result: JWT, ES256, the public key in the header's `jwk` with any `x5c` inside it. Throws
 * `NOT_APPRAISED` for anything but a result of `appraise`, `INVALID_APPRAISAL_INPUT`, or `EVIDENCE_STALE` when the
 * endorsements expired by `now`.
 */
export async function signEar(result: AttestationResult, options: SignEarOptions): Promise<string> {
  assertAppraised(result);
  const { key, issuer = DEFAULT_ISSUER, verifierId = DEFAULT_VERIFIER } = options;
  const iat = secondsOf(options.now);
  const claims: EarClaims = {
    eat_profile: EAR_PROFILE,
    iat,
    exp: expiryOf(result, iat, options.lifetimeSeconds ?? DEFAULT_LIFETIME),
    iss: issuer,
    "ear.verifier-id": { developer: verifierId.developer, build: verifierId.build },
    "adyton.simulated": result.simulated,
    submods: Object.fromEntries(
      Object.entries(result.appraisals).map(([name, appraisal]) => [name, submodOf(appraisal)]),
    ),
  };
  const { kty, crv, x, y, alg, kid, x5c } = key.publicJwk;
  const jwk = { kty, crv, x, y, alg, ...(x5c === undefined ? {} : { x5c }) } as JWK;
  return new CompactSign(fromUtf8(JSON.stringify(claims)))
    .setProtectedHeader({ alg: "ES256", typ: "JWT", ...(kid === undefined ? {} : { kid }), jwk })
    .sign(key.privateKey);
}

/**
 * Verifies a token's signature under one of `keys`, its profile, times and shape, and returns its claims. It does not
 * judge them: look at `ear.status` of every submodule. Throws `INVALID_EAR`, `EAR_SIGNATURE`, `EAR_ISSUER`,
 * `EAR_NOT_YET_VALID`, `EAR_EXPIRED`, `INVALID_EAR_KEY` or `INVALID_APPRAISAL_INPUT`.
 */
export async function verifyEar(token: string, options: VerifyEarOptions): Promise<EarClaims> {
  const { keys, issuer, toleranceSeconds = 0 } = options;
  if (keys.length === 0 || keys.length > MAX_KEYS) {
    throw misuse("INVALID_EAR_KEY", `Cannot verify EAR: got ${keys.length} keys, expected 1 to ${MAX_KEYS}`);
  }
  if (!Number.isFinite(toleranceSeconds) || toleranceSeconds < 0) {
    throw misuse("INVALID_APPRAISAL_INPUT", `Cannot verify EAR: a tolerance of ${toleranceSeconds} seconds`);
  }
  const now = options.now.getTime() / 1000;
  if (Number.isNaN(now)) throw misuse("INVALID_APPRAISAL_INPUT", "Cannot verify EAR: the time is no date");
  checkForm(token);
  const claims = parseEarClaims(await payloadOf(token, keys));
  if (issuer !== undefined && claims.iss !== issuer) {
    throw refusedToken(
      "EAR_ISSUER",
      `it is from ${JSON.stringify(claims.iss ?? null)}, expected ${JSON.stringify(issuer)}`,
    );
  }
  if (claims.iat > now + toleranceSeconds) {
    throw refusedToken("EAR_NOT_YET_VALID", `it was issued at ${claims.iat}, it is ${Math.floor(now)}`);
  }
  if (now >= claims.exp + toleranceSeconds) {
    throw refusedToken("EAR_EXPIRED", `it expired at ${claims.exp}, it is ${Math.floor(now)}`);
  }
  return claims;
}

function submodOf(appraisal: Appraisal): EarAppraisal {
  return {
    ...appraisal.extensions,
    "ear.status": appraisal.status,
    "ear.trustworthiness-vector": appraisal.trustworthiness,
    "ear.appraisal-policy-id": appraisal.policyId,
    "ear.veraison.annotated-evidence": appraisal.annotatedEvidence,
    "adyton.simulated": appraisal.simulated,
    "adyton.explanation": appraisal.explanation,
  };
}

function secondsOf(now: Date): number {
  const seconds = Math.floor(now.getTime() / 1000);
  if (Number.isNaN(seconds)) throw misuse("INVALID_APPRAISAL_INPUT", "Cannot sign EAR: the time is no date");
  return seconds;
}

function expiryOf(result: AttestationResult, iat: number, lifetime: number): number {
  if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > MAX_LIFETIME) {
    throw misuse(
      "INVALID_APPRAISAL_INPUT",
      `Cannot sign EAR: a lifetime of ${lifetime} seconds, expected whole seconds from 1 to ${MAX_LIFETIME}`,
    );
  }
  const latest =
    result.expires === null ? Number.POSITIVE_INFINITY : Math.floor(result.expires.getTime() / 1000);
  if (latest <= iat) {
    throw new AppraisalError(
      "EVIDENCE_STALE",
      "endorsements",
      `Cannot sign EAR: the endorsements held until ${result.expires?.toISOString()}`,
      { hint: "Verify the evidence again with current endorsements." },
    );
  }
  return Math.min(iat + lifetime, latest);
}

/** Three parts of base64url in their one canonical spelling: jose would let unused bits pass. */
function checkForm(token: string): void {
  if (token.length > MAX_TOKEN) {
    throw malformed(`${token.length} characters, at most ${MAX_TOKEN} are read`);
  }
  const parts = token.split(".");
  if (parts.length !== 3) throw malformed(`${parts.length} parts, expected 3`);
  try {
    parts.forEach((part) => {
      fromBase64Url(part);
    });
  } catch (cause) {
    throw malformed("it is no base64url", cause);
  }
}

/** The payload, once one of the keys made the signature. */
async function payloadOf(token: string, keys: readonly JWK[]): Promise<Uint8Array> {
  for (const jwk of keys) {
    const key = await importEarPublicKey(jwk);
    try {
      const { payload, protectedHeader } = await compactVerify(token, key, { algorithms: ["ES256"] });
      // RFC 7797's unencoded payload is the one critical header that jose knows; no EAR has it.
      if (protectedHeader.crit !== undefined) throw malformed("its header has critical members");
      return payload;
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue;
      if (error instanceof errors.JOSEAlgNotAllowed)
        throw refusedToken("EAR_SIGNATURE", "its algorithm is not ES256");
      if (error instanceof errors.JOSEError) throw malformed("it is no compact JWS");
      throw error;
    }
  }
  throw refusedToken("EAR_SIGNATURE", `none of the ${keys.length} trusted keys made its signature`);
}

function malformed(why: string, cause?: unknown): AppraisalError {
  return new AppraisalError("INVALID_EAR", "malformed", `Cannot verify EAR: ${why}`, { cause });
}

function refusedToken(code: AppraisalErrorCode, why: string): AppraisalError {
  return new AppraisalError(code, "not-authentic", `Cannot accept EAR: ${why}`, {
    hint: "Attest again to get a fresh token, and trust the keys of the verifier that issues it.",
  });
}
