// SPDX-License-Identifier: Apache-2.0
// The two forms in which Secure Execution's evidence travels: pvattest's exchange format, version 1 (s390-tools), and the
// JSON of Confidential Containers' SeAttestationResponse. Integers are big-endian.

import { type Bytes, concat, equal, fromBase64, fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import {
  canonicalJsonBytes,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from "@adyton/core/json";
import { encodeSeTags, parseSeTags, type SeHeaderTags } from "./header.ts";
import { invalidSe, unknownSeVersion } from "./refusal.ts";

/** What the ultravisor answered, in either form. */
interface SeAnswer {
  readonly measurement: Uint8Array;
  readonly additional: Uint8Array;
  readonly userData: Uint8Array;
  /** 16 bytes. */
  readonly cuid: Uint8Array;
}

/** pvattest: the request comes back whole, and only who has its protection key can read the measurement key in it. */
export interface SeExchange extends SeAnswer {
  readonly form: "exchange";
  readonly request: Uint8Array;
}

/** Confidential Containers: the verifier's secrets come back, encrypted to itself. */
export interface SeResponse extends SeAnswer {
  readonly form: "response";
  readonly sealedMeasurementKey: Uint8Array;
  readonly sealedNonce: Uint8Array;
  readonly tags: SeHeaderTags;
}

export type SeEvidence = SeExchange | SeResponse;

/** What goes to the guest's machine: the request, and how much answer there will be. */
export interface SeExchangeRequest {
  readonly request: Uint8Array;
  readonly measurementSize: number;
  readonly additionalSize: number;
}

const MAGIC: Bytes = /* @__PURE__ */ fromUtf8("pvattest");
const VERSION_1 = 0x100;
const HEAD = 0x40;
const ENTRIES = ["request", "measurement", "additional data", "user data", "configuration id"] as const;
/** Most bytes of each entry, in this order: what the ultravisor device takes. */
const MOST = [0x100000, 0x8000, 0x8000, 0x100, 0x10] as const;
export const SE_MEASUREMENT_SIZE = 64;
const CUID = 16;
const MAX_JSON = 256 * 1024;
const MAX_SEALED = 16 * 1024;
const MEMBERS = [
  "measurement",
  "additional_data",
  "user_data",
  "cuid",
  "encr_measurement_key",
  "encr_request_nonce",
  "image_hdr_tags",
] as const;

interface Entry {
  readonly size: number;
  /** Undefined: the size alone was announced. */
  readonly data: Uint8Array | undefined;
}

/** Whether the bytes look like either form. Never throws. */
export function isSeEvidence(bytes: Uint8Array): boolean {
  if (equal(bytes.subarray(0, MAGIC.length), MAGIC)) return true;
  if (bytes[0] !== 0x7b || bytes.length > MAX_JSON) return false;
  try {
    const value = parseJson(toUtf8(bytes));
    return isJsonObject(value) && "encr_measurement_key" in value && "image_hdr_tags" in value;
  } catch {
    return false;
  }
}

/** Reads either form. Throws `INVALID_SE_EVIDENCE`, or an error of `@adyton/core` about encodings and bounds. */
export function parseSeEvidence(bytes: Uint8Array): SeEvidence {
  if (bytes[0] === 0x7b) {
    if (bytes.length > MAX_JSON) throw invalid("size", `${bytes.length} bytes`, `at most ${MAX_JSON}`);
    return seResponseFromJson(parseJson(toUtf8(bytes)));
  }
  const [request, measurement, additional, userData, cuid] = readExchange(bytes);
  if (request?.data === undefined) throw invalid("request", "not there", "one");
  if (measurement?.data?.length !== SE_MEASUREMENT_SIZE) {
    throw invalid("measurement", `${measurement?.data?.length ?? 0} bytes`, `${SE_MEASUREMENT_SIZE}`);
  }
  if (cuid?.data?.length !== CUID)
    throw invalid("configuration id", `${cuid?.data?.length ?? 0} bytes`, `${CUID}`);
  return {
    form: "exchange",
    request: request.data,
    measurement: measurement.data,
    additional: additional?.data ?? new Uint8Array(),
    userData: userData?.data ?? new Uint8Array(),
    cuid: cuid.data,
  };
}

/** Inverse of `parseSeEvidence`; JSON in its canonical form. */
export function encodeSeEvidence(evidence: SeEvidence): Bytes {
  const { measurement, additional, userData, cuid } = evidence;
  const bytes =
    evidence.form === "exchange"
      ? writeExchange([evidence.request, measurement, additional, userData, cuid].map(whole))
      : canonicalJsonBytes(seResponseToJson(evidence));
  parseSeEvidence(bytes);
  return bytes;
}

/** A request in pvattest's exchange format, for `pvattest perform`. */
export function encodeSeExchangeRequest(request: SeExchangeRequest): Bytes {
  const announced = (size: number): Entry => ({ size, data: undefined });
  return writeExchange([
    whole(request.request),
    announced(request.measurementSize),
    announced(request.additionalSize),
    announced(0),
    announced(0),
  ]);
}

/** Inverse of `encodeSeExchangeRequest`. Throws as `parseSeEvidence`. */
export function parseSeExchangeRequest(bytes: Uint8Array): SeExchangeRequest {
  const [request, measurement, additional, ...answered] = readExchange(bytes);
  if (request?.data === undefined) throw invalid("request", "not there", "one");
  if ([measurement, additional, ...answered].some((entry) => entry?.data !== undefined)) {
    throw invalid("exchange", "an answer", "a request");
  }
  return {
    request: request.data,
    measurementSize: measurement?.size ?? 0,
    additionalSize: additional?.size ?? 0,
  };
}

/** Confidential Containers' SeAttestationResponse. Throws `INVALID_SE_EVIDENCE` or `INVALID_BASE64`. */
export function seResponseFromJson(value: JsonValue): SeResponse {
  if (!isJsonObject(value)) throw invalid("evidence", "no object", "an object");
  const extra = Object.keys(value).find((name) => !(MEMBERS as readonly string[]).includes(name));
  if (extra !== undefined) throw invalid("evidence", `the member ${extra}`, MEMBERS.join(", "));
  const [most, additional, user] = [MAX_SEALED, MOST[2], MOST[3]];
  return {
    form: "response",
    measurement: member(value, "measurement", SE_MEASUREMENT_SIZE, SE_MEASUREMENT_SIZE),
    additional: member(value, "additional_data", 0, additional),
    userData: member(value, "user_data", 0, user),
    cuid: member(value, "cuid", CUID, CUID),
    sealedMeasurementKey: member(value, "encr_measurement_key", 1, most),
    sealedNonce: member(value, "encr_request_nonce", 1, most),
    tags: parseSeTags(member(value, "image_hdr_tags", 0, most)),
  };
}

/** Inverse of `seResponseFromJson`. */
export function seResponseToJson(response: SeResponse): JsonObject {
  return {
    measurement: toBase64(response.measurement),
    additional_data: toBase64(response.additional),
    user_data: toBase64(response.userData),
    cuid: toBase64(response.cuid),
    encr_measurement_key: toBase64(response.sealedMeasurementKey),
    encr_request_nonce: toBase64(response.sealedNonce),
    image_hdr_tags: toBase64(encodeSeTags(response.tags)),
  };
}

function member(value: JsonObject, name: string, least: number, most: number): Bytes {
  const text = value[name];
  if (typeof text !== "string") throw invalid(name, typeof text, "base64 text");
  const bytes = fromBase64(text);
  if (bytes.length < least || bytes.length > most) {
    throw invalid(name, `${bytes.length} bytes`, least === most ? `${least}` : `${least} to ${most}`);
  }
  return bytes;
}

/** The entries' data follow the head without gaps, in the head's order, and fill what is there. */
function readExchange(bytes: Uint8Array): Entry[] {
  const reader = new Reader(bytes, "pvattest exchange");
  if (!equal(reader.bytes(MAGIC.length, "magic"), MAGIC)) throw invalid("magic", "another", "pvattest");
  const version = reader.u32be("version");
  if (version !== VERSION_1) throw unknownSeVersion("Secure Execution evidence", version.toString(16), "100");
  const size = reader.u32be("size");
  if (size !== bytes.length) throw invalid("size", `${size}`, `${bytes.length}, which is there`);
  if (reader.u64be("reserved") !== 0n) throw invalid("reserved", "not zero", "zero");
  const heads = ENTRIES.map((name, i) => {
    const entry = { name, size: reader.u32be(`size of ${name}`), offset: reader.u32be(`offset of ${name}`) };
    const most = MOST[i] ?? 0;
    if (entry.size > most) throw invalid(name, `${entry.size} bytes`, `at most ${most}`);
    return entry;
  });
  const entries = heads.map(({ name, size: length, offset }): Entry => {
    if (length === 0) {
      // An empty entry may say where it would stand.
      if (offset !== 0 && offset !== reader.offset) throw invalid(`offset of ${name}`, `${offset}`, "0");
      return { size: 0, data: undefined };
    }
    if (offset === 0) return { size: length, data: undefined };
    if (offset !== reader.offset) throw invalid(`offset of ${name}`, `${offset}`, `${reader.offset}`);
    return { size: length, data: reader.bytes(length, name) };
  });
  reader.end();
  return entries;
}

function writeExchange(entries: readonly Entry[]): Bytes {
  const data = entries.map((entry) => entry.data ?? new Uint8Array());
  const size = HEAD + data.reduce((sum, each) => sum + each.length, 0);
  const head = new Writer(HEAD).bytes(MAGIC, MAGIC.length, "magic").u32be(VERSION_1).u32be(size).zeros(8);
  let offset = HEAD;
  for (const entry of entries) {
    const there = entry.data !== undefined && entry.data.length > 0;
    head.u32be(entry.size).u32be(there ? offset : 0);
    if (there) offset += entry.size;
  }
  return concat(head.finish(), ...data);
}

function whole(data: Uint8Array): Entry {
  return { size: data.length, data };
}

function invalid(field: string, found: string, expected: string): Error {
  return invalidSe("Secure Execution evidence", field, found, expected);
}
