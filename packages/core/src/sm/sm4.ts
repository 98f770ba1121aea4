// SPDX-License-Identifier: Apache-2.0
// The SM4 block cipher (GB/T 32907-2016, ISO/IEC 18033-3:2010/Amd 1) in TypeScript, without a lookup whose address
// depends on key or data: every S-box access reads the whole table.

const BLOCK = 16;
const ROUNDS = 32;
const FK: readonly number[] = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc];
/** CK_i: four bytes (4i + j) * 7 mod 256, section 7.3. */
const CK: Int32Array = Int32Array.from({ length: ROUNDS }, (_, i) =>
  [0, 1, 2, 3].reduce((word, j) => (word << 8) | (((4 * i + j) * 7) & 0xff), 0),
);
/** The affine matrix is circulant with first row 0xa7, the constant 0xd3, around inversion modulo x^8+x^7+x^6+x^5+x^4+x^2+1. */
const SBOX: Uint8Array = makeSbox();

export type RoundKeys = Int32Array;

/** Round keys of a 16-byte key, for encryption; CTR and GCM need no others. Throws `RangeError` on another length. */
export function expandKey(key: Uint8Array): RoundKeys {
  if (key.length !== BLOCK) throw new RangeError(`SM4 key: got ${key.length} bytes, expected ${BLOCK}`);
  const view = new DataView(key.buffer, key.byteOffset, BLOCK);
  const k = Int32Array.from({ length: ROUNDS + 4 }, (_, i) =>
    i < 4 ? view.getInt32(4 * i) ^ (FK[i] as number) : 0,
  );
  for (let i = 0; i < ROUNDS; i++) {
    const t = substitute(at(k, i + 1) ^ at(k, i + 2) ^ at(k, i + 3) ^ at(CK, i));
    k[i + 4] = at(k, i) ^ t ^ rotl(t, 13) ^ rotl(t, 23);
  }
  return k.slice(4);
}

/** Encrypts the block at `offset` of `block` in place. */
export function encryptBlock(keys: RoundKeys, block: DataView, offset: number): void {
  let [a, b, c, d] = [0, 4, 8, 12].map((i) => block.getInt32(offset + i)) as [number, number, number, number];
  for (let i = 0; i < ROUNDS; i++) {
    const t = substitute(b ^ c ^ d ^ at(keys, i));
    const next = a ^ t ^ rotl(t, 2) ^ rotl(t, 10) ^ rotl(t, 18) ^ rotl(t, 24);
    [a, b, c, d] = [b, c, d, next];
  }
  for (const [i, word] of [d, c, b, a].entries()) block.setInt32(offset + 4 * i, word);
}

/** The S-box on each of a word's four bytes, all table entries read. */
function substitute(word: number): number {
  const [b0, b1, b2, b3] = [(word >>> 24) & 0xff, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff];
  let out = 0;
  for (let i = 0; i < 256; i++) {
    const s = SBOX[i] as number;
    out |= (s << 24) & same(i, b0);
    out |= (s << 16) & same(i, b1);
    out |= (s << 8) & same(i, b2);
    out |= s & same(i, b3);
  }
  return out;
}

/** All ones when the bytes are equal, zero otherwise; no branch. */
function same(a: number, b: number): number {
  return ((a ^ b) - 1) >> 31;
}

function makeSbox(): Uint8Array {
  const affine = (x: number): number => {
    let out = 0;
    for (let row = 0; row < 8; row++) {
      // Row r of the circulant matrix, as a mask over the bits of x.
      const mask = ((0xa7 << row) | (0xa7 >> (8 - row))) & 0xff;
      let parity = x & mask;
      parity ^= parity >> 4;
      parity ^= parity >> 2;
      parity ^= parity >> 1;
      out |= (parity & 1) << row;
    }
    return out ^ 0xd3;
  };
  return Uint8Array.from({ length: 256 }, (_, x) => affine(invert(affine(x))));
}

/** The inverse in GF(2^8) modulo 0x1f5, zero for zero: x^254. */
function invert(x: number): number {
  let result = 1;
  for (let i = 0; i < 254; i++) result = multiply(result, x);
  return x === 0 ? 0 : result;
}

function multiply(a: number, b: number): number {
  let product = 0;
  for (let i = 0, shifted = a; i < 8; i++) {
    if ((b >> i) & 1) product ^= shifted;
    shifted = shifted & 0x80 ? (shifted << 1) ^ 0x1f5 : shifted << 1;
  }
  return product;
}

function at(words: Int32Array, index: number): number {
  return words[index] as number;
}

function rotl(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}
