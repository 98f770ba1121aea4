// SPDX-License-Identifier: Apache-2.0
// Values of the language. JSON documents are values as they are, without a copy; only what JSON cannot say has a class
// of its own: sets, objects with keys that are no strings, and numbers that a double cannot hold.

import { Decimal } from "./decimal.ts";

export { Decimal };

/**
 * A `number` stands for the decimal that `String` writes of it. An integer beyond ±(2^53 - 1) that Rego read or computed
 * is a `bigint`, a fraction that is the shortest text of no double a `Decimal`: `numberOf` in number.ts chooses.
 */
export type RegoNumber = number | bigint | Decimal;

/** Never `undefined`: that is what an expression without a value gives. */
export type Value =
  | null
  | boolean
  | RegoNumber
  | string
  | readonly Value[]
  | PlainObject
  | RegoObject
  | RegoSet;

/** An object whose keys are all strings: a JSON object, or one that a policy made. Never changed once made. */
export interface PlainObject {
  readonly [key: string]: Value;
}

/**
 * How many parts comparing and hashing may still look at. Values share their parts, so that one made in forty steps may be
 * too large to walk in a lifetime. The evaluator fills it; elsewhere it has no end.
 */
export const meter: { left: number } = { left: Number.POSITIVE_INFINITY };

/** The meter ran out. */
export class MeterError extends Error {}

function count(parts: number): void {
  meter.left -= parts;
  if (meter.left < 0) throw new MeterError("too many parts to compare");
}

/** What a Map takes as key for a value: equal for equal values, different for others. */
export type Key = string | number | bigint | boolean | null;

/** Positions of the kinds in Rego's order of all values. */
const RANK = { null: 0, boolean: 1, number: 2, string: 3, array: 4, object: 5, set: 6 } as const;
export type Kind = keyof typeof RANK;

export function kindOf(value: Value): Kind {
  switch (typeof value) {
    case "string":
      return "string";
    case "number":
    case "bigint":
      return "number";
    case "boolean":
      return "boolean";
    default:
      if (value === null) return "null";
      if (Array.isArray(value)) return "array";
      if (value instanceof RegoSet) return "set";
      return value instanceof Decimal ? "number" : "object";
  }
}

/** A set: members in Rego's order when asked in order. Built with `add`, never changed once handed out. */
export class RegoSet {
  readonly #members = new Map<Key, Value>();
  #sorted: readonly Value[] | undefined;
  #key: string | undefined;

  static of(members: Iterable<Value>): RegoSet {
    const set = new RegoSet();
    for (const member of members) set.add(member);
    return set;
  }

  get size(): number {
    return this.#members.size;
  }

  has(member: Value): boolean {
    return this.#members.has(keyOf(member));
  }

  add(member: Value): void {
    this.#members.set(keyOf(member), member);
    this.#sorted = undefined;
    this.#key = undefined;
  }

  /** In the order they came. */
  members(): IterableIterator<Value> {
    return this.#members.values();
  }

  /** In Rego's order. */
  sorted(): readonly Value[] {
    this.#sorted ??= [...this.#members.values()].sort(compare);
    return this.#sorted;
  }

  /** The text that `keyOf` gives. */
  key(): string {
    this.#key ??= `\u0000<${this.sorted().map(partOf).join("")}>`;
    return this.#key;
  }
}

/** An object with at least one key that is no string. Built with `set`, never changed once handed out. */
export class RegoObject {
  readonly #entries = new Map<Key, readonly [Value, Value]>();
  #sorted: readonly (readonly [Value, Value])[] | undefined;

  static of(entries: Iterable<readonly [Value, Value]>): RegoObject {
    const object = new RegoObject();
    for (const [key, value] of entries) object.set(key, value);
    return object;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(keyOf(key))?.[1];
  }

  set(key: Value, value: Value): void {
    this.#entries.set(keyOf(key), [key, value]);
    this.#sorted = undefined;
  }

  /** In Rego's order of keys. */
  sorted(): readonly (readonly [Value, Value])[] {
    this.#sorted ??= [...this.#entries.values()].sort(([a], [b]) => compare(a, b));
    return this.#sorted;
  }
}

/** The object of these entries: plain when every key is a string. Later entries win. */
export function objectOf(entries: Iterable<readonly [Value, Value]>): PlainObject | RegoObject {
  const list = [...entries];
  if (!list.every(([key]) => typeof key === "string")) return RegoObject.of(list);
  const object: Record<string, Value> = {};
  for (const [key, value] of list) setMember(object, key as string, value);
  return object;
}

/** Assigns, also under the one name that assignment treats otherwise. */
export function setMember(object: Record<string, Value>, key: string, value: Value): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}

const sortedKeys = new WeakMap<object, readonly string[]>();

/** Keys of a plain object in Rego's order. Remembered, because documents do not change while they are in use. */
export function keysOf(object: PlainObject): readonly string[] {
  let keys = sortedKeys.get(object);
  if (keys === undefined) {
    keys = Object.keys(object).sort(compareStrings);
    sortedKeys.set(object, keys);
  }
  return keys;
}

/** Entries of any object in Rego's order. */
export function entriesOf(object: PlainObject | RegoObject): readonly (readonly [Value, Value])[] {
  if (object instanceof RegoObject) return object.sorted();
  return keysOf(object).map((key) => [key, object[key] as Value] as const);
}

export function isObject(value: Value): value is PlainObject | RegoObject {
  return kindOf(value) === "object";
}

