// SPDX-License-Identifier: Apache-2.0
// AES-256-GCM and HMAC-SHA-512 by WebCrypto, which every runtime has: the evidence of Secure Execution is symmetric.

import { type Bytes, concat } from "@adyton/core/bytes";
import { CoreError } from "@adyton/core/errors";

const KEY_SIZE = 32;
const NONCE_SIZE = 12;
const TAG_SIZE = 16;

/** HMAC-SHA-512. `key` must not be empty. */
export async function hmacSha512(key: Uint8Array, data: Uint8Array): Promise<Bytes> {
  const { subtle } = globalThis.crypto;
  const how = { name: "HMAC", hash: "SHA-512" } as const;
  const imported = await subtle.importKey("raw", plain(key), how, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", imported, plain(data)));
}

/** Ciphertext and tag. A nonce of 12 bytes may be used once under a key of 32 bytes. Throws `INVALID_KEY`. */
export async function sealGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  data: Uint8Array,
): Promise<Bytes> {
  const imported = await importAes(key, nonce, "encrypt");
  const how = { name: "AES-GCM", iv: plain(nonce), additionalData: plain(associated) };
  return new Uint8Array(await globalThis.crypto.subtle.encrypt(how, imported, plain(data)));
}

/** The plaintext of ciphertext and tag. Throws `DECRYPTION_FAILED` when anything was changed, or `INVALID_KEY`. */
export async function openGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Promise<Bytes> {
  const imported = await importAes(key, nonce, "decrypt");
  const how = { name: "AES-GCM", iv: plain(nonce), additionalData: plain(associated) };
  try {
    return new Uint8Array(await globalThis.crypto.subtle.decrypt(how, imported, plain(sealed)));
  } catch {
    throw decryptionFailed();
  }
}

/** A fresh nonce, ciphertext and tag, one after the other: what `openBox` takes. */
export async function sealBox(key: Uint8Array, associated: Uint8Array, data: Uint8Array): Promise<Bytes> {
  const nonce = globalThis.crypto.getRandomValues(new Uint8Array(NONCE_SIZE));
  return concat(nonce, await sealGcm(key, nonce, associated, data));
}

/** Inverse of `sealBox`. Throws `DECRYPTION_FAILED`. */
export async function openBox(key: Uint8Array, associated: Uint8Array, box: Uint8Array): Promise<Bytes> {
  if (box.length < NONCE_SIZE + TAG_SIZE) throw decryptionFailed();
  return openGcm(key, box.subarray(0, NONCE_SIZE), associated, box.subarray(NONCE_SIZE));
}

async function importAes(key: Uint8Array, nonce: Uint8Array, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  if (key.length !== KEY_SIZE || nonce.length !== NONCE_SIZE) {
    throw new CoreError(
      "INVALID_KEY",
      "misuse",
      `Cannot use AES-256-GCM key: got ${key.length} bytes and a nonce of ${nonce.length}, expected ${KEY_SIZE} and ${NONCE_SIZE}`,
    );
  }
  return globalThis.crypto.subtle.importKey("raw", plain(key), "AES-GCM", false, [use]);
}

function decryptionFailed(): CoreError {
  return new CoreError(
    "DECRYPTION_FAILED",
    "not-authentic",
    "Cannot decrypt: the key is another one, or something was changed",
  );
}

/** WebCrypto refuses views over shared memory; a plain view passes without a copy. */
function plain(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : new Uint8Array(bytes);
}
