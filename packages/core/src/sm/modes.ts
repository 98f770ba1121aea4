// SPDX-License-Identifier: Apache-2.0
// SM4 in counter mode (NIST SP 800-38A section 6.5) and Galois/counter mode (NIST SP 800-38D; RFC 8998 for SM4).

import { sm4CtrBlocks } from "#sm";
import { type Bytes, concat, equalConstantTime } from "../bytes.ts";
import { CoreError, malformed } from "../errors.ts";

const BLOCK = 16;
const KEY = 16;
const GCM_NONCE = 12;
const GCM_TAG = 16;
/** GHASH's reduction polynomial in its reflected bit order, SP 800-38D section 6.3. */
const R = 0xe1n << 120n;

/** En- or decrypts with the big-endian counter block `counter` (16 bytes), which wraps over all 128 bits. */
export function sm4Ctr(key: Uint8Array, counter: Uint8Array, data: Uint8Array): Bytes {
  checkLength("SM4 key", key, KEY);
  checkLength("counter block", counter, BLOCK);
  return sm4CtrBlocks(key, counter, data);
}

/** Ciphertext followed by the 16-byte tag. `nonce` has 12 bytes and must never repeat under a key. */
export function sm4GcmEncrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  associated: Uint8Array = new Uint8Array(0),
): Bytes {
  checkLength("SM4 key", key, KEY);
  checkLength("GCM nonce", nonce, GCM_NONCE);
  const ciphertext = sm4CtrBlocks(key, counterOf(nonce, 2), plaintext);
  return concat(ciphertext, tagOf(key, nonce, associated, ciphertext));
}

/** The plaintext of ciphertext and tag. Throws `DECRYPTION_FAILED` when anything was changed. */
export function sm4GcmDecrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  associated: Uint8Array = new Uint8Array(0),
): Bytes {
  if (sealed.length < GCM_TAG) throw refused();
  checkLength("SM4 key", key, KEY);
  checkLength("GCM nonce", nonce, GCM_NONCE);
  const ciphertext = sealed.subarray(0, sealed.length - GCM_TAG);
  if (!equalConstantTime(tagOf(key, nonce, associated, ciphertext), sealed.subarray(ciphertext.length)))
    throw refused();
  return sm4CtrBlocks(key, counterOf(nonce, 2), ciphertext);
}

/** Block `number` of the counter: GCM counts over its last 32 bits, which no input fills. */
function counterOf(nonce: Uint8Array, number: number): Bytes {
  return concat(nonce, Uint8Array.of(0, 0, 0, number));
}

function tagOf(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, ciphertext: Uint8Array): Bytes {
  const h = toBigInt(encrypted(key, new Uint8Array(BLOCK)));
  const lengths = new Uint8Array(BLOCK);
  const view = new DataView(lengths.buffer);
  view.setBigUint64(0, 8n * BigInt(associated.length));
  view.setBigUint64(8, 8n * BigInt(ciphertext.length));
  let y = 0n;
  for (const part of [associated, ciphertext, lengths]) {
    for (let at = 0; at < part.length; at += BLOCK) {
      const block = new Uint8Array(BLOCK);
      block.set(part.subarray(at, at + BLOCK));
      y = multiply(y ^ toBigInt(block), h);
    }
  }
  const pad = encrypted(key, counterOf(nonce, 1));
  return Uint8Array.from(pad, (byte, i) => byte ^ Number((y >> BigInt(8 * (BLOCK - 1 - i))) & 0xffn));
}

/** Multiplication in GF(2^128), SP 800-38D section 6.3; arithmetic instead of branches on the bits of a secret. */
function multiply(x: bigint, y: bigint): bigint {
  let z = 0n;
  let v = y;
  for (let i = 127n; i >= 0n; i--) {
    z ^= v * ((x >> i) & 1n);
    v = (v >> 1n) ^ (R * (v & 1n));
  }
  return z;
}

/** One block: counter mode over zeros. */
function encrypted(key: Uint8Array, block: Uint8Array): Bytes {
  return sm4CtrBlocks(key, block, new Uint8Array(BLOCK));
}

function toBigInt(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

function checkLength(what: string, bytes: Uint8Array, expected: number): void {
  if (bytes.length !== expected) {
    throw malformed("INVALID_KEY", `Cannot use ${what}: got ${bytes.length} bytes, expected ${expected}`);
  }
}

function refused(): CoreError {
  return new CoreError(
    "DECRYPTION_FAILED",
    "not-authentic",
    "Cannot decrypt: the tag does not fit key, nonce, data and ciphertext",
  );
}
