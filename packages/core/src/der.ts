// SPDX-License-Identifier: Apache-2.0
// Strict DER (X.690): definite minimal lengths, minimal integers, canonical booleans; nothing BER is let through.

import { type Bytes, concat, toHex } from "./bytes.ts";
import { malformed } from "./errors.ts";

/** Identifier octets used here. */
export const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OID: 0x06,
  ENUMERATED: 0x0a,
  UTF8_STRING: 0x0c,
  PRINTABLE_STRING: 0x13,
  T61_STRING: 0x14,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

const MAX_ELEMENTS = 10_000;
const MAX_OID_BYTES = 64;

/** One tag-length-value. Accessors check the tag and decode the contents on demand. */
export class DerValue {
  readonly tag: number;
  /** The contents octets, a view. */
  readonly contents: Uint8Array;
  /** Tag, length and contents, a view. */
  readonly encoded: Uint8Array;
  readonly #what: string;
  readonly #offset: number;

  constructor(tag: number, contents: Uint8Array, encoded: Uint8Array, what: string, offset: number) {
    this.tag = tag;
    this.contents = contents;
    this.encoded = encoded;
    this.#what = what;
    this.#offset = offset;
  }

  is(tag: number): boolean {
    return this.tag === tag;
  }

  /** Elements of a SEQUENCE; with `count`, exactly that many. */
  sequence(count?: number): DerValue[] {
    return this.elements(TAG.SEQUENCE, count);
  }

  /** Elements of a SEQUENCE that has at least one. */
  nonEmptySequence(): [DerValue, ...DerValue[]] {
    const [first, ...rest] = this.sequence();
    return first === undefined ? this.#fail("no element, expected at least one") : [first, ...rest];
  }

