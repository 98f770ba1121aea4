// SPDX-License-Identifier: Apache-2.0
// Members of the JSON in which Confidential Containers carries CSV evidence: structs as objects, bytes as arrays.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { EvidenceError } from "../errors.ts";

/** `value` as an object. Throws `INVALID_ENVELOPE`, as everything here does. */
export function objectOf(value: JsonValue | undefined, name: string): JsonObject {
  if (!isJsonObject(value)) throw invalidMember(name, typeName(value), "an object");
  return value;
}

/** `value` as an array of exactly `length` bytes. */
export function bytesOf(value: JsonValue | undefined, length: number, name: string): Uint8Array {
  const list = listOf(value, length, name);
  return Uint8Array.from(list, (byte, index) => integerOf(byte, 0xff, `${name}[${index}]`));
}

/** `value` as an array of exactly `length` values. */
export function listOf(value: JsonValue | undefined, length: number, name: string): readonly JsonValue[] {
  if (!Array.isArray(value)) throw invalidMember(name, typeName(value), `an array of ${length}`);
  if (value.length !== length) throw invalidMember(name, `an array of ${value.length}`, `of ${length}`);
  return value as readonly JsonValue[];
}

/** `value` as an integer from 0 to `most`. */
export function integerOf(value: JsonValue | undefined, most: number, name: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > most) {
    const found = typeof value === "number" ? value : typeName(value);
    throw invalidMember(name, found, `an integer up to ${most}`);
  }
  return value;
}

export function invalidMember(
  name: string,
  found: unknown,
  expected: string,
  cause?: unknown,
): EvidenceError {
  return new EvidenceError(
    "INVALID_ENVELOPE",
    "malformed",
    `Cannot read CSV evidence: ${name} is ${found}, expected ${expected}`,
    { detail: { field: name, found, expected }, ...(cause === undefined ? {} : { cause }) },
  );
}

function typeName(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "missing";
  return Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}
