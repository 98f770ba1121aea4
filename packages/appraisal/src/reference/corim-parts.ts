// SPDX-License-Identifier: Apache-2.0
// The steps that reading a CoRIM is made of: each takes a CBOR value for what it must be, or refuses.

import { concat, toHex } from "@adyton/core/bytes";
import { type CborKey, type CborMap, CborTag, type CborValue, isCborMap } from "@adyton/core/cbor";
import { TAG as DER, parseDer } from "@adyton/core/der";
import { AppraisalError } from "../errors.ts";
import { TAG, VALIDITY } from "./corim-labels.ts";
import { referenceStep } from "./step.ts";

export interface Validity {
  readonly notBefore?: Date;
  readonly expires?: Date;
}

const UUID_BYTES = 16;
const MAX_OID_BYTES = 64;
/** The last instant that a Date can hold is later; no statement of a vendor is. */
const MAX_SECONDS = 253_402_300_799;

/** A CoRIM that is not what the draft describes. */
export function invalid(where: string, found: string): AppraisalError {
  return new AppraisalError("INVALID_CORIM", "malformed", `Cannot read CoRIM: ${where}: found ${found}`, {
    detail: { where, found },
  });
}

/** A CoRIM that says more than a list of values can: leaving that out would accept more than it does. */
export function unsupported(where: string, found: string): AppraisalError {
  return new AppraisalError("UNSUPPORTED_CORIM", "malformed", `Cannot use CoRIM: ${where}: found ${found}`, {
    detail: { where, found },
    hint: "Register the values that you need by themselves, as plain reference values.",
  });
}

/** A map, or `INVALID_CORIM`. */
export function mapOf(value: CborValue, where: string): CborMap {
  if (value === undefined || !isCborMap(value)) throw invalid(where, "no map");
  return value;
}

/** A list with at least one item, or `INVALID_CORIM`. */
export function listOf(value: CborValue, where: string): readonly CborValue[] {
  if (!Array.isArray(value)) throw invalid(where, "no list");
  if (value.length === 0) throw invalid(where, "an empty list");
  return value as readonly CborValue[];
}

/** Text with something in it, or `INVALID_CORIM`. */
export function textOf(value: CborValue, where: string): string {
  if (typeof value !== "string" || value === "") throw invalid(where, "no text");
  return value;
}

/** A byte string with something in it, or `INVALID_CORIM`. */
export function bytesOf(value: CborValue, where: string): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length === 0) throw invalid(where, "no bytes");
  return value;
}

/** A whole number from 0, or `INVALID_CORIM`. */
export function countOf(value: CborValue, where: string): number {
  if (typeof value !== "number" || value < 0) throw invalid(where, "no number from 0 to 2^53 - 1");
  return value;
}

/** Refuses members that `labels` does not hold: what is not understood might be a condition. */
export function onlyHas(map: CborMap, labels: Readonly<Record<string, CborKey>>, where: string): void {
  const known = Object.values(labels);
  for (const key of map.keys())
    if (!known.includes(key)) throw unsupported(where, `member ${JSON.stringify(key)}`);
}

/** Negative labels are a profile's own, and whoever names the profile knows them. */
export function withoutExtensions(map: CborMap): CborMap {
  return new Map([...map].filter(([label]) => !(typeof label === "number" && label < 0)));
}

/** Dotted, from the content octets (RFC 9090 section 2). */
export function oidOf(value: CborValue, where: string): string {
  const content = bytesOf(value, where);
  if (content.length > MAX_OID_BYTES) throw invalid(where, "an object identifier that is too long");
  return parseDer(concat(Uint8Array.of(DER.OID, content.length), content), `CoRIM ${where}`).oid();
}

/** In the usual groups. */
export function uuidOf(value: CborValue, where: string): string {
  const bytes = bytesOf(value, where);
  if (bytes.length !== UUID_BYTES) throw invalid(where, `a UUID of ${bytes.length} bytes`);
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** A validity-map (draft-ietf-rats-corim-07 section 7.3); unbounded when absent. */
export function validityOf(value: CborValue, where: string): Validity {
  if (value === undefined) return {};
  const map = mapOf(value, where);
  onlyHas(map, VALIDITY, where);
  const expires = timeOf(map.get(VALIDITY.notAfter), where);
  const start = map.get(VALIDITY.notBefore);
  return start === undefined ? { expires } : { notBefore: timeOf(start, where), expires };
}

/** Seconds since 1970, tagged as such or not. */
export function timeOf(value: CborValue, where: string): Date {
  const seconds = value instanceof CborTag && value.tag === TAG.epoch ? value.value : value;
  const count = countOf(seconds, `${where}, time`);
  if (count > MAX_SECONDS) throw invalid(where, "a time after the year 9999");
  return new Date(count * 1000);
}

/** `referenceStep`, or `INVALID_CORIM` for a name that is a path. */
export function stepOf(name: string, where: string): string {
  if (name === "." || name === "..") throw invalid(where, "a name that is a path");
  return referenceStep(name);
}