  /** Elements of any constructed value with this tag (SET, explicit context tags). */
  elements(tag: number, count?: number): DerValue[] {
    const contents = this.expect(tag);
    const found: DerValue[] = [];
    const base = this.#offset + this.encoded.length - contents.length;
    for (let at = 0; at < contents.length; ) {
      if (found.length === MAX_ELEMENTS) this.#fail(`more than ${MAX_ELEMENTS} elements`);
      const value = readValue(contents, at, this.#what, base);
      found.push(value);
      at += value.encoded.length;
    }
    if (count !== undefined && found.length !== count)
      this.#fail(`${found.length} elements, expected ${count}`);
    return found;
  }

  /** Contents when the tag is `tag`; `INVALID_DER` otherwise. */
  expect(tag: number): Uint8Array {
    if (this.tag !== tag) this.#fail(`tag ${hexTag(this.tag)}, expected ${hexTag(tag)}`);
    return this.contents;
  }

  boolean(): boolean {
    const [value] = this.expect(TAG.BOOLEAN);
    if (this.contents.length !== 1 || (value !== 0 && value !== 0xff)) this.#fail("not a canonical BOOLEAN");
    return value === 0xff;
  }

  /** Two's complement contents of an INTEGER, minimal, sign included. */
  integerBytes(): Uint8Array {
    const bytes = this.expect(TAG.INTEGER);
    this.#minimal(bytes);
    return bytes;
  }

  /** Magnitude of a non-negative INTEGER without leading zeros (zero is one zero byte). */
  unsigned(): Uint8Array {
    const bytes = this.integerBytes();
    if ((bytes[0] as number) & 0x80) this.#fail("a negative INTEGER, expected a non-negative one");
    return bytes.length > 1 && bytes[0] === 0 ? bytes.subarray(1) : bytes;
  }

  /** A non-negative INTEGER or ENUMERATED below 2^31. */
  smallInteger(tag: number = TAG.INTEGER): number {
    const bytes = this.expect(tag);
    this.#minimal(bytes);
    if (bytes.length > 4 || (bytes[0] as number) & 0x80) this.#fail("an INTEGER outside 0..2^31-1");
    let value = 0;
    for (const byte of bytes) value = value * 256 + byte;
    return value;
  }

  octetString(): Uint8Array {
    return this.expect(TAG.OCTET_STRING);
  }

  /** A BIT STRING that holds whole bytes. */
  bitString(): Uint8Array {
    const bytes = this.expect(TAG.BIT_STRING);
    if (bytes.length === 0 || bytes[0] !== 0) this.#fail("a BIT STRING with unused bits");
    return bytes.subarray(1);
  }

  /**
   * A BIT STRING of named bits: bit 0 is the first. Trailing zero bits are let through although X.690 11.2.2 wants
   * them gone: AMD's ASK and ARK certificates have them.
   */
  namedBits(): ReadonlySet<number> {
    const bytes = this.expect(TAG.BIT_STRING);
    const unused = bytes[0] ?? 8;
    const last = bytes.length > 1 ? (bytes[bytes.length - 1] as number) : 0;
    if (unused > 7 || (bytes.length === 1 && unused !== 0) || (last & ((1 << unused) - 1)) !== 0) {
      this.#fail("a malformed BIT STRING");
    }
    const bits = new Set<number>();
    for (let i = 0; i < 8 * (bytes.length - 1); i++) {
      if ((bytes[1 + (i >> 3)] as number) & (0x80 >> (i & 7))) bits.add(i);
    }
    return bits;
  }

  null(): null {
    if (this.expect(TAG.NULL).length !== 0) this.#fail("a NULL with contents");
    return null;
  }

  /** Dotted decimal. */
  oid(): string {
    const bytes = this.expect(TAG.OID);
    if (bytes.length === 0 || bytes.length > MAX_OID_BYTES)
      this.#fail(`an OBJECT IDENTIFIER of ${bytes.length} bytes`);
    const arcs: number[] = [];
    let arc = 0;
    let start = true;
    for (const byte of bytes) {
      if (start && byte === 0x80) this.#fail("an OBJECT IDENTIFIER with a padded arc");
      if (arc > 0x1fffffffffff) this.#fail("an OBJECT IDENTIFIER arc beyond 2^52");
      arc = arc * 128 + (byte & 0x7f);
      start = (byte & 0x80) === 0;
      if (start) {
        arcs.push(arc);
        arc = 0;
      }
    }
    if (!start) this.#fail("a truncated OBJECT IDENTIFIER");
    const first = arcs[0] as number;
    const top = Math.min(Math.floor(first / 40), 2);
    return [top, first - 40 * top, ...arcs.slice(1)].join(".");
  }

  /** UTF8String, PrintableString, IA5String, T61String (as Latin-1) or BMPString. */
  string(): string {
    switch (this.tag) {
      case TAG.UTF8_STRING:
        try {
          return new TextDecoder("utf-8", { fatal: true }).decode(this.contents);
        } catch {
          return this.#fail("a UTF8String that is no UTF-8");
        }
      case TAG.PRINTABLE_STRING:
      case TAG.IA5_STRING:
        if (this.contents.some((byte) => byte > 0x7e || byte < 0x20))
          this.#fail("an ASCII string with other characters");
        return String.fromCharCode(...this.contents.subarray(0, 4096));
      case TAG.T61_STRING:
        return String.fromCharCode(...this.contents.subarray(0, 4096));
      case TAG.BMP_STRING: {
        let text = "";
        for (let i = 0; i + 1 < this.contents.length; i += 2) {
          text += String.fromCharCode(((this.contents[i] as number) << 8) | (this.contents[i + 1] as number));
        }
        return text;
      }
      default:
        return this.#fail(`tag ${hexTag(this.tag)}, expected a string`);
    }
  }

  /** UTCTime or GeneralizedTime in the forms RFC 5280 section 4.1.2.5 allows: seconds, "Z", no fraction. */
  time(): Date {
    const generalized = this.tag === TAG.GENERALIZED_TIME;
    if (!generalized && this.tag !== TAG.UTC_TIME) this.#fail(`tag ${hexTag(this.tag)}, expected a time`);
    const at = generalized ? 4 : 2;
    if (this.contents.length !== at + 11 || this.contents[at + 10] !== 0x5a) {
      this.#fail("a time that is not YYMMDDhhmmssZ or YYYYMMDDhhmmssZ");
    }
    const two = (offset: number): number => 10 * this.#digit(offset) + this.#digit(offset + 1);
    const short = two(0);
    const year = generalized ? 100 * short + two(2) : short < 50 ? 2000 + short : 1900 + short;
    const [month, day, hour, minute, second] = [two(at), two(at + 2), two(at + 4), two(at + 6), two(at + 8)];
    const date = new Date(0);
    date.setUTCFullYear(year, month - 1, day);
    date.setUTCHours(hour, minute, second);
    // The calendar rolls 31 February over: what comes back must be what was written.
    if (
      date.getUTCMonth() !== month - 1 ||
      date.getUTCDate() !== day ||
      hour > 23 ||
      minute > 59 ||
      second > 59
    ) {
      this.#fail("a time that no calendar has");
    }
    return date;
  }

  #digit(offset: number): number {
    const digit = (this.contents[offset] as number) - 0x30;
    if (!(digit >= 0 && digit <= 9)) this.#fail("a time that is not YYMMDDhhmmssZ or YYYYMMDDhhmmssZ");
    return digit;
  }

  #minimal(bytes: Uint8Array): void {
    const [first, second] = bytes;
    if (first === undefined) this.#fail("an empty INTEGER");
    if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
      this.#fail("an INTEGER that is not minimal");
    }
  }

  #fail(found: string): never {
    throw malformed("INVALID_DER", `Cannot parse ${this.#what}: at offset ${this.#offset} found ${found}`, {
      what: this.#what,
      offset: this.#offset,
      found,
    });
  }
}

/** The one value that fills `bytes` exactly. `what` names it in errors. Throws `INVALID_DER`. */
export function parseDer(bytes: Uint8Array, what: string): DerValue {
  const value = readValue(bytes, 0, what, 0);
  if (value.encoded.length !== bytes.length) {
    throw malformed(
      "INVALID_DER",
      `Cannot parse ${what}: ${bytes.length - value.encoded.length} bytes follow it`,
      {
        what,
        offset: value.encoded.length,
      },
    );
  }
  return value;
}

