// SPDX-License-Identifier: Apache-2.0
// Attestation tokens of other verifiers that are trusted besides: by the certificates that lead to the key in a token's
// header, or by sets of keys. A key that only stands in the header is trusted by nobody.

import { createPublicKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { checkEarClaims } from "@adyton/appraisal";
import { equal, fromBase64, toUtf8 } from "@adyton/core/bytes";
import { isSelfIssued, verifyChain } from "@adyton/core/chain";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, parseJson } from "@adyton/core/json";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  errors as joseErrors,
  jwtVerify,
  type ProtectedHeaderParameters,
} from "jose";
import { ALGORITHMS, type FetchKeys, keysOf } from "../admin/jwt.ts";
import { BrokerError } from "../errors.ts";
import type { AttestedClaims } from "../policy.ts";
import { VERIFIER_CLAIM } from "../release-gate.ts";

/** Keys that sign attestation tokens: themselves, a file, the address of a set, or an issuer that names its own (OpenID Connect Discovery). */
export type TrustedKeySet =
  | JSONWebKeySet
  | { readonly file: string }
  | { readonly url: string }
  | { readonly issuer: string };

/** Whose tokens open secrets besides our own. What they attest is theirs to answer for. */
export interface TrustedTokens {
  /**
   * Whoever has a certificate under one of these may sign tokens: use a root that is for nothing else. Self-signed ones are
   * roots, others may stand between.
   */
  readonly certificates?: readonly Certificate[];
  readonly keySets?: readonly TrustedKeySet[];
  /** Where tokens name the attested key, as JSON pointers (RFC 6901), besides the usual places. */
  readonly teeKeyPaths?: readonly string[];
}

const MAX_TOKEN = 1024 * 1024;
const MAX_CHAIN = 8;
const MAX_FILE = 1024 * 1024;
const POINTER = /^(?:\/(?:[^~/]|~[01])*)+$/;

interface KnownKeys {
  readonly keys: JWTVerifyGetKey;
  /** The `iss` of tokens, where the set is an issuer's. */
  readonly issuer?: string;
}

export class TrustedVerifiers {
  readonly #certificates: readonly Certificate[];
  readonly #sets: readonly KnownKeys[];

  /** Throws `STATE_INVALID` for an address that would be asked without encryption, or what is no JSON pointer. */
  constructor(trusted: TrustedTokens, now: () => Date, fetchKeys: FetchKeys = fetch) {
    const { certificates = [], keySets = [], teeKeyPaths = [] } = trusted;
    const bad = teeKeyPaths.find((path) => !POINTER.test(path));
    if (bad !== undefined)
      throw unusable(`${JSON.stringify(bad.slice(0, 80))} is no JSON pointer such as /runtime/tee-pubkey`);
    this.#certificates = certificates;
    this.#sets = keySets.map((set) => knownKeys(set, now, fetchKeys));
  }

  /** Claims of a token that one of them signed and that still holds. Rejects with `TOKEN_REFUSED`, or `BACKEND_FAILED` while keys cannot be fetched. */
  async verify(token: string, now: Date): Promise<AttestedClaims> {
    if (token.length > MAX_TOKEN) throw refused("it is too long");
    const header = headerOf(token);
    const chain = chainIn(header);
    if (chain !== undefined && this.#certificates.length > 0) {
      const key = await this.#certifiedKey(header, chain, now);
      return claimsIn(await payloadOf(token, { keys: async () => key }, now), `x5c ${subjectOf(chain)}`);
    }
    for (const set of this.#sets) {
      const payload = await payloadOf(token, set, now).catch((error: unknown) => {
        if (error instanceof joseErrors.JWKSNoMatchingKey) return undefined;
        throw error;
      });
      if (payload !== undefined) return claimsIn(payload, `kid ${header.kid ?? ""}`);
    }
    throw refused("nobody here knows the key that signed it");
  }

  /** The key in the header, once a chain of certificates leads to it. */
  async #certifiedKey(
    { jwk }: ProtectedHeaderParameters,
    chain: readonly Certificate[],
    at: Date,
  ): Promise<KeyObject> {
    const [leaf, ...between] = chain;
    if (leaf === undefined) throw refused("its x5c is empty");
    const key = keyObjectOf(jwk);
    if (!equal(new Uint8Array(key.export({ format: "der", type: "spki" })), leaf.spki))
      throw refused("its certificate is of another key than the one in its header");
    try {
      await verifyChain({
        leaf,
        pool: [...between, ...this.#certificates],
        anchors: this.#certificates.filter(isSelfIssued),
        at,
        crls: "unchecked",
        maxLength: MAX_CHAIN,
      });
    } catch (cause) {
      if (!(cause instanceof AdytonError)) throw cause;
      throw refused(`no trusted certificate leads to its key: ${cause.message}`, cause);
    }
    return key;
  }
}

