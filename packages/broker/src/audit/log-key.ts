// SPDX-License-Identifier: Apache-2.0
// The key that signs the ends of the release log, and nothing else.

import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { fromBase64Url } from "@adyton/core/bytes";
import { isJsonObject, parseJson } from "@adyton/core/json";
import { type NoteSigner, noteKey } from "@adyton/core/note";
import { BrokerError } from "../errors.ts";

const ORIGIN_PREFIX = "adyton-log/";
const ID_DIGITS = 16;

/** A fresh key as a JWK (RFC 8037), for keeping; it is a secret. */
export function generateLogKey(): string {
  return JSON.stringify(generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }));
}

/**
 * Signs for the log, whose name is made of its key: two logs never share one. Throws `STATE_INVALID` for what is no
 * private Ed25519 key.
 */
export function logSignerOf(jwk: string): NoteSigner {
  const { privateKey, publicKey } = keysIn(jwk);
  const id = createHash("sha256").update(publicKey).digest("hex").slice(0, ID_DIGITS);
  return {
    key: noteKey(ORIGIN_PREFIX + id, "log", publicKey),
    sign: (data) => new Uint8Array(sign(null, data, privateKey)),
  };
}

function keysIn(jwk: string): { readonly privateKey: KeyObject; readonly publicKey: Uint8Array } {
  try {
    const value = parseJson(jwk);
    if (isJsonObject(value) && value.crv === "Ed25519") {
      const privateKey = createPrivateKey({ key: { ...value }, format: "jwk" });
      // Not the member x of the file: whoever writes it could name another key.
      const { x = "" } = privateKey.export({ format: "jwk" });
      return { privateKey, publicKey: fromBase64Url(x) };
    }
  } catch {
    // What a library says of a key may quote it.
  }
  throw new BrokerError(
    "STATE_INVALID",
    "misuse",
    "Cannot use the key of the audit log: it is no private Ed25519 JWK",
    {
      hint: "Restore it from a backup.",
    },
  );
}
