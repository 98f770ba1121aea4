// SPDX-License-Identifier: Apache-2.0
// Keys that are trusted to sign tokens: out of files, and from addresses that publish them.

import { createPublicKey } from "node:crypto";
import type { VerifyEarOptions } from "@adyton/appraisal";
import { toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { CliError, misuse } from "../errors.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import type { Io } from "../io.ts";
import { namedUrl } from "../services/place.ts";

type Key = VerifyEarOptions["keys"][number];

export interface TrustedKey {
  readonly key: Key;
  /** Where it was found: a path or an address. */
  readonly from: string;
}

const JWKS_PATH = "/.well-known/jwks.json";
const MAX_ANSWER = 1024 * 1024;
const TIMEOUT = 30_000;
const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Of --jwks, --key and --url, or $ADYTON_URL where none is given. Throws `MISSING_VALUE` where there is nothing to trust. */
export async function trustedKeys(invocation: Invocation, io: Io): Promise<TrustedKey[]> {
  const found: TrustedKey[] = [];
  for (const from of invocation.values("jwks")) {
    const text = /^https?:\/\//i.test(from) ? await fetched(from) : toUtf8(await readInput(from, io));
    found.push(...keysOf(parseJson(text), from));
  }
  for (const from of invocation.values("key")) {
    const text = toUtf8(await readInput(from, io)).trim();
    found.push(
      ...(text.startsWith("{") ? keysOf(parseJson(text), from) : [{ key: pemKey(text, from), from }]),
    );
  }
  const asked = invocation.value("url") !== undefined || found.length === 0;
  const url = asked ? namedUrl(invocation, io) : undefined;
  if (url !== undefined) found.push(...keysOf(parseJson(await fetched(url + JWKS_PATH)), url + JWKS_PATH));
  if (found.length === 0) {
    throw misuse(
      "MISSING_VALUE",
      "Cannot verify the token: no key is trusted to sign it",
      "Name the verifier's keys with --jwks, --key or --url.",
    );
  }
  return found;
}

/** One JWK, or a set of them; keys for other uses and of other kinds are left out. */
function keysOf(value: JsonValue, from: string): TrustedKey[] {
  const list: readonly JsonValue[] =
    isJsonObject(value) && Array.isArray(value.keys) ? (value.keys as readonly JsonValue[]) : [value];
  const keys = list.filter((each): each is JsonObject => isJsonObject(each) && signs(each));
  if (keys.length === 0) throw noKey(from, "it holds no JWK on P-256, P-384 or Ed25519 for signatures");
  return keys.map((key) => ({ key: key as Key, from }));
}

function signs({ kty, crv, use }: JsonObject): boolean {
  const known = ["EC P-256", "EC P-384", "OKP Ed25519"].includes(`${String(kty)} ${String(crv)}`);
  return known && (use === undefined || use === "sig");
}

function pemKey(text: string, from: string): Key {
  // A private key would pass as well: its owner does not mean to show it to every command.
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw noKey(from, "it is a private key");
  try {
    return createPublicKey(text).export({ format: "jwk" }) as Key;
  } catch (cause) {
    throw noKey(from, "it is neither JWK nor public key nor certificate in PEM", cause);
  }
}

async function fetched(address: string): Promise<string> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== "https:" && !LOOPBACK.includes(url.hostname))) {
    throw misuse(
      "INVALID_VALUE",
      `Cannot trust keys from ${JSON.stringify(address)}: plain HTTP lets anyone on the way put their own`,
      "Use https://, or save the keys and name the file.",
    );
  }
  try {
    const answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT) });
    if (!answer.ok) throw unreachable(address, `it answered ${answer.status}`);
    let text = "";
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for await (const chunk of answer.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_ANSWER) throw unreachable(address, "its answer is no JWK set: it is too long");
    }
    return text + decoder.decode();
  } catch (cause) {
    if (cause instanceof AdytonError) throw cause;
    throw unreachable(address, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function unreachable(address: string, why: string, cause?: unknown): CliError {
  return new CliError("KEYS_UNAVAILABLE", "unavailable", `Cannot get keys from ${address}: ${why}`, {
    detail: { address },
    hint: "Check the address, or save the keys and name the file with --jwks.",
    ...(cause === undefined ? {} : { cause }),
  });
}

function noKey(from: string, why: string, cause?: unknown): CliError {
  return new CliError("INVALID_VALUE", "misuse", `Cannot trust ${from}: ${why}`, {
    detail: { from },
    ...(cause === undefined ? {} : { cause }),
  });
}
