// SPDX-License-Identifier: Apache-2.0
// Named keys that never leave the broker, in versions: sealed in the store, or wrapped besides by a key in an HSM.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { concat, fromBase64, fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import { auditChange } from "../audit.ts";
import { BrokerError } from "../errors.ts";
import type { Pkcs11Token } from "../pkcs11/token.ts";
import type { Space } from "../store/types.ts";
import type { PluginContext } from "./types.ts";

/** A key as administrators see it. */
export interface KeyFacts {
  readonly name: string;
  readonly latest: number;
  /** Older versions decrypt no more. */
  readonly minDecryption: number;
  /** Derive a key for each context instead of using the key itself. */
  readonly derived: boolean;
  readonly deletionAllowed: boolean;
  /** When each version was made, RFC 3339, the first first. */
  readonly created: readonly string[];
}

export interface KeyChanges {
  readonly minDecryption?: number | undefined;
  readonly deletionAllowed?: boolean | undefined;
}

interface StoredKey extends Omit<KeyFacts, "latest"> {
  /** AES-256, base64; with an HSM wrapped under its key. */
  readonly keys: readonly string[];
}

interface Opened {
  readonly sealed: Uint8Array;
  readonly key: StoredKey;
}

export interface KeyRingOptions {
  /** The plugin's name: its keys are found by it. */
  readonly plugin: string;
  /** Keys are wrapped by this token's AES key `adyton-<plugin>` too: whoever has the root key alone has nothing. */
  readonly token?: Pkcs11Token;
}

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SPACE: Space = "key";
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/;
const MAX_VERSIONS = 1000;
/** Of one plugin, in one tenant. */
const MAX_KEYS = 10_000;
const TRIES = 20;

export class KeyRing {
  readonly #plugin: string;
  readonly #token: Pkcs11Token | undefined;

  constructor({ plugin, token }: KeyRingOptions) {
    this.#plugin = plugin;
    this.#token = token;
  }

