// SPDX-License-Identifier: Apache-2.0
// Administrators that an identity provider vouches for: bearer JWTs (RFC 7519), verified by keys that are given or that
// the provider publishes (OpenID Connect Discovery 1.0).

import { toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import {
  createLocalJWKSet,
  decodeJwt,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  errors as joseErrors,
  jwtVerify,
} from "jose";
import { boundedBytes } from "../bounded.ts";
import { BrokerError } from "../errors.ts";

/** Whose JWTs are taken, and what they are worth. */
export interface JwtIssuer {
  /** The claim `iss`, exactly. */
  readonly issuer: string;
  /** One of these stands in `aud`. */
  readonly audience: string | readonly string[];
  /** The keys, the URL of a JWK set, or `"discovery"`: the URL that the issuer's configuration names. */
  readonly keys: JSONWebKeySet | { readonly url: string } | "discovery";
  /** Where the names of roles stand: `role` (default), `realm_access.roles`… A text or a list of texts. */
  readonly roleClaim?: string;
  /** From what stands there to the names of roles here. Default: they are the same. */
  readonly roles?: Readonly<Record<string, readonly string[]>>;
  /** In which tenants (`default` for none) its people are anybody. Default: all. */
  readonly tenants?: readonly string[];
}

/** What a verified token says. */
export interface JwtIdentity {
  readonly issuer: JwtIssuer;
  readonly subject: string;
  readonly roles: readonly string[];
  readonly expires: Date;
}

export type FetchKeys = (url: string, init: RequestInit) => Promise<Response>;

// Signatures only: an HMAC key would let everyone who verifies sign, too.
export const ALGORITHMS: readonly string[] = [
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
  "PS256",
  "PS384",
  "PS512",
  "RS256",
  "RS384",
  "RS512",
];
const MAX_TOKEN = 16 * 1024;
const MAX_DOCUMENT = 256 * 1024;
const FETCH_MS = 5_000;
const KEPT_MS = 10 * 60_000;
/** Between two fetches that an unknown key asks for. */
const PAUSE_MS = 30_000;
const MAX_ROLES = 32;
const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Verifies the tokens of the issuers that are named; all others are nobody's. */
export class JwtIssuers {
  readonly #issuers: ReadonlyMap<string, { readonly issuer: JwtIssuer; readonly keys: JWTVerifyGetKey }>;

  /** Throws `STATE_INVALID` for an address that would be asked without encryption. */
  constructor(issuers: readonly JwtIssuer[], now: () => Date, fetchKeys: FetchKeys = fetch) {
    this.#issuers = new Map(
      issuers.map((issuer) => [issuer.issuer, { issuer, keys: keysOf(issuer, now, fetchKeys) }]),
    );
  }

  /** Rejects with `ADMIN_REFUSED`; with `BACKEND_FAILED` while the issuer's keys cannot be fetched. */
  async identify(token: string, now: Date): Promise<JwtIdentity> {
    if (token.length > MAX_TOKEN) throw refused("it is too long");
    const named = this.#issuers.get(issuerOf(token) ?? "");
    if (named === undefined) throw refused("nobody here knows its issuer");
    const { issuer, keys } = named;
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, keys, {
        issuer: issuer.issuer,
        audience: typeof issuer.audience === "string" ? issuer.audience : [...issuer.audience],
        algorithms: [...ALGORITHMS],
        currentDate: now,
        requiredClaims: ["exp", "sub"],
      }));
    } catch (cause) {
      if (cause instanceof BrokerError) throw cause;
      throw refused(cause instanceof joseErrors.JOSEError ? cause.message : "it cannot be verified", cause);
    }
    const { sub, exp } = payload;
    if (sub === undefined || sub === "" || exp === undefined) throw refused("it names nobody");
    return { issuer, subject: sub, roles: rolesOf(issuer, payload), expires: new Date(exp * 1000) };
  }
}

