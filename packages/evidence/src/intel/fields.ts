// SPDX-License-Identifier: Apache-2.0
// Typed members out of Intel's JSON documents: each access names what it wants, and says where it found something else.

import { fromHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJsonDocument } from "@adyton/core/json";
import { EvidenceError, type EvidenceErrorCode, unknownVersion } from "../errors.ts";
import { malformed } from "./refusal.ts";

/** How a document reports that it is broken. */
export interface DocumentKind {
  readonly code: EvidenceErrorCode;
  /** For messages: "TCB info". */
  readonly title: string;
}

const MAX_ITEMS = 256;
const MAX_TEXT = 256;
const U32 = 0xffff_ffff;
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** A JSON object of one document, with the path to it. Every accessor throws the document's code. */
export class Fields {
  readonly #value: JsonObject;
  readonly #kind: DocumentKind;
  readonly #path: string;

  constructor(value: JsonObject, kind: DocumentKind, path = "") {
    this.#value = value;
    this.#kind = kind;
    this.#path = path;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#value, name);
  }

  text(name: string): string {
    const value = this.#get(name);
    if (typeof value !== "string" || value.length > MAX_TEXT)
      return this.#fail(name, "no short string", "one");
    return value;
  }

  /** An integer from 0 to `max`. */
  integer(name: string, max: number): number {
    const value = this.#get(name);
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max) {
      return this.#fail(name, JSON.stringify(value), `an integer from 0 to ${max}`);
    }
    return value;
  }

  /** The document's version, one of `known`, newest last. */
  version<T extends number>(known: readonly T[]): T {
    const value = this.integer("version", U32);
    const found = known.find((each) => each === value);
    if (found !== undefined) return found;
    const { code, title } = this.#kind;
    throw unknownVersion(code, `read ${title}`, `${this.#path}version`, value, known.join(" or "));
  }

  /** `length` bytes in hex of either case. */
  hex(name: string, length: number): Uint8Array {
    const text = this.text(name);
    if (text.length !== 2 * length) this.#fail(name, `${text.length} digits`, `${2 * length} hex digits`);
    return this.#guard(name, () => fromHex(text));
  }

  /** RFC 3339 in whole seconds, UTC. */
  date(name: string): Date {
    const text = this.text(name);
    const date = new Date(text);
    // A day that no calendar has is rolled over: what comes back must be what was written.
    if (!DATE.test(text) || Number.isNaN(date.getTime()) || !date.toISOString().startsWith(text.slice(0, 19)))
      return this.#fail(name, JSON.stringify(text), "a date like 2025-01-31T00:00:00Z");
    return date;
  }

  object(name: string): Fields {
    const value = this.#get(name);
    if (!isJsonObject(value)) return this.#fail(name, "no object", "one");
    return new Fields(value, this.#kind, `${this.#path}${name}.`);
  }

  /** The objects of an array, each through `read`. */
  objects<T>(name: string, read: (item: Fields) => T): T[] {
    return this.#list(name).map((item, i) => {
      if (!isJsonObject(item)) return this.#fail(`${name}[${i}]`, "no object", "one");
      return read(new Fields(item, this.#kind, `${this.#path}${name}[${i}].`));
    });
  }

  /** The strings of an array; none when the member is absent. */
  texts(name: string): string[] {
    if (!this.has(name)) return [];
    return this.#list(name).map((item, i) => {
      if (typeof item !== "string" || item.length > MAX_TEXT)
        return this.#fail(`${name}[${i}]`, "no short string", "one");
      return item;
    });
  }

  /** Refuses the document over `name`. */
  refuse(name: string, found: string, expected: string): never {
    return this.#fail(name, found, expected);
  }

  #list(name: string): readonly JsonValue[] {
    const value = this.#get(name);
    if (!Array.isArray(value)) return this.#fail(name, "no array", "one");
    if (value.length > MAX_ITEMS) return this.#fail(name, `${value.length} items`, `at most ${MAX_ITEMS}`);
    return value as readonly JsonValue[];
  }

  #get(name: string): JsonValue {
    const value = this.has(name) ? this.#value[name] : undefined;
    return value === undefined ? this.#fail(name, "missing", "a value") : value;
  }

  #guard<T>(name: string, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (!(cause instanceof AdytonError)) throw cause;
      return this.#fail(name, "malformed", cause.message);
    }
  }

  #fail(name: string, found: string, expected: string): never {
    const { code, title } = this.#kind;
    throw malformed(code, `read ${title}`, `${this.#path}${name}`, found, expected);
  }
}

/** The members of a document's text. Throws the document's code when it is no JSON object. */
export function fieldsOf(body: string, kind: DocumentKind): Fields {
  try {
    return new Fields(parseJsonDocument(body).value, kind);
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw new EvidenceError(kind.code, "malformed", `Cannot read ${kind.title}: ${cause.message}`, { cause });
  }
}
