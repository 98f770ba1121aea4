// SPDX-License-Identifier: Apache-2.0
// What a token says, whoever signed it: for people who look into one, never for decisions.

import { fromBase64Url, toBase64Url, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, parseJson } from "@adyton/core/json";
import { type EarClaims, parseEarClaims } from "./ear-claims.ts";
import { readCwtUnverified } from "./ear-cwt.ts";
import { AppraisalError } from "./errors.ts";

export interface UnverifiedEar {
  readonly form: "JWT" | "CWT";
  /** As the token has it; of a CWT `alg` by COSE's name, and `kid` in base64url. */
  readonly header: JsonObject;
  readonly claims: EarClaims;
}

const MAX_TOKEN = 8 * 1024 * 1024;

/**
 * Header and claims of a JWT (text) or CWT (bytes). Anyone can write a token that says anything: use `verifyEar` before you
 * rely on it. Throws `INVALID_EAR`.
 */
export function readEarUnverified(token: string | Uint8Array): UnverifiedEar {
  if (token.length > MAX_TOKEN)
    throw malformed(`${token.length} characters or bytes, at most ${MAX_TOKEN} are read`);
  if (typeof token !== "string") {
    const { algorithm, kid, claims } = readCwtUnverified(token);
    const alg = algorithm.name === "ECDSA" ? `ECDSA with ${algorithm.hash}` : algorithm.name;
    return { form: "CWT", header: { alg, ...(kid === undefined ? {} : { kid: toBase64Url(kid) }) }, claims };
  }
  const [head = "", payload = "", ...rest] = token.split(".");
  if (rest.length !== 1) throw malformed(`${rest.length + 2} parts, expected 3`);
  const header = headerOf(head);
  return { form: "JWT", header, claims: parseEarClaims(bytesOf(payload)) };
}

function headerOf(text: string): JsonObject {
  const bytes = bytesOf(text);
  try {
    const header = parseJson(toUtf8(bytes));
    if (isJsonObject(header)) return header;
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw malformed("its header is no JSON", cause);
  }
  throw malformed("its header is no object");
}

function bytesOf(text: string): Uint8Array {
  try {
    return fromBase64Url(text);
  } catch (cause) {
    throw malformed("it is no base64url", cause);
  }
}

function malformed(why: string, cause?: unknown): AppraisalError {
  return new AppraisalError("INVALID_EAR", "malformed", `Cannot read EAR: ${why}`, { cause });
}
