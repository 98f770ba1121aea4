// SPDX-License-Identifier: Apache-2.0
// The key that lives only inside: what the evidence binds and secrets are encrypted to.

import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { type FlattenedJWE, flattenedDecrypt } from "jose";
import { ClientError, invalidAnswer } from "./errors.ts";

/** An ephemeral key pair. The private key cannot be exported, unless it was made so. */
export interface TeeKeyPair {
  /** What stands in the protocol as `tee-pubkey`. */
  readonly publicJwk: JsonObject;
  readonly privateKey: CryptoKey;
}

const ALGORITHM = "ECDH-ES+A256KW";

/** A new EC key on P-256, the protocol's default. */
export async function newTeeKeyPair(exportable = false): Promise<TeeKeyPair> {
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, exportable, [
    "deriveBits",
  ]);
  const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { publicJwk: { kty: "EC", crv: "P-256", alg: ALGORITHM, x, y }, privateKey: pair.privateKey };
}

/** Opens the broker's answer. Throws `INVALID_ANSWER` or `UNDECIPHERABLE`. */
export async function decryptAnswer(
  answer: JsonValue,
  { privateKey }: TeeKeyPair,
): Promise<Uint8Array<ArrayBuffer>> {
  const jwe = jweOf(answer);
  try {
    const { plaintext } = await flattenedDecrypt(jwe, privateKey, {
      keyManagementAlgorithms: [ALGORITHM],
      contentEncryptionAlgorithms: ["A256GCM"],
    });
    return new Uint8Array(plaintext);
  } catch (cause) {
    if (cause instanceof AdytonError) throw cause;
    throw new ClientError(
      "UNDECIPHERABLE",
      "not-authentic",
      "Cannot open the resource: it was changed on its way, or is encrypted to another key",
      { hint: "Ask again; if it stays, somebody stands between you and the broker." },
    );
  }
}

/** Flattened JSON serialisation (RFC 7516 section 7.2.2). */
function jweOf(answer: JsonValue): FlattenedJWE {
  if (!isJsonObject(answer)) throw invalidAnswer("resource", "it is no JSON object");
  const member = (name: string): string => {
    const value = answer[name];
    if (typeof value !== "string") throw invalidAnswer("resource", `it is no JWE: ${name} is no text`);
    return value;
  };
  return {
    protected: member("protected"),
    encrypted_key: member("encrypted_key"),
    iv: member("iv"),
    ciphertext: member("ciphertext"),
    tag: member("tag"),
  };
}