function readValue(bytes: Uint8Array, at: number, what: string, base: number): DerValue {
  const fail = (found: string): never => {
    throw malformed("INVALID_DER", `Cannot parse ${what}: at offset ${base + at} found ${found}`, {
      what,
      offset: base + at,
      found,
    });
  };
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return fail("the end, expected a tag and a length");
  if ((tag & 0x1f) === 0x1f) fail("a multi-byte tag");
  let length = first;
  let header = 2;
  if (first >= 0x80) {
    const size = first & 0x7f;
    if (size === 0) fail("an indefinite length");
    if (size > 4) fail(`a length of ${size} bytes`);
    length = 0;
    for (let i = 0; i < size; i++) {
      const byte = bytes[at + 2 + i];
      if (byte === undefined) return fail("a truncated length");
      length = length * 256 + byte;
    }
    if (length < 0x80 || length < 2 ** (8 * (size - 1))) fail("a length that is not minimal");
    header += size;
  }
  const left = bytes.length - at - header;
  if (length > left) fail(`a value of ${length} bytes where ${left} are left`);
  const end = at + header + length;
  return new DerValue(tag, bytes.subarray(at + header, end), bytes.subarray(at, end), what, base + at);
}

function hexTag(tag: number): string {
  return `0x${toHex(Uint8Array.of(tag))}`;
}

/** Encoders, one per type; each returns a complete tag-length-value. */
export const encodeDer = {
  value: (tag: number, ...contents: readonly Uint8Array[]): Bytes => {
    const body = concat(...contents);
    return concat(Uint8Array.of(tag), encodeLength(body.length), body);
  },
  sequence: (...elements: readonly Uint8Array[]): Bytes => encodeDer.value(TAG.SEQUENCE, ...elements),
  /** Elements must already stand in DER order. */
  set: (...elements: readonly Uint8Array[]): Bytes => encodeDer.value(TAG.SET, ...elements),
  /** A constructed, context-specific tag. */
  explicit: (number: number, ...elements: readonly Uint8Array[]): Bytes =>
    encodeDer.value(0xa0 | number, ...elements),
  boolean: (value: boolean): Bytes => encodeDer.value(TAG.BOOLEAN, Uint8Array.of(value ? 0xff : 0)),
  null: (): Bytes => encodeDer.value(TAG.NULL),
  octetString: (bytes: Uint8Array): Bytes => encodeDer.value(TAG.OCTET_STRING, bytes),
  bitString: (bytes: Uint8Array): Bytes => encodeDer.value(TAG.BIT_STRING, Uint8Array.of(0), bytes),
  utf8String: (text: string): Bytes => encodeDer.value(TAG.UTF8_STRING, new TextEncoder().encode(text)),
  ia5String: (text: string): Bytes => encodeDer.value(TAG.IA5_STRING, new TextEncoder().encode(text)),
  enumerated: (value: number): Bytes => encodeDer.value(TAG.ENUMERATED, magnitude(BigInt(value))),
  integer: (value: number | bigint): Bytes => encodeDer.value(TAG.INTEGER, magnitude(BigInt(value))),
  /** A non-negative INTEGER from its big-endian bytes; leading zeros are allowed. */
  unsigned: (bytes: Uint8Array): Bytes =>
    encodeDer.value(TAG.INTEGER, magnitude(BigInt(`0x0${toHex(bytes)}`))),
  /** Named bits, minimal (X.690 11.2.2). */
  namedBits: (...bits: readonly number[]): Bytes => {
    const highest = Math.max(-1, ...bits);
    const bytes = new Uint8Array(Math.ceil((highest + 1) / 8));
    for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] as number) | (0x80 >> (bit & 7));
    return encodeDer.value(TAG.BIT_STRING, Uint8Array.of(8 * bytes.length - (highest + 1)), bytes);
  },
  oid: (dotted: string): Bytes => {
    const [top = 0, second = 0, ...rest] = dotted.split(".").map(Number);
    return encodeDer.value(TAG.OID, ...[40 * top + second, ...rest].map(encodeArc));
  },
  /** UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5). */
  time: (date: Date): Bytes => {
    const digits = date.toISOString().replace(/[-:T]/g, "").slice(0, 14);
    const early = date.getUTCFullYear() < 2050;
    const text = `${early ? digits.slice(2) : digits}Z`;
    return encodeDer.value(early ? TAG.UTC_TIME : TAG.GENERALIZED_TIME, new TextEncoder().encode(text));
  },
} as const;

function encodeLength(length: number): Bytes {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

function encodeArc(arc: number): Bytes {
  const bytes = [arc % 128];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
    bytes.unshift(0x80 | (left % 128));
  return Uint8Array.from(bytes);
}

function magnitude(value: bigint): Bytes {
  if (value < 0n)
    throw malformed("INVALID_DER", "Cannot encode INTEGER: negative values are not needed here");
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  const bytes = Uint8Array.from(even.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return (bytes[0] as number) & 0x80 ? concat(Uint8Array.of(0), bytes) : bytes;
}
