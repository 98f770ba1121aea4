// SPDX-License-Identifier: Apache-2.0
// What the binary certificates and the report share: usages, algorithms, and numbers that stand little-endian in
// fields wider than they are. SEV API (55766) sections C.2 (platform certificates), C.3 (signatures).

import { type Bytes, isZero, reversed } from "@adyton/core/bytes";
import type { HashName } from "@adyton/core/crypto";

/** Whose key something is, or who signed. */
export type SevUsage = "ARK" | "ASK" | "OCA" | "PEK" | "PDH" | "CEK";

export const USAGE: Readonly<Record<SevUsage, number>> = {
  ARK: 0x0000,
  ASK: 0x0013,
  OCA: 0x1001,
  PEK: 0x1002,
  PDH: 0x1003,
  CEK: 0x1004,
};

/** The usage of a signature slot that is not in use. */
export const UNUSED = 0x1000;

export type SevAlgorithm =
  | "RSA-SHA256"
  | "ECDSA-SHA256"
  | "ECDH-SHA256"
  | "RSA-SHA384"
  | "ECDSA-SHA384"
  | "ECDH-SHA384";

export const ALGORITHM: Readonly<Record<SevAlgorithm, number>> = {
  "RSA-SHA256": 0x0001,
  "ECDSA-SHA256": 0x0002,
  "ECDH-SHA256": 0x0003,
  "RSA-SHA384": 0x0101,
  "ECDSA-SHA384": 0x0102,
  "ECDH-SHA384": 0x0103,
};

/** Bytes of r, s and of a coordinate, whatever the curve. */
export const SCALAR_FIELD = 72;

/** The name of a number, undefined for one that has none. */
export function nameOf<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
  number: number,
): Name | undefined {
  return (Object.keys(numbers) as Name[]).find((name) => numbers[name] === number);
}

export function hashOf(algorithm: SevAlgorithm): Extract<HashName, "SHA-256" | "SHA-384"> {
  return algorithm.endsWith("SHA256") ? "SHA-256" : "SHA-384";
}

/** r || s of `size` bytes each from two big-endian fields of 72; undefined when either is longer. */
export function joinScalars(field: Uint8Array, size: number): Bytes | undefined {
  const out = new Uint8Array(2 * size);
  for (const [i, at] of [0, SCALAR_FIELD].entries()) {
    const above = SCALAR_FIELD - size;
    if (!isZero(field.subarray(at, at + above))) return undefined;
    out.set(field.subarray(at + above, at + SCALAR_FIELD), i * size);
  }
  return out;
}

/** r || s, or x || y, into two big-endian fields of 72 bytes. */
export function splitScalars(pair: Uint8Array): Bytes {
  const size = pair.length / 2;
  const out = new Uint8Array(2 * SCALAR_FIELD);
  out.set(pair.subarray(0, size), SCALAR_FIELD - size);
  out.set(pair.subarray(size), 2 * SCALAR_FIELD - size);
  return out;
}

/** Two fields of 72 bytes, each in reverse order: little-endian to big-endian and back. */
export function reversedScalars(fields: Uint8Array): Bytes {
  const out = new Uint8Array(2 * SCALAR_FIELD);
  out.set(reversed(fields.subarray(0, SCALAR_FIELD)));
  out.set(reversed(fields.subarray(SCALAR_FIELD)), SCALAR_FIELD);
  return out;
}

/** Whether this may be the version of a certificate: one that is not known is refused by its number. */
export function isPlausibleVersion(version: number): boolean {
  return version >= 1 && version <= 15;
}
