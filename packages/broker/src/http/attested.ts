// SPDX-License-Identifier: Apache-2.0
// What a requester was attested to be, by its bearer token or else its session: ours first, then those that are trusted.

import { verifyEar } from "@adyton/appraisal";
import { AdytonError } from "@adyton/core/errors";
import { decodeProtectedHeader } from "jose";
import { TOKEN_ISSUER } from "../attestation.ts";
import { BrokerError } from "../errors.ts";
import type { AttestedClaims } from "../policy.ts";
import { bearerOf, sessionIdOf } from "./credentials.ts";
import type { AppParts } from "./parts.ts";

/** Codes of tokens that somebody else may have signed. */
const FOREIGN: readonly string[] = ["EAR_SIGNATURE", "EAR_ISSUER", "INVALID_EAR"];

/**
 * Claims of a token that we signed, or whom we trust, and that still holds. Rejects with `TOKEN_MISSING`, `TOKEN_REFUSED`
 * or `BACKEND_FAILED`.
 */
export async function claimsOf(
  request: Request,
  { sessions, tokenKeys, trustedVerifiers }: AppParts,
  now: Date,
): Promise<AttestedClaims> {
  const id = sessionIdOf(request);
  const token = bearerOf(request) ?? (id === undefined ? undefined : (await sessions.find(id, now))?.token);
  if (token === undefined) {
    throw new BrokerError("TOKEN_MISSING", "not-authentic", "Cannot release: the requester is not attested", {
      hint: "Attest first (POST auth, POST attest), then ask with the session's cookie or its token.",
    });
  }
  try {
    const keys = await tokenKeys.publicKeys(keyIdOf(token));
    return await verifyEar(token, { keys, now, issuer: TOKEN_ISSUER });
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    if (trustedVerifiers !== undefined && FOREIGN.includes(cause.code))
      return await trustedVerifiers.verify(token, now);
    throw new BrokerError("TOKEN_REFUSED", "not-authentic", `Cannot accept the token: ${cause.message}`, {
      cause,
      detail: { code: cause.code },
      hint: "Attest again.",
    });
  }
}

/** Before anything is checked: only which key to look for. */
function keyIdOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}
