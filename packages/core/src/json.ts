// SPDX-License-Identifier: Apache-2.0
// JSON for signed documents: duplicate keys are refused, and the exact text of a member can be had,
// because Intel signs the text of an inner object, not its meaning. Canonical form after RFC 8785.

import { type Bytes, fromUtf8 } from "./bytes.ts";
import { malformed } from "./errors.ts";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

const MAX_DEPTH = 64;
const MAX_LENGTH = 16 * 1024 * 1024;

/** A JSON object together with the source text of each of its direct members. */
export interface JsonDocument {
  readonly value: JsonObject;
  /** The exact text of a direct member's value, or undefined. */
  text(key: string): string | undefined;
}

/** Parses JSON, refusing duplicate keys, deep nesting and anything RFC 8259 does not allow. Throws `INVALID_JSON`. */
export function parseJson(text: string): JsonValue {
  const value = parseStrictly(text);
  walk(text);
  return value;
}

/** Like `parseJson`, for a text whose top level is an object, keeping the members' source text. */
export function parseJsonDocument(text: string): JsonDocument {
  const value = parseStrictly(text);
  const members = walk(text);
  if (!isJsonObject(value))
    throw malformed("INVALID_JSON", "Cannot parse JSON document: the top level is no object");
  return {
    value,
    text: (key) => {
      const range = members.get(key);
      return range === undefined ? undefined : text.slice(range[0], range[1]).trim();
    },
  };
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON Canonicalization Scheme (RFC 8785): members sorted by UTF-16 code units, no white space. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item as JsonValue)).join(",")}]`;
  if (isJsonObject(value)) {
    const members = Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as JsonValue)}`);
    return `{${members.join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw malformed("INVALID_JSON", "Cannot canonicalize JSON: a number is not finite");
  }
  if (typeof value === "string" && !value.isWellFormed()) {
    throw malformed("INVALID_JSON", "Cannot canonicalize JSON: a string holds a lone surrogate");
  }
  return JSON.stringify(value);
}

/** UTF-8 bytes of the canonical form. */
export function canonicalJsonBytes(value: JsonValue): Bytes {
  return fromUtf8(canonicalJson(value));
}

/** JSON.parse with a limit and a typed error. It needs no stack for depth: the walk judges that. */
function parseStrictly(text: string): JsonValue {
  if (text.length > MAX_LENGTH) {
    throw malformed(
      "INVALID_JSON",
      `Cannot parse JSON: ${text.length} characters, at most ${MAX_LENGTH} are read`,
    );
  }
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw malformed("INVALID_JSON", `Cannot parse JSON: ${withoutExcerpt(cause)}`);
  }
}

/** What the engine found. It quotes the text, which may be a secret that somebody put in the wrong place. */
function withoutExcerpt(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/[\s,.]*"[\s\S]*$/, "");
}

const CHAR = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  open: 0x7b,
  close: 0x7d,
  openList: 0x5b,
  closeList: 0x5d,
  escape: 0x5c,
};

/**
 * Walks a text that JSON.parse took: depth, duplicate keys (compared after unescaping), and where each top-level
 * member's value stands.
 */
function walk(text: string): Map<string, [from: number, to: number]> {
  const top = new Map<string, [number, number]>();
  const scopes: (Set<string> | null)[] = [];
  let expectKey = false;
  let openKey: string | undefined;
  let openAt = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case CHAR.quote: {
        const end = stringEnd(text, i);
        if (expectKey) {
          const key = keyOf(text.slice(i, end));
          const scope = scopes.at(-1);
          if (scope?.has(key)) {
            throw malformed(
              "INVALID_JSON",
              `Cannot parse JSON: the key ${JSON.stringify(key)} occurs twice`,
              {
                offset: i,
              },
            );
          }
          scope?.add(key);
          if (scopes.length === 1) openKey = key;
          expectKey = false;
        }
        i = end - 1;
        break;
      }
      case CHAR.colon:
        if (scopes.length === 1) openAt = i + 1;
        break;
      case CHAR.open:
      case CHAR.openList:
        if (scopes.length === MAX_DEPTH) {
          throw malformed("INVALID_JSON", `Cannot parse JSON: nested deeper than ${MAX_DEPTH}`, {
            offset: i,
          });
        }
        expectKey = text.charCodeAt(i) === CHAR.open;
        scopes.push(expectKey ? new Set() : null);
        break;
      case CHAR.comma:
        if (scopes.length === 1 && openKey !== undefined) top.set(openKey, [openAt, i]);
        expectKey = scopes.at(-1) !== null;
        break;
      case CHAR.close:
      case CHAR.closeList:
        if (scopes.length === 1 && openKey !== undefined) top.set(openKey, [openAt, i]);
        scopes.pop();
        expectKey = false;
        break;
    }
  }
  return top;
}

function keyOf(quoted: string): string {
  return quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}

/** The offset after the string that starts at `start`; JSON.parse has seen that it ends. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end + 1;
}

/** An odd number of backslashes stands before `at`. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === CHAR.escape) before--;
  return (at - before) % 2 === 1;
}
