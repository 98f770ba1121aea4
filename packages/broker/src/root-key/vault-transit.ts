// SPDX-License-Identifier: Apache-2.0
// The root keys under a key of HashiCorp Vault's or OpenBao's transit engine, which never leaves it. Both answer alike:
// POST /v1/<mount>/encrypt/<key> and /decrypt/<key> with the header X-Vault-Token.

import { fromBase64, fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { boundedBytes } from "../bounded.ts";
import { BrokerError } from "../errors.ts";
import { type RootKeyProvider, refusedKey, strangeRecord, unavailableKey } from "./provider.ts";
import { KEY_BYTES } from "./seal.ts";

export interface VaultTransitOptions {
  /** Asked before each call, so that a renewed token is taken. */
  readonly token: () => Promise<string>;
  /** Where to put new records: needed to protect, taken from the record to recover. */
  readonly place?: VaultTransitPlace;
  /** Ask nobody but `place`, whatever a record says: the token goes there. Default false. */
  readonly pinned?: boolean;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Default 10 s. */
  readonly timeoutMilliseconds?: number;
}

export interface VaultTransitPlace {
  /** `https://vault.example:8200`; http:// only on loopback. */
  readonly url: string;
  /** Default `transit`. */
  readonly mount?: string;
  /** The name of the transit key. */
  readonly key: string;
  /** Vault's namespace, where it has some. */
  readonly namespace?: string;
}

const KIND = "vault-transit";
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const PATH = /^[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}$/;
const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];
const MAX_ANSWER = 64 * 1024;

export function vaultTransitProvider(options: VaultTransitOptions): RootKeyProvider {
  const { place, pinned = false } = options;
  return {
    kind: KIND,
    protect: async (key) => {
      if (place === undefined) throw misuse("no transit key is named");
      const checked = checkedPlace(place);
      const answer = await call(checked, "encrypt", { plaintext: toBase64(key) }, options);
      const { ciphertext } = answer;
      if (typeof ciphertext !== "string") throw unreadable("it holds no ciphertext");
      return { ...checked, ciphertext };
    },
    recover: async (record) => {
      const { ciphertext, url, mount, key, namespace } = record;
      if ([ciphertext, url, mount, key].some((each) => typeof each !== "string")) throw strangeRecord(KIND);
      const from = checkedPlace({
        ...{ url: String(url), mount: String(mount), key: String(key) },
        ...(typeof namespace === "string" ? { namespace } : {}),
      });
      if (pinned && (place === undefined || !samePlace(from, checkedPlace(place))))
        throw refusedKey(
          "they are in another transit engine, or under another key of it, than the one that is named here",
          "Over PostgreSQL every replica has to name URL, mount and key.",
        );
      const { plaintext } = await call(from, "decrypt", { ciphertext: String(ciphertext) }, options);
      const opened = bytesIn(plaintext);
      if (opened?.length !== KEY_BYTES) throw unreadable("it holds no key");
      return opened;
    },
  };
}

function checkedPlace({ url, mount = "transit", key, namespace }: VaultTransitPlace): VaultTransitPlace & {
  readonly mount: string;
} & JsonObject {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isPrivate =
    parsed?.protocol === "https:" || (parsed?.protocol === "http:" && LOOPBACK.includes(parsed.hostname));
  if (parsed === undefined || !isPrivate || parsed.username !== "" || parsed.search !== "")
    throw misuse("its URL is none of https://, or http:// on this machine");
  const climbs = mount.split("/").some((part) => ["", ".", ".."].includes(part));
  if (!PATH.test(mount) || climbs || !NAME.test(key)) throw misuse("its mount or key is no name");
  return { url: url.replace(/\/+$/, ""), mount, key, ...(namespace === undefined ? {} : { namespace }) };
}

function samePlace(one: VaultTransitPlace, other: VaultTransitPlace): boolean {
  return (["url", "mount", "key", "namespace"] as const).every((part) => one[part] === other[part]);
}

async function call(
  { url, mount, key, namespace }: VaultTransitPlace,
  action: "encrypt" | "decrypt",
  body: JsonObject,
  { token, fetch: send = fetch, timeoutMilliseconds = 10_000 }: VaultTransitOptions,
): Promise<JsonObject> {
  let response: Response;
  let text: string;
  try {
    response = await send(`${url}/v1/${mount}/${action}/${key}`, {
      method: "POST",
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMilliseconds),
      headers: {
        "content-type": "application/json",
        "x-vault-token": await token(),
        ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
      },
      body: JSON.stringify(body),
    });
    text = await boundedText(response);
  } catch (cause) {
    if (cause instanceof BrokerError) throw cause;
    // The cause of a failed request could hold its headers, the token among them.
    throw unavailableKey(`${url} does not answer`, "See that the key service is up and unsealed.");
  }
  if (response.status === 503 || response.status === 429 || response.status >= 500)
    throw unavailableKey(
      `${url} answered ${response.status}`,
      "See that the key service is up and unsealed.",
    );
  if (response.status !== 200)
    throw refusedKey(
      `${url} answered ${response.status}`,
      `See that the token may ${action} with ${mount}/${key}.`,
    );
  try {
    const answer = parseJson(text);
    if (isJsonObject(answer) && isJsonObject(answer.data)) return answer.data;
  } catch {
    // The error could quote the key.
  }
  throw unreadable("it is no JSON of a transit engine");
}

async function boundedText(response: Response): Promise<string> {
  const tooLarge = () => unreadable(`it is larger than ${MAX_ANSWER} bytes`);
  return toUtf8(await boundedBytes(response, MAX_ANSWER, tooLarge));
}

function bytesIn(value: JsonValue | undefined): Uint8Array | undefined {
  try {
    return typeof value === "string" && fromUtf8(value).length < 256 ? fromBase64(value) : undefined;
  } catch {
    return undefined;
  }
}

function unreadable(why: string): BrokerError {
  return unavailableKey(
    `the key service's answer cannot be read: ${why}`,
    "Check that the URL is that of Vault or OpenBao.",
  );
}

function misuse(why: string): BrokerError {
  return new BrokerError(
    "ROOT_KEY_REFUSED",
    "misuse",
    `Cannot keep the root keys in a transit engine: ${why}`,
  );
}
