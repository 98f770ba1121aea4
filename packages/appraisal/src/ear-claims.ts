// SPDX-License-Identifier: Apache-2.0
// The claims of an EAR token: names as in Trustee's profile and Veraison's, our own under `adyton.`; strict about shape.

import { fromBase64Url, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { AppraisalError } from "./errors.ts";
import type { Finding } from "./finding.ts";
import {
  isTrustValue,
  rankOf,
  TRUST_CLAIMS,
  TRUST_TIERS,
  type TrustTier,
  type TrustVector,
  tierOf,
  worstTier,
} from "./trust.ts";

/** `eat_profile` of Confidential Containers' Trustee. */
export const EAR_PROFILE = "tag:github.com,2024:confidential-containers/Trustee";

/** `eat_profile` by the name of who reads it. */
export const EAR_PROFILES: Readonly<Record<EarProfile, string>> = {
  trustee: EAR_PROFILE,
  veraison: "tag:github.com,2023:veraison/ear",
};
export type EarProfile = "trustee" | "veraison";

/** `ear.verifier-id`. */
export interface VerifierId {
  readonly developer: string;
  readonly build: string;
}

/** One submodule of a token. */
export interface EarAppraisal {
  readonly "ear.status": TrustTier;
  /** Claims that the verifier left out assert nothing. */
  readonly "ear.trustworthiness-vector": Readonly<Partial<TrustVector>>;
  readonly "ear.appraisal-policy-id"?: string;
  readonly "ear.veraison.annotated-evidence"?: JsonObject;
  readonly "adyton.simulated"?: boolean;
  readonly "adyton.explanation"?: readonly Finding[];
  readonly [extension: string]: unknown;
}

export interface EarClaims {
  readonly eat_profile: string;
  /** Seconds since 1970. */
  readonly iat: number;
  /** Seconds since 1970. Always there in ours; Veraison's tokens have none. */
  readonly exp?: number;
  readonly iss?: string;
  /** In base64url: 8 to 64 bytes that the relying party chose (RFC 9711 section 4.1). */
  readonly eat_nonce?: string;
  /** The evidence itself, in base64url. */
  readonly "ear.raw-evidence"?: string;
  readonly "ear.verifier-id": VerifierId;
  /** True when any submodule's evidence is under a root that is no hardware vendor's. */
  readonly "adyton.simulated"?: boolean;
  readonly submods: Readonly<Record<string, EarAppraisal>>;
  readonly [extension: string]: unknown;
}

const MAX_SUBMODS = 64;
/** Bytes of a nonce, RFC 9711 section 4.1. */
export const NONCE_SIZE = { least: 8, most: 64 } as const;
const PROFILES: readonly string[] = Object.values(EAR_PROFILES);

/**
 * Reads the JSON payload of a token whose signature was verified. Unknown claims are kept, as EAR's extensions are.
 * Throws `INVALID_EAR`.
 */
export function parseEarClaims(payload: Uint8Array): EarClaims {
  return checkEarClaims(parsed(payload));
}

/** The claims of a token, in whichever form they came. Throws `INVALID_EAR`. */
export function checkEarClaims(claims: JsonValue): EarClaims {
  if (!isJsonObject(claims)) throw invalid("claims", claims, "an object");
  const { eat_profile, iss, submods } = claims;
  if (typeof eat_profile !== "string" || !PROFILES.includes(eat_profile)) {
    throw invalid(
      "eat_profile",
      eat_profile,
      PROFILES.map((profile) => JSON.stringify(profile)).join(" or "),
    );
  }
  if (iss !== undefined && typeof iss !== "string") throw invalid("iss", iss, "a string");
  if (!isJsonObject(submods)) throw invalid("submods", submods, "an object");
  const entries = Object.entries(submods);
  if (entries.length === 0 || entries.length > MAX_SUBMODS) {
    throw invalid("submods", entries.length, `1 to ${MAX_SUBMODS} members`);
  }
  return {
    ...claims,
    eat_profile,
    iat: secondsAt(claims, "iat"),
    ...(claims.exp === undefined ? {} : { exp: secondsAt(claims, "exp") }),
    ...(iss === undefined ? {} : { iss }),
    ...bytesAt(claims, "eat_nonce", NONCE_SIZE.least, NONCE_SIZE.most),
    ...bytesAt(claims, "ear.raw-evidence", 0, Number.POSITIVE_INFINITY),
    "ear.verifier-id": verifierIdOf(claims["ear.verifier-id"]),
    ...simulatedAt(claims, ""),
    submods: Object.fromEntries(
      entries.map(([name, submod]) => [name, appraisalOf(submod, `submods.${name}`)]),
    ),
  };
}

function appraisalOf(submod: JsonValue, at: string): EarAppraisal {
  if (!isJsonObject(submod)) throw invalid(at, submod, "an object");
  const status = TRUST_TIERS.find((tier) => tier === submod["ear.status"]);
  if (status === undefined) throw invalid(`${at}.ear.status`, submod["ear.status"], TRUST_TIERS.join(", "));
  const vector = vectorOf(submod["ear.trustworthiness-vector"] ?? {}, `${at}.ear.trustworthiness-vector`);
  const worst = worstTier(Object.values(vector).map(tierOf));
  // EAR: the status is no better than the worst trust claim.
  if (rankOf(status) < rankOf(worst)) throw invalid(`${at}.ear.status`, status, `no better than ${worst}`);
  const policyId = submod["ear.appraisal-policy-id"];
  if (policyId !== undefined && typeof policyId !== "string") {
    throw invalid(`${at}.ear.appraisal-policy-id`, policyId, "a string");
  }
  const evidence = submod["ear.veraison.annotated-evidence"];
  if (evidence !== undefined && !isJsonObject(evidence)) {
    throw invalid(`${at}.ear.veraison.annotated-evidence`, evidence, "an object");
  }
  return {
    ...submod,
    "ear.status": status,
    "ear.trustworthiness-vector": vector,
    ...(policyId === undefined ? {} : { "ear.appraisal-policy-id": policyId }),
    ...(evidence === undefined ? {} : { "ear.veraison.annotated-evidence": evidence }),
    ...simulatedAt(submod, `${at}.`),
    ...explanationAt(submod, at),
  };
}

function vectorOf(vector: JsonValue, at: string): Readonly<Partial<TrustVector>> {
  if (!isJsonObject(vector)) throw invalid(at, vector, "an object");
  const known: readonly string[] = TRUST_CLAIMS;
  for (const [claim, value] of Object.entries(vector)) {
    if (!known.includes(claim)) throw invalid(`${at}.${claim}`, value, "no such claim");
    if (!isTrustValue(value)) throw invalid(`${at}.${claim}`, value, "a whole number from -128 to 127");
  }
  return vector as Readonly<Partial<TrustVector>>;
}

function explanationAt(
  submod: JsonObject,
  at: string,
): { readonly "adyton.explanation"?: readonly Finding[] } {
  const explanation = submod["adyton.explanation"];
  if (explanation === undefined) return {};
  if (!Array.isArray(explanation)) throw invalid(`${at}.adyton.explanation`, explanation, "a list");
  const findings = explanation.map((finding: JsonValue, i) => {
    if (!isFinding(finding)) throw invalid(`${at}.adyton.explanation[${i}]`, finding, "rule, ok and message");
    return finding;
  });
  return { "adyton.explanation": findings };
}

function isFinding(value: JsonValue): value is JsonObject & Finding {
  return (
    isJsonObject(value) &&
    typeof value.rule === "string" &&
    typeof value.ok === "boolean" &&
    typeof value.message === "string" &&
    (value.next === undefined || typeof value.next === "string") &&
    (value.file === undefined || typeof value.file === "string") &&
    (value.line === undefined || typeof value.line === "number")
  );
}

function simulatedAt(object: JsonObject, prefix: string): { readonly "adyton.simulated"?: boolean } {
  const simulated = object["adyton.simulated"];
  if (simulated === undefined) return {};
  if (typeof simulated !== "boolean") throw invalid(`${prefix}adyton.simulated`, simulated, "true or false");
  return { "adyton.simulated": simulated };
}

function verifierIdOf(value: JsonValue | undefined): VerifierId {
  if (!isJsonObject(value) || typeof value.developer !== "string" || typeof value.build !== "string") {
    throw invalid("ear.verifier-id", value, "developer and build");
  }
  return { developer: value.developer, build: value.build };
}

/** A claim of bytes in base64url, where there is one. */
function bytesAt(
  claims: JsonObject,
  name: "eat_nonce" | "ear.raw-evidence",
  least: number,
  most: number,
): { readonly [name: string]: string } {
  const value = claims[name];
  if (value === undefined) return {};
  const size = typeof value === "string" ? sizeOf(value) : -1;
  if (typeof value !== "string" || size < least || size > most) {
    throw invalid(
      name,
      value,
      most === Number.POSITIVE_INFINITY ? "base64url" : `base64url of ${least} to ${most} bytes`,
    );
  }
  return { [name]: value };
}

/** Bytes behind base64url with or without padding; -1 for other text. */
function sizeOf(text: string): number {
  try {
    return fromBase64Url(text.replace(/={1,2}$/, "")).length;
  } catch (error) {
    if (error instanceof AdytonError) return -1;
    throw error;
  }
}

function secondsAt(claims: JsonObject, name: string): number {
  const value = claims[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw invalid(name, value, "whole seconds");
  return value;
}

function parsed(payload: Uint8Array): JsonValue {
  try {
    return parseJson(toUtf8(payload));
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw new AppraisalError("INVALID_EAR", "malformed", "Cannot read EAR: its payload is no JSON", {
      cause,
    });
  }
}

function invalid(field: string, found: JsonValue | undefined, expected: string): AppraisalError {
  const shown = found === undefined ? "nothing" : JSON.stringify(found).slice(0, 80);
  return new AppraisalError(
    "INVALID_EAR",
    "malformed",
    `Cannot read EAR: ${field} is ${shown}, expected ${expected}`,
    {
      detail: { field },
    },
  );
}
