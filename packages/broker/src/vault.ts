// SPDX-License-Identifier: Apache-2.0
// Encryption at rest: AES-256-GCM under keys derived from the root key, each value bound to its place, so that rows
// cannot be read, changed or swapped by whoever holds the database.

import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { concat, fromHex, fromUtf8, toHex } from "@adyton/core/bytes";
import { BrokerError } from "./errors.ts";
import type { Space } from "./store/types.ts";

const ROOT_BYTES = 32;
const VERSION = 1;
const ID_BYTES = 8;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + ID_BYTES + IV_BYTES;

/** Seals and opens values at rest. Holds the root keys: never serialise it. */
export interface Vault {
  /** Identifies the key that new values are sealed under; no secret. */
  readonly keyId: string;
  seal(space: Space, key: string, plaintext: Uint8Array): Uint8Array;
  /** Throws `SECRET_CORRUPT` for a changed, swapped or foreign value. */
  open(space: Space, key: string, sealed: Uint8Array): Uint8Array;
}

/** Root keys that may change while the vault is in use. */
export interface VaultKeys {
  /** The first seals, all open. */
  current(): readonly [VaultKey, ...VaultKey[]];
}

/** What the vault makes of a root key. */
export interface VaultKey {
  readonly id: string;
  readonly sealing: Uint8Array;
}

/**
 * A vault over root keys of 32 bytes: the first seals, all open, so that a rotation can keep the old key until the
 * last value under it is rewritten. Throws `STATE_INVALID`.
 */
export function createVault(rootKeys: readonly [Uint8Array, ...Uint8Array[]] | VaultKeys): Vault {
  const keys = "current" in rootKeys ? rootKeys : fixedKeys(rootKeys);
  return {
    get keyId() {
      return keys.current()[0].id;
    },
    seal: (space, key, plaintext) => {
      const [current] = keys.current();
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", current.sealing, iv);
      cipher.setAAD(placeOf(space, key));
      const body = concat(cipher.update(plaintext), cipher.final());
      return concat(Uint8Array.of(VERSION), fromHex(current.id), iv, body, cipher.getAuthTag());
    },
    open: (space, key, sealed) => {
      const id = sealedUnder(sealed);
      if (id === undefined) throw corrupt(space, key, "it is no sealed value");
      const found = keys.current().find((candidate) => candidate.id === id);
      if (found === undefined)
        throw corrupt(space, key, `it is sealed under root key ${id}, which is not here`);
      const decipher = createDecipheriv(
        "aes-256-gcm",
        found.sealing,
        sealed.subarray(1 + ID_BYTES, HEADER_BYTES),
      );
      decipher.setAAD(placeOf(space, key));
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      try {
        const body = sealed.subarray(HEADER_BYTES, sealed.length - TAG_BYTES);
        return concat(decipher.update(body), decipher.final());
      } catch {
        throw corrupt(space, key, "it was changed, or moved from another place");
      }
    },
  };
}

/** The id of the root key that a value is sealed under; undefined for what is no sealed value. */
export function sealedUnder(value: Uint8Array): string | undefined {
  if (value.length < HEADER_BYTES + TAG_BYTES || value[0] !== VERSION) return undefined;
  return toHex(value.subarray(1, 1 + ID_BYTES));
}

/** Throws `STATE_INVALID` unless the root key has 32 bytes. */
export function vaultKeyOf(root: Uint8Array): VaultKey {
  if (root.length !== ROOT_BYTES) {
    throw new BrokerError(
      "STATE_INVALID",
      "malformed",
      `Cannot use root key: got ${root.length} bytes, expected ${ROOT_BYTES}`,
    );
  }
  const derive = (purpose: string): Uint8Array =>
    new Uint8Array(hkdfSync("sha256", root, new Uint8Array(0), `adyton broker v1 ${purpose}`, ROOT_BYTES));
  return {
    id: createHash("sha256")
      .update(derive("key id"))
      .digest("hex")
      .slice(0, 2 * ID_BYTES),
    sealing: derive("values at rest"),
  };
}

function fixedKeys([first, ...others]: readonly [Uint8Array, ...Uint8Array[]]): VaultKeys {
  const all: readonly [VaultKey, ...VaultKey[]] = [vaultKeyOf(first), ...others.map(vaultKeyOf)];
  return { current: () => all };
}

/** The additional authenticated data: no space name holds a NUL, so the two parts cannot run into each other. */
function placeOf(space: Space, key: string): Uint8Array {
  return fromUtf8(`adyton broker v1\0${space}\0${key}`);
}

function corrupt(space: Space, key: string, why: string): BrokerError {
  return new BrokerError("SECRET_CORRUPT", "not-authentic", `Cannot open ${space} ${key}: ${why}`, {
    detail: { space, key },
    hint: "Restore the state folder from a backup whose database and root keys belong together.",
  });
}
