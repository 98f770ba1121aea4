// SPDX-License-Identifier: Apache-2.0
// The reference values of a CoMID (draft-ietf-rats-corim-07 section 5.1). Ids are those of Trustee's extractor: vendor,
// model, measurement key, name and serial number, then what kind of value it is. What an id and a list of values cannot say
// (one instance only, masks, other claims) is refused: to leave it out would accept more than the author did.

import { toHex } from "@adyton/core/bytes";
import { type CborMap, CborTag, type CborValue, encodeCbor, parseCbor } from "@adyton/core/cbor";
import type { JsonValue } from "@adyton/core/json";
import {
  CLASS,
  COMID,
  DIGESTS,
  ENVIRONMENT,
  FLAGS,
  MEASUREMENT,
  TAG,
  TRIPLES,
  VALUE,
  VERSION,
} from "./corim-labels.ts";
import {
  bytesOf,
  countOf,
  invalid,
  listOf,
  mapOf,
  oidOf,
  onlyHas,
  stepOf,
  textOf,
  unsupported,
  uuidOf,
  withoutExtensions,
} from "./corim-parts.ts";

/** One value, and where in the document its id comes from. */
export interface ComidValue {
  readonly id: string;
  readonly value: JsonValue;
  /** Everything that names the measurement, also what the id leaves out. */
  readonly origin: string;
}

const MAX_RAW_BYTES = 2_048;
const MAX_ID = 256;
const MAX_VALUES = 10_000;

/**
 * With `extensions` members with negative labels are the profile's own, and left out: whoever names the profile knows that
 * they change nothing. Throws `INVALID_CORIM`, `UNSUPPORTED_CORIM`, `INVALID_CBOR` or `INVALID_DER`.
 */
export function readComid(bytes: Uint8Array, extensions = false): ComidValue[] {
  const take: Take = (map) => (extensions ? withoutExtensions(map) : map);
  const parsed = parseCbor(bytes, "CoMID");
  const comid = take(
    mapOf(parsed instanceof CborTag && parsed.tag === TAG.comid ? parsed.value : parsed, "CoMID"),
  );
  onlyHas(comid, COMID, "CoMID");
  mapOf(comid.get(COMID.identity), "CoMID, tag identity");
  const triples = mapOf(comid.get(COMID.triples), "CoMID, triples");
  if (!triples.has(TRIPLES.reference)) return [];
  const values: ComidValue[] = [];
  for (const record of listOf(triples.get(TRIPLES.reference), "reference triples")) {
    const [environment, claims, ...more] = listOf(record, "reference triple");
    if (more.length > 0) throw invalid("reference triple", `${more.length} parts too many`);
    const steps = environmentSteps(environment);
    for (const claim of listOf(claims, "reference claims"))
      values.push(...measurementValues(environment, steps, claim, take));
    if (values.length > MAX_VALUES) throw invalid("reference triples", `more than ${MAX_VALUES} values`);
  }
  return values;
}

/** Vendor and model; without both, the class id. */
function environmentSteps(value: CborValue): string[] {
  const environment = mapOf(value, "environment");
  onlyHas(environment, ENVIRONMENT, "environment, only classes are read");
  const where = "environment, class";
  const map = mapOf(environment.get(ENVIRONMENT.class), where);
  onlyHas(map, CLASS, where);
  const id = map.has(CLASS.id) ? [classId(map.get(CLASS.id))] : [];
  for (const label of [CLASS.layer, CLASS.index]) if (map.has(label)) countOf(map.get(label), where);
  const names = [CLASS.vendor, CLASS.model].filter((label) => map.has(label));
  const steps = names.map((label) => stepOf(textOf(map.get(label), where), where));
  if (steps.length > 0) return steps;
  if (id.length === 0) throw unsupported(where, "neither vendor, model nor class id");
  return id;
}

function classId(value: CborValue): string {
  const where = "environment, class id";
  if (!(value instanceof CborTag)) throw invalid(where, "no tag");
  if (value.tag === TAG.uuid) return uuidOf(value.value, where);
  if (value.tag === TAG.oid) return oidOf(value.value, where);
  if (value.tag === TAG.bytes) return toHex(bytesOf(value.value, where));
  throw unsupported(where, `tag ${value.tag}`);
}

type Take = (map: CborMap) => CborMap;

