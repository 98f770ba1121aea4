// SPDX-License-Identifier: Apache-2.0
// Sealed secrets of Confidential Containers: `sealed.<JWS>`, which stands in public manifests and names or holds a secret
// that only the attested guest gets. Signed with ES256; types `vault` and `envelope`, version 0.1.0.

import { createDecipheriv } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "@adyton/client";
import { concat, fromBase64, fromBase64Url, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { CliError } from "../errors.ts";

export interface SealedSecretOptions {
  /** Folder of public keys (JWK files) by key id. Without one, only keys that the broker keeps (`kbs:///…`) count. */
  readonly keys?: string;
}

const PREFIX = "sealed.";
const VERSION = "0.1.0";
const MAX_LENGTH = 1024 * 1024;
const PART = "[A-Za-z0-9_-]+";
const JWS = new RegExp(`^${PART}\\.${PART}\\.${PART}$`);
const KEY_NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/;
const TAG_BYTES = 16;

/** The secret. Rejects with `SEALED_SECRET_INVALID`, and as `Client.getResource`. */
export async function unsealSecret(
  sealed: string,
  client: Pick<Client, "getResource">,
  { keys }: SealedSecretOptions = {},
): Promise<Uint8Array> {
  const jws = sealed.slice(PREFIX.length);
  if (!sealed.startsWith(PREFIX) || sealed.length > MAX_LENGTH || !JWS.test(jws))
    throw invalid("it is not sealed.HEADER.PAYLOAD.SIGNATURE");
  const [header = "", payload = "", signature = ""] = jws.split(".");
  const { alg, kid, crit } = objectIn(header, "header");
  if (alg !== "ES256" || typeof kid !== "string" || crit !== undefined)
    throw invalid("its header names no ES256 key");
  const key = kid.startsWith("kbs://") ? await client.getResource(kid) : await localKey(kid, keys);
  await checkSignature(key, `${header}.${payload}`, fromBase64Url(signature));
  const secret = objectIn(payload, "payload");
  if (secret.version !== VERSION) throw invalid(`its version is not ${VERSION}`);
  // Everything below was said by whoever holds the key.
  if (secret.provider !== "kbs") throw invalid("its provider is not kbs");
  switch (secret.type) {
    case "vault":
      return client.getResource(textIn(secret, "name"));
    case "envelope":
      return openEnvelope(secret, client);
    default:
      throw invalid("its type is neither vault nor envelope");
  }
}

/**
 * The data key is wrapped under the resource `key_id` with AES-256-GCM, its IV in `annotations.iv`; the data under the data
 * key as `wrap_type` says, a GCM tag at the end.
 */
async function openEnvelope(secret: JsonObject, client: Pick<Client, "getResource">): Promise<Uint8Array> {
  const { annotations } = secret;
  const iv = isJsonObject(annotations) ? textIn(annotations, "iv") : "";
  const outer = await client.getResource(textIn(secret, "key_id"));
  const inner = decrypt("A256GCM", outer, bytesIn(iv), bytesIn(textIn(secret, "encrypted_key")));
  const wrap = textIn(secret, "wrap_type");
  return decrypt(wrap, inner, bytesIn(textIn(secret, "iv")), bytesIn(textIn(secret, "encrypted_data")));
}

function decrypt(wrap: string, key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array {
  try {
    if (wrap === "A256CTR") {
      const cipher = createDecipheriv("aes-256-ctr", key, iv);
      return concat(cipher.update(sealed), cipher.final());
    }
    if (wrap !== "A256GCM" || sealed.length < TAG_BYTES) throw invalid("it is wrapped in an unknown way");
    const cipher = createDecipheriv("aes-256-gcm", key, iv);
    cipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    return concat(cipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), cipher.final());
  } catch (error) {
    throw error instanceof AdytonError ? error : invalid("it does not open with its key");
  }
}

async function checkSignature(key: Uint8Array, signed: string, signature: Uint8Array): Promise<void> {
  let good = false;
  try {
    const { kty, crv, x, y } = parseJson(toUtf8(key)) as JsonObject;
    const jwk = { kty: String(kty), crv: String(crv), x: String(x), y: String(y) };
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const imported = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
    good = await crypto.subtle.verify(
      { name: "ECDSA", hash: "SHA-256" },
      imported,
      new Uint8Array(signature),
      new TextEncoder().encode(signed),
    );
  } catch {
    throw invalid("its key is no P-256 key as JWK");
  }
  if (!good) throw invalid("its signature is not by its key");
}

async function localKey(kid: string, folder: string | undefined): Promise<Uint8Array> {
  if (folder === undefined || !KEY_NAME.test(kid)) throw invalid("its key is not known here");
  try {
    return new Uint8Array(await readFile(join(folder, kid)));
  } catch {
    throw invalid("its key is not known here");
  }
}

function objectIn(part: string, what: string): JsonObject {
  let value: JsonValue;
  try {
    value = parseJson(toUtf8(fromBase64Url(part)));
  } catch {
    throw invalid(`its ${what} cannot be read`);
  }
  if (!isJsonObject(value)) throw invalid(`its ${what} is no JSON object`);
  return value;
}

function textIn(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== "string") throw invalid(`${name} is no text`);
  return value;
}

function bytesIn(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch {
    throw invalid("it holds what is no base64");
  }
}

function invalid(why: string): CliError {
  return new CliError("SEALED_SECRET_INVALID", "misuse", `Cannot unseal the secret: ${why}`, {
    hint: "Seal it again, signed with a key that the guest can get.",
  });
}
