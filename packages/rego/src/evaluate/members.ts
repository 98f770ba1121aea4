// SPDX-License-Identifier: Apache-2.0
// Members of documents, as fast as they can be had.

import { Decimal } from "../decimal.ts";
import {
  type Key,
  keyOf,
  keysOf,
  memberOf,
  type PlainObject,
  RegoObject,
  RegoSet,
  same,
  setMember,
  type Value,
} from "../value.ts";
import type { Only } from "./coder.ts";
import type { Evaluation, Sink } from "./state.ts";

const { getPrototypeOf, hasOwn, prototype } = Object;

/** The member of a collection under a name. */
export function field(collection: Value | undefined, name: string): Value | undefined {
  if (typeof collection !== "object" || collection === null) return undefined;
  if (getPrototypeOf(collection) === prototype) {
    return hasOwn(collection, name) ? (collection as PlainObject)[name] : undefined;
  }
  return memberOf(collection, name);
}

/** The member of a collection under any key. */
export function member(collection: Value | undefined, key: Value): Value | undefined {
  if (typeof collection !== "object" || collection === null) return undefined;
  return typeof key === "string" ? field(collection, key) : memberOf(collection, key);
}

/** As `member`, for base documents: there an integer may stand for the name that it would be in a path of files. */
export function stored(document: Value | undefined, key: Value): Value | undefined {
  return member(document, key) ?? (typeof key === "number" ? field(document, String(key)) : undefined);
}

/** Visits keys and members; in Rego's order where that can be seen. */
export function visit(
  e: Evaluation,
  collection: Value,
  ordered: boolean,
  each: (e: Evaluation, key: Value, value: Value) => boolean,
): boolean {
  if (typeof collection !== "object" || collection === null) return false;
  if (Array.isArray(collection)) {
    for (let i = 0; i < collection.length; i++) {
      if (++e.steps > e.pauseAt) e.pause();
      if (each(e, i, collection[i] as Value)) return true;
    }
    return false;
  }
  if (collection instanceof RegoSet) {
    for (const value of ordered ? collection.sorted() : collection.members()) {
      if (++e.steps > e.pauseAt) e.pause();
      if (each(e, value, value)) return true;
    }
    return false;
  }
  if (collection instanceof RegoObject) {
    for (const [key, value] of collection.sorted()) {
      if (++e.steps > e.pauseAt) e.pause();
      if (each(e, key, value)) return true;
    }
    return false;
  }
  if (collection instanceof Decimal) return false;
  const object = collection as PlainObject;
  for (const key of ordered ? keysOf(object) : Object.keys(object)) {
    if (++e.steps > e.pauseAt) e.pause();
    const value = object[key];
    if (value !== undefined && each(e, key, value)) return true;
  }
  return false;
}

/** Visits members only. */
export function visitValues(e: Evaluation, collection: Value, ordered: boolean, each: Sink): boolean {
  if (Array.isArray(collection)) {
    for (let i = 0; i < collection.length; i++) {
      if (++e.steps > e.pauseAt) e.pause();
      if (each(e, collection[i] as Value)) return true;
    }
    return false;
  }
  return visit(e, collection, ordered, (inner, _key, value) => each(inner, value));
}

/**
 * Visits members of an array, except those that cannot be what is wanted, nor have it under the name: scalars that
 * differ. The others are still to be compared. What is no array, and what no scalar is wanted of, goes to `every`.
 */
export function visitOnly(
  { name, wanted }: Only,
  each: (e: Evaluation, value: Value, key: number) => boolean,
  every: Sink,
): Sink {
  return (e, list) => {
    const sought = wanted(e);
    // Should every object inherit the name, only `field` tells what is a member.
    if (!Array.isArray(list) || !isSimple(sought) || (name !== undefined && name in prototype))
      return every(e, list);
    for (let i = 0; i < list.length; i++) {
      if (++e.steps > e.pauseAt) e.pause();
      const value = list[i];
      const found: unknown =
        name === undefined ? value : value === null || value === undefined ? value : value[name];
      if (found !== sought && isSimple(found)) continue;
      if (each(e, value, i)) return true;
    }
    return false;
  };
}

/** Scalars that equal no value but themselves, or a number of another class. */
function isSimple(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function isCollection(value: Value): boolean {
  return typeof value === "object" && value !== null && !(value instanceof Decimal);
}

/** An object as it is made: plain until a key comes that is no string. */
export class ObjectBuilder {
  #plain: Record<string, Value> = {};
  #other: RegoObject | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: Value): Value | undefined {
    if (this.#other !== undefined) return this.#other.get(key);
    return typeof key === "string" && hasOwn(this.#plain, key) ? this.#plain[key] : undefined;
  }

  /** False when the key is there with another value. */
  add(key: Value, value: Value): boolean {
    const known = this.get(key);
    if (known !== undefined) return same(known, value);
    this.#size++;
    if (this.#other === undefined && typeof key === "string") {
      setMember(this.#plain, key, value);
      return true;
    }
    this.#other ??= RegoObject.of(Object.entries(this.#plain));
    this.#other.set(key, value);
    return true;
  }

  done(): Value {
    return this.#other ?? this.#plain;
  }
}

/** One key for a list of them. */
export function keyOfAll(keys: readonly Value[]): Key {
  return keys.length === 1 ? keyOf(keys[0] as Value) : keyOf(keys);
}

/** A document with another value at a path. What is no object on the way becomes one. */
export function replaced(document: Value | undefined, path: readonly Value[], value: Value): Value {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const isObject =
    document !== undefined &&
    isCollection(document) &&
    !Array.isArray(document) &&
    !(document instanceof RegoSet);
  const inner = replaced(isObject ? member(document, key) : undefined, rest, value);
  if (isObject && document instanceof RegoObject) {
    const copy = RegoObject.of(document.sorted());
    copy.set(key, inner);
    return copy;
  }
  if (typeof key !== "string")
    return RegoObject.of([...(isObject ? Object.entries(document as PlainObject) : []), [key, inner]]);
  const copy: Record<string, Value> = isObject ? { ...(document as PlainObject) } : {};
  setMember(copy, key, inner);
  return copy;
}
