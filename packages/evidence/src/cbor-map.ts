// SPDX-License-Identifier: Apache-2.0
// Reading claim sets: a CBOR map whose members have known types and sizes. Each scheme says how it refuses.

import { type CborKey, type CborMap, CborTag, type CborValue, isCborMap } from "@adyton/core/cbor";
import type { EvidenceError } from "./errors.ts";

/** Makes the refusal of one field. */
export type RefuseField = (field: string, found: string, expected: string) => EvidenceError;

/** Reads the members of one map. Every method throws the refusal it was given, and nothing else. */
export class MapReader {
  readonly #map: CborMap;
  readonly #refuse: RefuseField;
  readonly #known = new Set<CborKey>();

  /** @param field names the map in refusals. */
  constructor(value: CborValue, field: string, refuse: RefuseField) {
    if (!isCborMap(value)) throw refuse(field, describeCbor(value), "a map");
    this.#map = value;
    this.#refuse = refuse;
  }

  /** Whether the member is there. Null and undefined count as absent. */
  has(key: CborKey): boolean {
    return (this.#value(key) ?? null) !== null;
  }

  /** A byte string of one of `lengths`, or of `least` to `most` bytes. */
  bytes(
    key: CborKey,
    field: string,
    size: readonly number[] | { readonly least: number; readonly most: number },
  ): Uint8Array {
    return bytesOf(this.#value(key), field, size, this.#refuse);
  }

  text(key: CborKey, field: string, most: number): string {
    const value = this.#value(key);
    if (typeof value === "string" && value.length >= 1 && value.length <= most) return value;
    throw this.#refuse(field, describeCbor(value), `text of 1 to ${most} characters`);
  }

  /** An integer from `least` to `most`. */
  integer(key: CborKey, field: string, least: number, most: number): number {
    const value = this.#value(key);
    if (typeof value === "number" && value >= least && value <= most) return value;
    throw this.#refuse(field, describeCbor(value), `an integer from ${least} to ${most}`);
  }

  array(key: CborKey, field: string, least: number, most: number): readonly CborValue[] {
    const value = this.#value(key);
    if (isArray(value) && value.length >= least && value.length <= most) return value;
    throw this.#refuse(
      field,
      describeCbor(value),
      least === most ? `an array of ${least}` : `an array of ${least} to ${most}`,
    );
  }

  map(key: CborKey, field: string): CborMap {
    const value = this.#value(key);
    if (isCborMap(value)) return value;
    throw this.#refuse(field, describeCbor(value), "a map");
  }

  /** The member as it stands. */
  any(key: CborKey): CborValue {
    return this.#value(key);
  }

  /** Members that nothing asked for, in the order received. */
  unknown(): CborKey[] {
    return [...this.#map.keys()].filter((key) => !this.#known.has(key));
  }

  #value(key: CborKey): CborValue {
    this.#known.add(key);
    return this.#map.get(key);
  }
}

/** `value` as a byte string of one of these lengths, or within these bounds. */
export function bytesOf(
  value: CborValue,
  field: string,
  size: readonly number[] | { readonly least: number; readonly most: number },
  refuse: RefuseField,
): Uint8Array {
  const fits = (length: number): boolean =>
    "least" in size ? length >= size.least && length <= size.most : size.includes(length);
  if (value instanceof Uint8Array && fits(value.length)) return value;
  const bounds = "least" in size ? `${size.least} to ${size.most}` : size.join(" or ");
  throw refuse(field, describeCbor(value), `a byte string of ${bounds} bytes`);
}

/** What a value is, for messages: its kind and size, never its content. */
export function describeCbor(value: CborValue): string {
  if (value === undefined || value === null) return "nothing";
  if (value instanceof Uint8Array) return `a byte string of ${value.length} bytes`;
  if (typeof value === "string") return `text of ${value.length} characters`;
  if (typeof value === "number" || typeof value === "bigint") return `the integer ${value}`;
  if (typeof value === "boolean") return String(value);
  if (value instanceof CborTag) return `a value of tag ${value.tag}`;
  return isArray(value) ? `an array of ${value.length}` : "a map";
}

function isArray(value: CborValue): value is readonly CborValue[] {
  return Array.isArray(value);
}
