// SPDX-License-Identifier: Apache-2.0
// What random modules speak of: kinds of values, functions, and documents with the members that modules look for.

import type { Random } from "./random.ts";

/** What a term is made to be. `open` comes out of documents, where the type checker knows nothing. */
export type Kind = "any" | "open" | "number" | "string" | "boolean" | "array" | "set" | "object";

export const LETTERS: readonly string[] = ["a", "b", "c", "d"];
/** Functions by the kind of their result, with the kinds of their arguments. */
export const FUNCTIONS: readonly (readonly [result: Kind, name: string, ...args: Kind[]])[] = [
  ["number", "count", "array"],
  ["number", "count", "open"],
  ["number", "sum", "open"],
  ["number", "max", "open"],
  ["number", "abs", "number"],
  ["number", "round", "number"],
  ["number", "to_number", "string"],
  ["number", "indexof", "string", "string"],
  ["string", "upper", "string"],
  ["string", "concat", "string", "open"],
  ["string", "json.marshal", "any"],
  ["string", "type_name", "any"],
  ["string", "replace", "string", "string", "string"],
  ["string", "format_int", "number", "number"],
  ["boolean", "startswith", "string", "string"],
  ["boolean", "is_string", "any"],
  ["boolean", "is_number", "any"],
  ["boolean", "object.subset", "open", "open"],
  ["array", "sort", "open"],
  ["array", "array.concat", "array", "array"],
  ["array", "array.reverse", "array"],
  ["array", "split", "string", "string"],
  ["array", "array.slice", "array", "number", "number"],
  ["set", "union", "open"],
  ["set", "object.keys", "object"],
  ["object", "object.union", "object", "object"],
  ["object", "object.remove", "object", "open"],
  ["any", "object.get", "object", "any", "any"],
];
export const KINDS: readonly Kind[] = ["any", "any", "number", "string", "boolean", "array", "set", "object"];

/** A JSON document with the members that modules look for. */
export function generateDocument(random: Random): { readonly [key: string]: unknown } {
  const scalar = (): unknown =>
    random.pick([null, true, false, 0, 1, 2, -1, 1.5, 10, "a", "b", "c", "", "ab"]);
  const value = (depth: number): unknown =>
    random.weighted<unknown>([
      [4, scalar],
      [depth > 0 ? 2 : 0, () => random.times(0, 4, () => value(depth - 1))],
      [
        depth > 0 ? 2 : 0,
        () => Object.fromEntries(random.times(0, 3, () => [random.pick(LETTERS), value(depth - 1)])),
      ],
    ]);
  return {
    a: value(2),
    b: random.times(0, 4, () => random.below(5)),
    c: Object.fromEntries(LETTERS.slice(0, 1 + random.below(4)).map((key) => [key, value(1)])),
    d: random.times(0, 3, () => ({
      id: random.below(3),
      tags: random.times(0, 3, () => random.pick(LETTERS)),
    })),
    e: random.pick(["a", "b", "ab"]),
    f: random.below(4),
  };
}
