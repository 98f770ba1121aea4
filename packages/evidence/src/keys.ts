// SPDX-License-Identifier: Apache-2.0
// Bare public keys out of JSON and CBOR: JWK and JWK Set (RFC 7517, RFC 7518 section 6.2), lists of devices' keys as
// Veraison's trust-anchor stores have them, COSE_Key (RFC 9053 section 7.1). A key in a bag is only a key: what makes
// it trusted is that the caller names it as an anchor.

import { concat, fromBase64Url } from "@adyton/core/bytes";
import { isCborMap, parseCbor } from "@adyton/core/cbor";
import { spkiOfCoseKey } from "@adyton/core/cose";
import { type CurveName, fieldSize, spkiOfPoint } from "@adyton/core/crypto";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { type Endorsements, NO_ENDORSEMENTS, type VendorKey } from "./bag.ts";
import { EvidenceError } from "./errors.ts";

const CURVES: readonly CurveName[] = ["P-256", "P-384", "P-521"];
const MAX_KEYS = 65_536;
/** Members of a device's entry that are no identifier. */
const PUBLIC_KEY = "pkey";
const HARDWARE = "hardware";
/** Veraison marks keys that it knows and denies with the reason. */
const DENIED = "x-reason";
const IDENTIFIER = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const HEX = /^([0-9a-fA-F]{2}){1,128}$/;

/**
 * The keys of a JWK, a JWK Set, or a list of `{pkey: JWK, …identifiers in hex, hardware?: true}`; undefined when the
 * text is none of these. Entries that the list itself denies are left out. Throws `UNKNOWN_ENDORSEMENT` for broken ones.
 */
export function readKeyJson(text: string, name: string): Endorsements | undefined {
  if (!text.startsWith("{") && !text.startsWith("[")) return undefined;
  const value = parseJson(text);
  const entries = isJsonObject(value) ? entriesIn(value) : value;
  if (!Array.isArray(entries)) return undefined;
  if (entries.length === 0 || entries.length > MAX_KEYS) {
    throw unknown(name, `it lists ${entries.length} keys, expected 1 to ${MAX_KEYS}`);
  }
  const keys = entries.flatMap((entry, i) => {
    const key = keyOf(entry, `${name}, entry ${i}`);
    return key === undefined ? [] : [key];
  });
  return { ...NO_ENDORSEMENTS, keys };
}

/** The key of a COSE_Key of type EC2; undefined when the bytes are no CBOR map. Throws `INVALID_CBOR`, `INVALID_KEY`. */
export function readCoseKey(bytes: Uint8Array, name: string): Endorsements | undefined {
  const [first = 0] = bytes;
  if (first >> 5 !== 5) return undefined;
  const map = parseCbor(bytes, name);
  if (!isCborMap(map)) return undefined;
  return { ...NO_ENDORSEMENTS, keys: [{ spki: spkiOfCoseKey(map), identifiers: {} }] };
}

function entriesIn(object: JsonObject): JsonValue | undefined {
  if (typeof object.kty === "string" || isJsonObject(object[PUBLIC_KEY])) return [object];
  return Array.isArray(object.keys) ? object.keys : undefined;
}

function keyOf(entry: JsonValue, name: string): VendorKey | undefined {
  if (!isJsonObject(entry)) throw unknown(name, "it is no object");
  if (typeof entry.kty === "string") return { spki: spkiOfJwk(entry, name), identifiers: {} };
  const { [PUBLIC_KEY]: jwk, [HARDWARE]: hardware = false, [DENIED]: denied, ...rest } = entry;
  if (!isJsonObject(jwk)) throw unknown(name, "it has no kty and no pkey");
  if (typeof hardware !== "boolean") throw unknown(name, "hardware is neither true nor false");
  const identifiers: Record<string, string> = {};
  for (const [identifier, value] of Object.entries(rest)) {
    // A member that cannot be compared might be meant to restrict the key: it is not passed over.
    if (!IDENTIFIER.test(identifier) || typeof value !== "string" || !HEX.test(value)) {
      throw unknown(name, `its member ${JSON.stringify(identifier)} is no identifier in hex`);
    }
    identifiers[identifier] = value.toLowerCase();
  }
  const spki = spkiOfJwk(jwk, name);
  return denied === undefined ? { spki, identifiers, hardware } : undefined;
}

function spkiOfJwk(jwk: JsonObject, name: string): Uint8Array {
  if ("d" in jwk) throw unknown(name, "it is a private key, expected its public half");
  const curve = CURVES.find((candidate) => candidate === jwk.crv);
  if (jwk.kty !== "EC" || curve === undefined) {
    throw unknown(name, `its key is of another kind, expected EC on ${CURVES.join(", ")}`);
  }
  const size = fieldSize(curve);
  const coordinates = [jwk.x, jwk.y].map((value) => {
    const bytes = typeof value === "string" ? fromBase64Url(value) : undefined;
    if (bytes?.length !== size) throw unknown(name, `x and y are not ${size} bytes each in base64url`);
    return bytes;
  });
  return spkiOfPoint(curve, concat(...coordinates));
}

function unknown(name: string, why: string): EvidenceError {
  return new EvidenceError("UNKNOWN_ENDORSEMENT", "malformed", `Cannot read public key ${name}: ${why}`, {
    detail: { name },
  });
}