/** What stands at a dotted path of a token's claims, as role names. */
function rolesOf({ roleClaim = "role", roles }: JwtIssuer, payload: JWTPayload): readonly string[] {
  let value: unknown = payload;
  for (const member of roleClaim.split(".")) {
    value = isJsonObject(value) && Object.hasOwn(value, member) ? value[member] : undefined;
  }
  const found = (Array.isArray(value) ? value : [value])
    .filter((name): name is string => typeof name === "string")
    .slice(0, MAX_ROLES);
  return roles === undefined
    ? found
    : found.flatMap((name) => (Object.hasOwn(roles, name) ? (roles[name] ?? []) : []));
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** Where the keys of an issuer come from. Throws `STATE_INVALID` for an address that would be asked without encryption. */
export function keysOf(
  { issuer, keys }: Pick<JwtIssuer, "issuer" | "keys">,
  now: () => Date,
  fetchKeys: FetchKeys,
): JWTVerifyGetKey {
  if (keys !== "discovery" && "keys" in keys) return createLocalJWKSet(keys);
  const url = keys === "discovery" ? undefined : checkedUrl(keys.url);
  const configuration = checkedUrl(
    `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`,
    keys !== "discovery",
  );
  return remoteKeys(now, async () => {
    const address = url ?? (await discovered(issuer, configuration, fetchKeys));
    const set = await fetched(address, fetchKeys);
    if (!Array.isArray(set.keys)) throw unavailable(`${address} gave no JWK set`);
    return createLocalJWKSet({ keys: set.keys.filter(isJsonObject).map((key) => ({ ...key })) });
  });
}

/** Keys that are fetched when they are first needed, again after a while, and sooner for a key that is not there. */
function remoteKeys(now: () => Date, load: () => Promise<JWTVerifyGetKey>): JWTVerifyGetKey {
  let held: { readonly keys: Promise<JWTVerifyGetKey>; readonly at: number } | undefined;
  const keys = (oldest: number): Promise<JWTVerifyGetKey> => {
    const at = now().getTime();
    if (held !== undefined && Math.abs(at - held.at) < oldest) return held.keys;
    const before = held;
    const loading = load().catch((error: unknown) => {
      // What was fetched before is better than nothing; the next request after the pause tries again.
      if (before !== undefined) return before.keys;
      held = undefined;
      throw error;
    });
    held = { keys: loading, at };
    return loading;
  };
  return async (header, token) => {
    try {
      return await (await keys(KEPT_MS))(header, token);
    } catch (error) {
      if (!(error instanceof joseErrors.JWKSNoMatchingKey)) throw error;
      return (await keys(PAUSE_MS))(header, token);
    }
  };
}

async function discovered(issuer: string, address: string, fetchKeys: FetchKeys): Promise<string> {
  const configuration = await fetched(address, fetchKeys);
  if (configuration.issuer !== issuer || typeof configuration.jwks_uri !== "string")
    throw unavailable(`${address} is not the configuration of ${issuer}`);
  return checkedUrl(configuration.jwks_uri);
}

async function fetched(url: string, fetchKeys: FetchKeys): Promise<JsonObject> {
  let value: JsonValue;
  try {
    const response = await fetchKeys(url, { redirect: "error", signal: AbortSignal.timeout(FETCH_MS) });
    if (response.status !== 200) throw unavailable(`${url} answered ${response.status}`);
    value = parseJson(await textOf(response, url));
  } catch (cause) {
    if (cause instanceof BrokerError) throw cause;
    const why = cause instanceof AdytonError ? "gave no JSON" : "does not answer";
    throw unavailable(`${url} ${why}`, cause);
  }
  if (!isJsonObject(value)) throw unavailable(`${url} gave no JSON object`);
  return value;
}

async function textOf(response: Response, url: string): Promise<string> {
  const bytes = await boundedBytes(response, MAX_DOCUMENT, () =>
    unavailable(`${url} gave more than ${MAX_DOCUMENT} bytes`),
  );
  return toUtf8(bytes);
}

/** Keys that came without encryption would be anybody's. */
function checkedUrl(text: string, unused = false): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.includes(url.hostname)) || unused)
    return text;
  throw new BrokerError(
    "STATE_INVALID",
    "misuse",
    `Cannot fetch keys from ${JSON.stringify(text.slice(0, 200))}: expected an https:// address`,
  );
}

function refused(why: string, cause?: unknown): BrokerError {
  return new BrokerError("ADMIN_REFUSED", "not-authentic", `Cannot accept the administrator's JWT: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: "Log in again at the identity provider.",
  });
}

function unavailable(why: string, cause?: unknown): BrokerError {
  return new BrokerError(
    "BACKEND_FAILED",
    "unavailable",
    `Cannot get the keys of an identity provider: ${why}`,
    {
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
