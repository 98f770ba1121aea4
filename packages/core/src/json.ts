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
  check(text);
  return JSON.parse(text) as JsonValue;
}

/** Like `parseJson`, for a text whose top level is an object, keeping the members' source text. */
export function parseJsonDocument(text: string): JsonDocument {
  const members = check(text);
  const value = JSON.parse(text) as JsonValue;
  if (!isJsonObject(value))
    throw malformed("INVALID_JSON", "Cannot parse JSON document: the top level is no object");
  return {
    value,
    text: (key) => {
      const range = members.get(key);
      return range === undefined ? undefined : text.slice(range[0], range[1]);
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

/**
 * Walks the text once: depth, duplicate keys (compared after unescaping) and where each top-level member's
 * value stands. Grammar beyond that is JSON.parse's job, which runs first so that the walk sees valid text.
 */
function check(text: string): Map<string, [number, number]> {
  if (text.length > MAX_LENGTH) {
    throw malformed(
      "INVALID_JSON",
      `Cannot parse JSON: ${text.length} characters, at most ${MAX_LENGTH} are read`,
    );
  }
  depthOf(text);
  try {
    JSON.parse(text);
  } catch (cause) {
    throw malformed(
      "INVALID_JSON",
      `Cannot parse JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  const top = new Map<string, [number, number]>();
  const keys: (Set<string> | null)[] = [];
  let expectKey = false;
  let openKey: string | undefined;
  let openAt = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    switch (c) {
      case '"': {
        const end = stringEnd(text, i);
        const scope = keys.at(-1);
        if (expectKey && scope) {
          const raw = text.slice(i, end);
          const key = raw.includes("\\") ? (JSON.parse(raw) as string) : raw.slice(1, -1);
          if (scope.has(key)) {
            throw malformed(
              "INVALID_JSON",
              `Cannot parse JSON: the key ${JSON.stringify(key)} occurs twice`,
              {
                offset: i,
              },
            );
          }
          scope.add(key);
          if (keys.length === 1) openKey = key;
          expectKey = false;
        }
        i = end - 1;
        break;
      }
      case ":":
        if (keys.length === 1) openAt = i + 1;
        break;
      case "{":
        keys.push(new Set());
        expectKey = true;
        break;
      case "[":
        keys.push(null);
        expectKey = false;
        break;
      case ",":
        if (keys.length === 1 && openKey !== undefined) top.set(openKey, trimmed(text, openAt, i));
        expectKey = keys.at(-1) !== null;
        break;
      case "}":
      case "]":
        if (keys.length === 1 && openKey !== undefined) top.set(openKey, trimmed(text, openAt, i));
        keys.pop();
        expectKey = false;
        break;
    }
  }
  return top;
}

function depthOf(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) i = stringEnd(text, i) - 1;
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > MAX_DEPTH)
        throw malformed("INVALID_JSON", `Cannot parse JSON: nested deeper than ${MAX_DEPTH}`);
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
}

function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5c) i++;
    else if (c === 0x22) return i + 1;
  }
  throw malformed("INVALID_JSON", `Cannot parse JSON: the string at offset ${start} does not end`, {
    offset: start,
  });
}

function trimmed(text: string, from: number, to: number): [number, number] {
  let start = from;
  let end = to;
  while (start < end && /\s/.test(text[start] as string)) start++;
  while (end > start && /\s/.test(text[end - 1] as string)) end--;
  return [start, end];
}
