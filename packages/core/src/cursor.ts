// SPDX-License-Identifier: Apache-2.0
// Reading and writing fixed layouts. Every read is bounds-checked and names the field it failed on.

import type { Bytes } from "./bytes.ts";
import { malformed } from "./errors.ts";

/** Reads a layout from front to back. Slices are views, not copies: treat the input as immutable. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  readonly #base: number;
  #at = 0;

  /**
   * @param what names the structure in errors, for example "SGX quote".
   * @param base where `bytes` starts in the whole input, so that errors give absolute offsets.
   */
  constructor(bytes: Uint8Array, what: string, base = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.#base = base;
  }

  /** Offset of the next byte, relative to the start of this reader. */
  get offset(): number {
    return this.#at;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#take(1, field));
  }
  u16le(field: string): number {
    return this.#view.getUint16(this.#take(2, field), true);
  }
  u16be(field: string): number {
    return this.#view.getUint16(this.#take(2, field), false);
  }
  u32le(field: string): number {
    return this.#view.getUint32(this.#take(4, field), true);
  }
  u32be(field: string): number {
    return this.#view.getUint32(this.#take(4, field), false);
  }
  u64le(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field), true);
  }
  u64be(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field), false);
  }

  /** The next `length` bytes, as a view. */
  bytes(length: number, field: string): Uint8Array {
    const at = this.#take(length, field);
    return this.#bytes.subarray(at, at + length);
  }

  /** A reader over the next `length` bytes that must be consumed on its own. */
  sub(length: number, what: string): Reader {
    const at = this.#take(length, what);
    return new Reader(this.#bytes.subarray(at, at + length), what, this.#base + at);
  }

  /** Everything that is left, as a view. */
  rest(): Uint8Array {
    const at = this.#at;
    this.#at = this.#bytes.length;
    return this.#bytes.subarray(at);
  }

  /** Fails with `TRAILING_BYTES` unless everything was read. */
  end(): void {
    if (this.remaining !== 0) {
      throw malformed(
        "TRAILING_BYTES",
        `Cannot parse ${this.#what}: ${this.remaining} bytes follow its end at offset ${this.#base + this.#at}`,
        { what: this.#what, offset: this.#base + this.#at, found: this.remaining, expected: 0 },
      );
    }
  }

  #take(length: number, field: string): number {
    const at = this.#at;
    if (length < 0 || length > this.#bytes.length - at) {
      throw malformed(
        "OUT_OF_BOUNDS",
        `Cannot parse ${this.#what}: ${field} needs ${length} bytes at offset ${this.#base + at}, ${this.remaining} are left`,
        { what: this.#what, field, offset: this.#base + at, expected: length, found: this.remaining },
      );
    }
    this.#at = at + length;
    return at;
  }
}

/** Writes a layout of a known size from front to back; `finish` insists that it was filled exactly. */
export class Writer {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
    this.#view = new DataView(this.#bytes.buffer);
  }

  u8(value: number): this {
    this.#view.setUint8(this.#advance(1), value);
    return this;
  }
  u16le(value: number): this {
    this.#view.setUint16(this.#advance(2), value, true);
    return this;
  }
  u32le(value: number): this {
    this.#view.setUint32(this.#advance(4), value, true);
    return this;
  }
  u64le(value: bigint): this {
    this.#view.setBigUint64(this.#advance(8), value, true);
    return this;
  }
  u16be(value: number): this {
    this.#view.setUint16(this.#advance(2), value, false);
    return this;
  }
  u32be(value: number): this {
    this.#view.setUint32(this.#advance(4), value, false);
    return this;
  }

  /** `value`, which must have exactly `length` bytes. */
  bytes(value: Uint8Array, length: number, field: string): this {
    if (value.length !== length) {
      throw malformed(
        "OUT_OF_BOUNDS",
        `Cannot encode ${field}: got ${value.length} bytes, expected ${length}`,
        {
          field,
          found: value.length,
          expected: length,
        },
      );
    }
    this.#bytes.set(value, this.#advance(length));
    return this;
  }

  zeros(length: number): this {
    this.#advance(length);
    return this;
  }

  finish(): Bytes {
    if (this.#at !== this.#bytes.length) {
      throw malformed("OUT_OF_BOUNDS", `Cannot encode: wrote ${this.#at} bytes of ${this.#bytes.length}`);
    }
    return this.#bytes;
  }

  #advance(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) {
      throw malformed(
        "OUT_OF_BOUNDS",
        `Cannot encode: ${length} bytes at offset ${at} exceed ${this.#bytes.length}`,
      );
    }
    this.#at = at + length;
    return at;
  }
}
