// SPDX-License-Identifier: Apache-2.0
// One input out of others: bits, lengths, pieces of neighbours, words that mean something.

import type { Random } from "./random.ts";

/** Nothing longer is tried: the parsers' own bounds have tests. */
export const MAX_INPUT: number = 32 * 1024;

/** Numbers at which parsers break: around zero, around sign bits, around the ends. */
const EDGES = [
  0, 1, 2, 3, 4, 0x7f, 0x80, 0x81, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
];

type Mutator = (
  data: Uint8Array,
  random: Random,
  neighbour: Uint8Array,
  words: readonly Uint8Array[],
) => Uint8Array;

const MUTATORS: readonly Mutator[] = [
  flipBit,
  flipBit,
  setByte,
  addToByte,
  editNumber,
  editNumber,
  insertBytes,
  removeBytes,
  removeBytes,
  truncate,
  repeatPart,
  swapParts,
  splice,
  splice,
  placeWord,
  placeWord,
  editDigits,
];

/** One to eight changes on `data`. `neighbour` is another corpus entry, `words` the dictionary. */
export function mutate(
  data: Uint8Array,
  random: Random,
  neighbour: Uint8Array,
  words: readonly Uint8Array[],
): Uint8Array {
  let result = data;
  for (let left = 1 << random.below(4); left > 0; left--) {
    result = random.pick(MUTATORS)(result, random, neighbour, words);
  }
  return result.length > MAX_INPUT ? result.subarray(0, MAX_INPUT) : result;
}

function flipBit(data: Uint8Array, random: Random): Uint8Array {
  const result = data.slice();
  const at = random.below(data.length);
  result[at] = (result[at] ?? 0) ^ (1 << random.below(8));
  return result;
}

function setByte(data: Uint8Array, random: Random): Uint8Array {
  const result = data.slice();
  result[random.below(data.length)] = random.pick(EDGES) ^ random.below(2);
  return result;
}

function addToByte(data: Uint8Array, random: Random): Uint8Array {
  const result = data.slice();
  const at = random.below(data.length);
  result[at] = (result[at] ?? 0) + random.below(33) - 16;
  return result;
}

/** A field of 2, 4 or 8 bytes, either order: a length, more often than not. */
function editNumber(data: Uint8Array, random: Random): Uint8Array {
  const size = random.pick([2, 4, 4, 8]);
  if (data.length < size) return data;
  const result = data.slice();
  const view = new DataView(result.buffer, random.below(data.length - size + 1), size);
  const little = random.below(2) === 0;
  const old = size === 2 ? view.getUint16(0, little) : view.getUint32(0, little);
  const value = random.pick([old + 1, old - 1, old + random.below(64), data.length, random.pick(EDGES)]);
  if (size === 2) view.setUint16(0, value & 0xffff, little);
  else if (size === 4) view.setUint32(0, value >>> 0, little);
  else view.setBigUint64(0, BigInt.asUintN(64, BigInt(value) << BigInt(random.pick([0, 0, 31, 32]))), little);
  return result;
}

function insertBytes(data: Uint8Array, random: Random): Uint8Array {
  const inserted = new Uint8Array(1 + random.below(16)).fill(random.below(256));
  return put(data, random.below(data.length + 1), inserted, 0);
}

function removeBytes(data: Uint8Array, random: Random): Uint8Array {
  return put(data, random.below(data.length), new Uint8Array(), 1 + random.below(1 << random.below(9)));
}

function truncate(data: Uint8Array, random: Random): Uint8Array {
  return data.subarray(0, random.below(data.length + 1));
}

function repeatPart(data: Uint8Array, random: Random): Uint8Array {
  const at = random.below(data.length);
  return put(data, at, data.subarray(at, at + 1 + random.below(64)), 0);
}

function swapParts(data: Uint8Array, random: Random): Uint8Array {
  const size = 1 + random.below(32);
  const [a, b] = [random.below(data.length), random.below(data.length)];
  const result = data.slice();
  result.set(data.subarray(a, Math.min(a + size, data.length - b + a)), b);
  return result;
}

/** The beginning of one and the end of another, or a piece of the other over this one. */
function splice(data: Uint8Array, random: Random, neighbour: Uint8Array): Uint8Array {
  const from = random.below(neighbour.length);
  const at = random.below(data.length + 1);
  if (random.below(2) === 0) return put(data.subarray(0, at), at, neighbour.subarray(from), 0);
  const piece = neighbour.subarray(from, from + 1 + random.below(256));
  return put(data, at, piece, piece.length);
}

function placeWord(
  data: Uint8Array,
  random: Random,
  _: Uint8Array,
  words: readonly Uint8Array[],
): Uint8Array {
  if (words.length === 0) return data;
  const word = random.pick(words);
  return put(data, random.below(data.length + 1), word, random.below(2) * word.length);
}

/** Decimal or hex digits in text. */
function editDigits(data: Uint8Array, random: Random): Uint8Array {
  const start = random.below(data.length);
  const at = data.findIndex((byte, i) => i >= start && byte >= 0x30 && byte <= 0x39);
  if (at < 0) return data;
  const result = data.slice();
  result[at] = 0x30 + random.below(10);
  return result;
}

function put(data: Uint8Array, at: number, inserted: Uint8Array, removed: number): Uint8Array {
  const rest = data.subarray(Math.min(at + removed, data.length));
  const result = new Uint8Array(at + inserted.length + rest.length);
  result.set(data.subarray(0, at));
  result.set(inserted, at);
  result.set(rest, at + inserted.length);
  return result;
}

/** Words that may mean something: how seeds begin, and runs of text in them. */
export function wordsOf(seeds: readonly Uint8Array[]): Uint8Array[] {
  const words = new Map<string, Uint8Array>();
  const add = (word: Uint8Array): void => {
    if (words.size < 512) words.set(word.join(), word.slice());
  };
  for (const seed of seeds) {
    for (const size of [1, 2, 4, 8]) add(seed.subarray(0, size));
    let start = 0;
    for (let i = 0; i <= seed.length; i++) {
      const byte = seed[i] ?? 0;
      const letter = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x7a) || byte === 0x2d;
      if (letter) continue;
      if (i - start >= 3 && i - start <= 40) add(seed.subarray(start, i));
      start = i + 1;
    }
  }
  return [...words.values()];
}