function knownKeys(set: TrustedKeySet, now: () => Date, fetchKeys: FetchKeys): KnownKeys {
  if ("keys" in set) return { keys: createLocalJWKSet(set) };
  if ("file" in set) return { keys: fileKeys(set.file) };
  if ("url" in set) return { keys: keysOf({ issuer: set.url, keys: set }, now, fetchKeys) };
  return {
    keys: keysOf({ issuer: set.issuer, keys: "discovery" }, now, fetchKeys),
    issuer: set.issuer,
  };
}

/** Read for each token: a file that changed counts at once. */
function fileKeys(file: string): JWTVerifyGetKey {
  return async (header, token) => {
    let set: unknown;
    try {
      const bytes = await readFile(file);
      if (bytes.length > MAX_FILE) throw unusable(`${file} has more than ${MAX_FILE} bytes`);
      set = parseJson(toUtf8(new Uint8Array(bytes)));
    } catch (cause) {
      if (cause instanceof BrokerError) throw cause;
      throw unusable(`${file} cannot be read as JSON`, cause);
    }
    if (!isJsonObject(set) || !Array.isArray(set.keys)) throw unusable(`${file} holds no JWK set`);
    const keys = set.keys.filter(
      (key): key is JsonObject & { kty: string } => isJsonObject(key) && typeof key.kty === "string",
    );
    return createLocalJWKSet({ keys })(header, token);
  };
}

function headerOf(token: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw refused("it is no JWT");
  }
}

/** The certificates inside the header's key: there, and not beside it, is where Trustee has them. */
function chainIn({ jwk }: ProtectedHeaderParameters): readonly Certificate[] | undefined {
  const { x5c } = jwk ?? {};
  if (x5c === undefined) return undefined;
  if (!Array.isArray(x5c) || x5c.length > MAX_CHAIN) throw refused(`its x5c is no list of 1 to ${MAX_CHAIN}`);
  return x5c.map((text: unknown) => {
    try {
      return parseCertificate(fromBase64(String(text).replaceAll(/\s/g, "")));
    } catch (cause) {
      throw refused("its x5c holds what is no certificate", cause);
    }
  });
}

function keyObjectOf(jwk: unknown): KeyObject {
  try {
    if (!isJsonObject(jwk)) throw new TypeError("no key");
    const { kty, crv, x, y, n, e } = jwk;
    const members = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined);
    return createPublicKey({ key: Object.fromEntries(members), format: "jwk" });
  } catch (cause) {
    throw refused("the key in its header is none", cause);
  }
}

async function payloadOf(token: string, { keys, issuer }: KnownKeys, now: Date): Promise<JsonObject> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: [...ALGORITHMS],
      currentDate: now,
      requiredClaims: ["exp"],
      ...(issuer === undefined ? {} : { issuer }),
    });
    const claims: unknown = payload;
    if (!isJsonObject(claims)) throw refused("its claims are no object");
    return claims;
  } catch (cause) {
    if (cause instanceof BrokerError || cause instanceof joseErrors.JWKSNoMatchingKey) throw cause;
    throw refused(cause instanceof joseErrors.JOSEError ? cause.message : "it cannot be verified", cause);
  }
}

/** What claims to be appraisals has to be in EAR; a token without any says nothing that default policies understand. */
function claimsIn(payload: JsonObject, verifier: string): AttestedClaims {
  const named = { [VERIFIER_CLAIM]: verifier.trim().slice(0, 256) };
  if (!Object.hasOwn(payload, "submods"))
    return { ...payload, submods: {}, ...withoutMark(payload), ...named };
  try {
    return { ...checkEarClaims(payload), ...named };
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw refused(cause.message, cause);
  }
}

/** Our own mark has a form that policies rely on. */
function withoutMark({ "adyton.simulated": mark }: JsonObject): { readonly "adyton.simulated"?: boolean } {
  return typeof mark === "boolean" ? { "adyton.simulated": mark } : { "adyton.simulated": true };
}

function subjectOf([leaf]: readonly Certificate[]): string {
  return leaf?.subject.text ?? "";
}

function refused(why: string, cause?: unknown): BrokerError {
  return new BrokerError("TOKEN_REFUSED", "not-authentic", `Cannot accept the token: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: "Attest again.",
  });
}

function unusable(why: string, cause?: unknown): BrokerError {
  return new BrokerError("STATE_INVALID", "misuse", `Cannot use trusted tokens: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
  });
}
