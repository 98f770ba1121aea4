// SPDX-License-Identifier: Apache-2.0
// EAR: the attestation result as a signed token (draft-ietf-rats-ear), a JWT or a CWT, in Trustee's profile or Veraison's.

import { equal, fromBase64Url, fromUtf8, toBase64Url, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { CompactSign, type JWK } from "jose";
import { type Appraisal, type AttestationResult, assertAppraised } from "./appraise.ts";
import {
  EAR_PROFILES,
  type EarAppraisal,
  type EarClaims,
  type EarProfile,
  NONCE_SIZE,
  parseEarClaims,
  type VerifierId,
} from "./ear-claims.ts";
import { signCwt, verifyCwt } from "./ear-cwt.ts";
import { type EarSigningKey, earAlgorithmOf, importEarPublicKey, SIGNATURES } from "./ear-key.ts";
import { AppraisalError, type AppraisalErrorCode, misuse } from "./errors.ts";
import type { Finding } from "./finding.ts";
import { statusOf, TRUST_CLAIMS, type TrustClaim, type TrustVector } from "./trust.ts";

export interface SignEarOptions {
  readonly key: EarSigningKey;
  readonly now: Date;
  /** Who is to read the token. Default "trustee". */
  readonly profile?: EarProfile;
  /** `iss`. Default "Adyton". */
  readonly issuer?: string;
  readonly verifierId?: VerifierId;
  /** Whole seconds, at most a day. Default 300. The token never outlives the endorsements it stands on. */
  readonly lifetimeSeconds?: number;
  /** `jti`: by which whoever signs finds this token again. */
  readonly id?: string;
  /** `eat_nonce`: 8 to 64 bytes by which the relying party knows its own token. */
  readonly nonce?: Uint8Array;
  /** `ear.raw-evidence`: what was appraised, for the relying party to look at. */
  readonly rawEvidence?: Uint8Array;
  /** The submodules that an appraisal becomes, where the token's reader expects others than cpu0, gpu0… */
  readonly submods?: (name: string, appraisal: Appraisal) => readonly SubmodPart[];
}

/** A submodule of a token: all of an appraisal, or the part that is about one thing. */
export interface SubmodPart {
  readonly name: string;
  /** The claims that are about it. All parts together state every claim of the appraisal. */
  readonly claims: readonly TrustClaim[];
  /** Where the evidence about it stands in the annotated evidence; default all of it. */
  readonly evidence?: readonly string[];
}

export interface VerifyEarOptions {
  /** Keys that are trusted to sign results: a broker's JWKS. The key inside a token is never trusted by itself. */
  readonly keys: readonly JWK[];
  readonly now: Date;
  /** The `iss` to insist on. */
  readonly issuer?: string;
  /** The `eat_nonce` to insist on. */
  readonly nonce?: Uint8Array;
  /** How far clocks may differ, in seconds. Default 0. */
  readonly toleranceSeconds?: number;
  /** How old a token may be, in seconds. Without it a token that names no end (Veraison's) is refused. */
  readonly maxAgeSeconds?: number;
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
 * The token of a result as a JWT: ES256, ES384 or EdDSA by the key, whose public half stands in the header's `jwk` with
 * any `x5c` inside it. Throws `NOT_APPRAISED` for anything but a result of `appraise`, `INVALID_APPRAISAL_INPUT`, or
 * `EVIDENCE_STALE` when the endorsements expired by `now`.
 */
export async function signEar(result: AttestationResult, options: SignEarOptions): Promise<string> {
  const claims = claimsOf(result, options);
  const { algorithm, privateKey, publicJwk } = options.key;
  const { kid, use: _, ...jwk } = publicJwk;
  return new CompactSign(fromUtf8(JSON.stringify(claims)))
    .setProtectedHeader({ alg: algorithm, typ: "JWT", ...(kid === undefined ? {} : { kid }), jwk })
    .sign(privateKey);
}

/** The token of a result as a CWT: COSE_Sign1 over CBOR claims, a fraction of a JWT's size. Throws as `signEar`. */
export async function signEarCwt(result: AttestationResult, options: SignEarOptions): Promise<Uint8Array> {
  return signCwt(claimsOf(result, options), options.key);
}

/**
 * Verifies a token's signature under one of `keys`, its profile, times and shape, and returns its claims, those of a CWT
 * under the names of a JWT. It does not judge them: look at `ear.status` of every submodule. Throws `INVALID_EAR`,
 * `EAR_SIGNATURE`, `EAR_ISSUER`, `EAR_NONCE`, `EAR_NOT_YET_VALID`, `EAR_EXPIRED`, `INVALID_EAR_KEY` or
 * `INVALID_APPRAISAL_INPUT`.
 */
export async function verifyEar(token: string | Uint8Array, options: VerifyEarOptions): Promise<EarClaims> {
  const { keys, issuer, nonce, toleranceSeconds = 0 } = options;
  if (keys.length === 0 || keys.length > MAX_KEYS) {
    throw misuse("INVALID_EAR_KEY", `Cannot verify EAR: got ${keys.length} keys, expected 1 to ${MAX_KEYS}`);
  }
  if (!Number.isFinite(toleranceSeconds) || toleranceSeconds < 0) {
    throw misuse("INVALID_APPRAISAL_INPUT", `Cannot verify EAR: a tolerance of ${toleranceSeconds} seconds`);
  }
  const now = options.now.getTime() / 1000;
  if (Number.isNaN(now)) throw misuse("INVALID_APPRAISAL_INPUT", "Cannot verify EAR: the time is no date");
  if (token.length > MAX_TOKEN) {
    throw malformed(`${token.length} characters or bytes, at most ${MAX_TOKEN} are read`);
  }
  const claims = await signedClaims(token, keys);
  if (issuer !== undefined && claims.iss !== issuer) {
    throw refusedToken(
      "EAR_ISSUER",
      `it is from ${JSON.stringify(claims.iss ?? null)}, expected ${JSON.stringify(issuer)}`,
    );
  }
  if (nonce !== undefined) checkNonce(claims, nonce);
  if (claims.iat > now + toleranceSeconds) {
    throw refusedToken("EAR_NOT_YET_VALID", `it was issued at ${claims.iat}, it is ${Math.floor(now)}`);
  }
  const end = endOf(claims, options.maxAgeSeconds);
  if (now >= end + toleranceSeconds) {
    throw refusedToken("EAR_EXPIRED", `it expired at ${end}, it is ${Math.floor(now)}`);
  }
  return claims;
}

/** The second from which a token is too old. */
function endOf({ exp, iat }: EarClaims, maxAge: number = Number.POSITIVE_INFINITY): number {
  if (Number.isNaN(maxAge) || maxAge < 0) {
    throw misuse("INVALID_APPRAISAL_INPUT", `Cannot verify EAR: an age of ${maxAge} seconds`);
  }
  const end = Math.min(exp ?? Number.POSITIVE_INFINITY, iat + maxAge);
  if (end === Number.POSITIVE_INFINITY) {
    throw new AppraisalError("EAR_EXPIRED", "not-authentic", "Cannot accept EAR: it names no end", {
      hint: "Set maxAgeSeconds to the age up to which you accept such a token.",
    });
  }
  return end;
}

function claimsOf(result: AttestationResult, options: SignEarOptions): EarClaims {
  assertAppraised(result);
  const { issuer = DEFAULT_ISSUER, profile = "trustee", verifierId = DEFAULT_VERIFIER } = options;
  const { nonce, rawEvidence, submods: partsOf = wholeOf } = options;
  if (nonce !== undefined && (nonce.length < NONCE_SIZE.least || nonce.length > NONCE_SIZE.most)) {
    throw misuse(
      "INVALID_APPRAISAL_INPUT",
      `Cannot sign EAR: a nonce of ${nonce.length} bytes, expected ${NONCE_SIZE.least} to ${NONCE_SIZE.most}`,
    );
  }
  const iat = secondsOf(options.now);
  const submods = Object.entries(result.appraisals).flatMap(([name, appraisal]) => {
    const parts = partsOf(name, appraisal);
    const left = TRUST_CLAIMS.find((claim) => !parts.some(({ claims }) => claims.includes(claim)));
    if (left !== undefined) {
      throw misuse("INVALID_APPRAISAL_INPUT", `Cannot sign EAR: no submodule of ${name} states ${left}`);
    }
    return parts.map((part) => [part.name, submodOf(appraisal, part)] as const);
  });
  if (new Set(submods.map(([name]) => name)).size !== submods.length) {
    throw misuse("INVALID_APPRAISAL_INPUT", "Cannot sign EAR: two submodules got one name");
  }
  return {
    eat_profile: EAR_PROFILES[profile],
    iat,
    exp: expiryOf(result, iat, options.lifetimeSeconds ?? DEFAULT_LIFETIME),
    iss: issuer,
    ...(options.id === undefined ? {} : { jti: options.id }),
    ...(nonce === undefined ? {} : { eat_nonce: toBase64Url(nonce) }),
    ...(rawEvidence === undefined ? {} : { "ear.raw-evidence": toBase64Url(rawEvidence) }),
    "ear.verifier-id": { developer: verifierId.developer, build: verifierId.build },
    "adyton.simulated": result.simulated,
    submods: Object.fromEntries(submods),
  };
}

function wholeOf(name: string): readonly SubmodPart[] {
  return [{ name, claims: TRUST_CLAIMS }];
}

function submodOf(appraisal: Appraisal, { claims, evidence }: SubmodPart): EarAppraisal {
  const { trustworthiness } = appraisal;
  const own = Object.fromEntries(
    TRUST_CLAIMS.map((claim) => [claim, claims.includes(claim) ? trustworthiness[claim] : 0]),
  ) as TrustVector;
  return {
    ...appraisal.extensions,
    "ear.status": statusOf(own),
    "ear.trustworthiness-vector": own,
    "ear.appraisal-policy-id": appraisal.policyId,
    "ear.veraison.annotated-evidence": evidenceAt(appraisal.annotatedEvidence, evidence),
    "adyton.simulated": appraisal.simulated,
    "adyton.explanation": appraisal.explanation.map(toldFinding),
  };
}

/** The evidence with nothing beside the member at `path`, and what is about all of it. */
function evidenceAt(document: JsonObject, [first, second]: readonly string[] = []): JsonObject {
  if (first === undefined || second === undefined) return document;
  const claims = document[first];
  const own = isJsonObject(claims) ? claims[second] : undefined;
  return { ...document, [first]: own === undefined ? {} : { [second]: own } };
}

/** Tokens go to guests: they learn which rule failed and on what, not the policy's lines nor the reference values. */
function toldFinding({ file: _, line: __, expected: ___, ...finding }: Finding): Finding {
  return finding;
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

async function signedClaims(token: string | Uint8Array, keys: readonly JWK[]): Promise<EarClaims> {
  if (typeof token !== "string") return verifyCwt(token, keys);
  return parseEarClaims(await payloadOf(token, keys));
}

/** A token may carry more than one nonce elsewhere; ours carry one, and no other is taken. */
function checkNonce({ eat_nonce: found }: EarClaims, expected: Uint8Array): void {
  if (found === undefined) throw refusedToken("EAR_NONCE", "it carries no nonce");
  if (!equal(fromBase64Url(found.replace(/={1,2}$/, "")), expected)) {
    throw refusedToken("EAR_NONCE", "it carries another nonce");
  }
}

/** The payload of a compact JWS (RFC 7515 section 7.1), once one of the keys made the signature. */
async function payloadOf(token: string, keys: readonly JWK[]): Promise<Uint8Array> {
  const parts = token.split(".");
  if (parts.length !== 3) throw malformed(`${parts.length} parts, expected 3`);
  const [header = "", payload = "", signature = ""] = parts;
  const algorithm = algorithmIn(header);
  const signed = fromUtf8(`${header}.${payload}`);
  const [bytes, signatureBytes] = [decoded(payload), decoded(signature)];
  let fitting = 0;
  for (const jwk of keys) {
    const key = await importEarPublicKey(jwk);
    // The key says how it signs; a header that says otherwise is another's.
    const own = earAlgorithmOf(jwk);
    if (own !== algorithm) continue;
    fitting += 1;
    if (await key.verify(SIGNATURES[own], signatureBytes, signed)) return bytes;
  }
  throw refusedToken(
    "EAR_SIGNATURE",
    fitting === 0
      ? `its algorithm is not that of any of the ${keys.length} trusted keys`
      : `none of the ${keys.length} trusted keys made its signature`,
  );
}

/** `alg` of a header. Critical members (RFC 7515 section 4.1.11) are refused: no EAR has any. */
function algorithmIn(text: string): string {
  const header = jsonIn(decoded(text));
  if (!isJsonObject(header)) throw malformed("its header is no JSON object");
  if (header.crit !== undefined) throw malformed("its header has critical members");
  if (typeof header.alg !== "string") throw malformed("its header names no algorithm");
  return header.alg;
}

function jsonIn(bytes: Uint8Array): JsonValue {
  try {
    return parseJson(toUtf8(bytes));
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw malformed("its header is no JSON", cause);
  }
}

/** Base64url in its one canonical spelling. */
function decoded(part: string): Uint8Array {
  try {
    return fromBase64Url(part);
  } catch (cause) {
    throw malformed("it is no base64url", cause);
  }
}

function malformed(why: string, cause?: unknown): AppraisalError {
  return new AppraisalError("INVALID_EAR", "malformed", `Cannot verify EAR: ${why}`, { cause });
}

function refusedToken(code: AppraisalErrorCode, why: string): AppraisalError {
  return new AppraisalError(code, "not-authentic", `Cannot accept EAR: ${why}`, {
    hint: "Attest again to get a fresh token, and trust the keys of the verifier that issues it.",
  });
}
