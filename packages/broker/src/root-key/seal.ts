// SPDX-License-Identifier: Apache-2.0
// The three ways a key is wrapped here: under another key, under a passphrase, and to a recipient's public key.

import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  scrypt,
} from "node:crypto";
import { concat, fromBase64Url, fromUtf8, toBase64Url } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { BrokerError } from "../errors.ts";

/** Bytes of every key here. */
export const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const CURVE = { kty: "OKP", crv: "X25519" } as const;

/** The cost of scrypt (RFC 7914 section 2). */
export interface ScryptCost {
  /** N = 2^logN. */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** 128 MiB and a good part of a second for each guess. */
export const DEFAULT_COST: ScryptCost = { logN: 17, r: 8, p: 1 };
/** A file may ask for more than it was made with, but for no more than 1 GiB, and not for hours. */
const MAX_LOG_N = 20;
const MAX_MEMORY = 2 ** 30;
const MAX_PARALLEL = 16;
const SALT_BYTES = 16;

/** AES-256-GCM under a random nonce; `context` says what it is for, and has to be the same to open it. */
export function sealUnder(key: Uint8Array, context: string, plaintext: Uint8Array): Uint8Array {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(fromUtf8(context));
  return concat(iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

/** What `sealUnder` sealed; undefined when key, context or bytes are others. */
export function openUnder(key: Uint8Array, context: string, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < IV_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, IV_BYTES));
  decipher.setAAD(fromUtf8(context));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const body = sealed.subarray(IV_BYTES, sealed.length - TAG_BYTES);
  try {
    return concat(decipher.update(body), decipher.final());
  } catch {
    return undefined;
  }
}

/** A key for one purpose out of another (HKDF-SHA-256, RFC 5869). */
export function deriveKey(key: Uint8Array, purpose: string, salt: Uint8Array = new Uint8Array()): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, salt, fromUtf8(`adyton ${purpose}`), KEY_BYTES));
}

/** A key of a passphrase, and what it takes to make it again. */
export async function newPassphraseKey(
  passphrase: string,
  cost: ScryptCost = DEFAULT_COST,
): Promise<{ readonly key: Uint8Array; readonly record: JsonObject }> {
  const salt = randomBytes(SALT_BYTES);
  const record = { kdf: "scrypt", salt: toBase64Url(salt), logN: cost.logN, r: cost.r, p: cost.p };
  return { key: await passphraseKey(passphrase, record), record };
}

/** The key of a passphrase. Rejects with `STATE_INVALID` for parameters that nobody would have chosen. */
export async function passphraseKey(passphrase: string, record: JsonObject): Promise<Uint8Array> {
  const { kdf, salt, logN, r, p } = record;
  const numbers = [logN, r, p].every((each) => Number.isInteger(each) && Number(each) >= 1);
  if (kdf !== "scrypt" || typeof salt !== "string" || !numbers || Number(logN) > MAX_LOG_N)
    throw unknownRecord("its passphrase parameters are not known here");
  const N = 2 ** Number(logN);
  // RFC 7914 section 6: N blocks of 128·r bytes, and p of them to begin with.
  if (128 * N * Number(r) > MAX_MEMORY || Number(p) > MAX_PARALLEL)
    throw unknownRecord("its passphrase parameters ask for too much");
  const memory = 256 * Number(r) * (N + Number(p) + 1);
  const text = passphrase.normalize("NFC");
  return new Promise((resolve, reject) => {
    scrypt(
      text,
      fromBase64Url(salt),
      KEY_BYTES,
      { N, r: Number(r), p: Number(p), maxmem: memory },
      (error, key) => (error === null ? resolve(new Uint8Array(key)) : reject(error)),
    );
  });
}

/** Whoever can open what is sealed to them, whoever sealed it. */
export interface RecipientPair {
  /** X25519 (RFC 7748), raw. */
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

export function newRecipient(): RecipientPair {
  const { privateKey } = generateKeyPairSync("x25519");
  const { x = "", d = "" } = privateKey.export({ format: "jwk" });
  return { publicKey: fromBase64Url(x), privateKey: fromBase64Url(d) };
}

/** The public key of a private one. */
export function recipientOf(privateKey: Uint8Array): RecipientPair {
  // PKCS #8 of an X25519 key (RFC 8410 section 7) is this prefix and the key.
  const prefix = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);
  const der = Buffer.from(concat(prefix, privateKey));
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  return { publicKey: fromBase64Url(x), privateKey };
}

/** Ephemeral X25519, HKDF over both public keys, AES-256-GCM: ephemeral key, then what `sealUnder` gives. */
export function sealTo(publicKey: Uint8Array, context: string, plaintext: Uint8Array): Uint8Array {
  const ephemeral = newRecipient();
  const shared = diffieHellman({
    privateKey: privateObject(ephemeral),
    publicKey: publicObject(publicKey),
  });
  const key = deriveKey(shared, `sealed to ${context}`, concat(ephemeral.publicKey, publicKey));
  return concat(ephemeral.publicKey, sealUnder(key, context, plaintext));
}

/** What `sealTo` sealed; undefined when it is sealed to another, for another purpose, or changed. */
export function openAs(pair: RecipientPair, context: string, sealed: Uint8Array): Uint8Array | undefined {
  const ephemeral = sealed.subarray(0, KEY_BYTES);
  if (ephemeral.length !== KEY_BYTES) return undefined;
  let shared: Uint8Array;
  try {
    shared = diffieHellman({ privateKey: privateObject(pair), publicKey: publicObject(ephemeral) });
  } catch {
    // A point of small order: no honest sender has such a key.
    return undefined;
  }
  const key = deriveKey(shared, `sealed to ${context}`, concat(ephemeral, pair.publicKey));
  return openUnder(key, context, sealed.subarray(KEY_BYTES));
}

function publicObject(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: { ...CURVE, x: toBase64Url(raw) }, format: "jwk" });
}

function privateObject({ publicKey, privateKey }: RecipientPair): KeyObject {
  const key = { ...CURVE, x: toBase64Url(publicKey), d: toBase64Url(privateKey) };
  return createPrivateKey({ key, format: "jwk" });
}

function unknownRecord(why: string): BrokerError {
  return new BrokerError("STATE_INVALID", "malformed", `Cannot use the root keys: ${why}`, {
    hint: "Open them with the release that wrote them.",
  });
}
