// SPDX-License-Identifier: Apache-2.0
// Init-data documents: which hash their digest was made with, and what policies and plugins read of them.

import type { HashName } from "@adyton/core/crypto";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { parse } from "smol-toml";
import { invalid } from "./protocol.ts";

type InitDataHash = Extract<HashName, "SHA-256" | "SHA-384" | "SHA-512">;

const HASHES: Readonly<Record<string, InitDataHash>> = {
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};
const LINE = /^\s*(?:algorithm|"algorithm"|'algorithm')\s*=\s*(?:"([^"\\]*)"|'([^']*)')\s*(?:#.*)?$/;

/**
 * The hash that `algorithm = "sha256|sha384|sha512"` before the first table names. Only that: the digest covers the
 * whole text, so a document that is read wrongly here does not match what the hardware holds. Throws `INVALID_REQUEST`.
 */
export function initDataHash(document: string): InitDataHash {
  const found: string[] = [];
  for (const line of document.split(/\r?\n/)) {
    if (/^\s*\[/.test(line)) break;
    const match = LINE.exec(line);
    if (match !== null) found.push(match[1] ?? match[2] ?? "");
  }
  const [name] = found;
  const hash =
    found.length === 1 && name !== undefined && Object.hasOwn(HASHES, name) ? HASHES[name] : undefined;
  if (hash === undefined)
    throw invalid("init-data names no algorithm, expected one line algorithm = sha256, sha384 or sha512");
  return hash;
}

/** Members of `[data]` that are documents themselves. */
const NESTED: readonly string[] = ["aa.toml", "cdh.toml"];
const MAX_DEPTH = 64;

/**
 * The table `[data]` as policies see it, with Trustee's names: `aa.toml` and `cdh.toml` parsed, `policy.rego` as
 * `agent_policy_claims`. Throws `INVALID_REQUEST` for what is no TOML.
 */
export function initDataClaims(document: string): JsonObject {
  const { data } = tableOf("init-data", document);
  const claims: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(isTable(data) ? data : {})) {
    const key = name === "policy.rego" ? "agent_policy_claims" : name;
    const nested = NESTED.includes(name) && typeof value === "string" ? tableOf(name, value) : value;
    Object.defineProperty(claims, key, { value: jsonOf(nested), enumerable: true });
  }
  return claims;
}

function tableOf(what: string, text: string): Record<string, unknown> {
  try {
    return parse(text, { maxDepth: MAX_DEPTH });
  } catch {
    // The library's message quotes the document.
    throw invalid(`${what} is no TOML`);
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Dates as text; numbers that JSON does not have as their names. */
function jsonOf(value: unknown): JsonValue {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(jsonOf);
  if (value instanceof Date) return value.toISOString();
  if (!isTable(value)) return String(value);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, jsonOf(member)]));
}