  /** Makes the key, unless it is there. Answers its facts. Rejects with `KEY_REFUSED` for what is no name, `QUOTA_EXCEEDED`. */
  async create(
    name: string,
    context: PluginContext,
    by: string,
    derived: boolean = false,
  ): Promise<KeyFacts> {
    if (!NAME.test(name)) throw refused(name, "expected letters, digits, _, - and dots");
    const known = await this.#find(name, context);
    if (known !== undefined) return factsOf(known.key);
    if ((await this.list(context)).length >= MAX_KEYS) throw tooMany(name);
    const created = context.now.toISOString();
    const key: StoredKey = {
      name,
      minDecryption: 1,
      derived,
      deletionAllowed: false,
      created: [created],
      keys: [this.#newKey(name, 1)],
    };
    try {
      await this.#write(undefined, key, context, by, "create");
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== "STORE_CONFLICT") throw error;
      return factsOf((await this.#open(name, context)).key);
    }
    return factsOf(key);
  }

  /** Adds a version, which encrypts from now on. */
  rotate(name: string, context: PluginContext, by: string): Promise<KeyFacts> {
    return this.#change(name, context, by, "rotate", (key) => {
      if (key.keys.length >= MAX_VERSIONS) throw refused(name, `it has ${MAX_VERSIONS} versions`);
      return {
        ...key,
        created: [...key.created, context.now.toISOString()],
        keys: [...key.keys, this.#newKey(name, key.keys.length + 1)],
      };
    });
  }

  configure(name: string, changes: KeyChanges, context: PluginContext, by: string): Promise<KeyFacts> {
    return this.#change(name, context, by, "configure", (key) => {
      const { minDecryption = key.minDecryption, deletionAllowed = key.deletionAllowed } = changes;
      if (minDecryption < 1 || minDecryption > key.keys.length)
        throw refused(name, `it has no version ${minDecryption}`);
      return { ...key, minDecryption, deletionAllowed };
    });
  }

  /** For good, with all it ever encrypted. Rejects with `KEY_REFUSED` unless deletion was allowed before. */
  async delete(name: string, context: PluginContext, by: string): Promise<void> {
    const { sealed, key } = await this.#open(name, context);
    if (!key.deletionAllowed) throw refused(name, "its deletion is not allowed");
    const place = this.#place(name);
    await context.store.write([
      { kind: "check", space: SPACE, key: place, expect: sealed },
      { kind: "delete", space: SPACE, key: place },
      this.#audit(context, by, "delete", name),
    ]);
  }

  async list({ store }: PluginContext): Promise<readonly string[]> {
    const prefix = this.#place("");
    return (await store.keys(SPACE, prefix)).map((key) => key.slice(prefix.length));
  }

  /** Rejects with `KEY_NOT_FOUND`. */
  async facts(name: string, context: PluginContext): Promise<KeyFacts> {
    return factsOf((await this.#open(name, context)).key);
  }

  /**
   * AES-256-GCM under the latest version, for `derivation` when the key is derived: IV, ciphertext, tag. Rejects with
   * `KEY_NOT_FOUND` or `KEY_REFUSED`.
   */
  async encrypt(
    name: string,
    plaintext: Uint8Array,
    aad: Uint8Array,
    derivation: Uint8Array | undefined,
    context: PluginContext,
  ): Promise<{ readonly version: number; readonly body: Uint8Array }> {
    const { key } = await this.#open(name, context);
    const version = key.keys.length;
    const secret = this.#keyFor(key, version, derivation);
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv("aes-256-gcm", secret, iv);
    cipher.setAAD(aad);
    const body = concat(iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
    secret.fill(0);
    return { version, body };
  }

  /** Rejects with `CIPHERTEXT_REFUSED` for what was not encrypted so, `KEY_REFUSED` for a version that is too old. */
  async decrypt(
    name: string,
    version: number,
    body: Uint8Array,
    aad: Uint8Array,
    derivation: Uint8Array | undefined,
    context: PluginContext,
  ): Promise<Uint8Array> {
    const { key } = await this.#open(name, context);
    if (version < 1 || version > key.keys.length)
      throw ciphertextRefused(`key ${name} has no version ${version}`);
    if (version < key.minDecryption)
      throw refused(name, `version ${version} decrypts no more, expected at least ${key.minDecryption}`);
    if (body.length < IV_BYTES + TAG_BYTES) throw ciphertextRefused("it is too short");
    const secret = this.#keyFor(key, version, derivation);
    const decipher = createDecipheriv("aes-256-gcm", secret, body.subarray(0, IV_BYTES));
    decipher.setAAD(aad);
    decipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
    try {
      return concat(decipher.update(body.subarray(IV_BYTES, body.length - TAG_BYTES)), decipher.final());
    } catch {
      throw ciphertextRefused("it was changed, or made for another context");
    } finally {
      secret.fill(0);
    }
  }

  /** The key of a version: itself, or derived for a context by HKDF-SHA-256. */
  #keyFor(key: StoredKey, version: number, derivation: Uint8Array | undefined): Uint8Array {
    if (key.derived !== (derivation !== undefined)) {
      throw refused(key.name, key.derived ? "it needs a context" : "it takes no context");
    }
    const wrapped = fromBase64(key.keys[version - 1] ?? "");
    const own = this.#unwrapped(key.name, version, wrapped);
    if (own.length !== KEY_BYTES) {
      throw new BrokerError(
        "SECRET_CORRUPT",
        "not-authentic",
        `Cannot open key ${key.name}: it is wrapped by a token, which is not in use`,
      );
    }
    if (derivation === undefined) return own;
    const info = concat(fromUtf8("adyton derived key v1\0"), derivation);
    const derived = new Uint8Array(hkdfSync("sha256", own, new Uint8Array(0), info, KEY_BYTES));
    own.fill(0);
    return derived;
  }

  #newKey(name: string, version: number): string {
    const key = new Uint8Array(randomBytes(KEY_BYTES));
    const token = this.#token;
    const wrapped =
      token === undefined ? key : token.seal(this.#hsmKey(token), key, this.#aad(name, version));
    const text = toBase64(wrapped);
    key.fill(0);
    return text;
  }

  #unwrapped(name: string, version: number, wrapped: Uint8Array): Uint8Array {
    const token = this.#token;
    return token === undefined ? wrapped : token.open(this.#hsmKey(token), wrapped, this.#aad(name, version));
  }

  #hsmKey(token: Pkcs11Token) {
    const label = `adyton-${this.#plugin}`;
    const key = token.aesKey(label, { make: true });
    if (key === undefined)
      throw new BrokerError("HSM_FAILED", "unavailable", `Cannot find the HSM's key ${label}`);
    return key;
  }

  #aad(name: string, version: number): Uint8Array {
    return fromUtf8(`adyton ${this.#plugin} key\0${name}\0${version}`);
  }

  #place(name: string): string {
    return `${this.#plugin}/${name}`;
  }

  async #find(name: string, { store, vault }: PluginContext): Promise<Opened | undefined> {
    const place = this.#place(name);
    const sealed = NAME.test(name) ? await store.get(SPACE, place) : undefined;
    if (sealed === undefined) return undefined;
    return { sealed, key: JSON.parse(toUtf8(vault.open(SPACE, place, sealed))) as StoredKey };
  }

  async #open(name: string, context: PluginContext): Promise<Opened> {
    const found = await this.#find(name, context);
    if (found !== undefined) return found;
    throw new BrokerError(
      "KEY_NOT_FOUND",
      "misuse",
      `Cannot find key ${JSON.stringify(name.slice(0, 128))}`,
      {
        hint: "List the keys as administrator to see what is there.",
      },
    );
  }

  async #change(
    name: string,
    context: PluginContext,
    by: string,
    what: string,
    change: (key: StoredKey) => StoredKey,
  ): Promise<KeyFacts> {
    for (let tried = 1; ; tried++) {
      const before = await this.#open(name, context);
      const key = change(before.key);
      try {
        await this.#write(before.sealed, key, context, by, what);
        return factsOf(key);
      } catch (error) {
        if (!(error instanceof BrokerError) || error.code !== "STORE_CONFLICT" || tried === TRIES)
          throw error;
      }
    }
  }

  async #write(
    expect: Uint8Array | undefined,
    key: StoredKey,
    context: PluginContext,
    by: string,
    what: string,
  ): Promise<void> {
    const place = this.#place(key.name);
    const value = context.vault.seal(SPACE, place, fromUtf8(JSON.stringify(key)));
    await context.store.write([
      { kind: "check", space: SPACE, key: place, expect },
      { kind: "put", space: SPACE, key: place, value },
      this.#audit(context, by, what, key.name, key.keys.length),
    ]);
  }

  #audit({ now }: PluginContext, by: string, what: string, name: string, version?: number) {
    return auditChange(now, {
      type: `key.${what}`,
      plugin: this.#plugin,
      key: name,
      by,
      ...(version === undefined ? {} : { version }),
    });
  }
}

function factsOf({ name, minDecryption, derived, deletionAllowed, created }: StoredKey): KeyFacts {
  return { name, latest: created.length, minDecryption, derived, deletionAllowed, created };
}

/** The key is not for this. */
function refused(name: string, why: string): BrokerError {
  return new BrokerError(
    "KEY_REFUSED",
    "misuse",
    `Cannot use key ${JSON.stringify(name.slice(0, 128))}: ${why}`,
  );
}

function tooMany(name: string): BrokerError {
  return new BrokerError(
    "QUOTA_EXCEEDED",
    "policy",
    `Cannot make key ${name}: there are ${MAX_KEYS}, and no more are kept`,
    { hint: "Delete those that nobody needs." },
  );
}

export function ciphertextRefused(why: string): BrokerError {
  return new BrokerError("CIPHERTEXT_REFUSED", "not-authentic", `Cannot decrypt: ${why}`);
}
