// SPDX-License-Identifier: Apache-2.0
// What an operator calls about the keys of the plugin `transit`, which never leave the broker.

import { fromUtf8, toBase64 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject } from "@adyton/core/json";
import { invalidAnswer } from "./errors.ts";
import { type Answer, type Call, objectIn } from "./wire.ts";

/** A key, never its bytes. */
export interface KeyFacts {
  readonly name: string;
  readonly latestVersion: number;
  /** Older versions decrypt no more. */
  readonly minDecryptionVersion: number;
  /** Whether it derives a key for each context. */
  readonly derived: boolean;
  readonly deletionAllowed: boolean;
}

export interface KeySettings {
  readonly minDecryptionVersion?: number;
  readonly deletionAllowed?: boolean;
}

/** Methods reject with `RESOURCE_MISSING` where the broker runs no plugin `transit`. */
export interface KeyAdmin {
  /** Makes the key, unless it is there. */
  create(name: string, options?: { readonly derived?: boolean }): Promise<KeyFacts>;
  list(): Promise<readonly string[]>;
  get(name: string): Promise<KeyFacts>;
  /** Adds a version, which encrypts from then on. */
  rotate(name: string): Promise<void>;
  configure(name: string, settings: KeySettings): Promise<void>;
  /** For good, with all it ever encrypted. Refused unless deletion was allowed before. */
  delete(name: string): Promise<void>;
  /** Text that attested workloads whom the policy allows it can decrypt: `vault:v1:…`. */
  encrypt(name: string, plaintext: Uint8Array | string): Promise<string>;
}

const BASE = "/kbs/v0/transit";

/** The calls over a wire that carries the administrator's credentials. */
export function keyAdmin(call: (request: Call) => Promise<Answer>): KeyAdmin {
  const ask = (method: Call["method"], path: string, what: string, body?: JsonObject) =>
    call({
      method,
      path: `${BASE}/${path}`,
      what,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
  const place = (name: string): string => `keys/${encodeURIComponent(name)}`;
  return {
    create: async (name, { derived = false } = {}) =>
      factsIn(await ask("POST", place(name), `make key ${name}`, { derived })),
    list: async () => {
      const { keys } = dataIn(await ask("GET", "keys", "list keys"));
      if (!Array.isArray(keys)) throw invalidAnswer("keys", "it holds no list");
      return keys.filter((key) => typeof key === "string");
    },
    get: async (name) => factsIn(await ask("GET", place(name), `show key ${name}`)),
    rotate: async (name) => {
      await ask("POST", `${place(name)}/rotate`, `rotate key ${name}`);
    },
    configure: async (name, { minDecryptionVersion, deletionAllowed }) => {
      await ask("POST", `${place(name)}/config`, `configure key ${name}`, {
        ...(minDecryptionVersion === undefined ? {} : { min_decryption_version: minDecryptionVersion }),
        ...(deletionAllowed === undefined ? {} : { deletion_allowed: deletionAllowed }),
      });
    },
    delete: async (name) => {
      await ask("DELETE", place(name), `delete key ${name}`);
    },
    encrypt: async (name, plaintext) => {
      const bytes = typeof plaintext === "string" ? fromUtf8(plaintext) : plaintext;
      const body = { plaintext: toBase64(bytes) };
      const path = `encrypt/${encodeURIComponent(name)}`;
      const { ciphertext } = dataIn(await ask("POST", path, `encrypt with key ${name}`, body));
      if (typeof ciphertext !== "string") throw invalidAnswer("ciphertext", "it holds none");
      return ciphertext;
    },
  };
}

function dataIn(answer: Answer): JsonObject {
  const { data } = objectIn(answer, "key");
  if (!isJsonObject(data)) throw invalidAnswer("key", "it holds no data");
  return data;
}

function factsIn(answer: Answer): KeyFacts {
  const { name, latest_version, min_decryption_version, derived, deletion_allowed } = dataIn(answer);
  if (
    typeof name !== "string" ||
    typeof latest_version !== "number" ||
    typeof min_decryption_version !== "number" ||
    typeof derived !== "boolean" ||
    typeof deletion_allowed !== "boolean"
  )
    throw invalidAnswer("key", "it is no key");
  return {
    name,
    latestVersion: latest_version,
    minDecryptionVersion: min_decryption_version,
    derived,
    deletionAllowed: deletion_allowed,
  };
}
