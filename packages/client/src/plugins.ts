// SPDX-License-Identifier: Apache-2.0
// What an attested workload asks of the broker's plugins: keys that never leave, wrapped keys, disk keys, overlay networks.

import { fromBase64, fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { invalidAnswer } from "./errors.ts";
import { pluginPath } from "./plugin-path.ts";
import { decryptAnswer, type TeeKeyPair } from "./tee-key.ts";
import { type Answer, type Call, jsonIn } from "./wire.ts";

export interface TransitInputs {
  /** What a derived key is derived for. Those keys need it, others take none. */
  readonly context?: Uint8Array;
  /** Authenticated beside the plaintext; decrypting takes the same. */
  readonly associatedData?: Uint8Array;
}

export interface DataKey {
  /** To encrypt with, here. */
  readonly plaintext: Uint8Array;
  /** To keep beside what was encrypted: `decrypt` gives the key again. */
  readonly ciphertext: string;
}

/**
 * The keys of the plugin `transit`. Methods reject with `RELEASE_REFUSED` when policy says no, `RESOURCE_MISSING` for a key
 * that is not there, `INVALID_NAME`, or as `Client.getToken`.
 */
export interface Transit {
  /** `vault:v1:…` */
  encrypt(key: string, plaintext: Uint8Array | string, options?: TransitInputs): Promise<string>;
  /** The answer is encrypted to the attested key; one that is not is refused with `INVALID_ANSWER`. */
  decrypt(key: string, ciphertext: string, options?: TransitInputs): Promise<Uint8Array>;
  /** The same plaintext under the key's newest version; it is not shown. */
  rewrap(key: string, ciphertext: string, options?: TransitInputs): Promise<string>;
  /** A fresh key under the named one. Default 256 bits. */
  dataKey(
    key: string,
    options?: { readonly bits?: 128 | 256 | 512; readonly context?: Uint8Array },
  ): Promise<DataKey>;
}

export interface NebulaRequest {
  readonly name: string;
  /** With its prefix length: `10.1.2.3/24`. */
  readonly ip: string;
  /** Like `24h` or `1h30m`. Default and limit: what the broker is told. */
  readonly duration?: string;
  readonly groups?: readonly string[];
  readonly subnets?: readonly string[];
}

/** PEM, as `nebula` reads it from files. */
export interface NebulaCredential {
  readonly certificate: string;
  readonly privateKey: string;
  readonly authority: string;
}

/** What an attested workload asks of plugins, besides certificates. */
export interface PluginCalls {
  readonly transit: Transit;
  /** Opens what an administrator wrapped with `key` of the plugin `wrap`. */
  unwrapKey(key: string, wrapped: Uint8Array): Promise<Uint8Array>;
  /** A certificate of the plugin `nebula-ca`, and its key. */
  nebulaCredential(request: NebulaRequest): Promise<NebulaCredential>;
  /**
   * What the plugin `provisioner` made for the machine whose init-data name `path` (`default/<uuid>/root`, or with
   * `kbs+provisioner:///` before it): a TOML document, `[data]` holds the keys by the names of their places.
   */
  diskKey(path: string): Promise<Uint8Array>;
}

/** Sends a call with a token that holds, and reads the answer with the key that the token is bound to. */
export type AttestedCall = <T>(
  call: Call,
  read: (answer: Answer, keyPair: TeeKeyPair) => T | Promise<T>,
) => Promise<T>;

const SCHEME = "kbs+provisioner:///";
const JSON_BODY: Readonly<Record<string, string>> = { "content-type": "application/json" };

export function pluginCalls(call: AttestedCall): PluginCalls {
  const opened = (request: Call): Promise<Uint8Array> =>
    call(request, (answer, keyPair) => decryptAnswer(jsonIn(answer, "answer"), keyPair));
  return {
    transit: transitCalls(call),
    unwrapKey: async (key, wrapped) =>
      opened({
        method: "POST",
        path: pluginPath("wrap", [key, "unwrap"]),
        what: `unwrap with key ${key}`,
        body: wrapped,
      }),
    nebulaCredential: async (request) => {
      const { name, ip, duration, groups, subnets } = request;
      const query = new URLSearchParams({ name, ip });
      if (duration !== undefined) query.set("duration", duration);
      if (groups !== undefined) query.set("groups", groups.join(","));
      if (subnets !== undefined) query.set("subnets", subnets.join(","));
      const path = `${pluginPath("nebula-ca", ["credential"])}?${query}`;
      return credentialIn(await opened({ method: "GET", path, what: `get a credential for ${name}` }));
    },
    diskKey: async (path) => {
      const name = path.startsWith(SCHEME) ? path.slice(SCHEME.length) : path;
      return opened({
        method: "GET",
        path: pluginPath("provisioner", name.split("/")),
        what: `get disk key ${name}`,
      });
    },
  };
}

function transitCalls(call: AttestedCall): Transit {
  const post = (path: readonly string[], what: string, body: JsonObject): Call => ({
    method: "POST",
    path: pluginPath("transit", path),
    what,
    headers: JSON_BODY,
    body: JSON.stringify(body),
  });
  const sealed = async (request: Call): Promise<string> =>
    call(request, (answer) => ciphertextIn(dataIn(jsonIn(answer, "ciphertext"))));
  const opened = async (request: Call): Promise<JsonObject> =>
    call(request, async (answer, keyPair) => {
      const bytes = await decryptAnswer(jsonIn(answer, "plaintext"), keyPair);
      const plain = jsonIn({ bytes }, "plaintext");
      bytes.fill(0);
      return dataIn(plain);
    });
  return {
    encrypt: async (key, plaintext, options = {}) => {
      const bytes = typeof plaintext === "string" ? fromUtf8(plaintext) : plaintext;
      const body = { plaintext: toBase64(bytes), ...inputs(options) };
      return sealed(post(["encrypt", key], `encrypt with key ${key}`, body));
    },
    decrypt: async (key, ciphertext, options = {}) => {
      const body = { ciphertext, ...inputs(options) };
      return plaintextIn(await opened(post(["decrypt", key], `decrypt with key ${key}`, body)));
    },
    rewrap: async (key, ciphertext, options = {}) => {
      const body = { ciphertext, ...inputs(options) };
      return sealed(post(["rewrap", key], `rewrap with key ${key}`, body));
    },
    dataKey: async (key, { bits = 256, context } = {}) => {
      const body = { bits, ...inputs(context === undefined ? {} : { context }) };
      const request = post(["datakey", "plaintext", key], `make a data key under key ${key}`, body);
      const data = await opened(request);
      const plaintext = plaintextIn(data);
      if (plaintext.length * 8 !== bits)
        throw invalidAnswer("data key", `it has ${plaintext.length * 8} bits, expected ${bits}`);
      return { plaintext, ciphertext: ciphertextIn(data) };
    },
  };
}

function inputs({ context, associatedData }: TransitInputs): JsonObject {
  return {
    ...(context === undefined ? {} : { context: toBase64(context) }),
    ...(associatedData === undefined ? {} : { associated_data: toBase64(associatedData) }),
  };
}

function dataIn(answer: JsonValue): JsonObject {
  const data = isJsonObject(answer) ? answer.data : undefined;
  if (data === undefined || !isJsonObject(data)) throw invalidAnswer("answer", "it holds no data");
  return data;
}

function ciphertextIn({ ciphertext }: JsonObject): string {
  if (typeof ciphertext !== "string" || !/^[\x21-\x7e]+$/.test(ciphertext))
    throw invalidAnswer("ciphertext", "it holds none");
  return ciphertext;
}

function plaintextIn({ plaintext }: JsonObject): Uint8Array {
  if (typeof plaintext !== "string") throw invalidAnswer("plaintext", "it holds none");
  try {
    return fromBase64(plaintext);
  } catch {
    throw invalidAnswer("plaintext", "it is no base64");
  }
}

/** Trustee's plugin answers files as arrays of their bytes. */
function credentialIn(bytes: Uint8Array): NebulaCredential {
  const answer = jsonIn({ bytes }, "credential");
  bytes.fill(0);
  const file = (name: string): string => {
    const value = isJsonObject(answer) ? answer[name] : undefined;
    if (!isBytes(value)) throw invalidAnswer("credential", `${name} is no array of bytes`);
    try {
      return toUtf8(Uint8Array.from(value));
    } catch {
      throw invalidAnswer("credential", `${name} is no text`);
    }
  };
  return { certificate: file("node_crt"), privateKey: file("node_key"), authority: file("ca_crt") };
}

function isBytes(value: JsonValue | undefined): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((byte) => typeof byte === "number" && Number.isInteger(byte) && byte >= 0 && byte <= 255)
  );
}
