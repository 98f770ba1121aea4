// SPDX-License-Identifier: Apache-2.0
// `json.patch` (RFC 6902) on any value: sets are addressed by their members, paths may be arrays of keys.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { ANY, arrayOf, STRING, type Type } from "../types.ts";
import {
  entriesOf,
  isObject,
  memberOf,
  objectOf,
  type PlainObject,
  type RegoObject,
  RegoSet,
  same,
  type Value,
} from "../value.ts";
import { arrayAt, define, failure } from "./define.ts";
import { parsePath } from "./json.ts";

type Edit = (collection: Value, key: Value) => Value;

const OPERATION: Type = {
  kind: "object",
  members: [
    { key: "op", type: STRING },
    { key: "path", type: ANY },
  ],
  rest: { key: ANY, value: ANY },
};

export const patch: readonly Builtin[] = [
  define(
    "json.patch",
    [ANY, arrayOf(OPERATION)],
    ANY,
    (value: Value, operations: Value, context: BuiltinContext) => {
      let document: Value | undefined = value;
      for (const operation of arrayAt(operations, 2)) document = apply(document, operation, context);
      return document;
    },
  ),
];

/** Undefined is a document that was removed as a whole. */
function apply(document: Value | undefined, operation: Value, context: BuiltinContext): Value | undefined {
  if (!isObject(operation)) throw failure("an operation is not an object");
  const path = parsePath(attribute(operation, "path"));
  const op = attribute(operation, "op");
  const pay = (collection: Value): void => context.spend(1 + sizeOf(collection));
  switch (op) {
    case "add":
      return insert(document, path, attribute(operation, "value"), pay);
    case "remove":
      return remove(document, path, pay);
    case "replace":
      return insert(remove(document, path, pay), path, attribute(operation, "value"), pay);
    case "move": {
      const from = parsePath(attribute(operation, "from"));
      const moved = at(document, from);
      return insert(remove(document, from, pay), path, moved, pay);
    }
    case "copy":
      return insert(document, path, at(document, parsePath(attribute(operation, "from"))), pay);
    case "test":
      if (same(at(document, path), attribute(operation, "value"))) return document;
      throw failure("the value at a tested path is another one");
    default:
      throw failure("an operation has an unknown op");
  }
}

function attribute(operation: PlainObject | RegoObject, name: string): Value {
  const value = memberOf(operation, name);
  if (value === undefined) throw failure(`missing required attribute '${name}'`);
  return value;
}

function insert(
  document: Value | undefined,
  path: readonly Value[],
  value: Value,
  pay: (collection: Value) => void,
): Value {
  if (path.length === 0) return value;
  return edit(document, path, pay, (collection, key) => {
    if (Array.isArray(collection)) {
      const index = indexOf(collection, key, collection.length);
      return [...collection.slice(0, index), value, ...collection.slice(index)];
    }
    if (collection instanceof RegoSet) {
      if (!same(key, value)) throw failure("the name of a set's member is not the member to be added");
      return RegoSet.of([...collection.members(), value]);
    }
    if (isObject(collection)) return objectOf([...entriesOf(collection), [key, value]]);
    throw missing();
  });
}

function remove(
  document: Value | undefined,
  path: readonly Value[],
  pay: (collection: Value) => void,
): Value | undefined {
  if (path.length === 0) {
    if (document === undefined) throw missing();
    return undefined;
  }
  return edit(document, path, pay, (collection, key) => {
    if (Array.isArray(collection)) {
      const index = indexOf(collection, key, collection.length - 1);
      return [...collection.slice(0, index), ...collection.slice(index + 1)];
    }
    if (memberOf(collection, key) === undefined) throw missing();
    if (collection instanceof RegoSet) {
      return RegoSet.of([...collection.members()].filter((member) => !same(member, key)));
    }
    return objectOf(entriesOf(collection as PlainObject | RegoObject).filter(([name]) => !same(name, key)));
  });
}

/** The document with the collection that holds the path's last name edited. */
function edit(
  document: Value | undefined,
  path: readonly Value[],
  pay: (collection: Value) => void,
  change: Edit,
): Value {
  const [key, ...rest] = path;
  if (document === undefined || key === undefined) throw missing();
  pay(document);
  if (rest.length === 0) return change(document, key);
  const edited = edit(at(document, [key]), rest, pay, change);
  if (Array.isArray(document)) return document.with(indexOf(document, key, document.length - 1), edited);
  if (document instanceof RegoSet) {
    return RegoSet.of([...document.members()].map((member) => (same(member, key) ? edited : member)));
  }
  return objectOf([...entriesOf(document as PlainObject | RegoObject), [key, edited]]);
}

function at(document: Value | undefined, path: readonly Value[]): Value {
  let found = document;
  for (const key of path) {
    found = Array.isArray(found)
      ? (found[indexOf(found, key, found.length - 1)] as Value)
      : found === undefined
        ? undefined
        : memberOf(found, key);
  }
  if (found === undefined) throw missing();
  return found;
}

/** A position by number, by its decimal text, or `-` for the end. */
function indexOf(array: readonly Value[], key: Value, most: number): number {
  const index =
    key === "-"
      ? array.length
      : typeof key === "string" && /^(0|[1-9]\d{0,8})$/.test(key)
        ? Number(key)
        : key;
  if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index > most) throw missing();
  return index;
}

function sizeOf(collection: Value): number {
  if (collection instanceof RegoSet) return collection.size;
  if (Array.isArray(collection)) return collection.length;
  return isObject(collection) ? entriesOf(collection).length : 0;
}

function missing(): Error {
  return failure("a path leads nowhere");
}
