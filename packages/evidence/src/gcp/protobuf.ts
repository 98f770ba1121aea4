// SPDX-License-Identifier: Apache-2.0
// The part of Protocol Buffers that go-tpm-tools' messages need: varints and length-delimited fields. Groups and fixed
// fields are none of theirs and are refused.

import { type Bytes, concat } from "@adyton/core/bytes";
import { Reader } from "@adyton/core/cursor";
import { invalidStructure } from "../tpm/error.ts";

/** A field in the order of the message: a number, or bytes. */
export interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

const MAX_FIELDS = 4096;
const VARINT = 0;
const DELIMITED = 2;

/** The fields of a message. Throws `INVALID_TPM_STRUCTURE` or `OUT_OF_BOUNDS`. */
export function parseMessage(bytes: Uint8Array, what: string): Field[] {
  const reader = new Reader(bytes, what);
  const fields: Field[] = [];
  while (reader.remaining > 0) {
    if (fields.length === MAX_FIELDS) throw invalidStructure(what, `more than ${MAX_FIELDS} fields`);
    const key = varint(reader, what);
    const [number, wire] = [Math.floor(key / 8), key % 8];
    if (number === 0) throw invalidStructure(what, "a field with number 0");
    if (wire === VARINT) fields.push({ number, value: varint(reader, what) });
    else if (wire === DELIMITED)
      fields.push({ number, value: reader.bytes(varint(reader, what), `field ${number}`) });
    else
      throw invalidStructure(what, `field ${number} has wire type ${wire}`, { field: number, found: wire });
  }
  return fields;
}

export function encodeMessage(...fields: readonly Field[]): Bytes {
  return concat(
    ...fields.flatMap(({ number, value }) =>
      typeof value === "number"
        ? [encodeVarint(8 * number + VARINT), encodeVarint(value)]
        : [encodeVarint(8 * number + DELIMITED), encodeVarint(value.length), value],
    ),
  );
}

/** Numbers up to 2^53: longer ones (64-bit identifiers) are refused, none is needed. */
function varint(reader: Reader, what: string): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = reader.u8("varint");
    value += (byte & 0x7f) * scale;
    if (value > Number.MAX_SAFE_INTEGER) throw invalidStructure(what, "a varint beyond 2^53");
    if (byte < 0x80) {
      if (byte === 0 && scale > 1) throw invalidStructure(what, "a padded varint");
      return value;
    }
  }
}

function encodeVarint(value: number): Bytes {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
  return Uint8Array.of(...bytes, left);
}
