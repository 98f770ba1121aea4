// SPDX-License-Identifier: Apache-2.0
// The compact form of a JSON Web Token (RFC 7515 section 3.1, RFC 7519 section 7.2), taken apart.

import { type Bytes, fromBase64Url, fromUtf8, toBase64Url } from "@adyton/core/bytes";
import { failure } from "../builtins/define.ts";
import { parseJson } from "../json-text.ts";
import { textOf } from "../utf8.ts";
import { isObject, memberOf, type PlainObject, type Value } from "../value.ts";
import { guarded } from "./guard.ts";

export interface Token {
  /** The first two parts, as received. */
  readonly signed: Bytes;
  readonly header: PlainObject;
  /** Decoded, not yet read: what it says counts only once the signature is checked. */
  readonly payload: Bytes;
  readonly signature: Bytes;
  /** The signature is written in the only way that RFC 7515 has for it: another one verifies nothing. */
  readonly canonical: boolean;
}

/** What the header says about the signature and the payload. */
export interface HeaderFields {
  readonly alg: string;
  readonly kid: string;
  readonly cty: string;
  /** False without `alg`, and with a critical parameter that nobody here knows (RFC 7515 section 4.1.11). */
  readonly valid: boolean;
}

const KNOWN = ["alg", "kid", "typ", "cty"] as const;
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const QUOTES = /^["']+|["']+$/g;

/** The two dots of a token are where they belong; nothing is decoded. */
function splitToken(text: string): readonly [header: string, payload: string, signature: string] {
  if (!text.includes(".")) throw failure("encoded JWT had no period separators");
  const [header = "", payload = "", signature = "", ...more] = text.split(".");
  const sections = text.split(".").length;
  if (sections !== 3 || more.length > 0) throw failure(`encoded JWT must have 3 sections, found ${sections}`);
  return [header, payload, signature];
}

export function parseToken(text: string): Token {
  const [header, payload, signature] = splitToken(text);
  const decoded = decodePart(signature, "signature");
  return {
    signed: fromUtf8(`${header}.${payload}`),
    header: headerOf(header),
    payload: decodePart(payload, "payload"),
    signature: decoded,
    canonical: toBase64Url(decoded) === signature,
  };
}

/** The innermost of tokens that hold tokens, as `io.jwt.decode` shows them; their payloads may stand in quotes. */
export function unwrapped(text: string): Token {
  for (let token = parseToken(text); ; token = parseToken(textOf(token.payload).replace(QUOTES, ""))) {
    if (memberOf(token.header, "cty") !== "JWT") return token;
  }
}

/** base64url; padding and unused bits that are not zero are let through, although RFC 4648 section 3.5 refuses them. */
function decodePart(part: string, name: string): Bytes {
  const digits = part.replace(/={1,2}$/, "");
  const spare = { 2: 0b110000, 3: 0b111100 }[digits.length % 4];
  const value = DIGITS.indexOf(digits.at(-1) ?? "");
  const last = spare === undefined || value < 0 ? "" : DIGITS.charAt(value & spare);
  try {
    return guarded(() => fromBase64Url(digits.slice(0, digits.length - last.length) + last));
  } catch (error) {
    throw error instanceof Error ? failure(`JWT ${name} had invalid encoding: ${error.message}`) : error;
  }
}

/** An object. Of members that stand twice, the last one counts. */
export function objectIn(bytes: Uint8Array, name: string): PlainObject {
  const value = parseJson(textOf(bytes));
  if (isObject(value)) return value as PlainObject;
  throw failure(`JWT ${name}: decoded JSON type was not an Object`);
}

/** Throws for members of a wrong type. */
export function fieldsOf(header: PlainObject): HeaderFields {
  const fields: Record<string, string> = {};
  for (const name of KNOWN) {
    const value = memberOf(header, name);
    if (value !== undefined && typeof value !== "string") throw failure(`${name}: must be a string`);
    fields[name] = value ?? "";
  }
  const critical = criticalOf(memberOf(header, "crit"));
  const understood = (name: string): boolean => KNOWN.some((known) => known === name) || name === "crit";
  const { alg = "", kid = "", cty = "" } = fields;
  return { alg, kid, cty, valid: alg !== "" && critical.every(understood) };
}

function criticalOf(value: Value | undefined): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw failure("crit: must be a list");
  const names = (value as readonly Value[]).filter((name) => typeof name === "string");
  if (names.length === 0) throw failure("crit: must be a nonempty list");
  return names;
}

function headerOf(part: string): PlainObject {
  const header = objectIn(decodePart(part, "header"), "header");
  if (memberOf(header, "enc") !== undefined) throw failure("JWT is a JWE object, which is not supported");
  return header;
}
