// SPDX-License-Identifier: Apache-2.0
// The bodies of the KBS protocol, version 0.4.0, as they come in. Unknown members are refused.

import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { isTeeName, schemeOf, type TeeName } from "@adyton/evidence";
import { z } from "zod";
import { BrokerError } from "./errors.ts";

/** The one version that is spoken. */
export const PROTOCOL_VERSION = "0.4.0";

export interface AuthRequest {
  readonly tee: TeeName;
}

/** A request of the verifier's in the nonce's place holds a key slot of 80 bytes for each machine (IBM SE). */
const MAX_NONCE = 64 * 1024;
const DEFAULT_HASH = "SHA-384";

export interface AttestRequest {
  /** The init-data document, absent when none was sent. */
  readonly initData?: string;
  readonly nonce: string;
  /** JWK, exactly as sent: its canonical form is part of what the evidence binds. */
  readonly teePubkey: JsonObject;
  readonly primaryEvidence: JsonValue;
  /** Exactly as sent. */
  readonly additionalEvidence: string;
}

// The text has been parsed as JSON: what is there is JSON, and is passed on as it stands.
const anyJson = z.custom<JsonValue>((value) => value !== undefined, "expected a JSON value");
const jsonObject = z.custom<JsonObject>(isJsonObject, "expected a JSON object");

const versioned = z.looseObject({ version: z.string().max(32) });

const authBody = z.strictObject({
  version: z.string(),
  tee: z.string().max(32),
  "extra-params": z
    .union([
      z.literal(""),
      z.strictObject({ "supported-hash-algorithms": z.array(z.string().max(32)).max(16).optional() }),
    ])
    .optional(),
});

const attestBody = z.strictObject({
  "init-data": z.strictObject({ format: z.literal("toml"), body: z.string() }).nullish(),
  "runtime-data": z.strictObject({
    nonce: z.string().max(MAX_NONCE),
    "tee-pubkey": jsonObject,
  }),
  "tee-evidence": z.strictObject({
    primary_evidence: anyJson,
    // Evidence of further devices, a JSON text: the processor's evidence binds it as it stands.
    additional_evidence: z.string(),
  }),
});

/** Throws `PROTOCOL_VERSION`, `INVALID_REQUEST` or `UNSUPPORTED_TEE`. */
export function parseAuthRequest(text: string): AuthRequest {
  const value = jsonOf(text);
  const { version } = matching(versioned, value);
  if (version !== PROTOCOL_VERSION) {
    // Clients look for these words.
    throw new BrokerError(
      "PROTOCOL_VERSION",
      "misuse",
      `KBS Client Protocol Version Mismatch: expect =${PROTOCOL_VERSION} while the request is ${version}`,
      { detail: { found: version, expected: PROTOCOL_VERSION } },
    );
  }
  const body = matching(authBody, value);
  if (!isTeeName(body.tee)) throw invalid(`tee ${JSON.stringify(body.tee)} is not known`);
  const hashes =
    body["extra-params"] === "" ? undefined : body["extra-params"]?.["supported-hash-algorithms"];
  const needed = hashName(schemeOf(body.tee).runtimeDataHash ?? DEFAULT_HASH);
  if (hashes !== undefined && !hashes.includes(needed))
    throw invalid(`supported-hash-algorithms lacks ${needed}, which binds the nonce`);
  return { tee: body.tee };
}

/** The `extra-params` of a challenge: the hash that binds the nonce, where it is not the protocol's own. */
export function challengeParams(tee: TeeName): JsonValue {
  const { runtimeDataHash } = schemeOf(tee);
  return runtimeDataHash === undefined ? "" : { "selected-hash-algorithm": hashName(runtimeDataHash) };
}

/** Throws `INVALID_REQUEST`. */
export function parseAttestRequest(text: string): AttestRequest {
  const value = jsonOf(text);
  const body = matching(attestBody, value);
  const initData = body["init-data"]?.body;
  return {
    ...(initData === undefined ? {} : { initData }),
    nonce: body["runtime-data"].nonce,
    teePubkey: body["runtime-data"]["tee-pubkey"],
    primaryEvidence: body["tee-evidence"].primary_evidence,
    additionalEvidence: body["tee-evidence"].additional_evidence,
  };
}

/** As the protocol writes hashes: sha384. */
function hashName(hash: string): string {
  return hash.replace("-", "").toLowerCase();
}

/** A request body as a JSON object. Throws `INVALID_REQUEST`. */
export function jsonOf(text: string): JsonObject {
  let value: JsonValue;
  try {
    value = parseJson(text);
  } catch (error) {
    throw invalid(error instanceof AdytonError ? error.message : "it is no JSON");
  }
  if (!isJsonObject(value)) throw invalid("it is no JSON object");
  return value;
}

/** `value` in the shape of `schema`. Throws `INVALID_REQUEST` that names the member. */
export function matching<T>(schema: z.ZodType<T>, value: JsonValue): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "the body" : issue.path.join(".");
  throw invalid(`${where}: ${issue?.message ?? "unexpected"}`);
}

export function invalid(why: string): BrokerError {
  const shown = why.length > 300 ? `${why.slice(0, 300)}…` : why;
  return new BrokerError("INVALID_REQUEST", "malformed", `Cannot read the request: ${shown}`);
}
