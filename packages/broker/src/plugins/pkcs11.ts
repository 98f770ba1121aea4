// SPDX-License-Identifier: Apache-2.0
// Trustee's plugin `pkcs11`: secrets that rest in a token, and keys wrapped by an RSA key that never leaves it.

import { fromBase64Url } from "@adyton/core/bytes";
import { pkcs11Backend } from "../backends/pkcs11-backend.ts";
import { BrokerError } from "../errors.ts";
import type { OaepHash, Pkcs11Token, TokenKey } from "../pkcs11/token.ts";
import { invalid } from "../protocol.ts";
import { parseResourcePath, resourceName } from "../resource-path.ts";
import { noSuchCall } from "./answers.ts";
import type { Plugin, PluginRequest, PluginResponse } from "./types.ts";

export interface Pkcs11PluginOptions {
  /** Closed by whoever opened it. */
  readonly token: Pkcs11Token;
  /** Label of the RSA key pair for `wrap-key`. Without it there is no such path. */
  readonly lookupLabel?: string;
  /** Of RSA-OAEP. Default SHA-256, as in Trustee; SoftHSM before 2.7 knows SHA-1 alone. */
  readonly hash?: OaepHash;
}

const NAME = "pkcs11";
const NONE: Uint8Array = new Uint8Array(0);

/**
 * `resource/<repository>/<type>/<tag>`: GET (attested), POST and DELETE (admin). `POST wrap-key` (admin) answers the body
 * wrapped; `GET wrap-key?wrapped=<base64url>` (attested) answers it unwrapped. Trustee takes the wrapped key as body of the
 * GET, which HTTP gives no meaning (RFC 9110 section 9.3.1) and web servers drop; `POST unwrap-key` takes it as body.
 */
export function pkcs11Plugin(options: Pkcs11PluginOptions): Plugin {
  const backend = pkcs11Backend(options.token);
  const beside = (now: Date) => ({ now, changes: () => [] });
  const resource = async (request: PluginRequest, now: Date): Promise<PluginResponse> => {
    const name = resourceName(parseResourcePath(request.path.slice(1).join("/")));
    switch (request.method) {
      case "GET": {
        const stored = await backend.get(name);
        if (stored === undefined)
          throw new BrokerError("RESOURCE_NOT_FOUND", "misuse", `Cannot find resource ${name}`);
        return { body: stored.secret };
      }
      case "POST":
        await backend.put(name, request.body, beside(now));
        return { body: NONE, audit: { bytes: request.body.length } };
      case "DELETE":
        if (await backend.delete(name, beside(now))) return { body: NONE };
        throw new BrokerError("RESOURCE_NOT_FOUND", "misuse", `Cannot find resource ${name}`);
      default:
        throw noSuchCall(NAME, request);
    }
  };
  return {
    name: NAME,
    defaultTenantOnly: true,
    access: ({ method, path }) =>
      method === "GET" || (method === "POST" && path[0] === "unwrap-key") ? "attested" : "admin",
    encrypts: () => true,
    handle: async (request, { now }) => {
      const { method, path } = request;
      const [what] = path;
      if (what === "resource") return resource(request, now);
      if (path.length !== 1) throw noSuchCall(NAME, request);
      if (what === "wrap-key" && method === "POST") return wrapped(request.body, options);
      if (what === "wrap-key" && method === "GET") return unwrapped(wrappedIn(request), options);
      if (what === "unwrap-key" && method === "POST") return unwrapped(request.body, options);
      throw noSuchCall(NAME, request);
    },
  };
}

function wrapped(key: Uint8Array, options: Pkcs11PluginOptions): PluginResponse {
  const { token, hash = "SHA-256" } = options;
  return { body: token.oaepEncrypt(pairOf("public", options), key, hash) };
}

function unwrapped(bytes: Uint8Array, options: Pkcs11PluginOptions): PluginResponse {
  const { token, hash = "SHA-256" } = options;
  return { body: token.oaepDecrypt(pairOf("private", options), bytes, hash) };
}

function pairOf(kind: "public" | "private", { token, lookupLabel }: Pkcs11PluginOptions): TokenKey {
  const key = lookupLabel === undefined ? undefined : token.rsaKey(lookupLabel, kind);
  if (key !== undefined) return key;
  throw new BrokerError(
    "KEY_NOT_FOUND",
    "misuse",
    `Cannot find the ${kind} RSA key ${lookupLabel ?? ""} in the token`,
  );
}

function wrappedIn({ query }: PluginRequest): Uint8Array {
  try {
    return fromBase64Url(query.get("wrapped") ?? "");
  } catch {
    throw invalid("the query's wrapped is no base64url");
  }
}
