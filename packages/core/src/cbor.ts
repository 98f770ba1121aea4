// SPDX-License-Identifier: Apache-2.0
// CBOR (RFC 8949), the part that evidence uses: definite lengths, shortest heads, integer or text keys, no duplicate
// key, nothing after the value. Floats and simple values other than false, true, null and undefined are refused.

import { type Bytes, concat, fromUtf8, toUtf8 } from "./bytes.ts";
import { malformed } from "./errors.ts";

export type CborKey = number | string;
export type CborValue =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CborValue[]
  | CborMap
  | CborTag;

/** A map in the order received. */
export type CborMap = ReadonlyMap<CborKey, CborValue>;

/** A tagged value (RFC 8949 section 3.4). */
export class CborTag {
  readonly tag: number;
  readonly value: CborValue;

  constructor(tag: number, value: CborValue) {
    this.tag = tag;
    this.value = value;
  }
}

const MAX_DEPTH = 16;
const MAX_ITEMS = 65_536;
/** Major types, RFC 8949 section 3.1. */
const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const;
const SIMPLE = new Map<number, CborValue>([
  [20, false],
  [21, true],
  [22, null],
  [23, undefined],
]);

/** The one value that fills `bytes`. Byte strings are views. `what` names it in errors. Throws `INVALID_CBOR`. */
export function parseCbor(bytes: Uint8Array, what: string): CborValue {
  const parser = new Parser(bytes, what);
  const value = parser.value(0);
  parser.end();
  return value;
}

/** The encoding of `value`: shortest heads, maps in the order given. */
export function encodeCbor(value: CborValue): Bytes {
  switch (typeof value) {
    case "boolean":
      return Uint8Array.of(0xe0 | (value ? 21 : 20));
    case "undefined":
      return Uint8Array.of(0xf7);
    case "number":
    case "bigint":
      return encodeInteger(value);
    case "string": {
      const text = fromUtf8(value);
      return concat(head(MAJOR.text, text.length), text);
    }
    default:
      break;
  }
  if (value === null) return Uint8Array.of(0xf6);
  if (value instanceof Uint8Array) return concat(head(MAJOR.bytes, value.length), value);
  if (value instanceof CborTag) return concat(head(MAJOR.tag, value.tag), encodeCbor(value.value));
  if (value instanceof Map) {
    const entries = [...(value as CborMap)].flatMap(([key, item]) => [encodeCbor(key), encodeCbor(item)]);
    return concat(head(MAJOR.map, value.size), ...entries);
  }
  const items = value as readonly CborValue[];
  return concat(head(MAJOR.array, items.length), ...items.map(encodeCbor));
}

export function isCborMap(value: CborValue): value is CborMap {
  return value instanceof Map;
}

class Parser {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #at = 0;
  #items = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) this.#fail(this.#at, `${left} bytes after the value`);
  }

  value(depth: number): CborValue {
    const start = this.#at;
    if (depth > MAX_DEPTH) this.#fail(start, `nesting deeper than ${MAX_DEPTH}`);
    if (++this.#items > MAX_ITEMS) this.#fail(start, `more than ${MAX_ITEMS} items`);
    const initial = this.#view.getUint8(this.#take(1));
    const major = initial >> 5;
    const info = initial & 0x1f;
    if (major === MAJOR.simple) {
      if (!SIMPLE.has(info)) this.#fail(start, `simple value or float ${info}`);
      return SIMPLE.get(info);
    }
    const argument = this.#argument(info, start);
    switch (major) {
      case MAJOR.unsigned:
        return argument;
      case MAJOR.negative:
        return typeof argument === "bigint" ? -1n - argument : narrowed(-1n - BigInt(argument));
      case MAJOR.bytes:
        return this.#slice(this.#length(argument, 1, start));
      case MAJOR.text:
        return this.#text(this.#length(argument, 1, start), start);
      case MAJOR.array:
        return Array.from({ length: this.#length(argument, 1, start) }, () => this.value(depth + 1));
      case MAJOR.map:
        return this.#map(this.#length(argument, 2, start), depth);
      default:
        return new CborTag(this.#length(argument, 0, start), this.value(depth + 1));
    }
  }

  #map(count: number, depth: number): CborMap {
    const map = new Map<CborKey, CborValue>();
    for (let i = 0; i < count; i++) {
      const start = this.#at;
      const key = this.value(depth + 1);
      if (typeof key !== "number" && typeof key !== "string")
        return this.#fail(start, "a key that is no integer or text");
      if (map.has(key)) this.#fail(start, `the key ${JSON.stringify(key)} twice`);
      map.set(key, this.value(depth + 1));
    }
    return map;
  }

  /** The argument of a head (RFC 8949 section 3), in its shortest form only (section 4.2.1). */
  #argument(info: number, start: number): number | bigint {
    if (info < 24) return info;
    switch (info) {
      case 24: {
        const value = this.#view.getUint8(this.#take(1));
        return value < 24 ? this.#fail(start, "a head that is not the shortest") : value;
      }
      case 25: {
        const value = this.#view.getUint16(this.#take(2));
        return value < 0x100 ? this.#fail(start, "a head that is not the shortest") : value;
      }
      case 26: {
        const value = this.#view.getUint32(this.#take(4));
        return value < 0x1_0000 ? this.#fail(start, "a head that is not the shortest") : value;
      }
      case 27: {
        const value = this.#view.getBigUint64(this.#take(8));
        return value < 0x1_0000_0000n
          ? this.#fail(start, "a head that is not the shortest")
          : narrowed(value);
      }
      default:
        return this.#fail(start, info === 31 ? "an indefinite length" : `reserved length ${info}`);
    }
  }

  /** A count of things of at least `size` bytes each: what cannot be there is refused before memory is taken. */
  #length(argument: number | bigint, size: number, start: number): number {
    const left = this.#bytes.length - this.#at;
    if (typeof argument === "bigint" || argument * size > left) {
      return this.#fail(start, `a length of ${argument} where ${left} bytes are left`);
    }
    return argument;
  }

  #text(length: number, start: number): string {
    const bytes = this.#slice(length);
    try {
      return toUtf8(bytes);
    } catch {
      return this.#fail(start, "text that is no UTF-8");
    }
  }

  #slice(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) this.#fail(at, "the end");
    this.#at = at + length;
    return at;
  }

  #fail(offset: number, found: string): never {
    throw malformed("INVALID_CBOR", `Cannot parse ${this.#what}: at offset ${offset} found ${found}`, {
      what: this.#what,
      offset,
      found,
    });
  }
}

function narrowed(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
}

function encodeInteger(value: number | bigint): Bytes {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw malformed("INVALID_CBOR", "Cannot encode CBOR: floats are not written");
  }
  const wide = BigInt(value);
  return wide >= 0n ? head(MAJOR.unsigned, wide) : head(MAJOR.negative, -1n - wide);
}

function head(major: number, argument: number | bigint): Bytes {
  const first = major << 5;
  const value = BigInt(argument);
  if (value < 24n) return Uint8Array.of(first | Number(value));
  const sizes = [1, 2, 4, 8] as const;
  const size = sizes.find((candidate) => value < 1n << BigInt(8 * candidate));
  if (size === undefined) throw malformed("INVALID_CBOR", "Cannot encode CBOR: the integer exceeds 64 bits");
  const out = new Uint8Array(1 + size);
  out[0] = first | (24 + sizes.indexOf(size));
  for (let i = 0, left = value; i < size; i++, left >>= 8n) out[size - i] = Number(left & 0xffn);
  return out;
}