/**
 * The member of a collection: by position in an array, by key in an object, by itself in a set. Undefined where there
 * is none, and for values that hold nothing.
 */
export function memberOf(collection: Value, key: Value): Value | undefined {
  if (typeof collection !== "object" || collection === null) return undefined;
  if (Array.isArray(collection)) {
    return typeof key === "number" && Number.isInteger(key) && key >= 0 ? collection[key] : undefined;
  }
  if (collection instanceof RegoSet) return collection.has(key) ? key : undefined;
  if (collection instanceof RegoObject) return collection.get(key);
  if (collection instanceof Decimal || typeof key !== "string") return undefined;
  return Object.hasOwn(collection, key) ? (collection as PlainObject)[key] : undefined;
}

/** Whether two values are the same value: `compare` gives 0. */
export function same(a: Value, b: Value): boolean {
  if (a === b) return true;
  // A double that JSON gave and a bigint that Rego computed may be one integer.
  if (typeof a === "bigint" || typeof b === "bigint") {
    return (
      kindOf(a) === "number" &&
      kindOf(b) === "number" &&
      compareNumbers(a as RegoNumber, b as RegoNumber) === 0
    );
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    count(a.length);
    return a.every((item, i) => same(item, b[i] as Value));
  }
  if (Array.isArray(b)) return false;
  if (a instanceof RegoSet) {
    if (!(b instanceof RegoSet) || a.size !== b.size) return false;
    for (const member of a.members()) if (!b.has(member)) return false;
    return true;
  }
  if (a instanceof Decimal || b instanceof Decimal) {
    return a instanceof Decimal && b instanceof Decimal && a.compare(b) === 0;
  }
  if (b instanceof RegoSet) return false;
  return sameObject(a as PlainObject | RegoObject, b as PlainObject | RegoObject);
}

function sameObject(a: PlainObject | RegoObject, b: PlainObject | RegoObject): boolean {
  if (a instanceof RegoObject || b instanceof RegoObject) {
    if (!(a instanceof RegoObject && b instanceof RegoObject) || a.size !== b.size) return false;
    return a.sorted().every(([key, value]) => {
      const other = b.get(key);
      return other !== undefined && same(value, other);
    });
  }
  const keys = Object.keys(a);
  count(keys.length);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(a[key] as Value, b[key] as Value))
  );
}

/** Rego's total order: null, booleans, numbers, strings (by code point), arrays, objects, sets. */
export function compare(a: Value, b: Value): number {
  if (a === b) return 0;
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  const kind = kindOf(a);
  const difference = RANK[kind] - RANK[kindOf(b)];
  if (difference !== 0) return difference;
  switch (kind) {
    case "null":
      return 0;
    case "boolean":
      return a === true ? 1 : -1;
    case "number":
      return compareNumbers(a as RegoNumber, b as RegoNumber);
    case "string":
      return compareStrings(a as string, b as string);
    case "array":
      return compareLists(a as readonly Value[], b as readonly Value[]);
    case "set":
      return compareLists((a as RegoSet).sorted(), (b as RegoSet).sorted());
    case "object":
      return compareObjects(a as PlainObject, b as PlainObject);
  }
}

export function compareNumbers(a: RegoNumber, b: RegoNumber): number {
  if (a instanceof Decimal || b instanceof Decimal) return Decimal.of(a).compare(Decimal.of(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By code point, as the reference compares UTF-8: UTF-16 units sort surrogates before U+E000. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rankOfUnit(x) - rankOfUnit(y);
  }
  return a.length - b.length;
}

function rankOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  const length = Math.min(a.length, b.length);
  count(length);
  for (let i = 0; i < length; i++) {
    const order = compare(a[i] as Value, b[i] as Value);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareObjects(a: PlainObject | RegoObject, b: PlainObject | RegoObject): number {
  const left = entriesOf(a);
  const right = entriesOf(b);
  const length = Math.min(left.length, right.length);
  count(length);
  for (let i = 0; i < length; i++) {
    const [leftKey, leftValue] = left[i] as readonly [Value, Value];
    const [rightKey, rightValue] = right[i] as readonly [Value, Value];
    const order = compare(leftKey, rightKey) || compare(leftValue, rightValue);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Scalars are their own keys; what is made of parts has a text that begins with NUL, and no string's key does. */
export function keyOf(value: Value): Key {
  switch (typeof value) {
    case "string":
      return value.charCodeAt(0) === 0 ? `\u0000"${value}` : value;
    case "number":
      return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value;
    case "bigint":
    case "boolean":
      return value;
    default:
      return value === null ? null : textOf(value);
  }
}

/** The key of a composite value. */
function textOf(value: Exclude<Value, null | boolean | number | bigint | string>): string {
  if (value instanceof RegoSet) return value.key();
  if (value instanceof Decimal) return `\u0000d${value.toString()}`;
  if (Array.isArray(value)) {
    count(value.length);
    return `\u0000[${value.map(partOf).join("")}]`;
  }
  const entries = entriesOf(value as PlainObject | RegoObject);
  count(entries.length);
  return `\u0000{${entries.map(([key, member]) => partOf(key) + partOf(member)).join("")}}`;
}

/** A part that cannot be taken for two, or for the end: lengths stand before what has any. */
function partOf(value: Value): string {
  const key = keyOf(value);
  switch (typeof key) {
    case "string":
      return `s${key.length}:${key}`;
    case "number":
    case "bigint":
      return `n${key};`;
    case "boolean":
      return key ? "t" : "f";
    default:
      return "z";
  }
}
