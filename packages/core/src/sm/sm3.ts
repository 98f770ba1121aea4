// SPDX-License-Identifier: Apache-2.0
// SM3 (GB/T 32905-2016, ISO/IEC 10118-3:2018) in TypeScript: for browsers, and where OpenSSL lacks it.

import type { Bytes } from "../bytes.ts";

const BLOCK = 64;
const IV: readonly number[] = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
];
/** T_j <<< (j mod 32), section 4.2. */
const T: Int32Array = Int32Array.from({ length: 64 }, (_, j) =>
  rotl(j < 16 ? 0x79cc4519 : 0x7a879d8a, j % 32),
);

/** The digest of `data`, 32 bytes. */
export function sm3(data: Uint8Array): Bytes {
  const state = Int32Array.from(IV);
  const words = new Int32Array(68);
  const whole = data.length - (data.length % BLOCK);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < whole; at += BLOCK) compress(state, words, view, at);
  // Section 5.2: a one bit, zeros, and the length in bits as 64 bits.
  const tail = new Uint8Array(data.length - whole + 9 > BLOCK ? 2 * BLOCK : BLOCK);
  tail.set(data.subarray(whole));
  tail[data.length - whole] = 0x80;
  const tailView = new DataView(tail.buffer);
  tailView.setBigUint64(tail.length - 8, 8n * BigInt(data.length));
  for (let at = 0; at < tail.length; at += BLOCK) compress(state, words, tailView, at);
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  for (const [i, word] of state.entries()) out.setInt32(4 * i, word);
  return digest;
}

/** HMAC (RFC 2104) with SM3. */
export function hmacSm3(key: Uint8Array, data: Uint8Array): Bytes {
  const block = new Uint8Array(BLOCK);
  block.set(key.length > BLOCK ? sm3(key) : key);
  const inner = new Uint8Array(BLOCK + data.length);
  inner.set(block.map((byte) => byte ^ 0x36));
  inner.set(data, BLOCK);
  const outer = new Uint8Array(BLOCK + 32);
  outer.set(block.map((byte) => byte ^ 0x5c));
  outer.set(sm3(inner), BLOCK);
  return sm3(outer);
}

/** Sections 5.3.2 and 5.3.3: expansion, then 64 rounds. */
function compress(state: Int32Array, w: Int32Array, view: DataView, at: number): void {
  for (let j = 0; j < 16; j++) w[j] = view.getInt32(at + 4 * j);
  for (let j = 16; j < 68; j++) {
    const mixed = word(w, j - 16) ^ word(w, j - 9) ^ rotl(word(w, j - 3), 15);
    w[j] = p1(mixed) ^ rotl(word(w, j - 13), 7) ^ word(w, j - 6);
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let j = 0; j < 64; j++) {
    const a12 = rotl(a, 12);
    const ss1 = rotl((a12 + e + word(T, j)) | 0, 7);
    const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g);
    const tt1 = (ff + d + (ss1 ^ a12) + (word(w, j) ^ word(w, j + 4))) | 0;
    const tt2 = (gg + h + ss1 + word(w, j)) | 0;
    d = c;
    c = rotl(b, 9);
    b = a;
    a = tt1;
    h = g;
    g = rotl(f, 19);
    f = e;
    e = p0(tt2);
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = word(state, i) ^ value;
}

function word(words: Int32Array, index: number): number {
  return words[index] as number;
}

function rotl(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}

function p0(x: number): number {
  return x ^ rotl(x, 9) ^ rotl(x, 17);
}

function p1(x: number): number {
  return x ^ rotl(x, 15) ^ rotl(x, 23);
}