function measurementValues(
  environment: CborValue,
  steps: readonly string[],
  claim: CborValue,
  take: Take,
): ComidValue[] {
  const measurement = mapOf(claim, "measurement");
  onlyHas(measurement, MEASUREMENT, "measurement");
  const key = measurement.get(MEASUREMENT.key);
  const where = "measurement value";
  const value = take(mapOf(measurement.get(MEASUREMENT.value), where));
  onlyHas(value, VALUE, where);
  const [name, serial] = [value.get(VALUE.name), value.get(VALUE.serial)];
  const path = [
    ...steps,
    ...(measurement.has(MEASUREMENT.key) ? [keyStep(key)] : []),
    ...(value.has(VALUE.name) ? [stepOf(textOf(name, where), where)] : []),
    ...(value.has(VALUE.serial) ? [stepOf(textOf(serial, where), where)] : []),
  ];
  const origin = toHex(encodeCbor([environment, key, name, serial]));
  const found = KINDS.flatMap(([label, read]) => (value.has(label) ? read(value.get(label)) : []));
  if (found.length === 0) throw unsupported(where, "nothing to compare with");
  return found.map(([kind, one]) => {
    const id = [...path, kind].join("/");
    if (id.length > MAX_ID) throw unsupported("measurement", `a name of ${id.length} characters`);
    return { id, value: one, origin };
  });
}

function keyStep(key: CborValue): string {
  const where = "measurement key";
  if (typeof key === "string") return stepOf(textOf(key, where), where);
  if (typeof key === "number") return `claim${countOf(key, where)}`;
  if (key instanceof CborTag && key.tag === TAG.uuid) return uuidOf(key.value, where);
  if (key instanceof CborTag && key.tag === TAG.oid) return oidOf(key.value, where);
  throw unsupported(where, key instanceof CborTag ? `tag ${key.tag}` : "another type");
}

type Found = readonly [kind: string, value: JsonValue];

const KINDS: readonly (readonly [label: number, read: (value: CborValue) => readonly Found[]])[] = [
  [VALUE.version, versionOf],
  [VALUE.svn, svnOf],
  [VALUE.digests, digestsOf],
  [VALUE.flags, flagsOf],
  [VALUE.raw, rawOf],
];

function versionOf(value: CborValue): readonly Found[] {
  const map = mapOf(value, "version");
  // A scheme says how versions are ordered; here they are only compared for equality.
  onlyHas(map, { ...VERSION, scheme: 1 }, "version");
  return [["version", textOf(map.get(VERSION.text), "version")]];
}

/** Section 5.1.4, "Security Version Number": exact, or a minimum. */
function svnOf(value: CborValue): readonly Found[] {
  if (!(value instanceof CborTag)) return [["svn", countOf(value, "svn")]];
  if (value.tag === TAG.svn) return [["svn", countOf(value.value, "svn")]];
  if (value.tag === TAG.minSvn) return [["min_svn", countOf(value.value, "min-svn")]];
  throw unsupported("svn", `tag ${value.tag}`);
}

function digestsOf(value: CborValue): readonly Found[] {
  return listOf(value, "digests").map((item) => {
    const [algorithm, digest, ...more] = listOf(item, "digest");
    const known = DIGESTS.find(({ id, name }) => id === algorithm || name === algorithm);
    if (known === undefined) throw unsupported("digest", `algorithm ${shown(algorithm)}`);
    const bytes = bytesOf(digest, "digest");
    if (bytes.length !== known.bytes || more.length > 0)
      throw invalid("digest", `${bytes.length} bytes for ${known.name}`);
    return ["digests", toHex(bytes)] as const;
  });
}

function flagsOf(value: CborValue): readonly Found[] {
  return [...mapOf(value, "flags")].map(([label, flag]) => {
    const name = typeof label === "number" ? FLAGS[label] : undefined;
    if (name === undefined) throw unsupported("flags", `flag ${shown(label)}`);
    if (typeof flag !== "boolean") throw invalid("flags", "a flag that is neither true nor false");
    return [`flags/${name}`, flag] as const;
  });
}

function rawOf(value: CborValue): readonly Found[] {
  if (value instanceof CborTag && value.tag !== TAG.bytes) throw unsupported("raw value", `tag ${value.tag}`);
  const bytes = bytesOf(value instanceof CborTag ? value.value : value, "raw value");
  if (bytes.length > MAX_RAW_BYTES) throw unsupported("raw value", `${bytes.length} bytes`);
  return [["raw_bytes", toHex(bytes)]];
}

function shown(value: CborValue): string {
  return typeof value === "number" || typeof value === "string"
    ? String(value).slice(0, 40)
    : "of another type";
}
