// SPDX-License-Identifier: Apache-2.0
// JSON text, and documents picked apart by paths. `json.patch` stands in patch.ts, schemas in schema.ts.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { isJson, jsonOf, parseJson } from "../json-text.ts";
import { ANY, anyOf, arrayOf, BOOLEAN, STRING, setOf, type Type } from "../types.ts";
import { entriesOf, isObject, type Key, keyOf, kindOf, objectOf, RegoSet, type Value } from "../value.ts";
import { ANY_ARRAY, ANY_OBJECT, define, objectAt, operandFailure, stringAt, wrong } from "./define.ts";

/** Paths of one operand as a tree: a name without a tree below is the end of a path. */
type Paths = Map<Key, Paths | undefined>;

const PATH = anyOf(STRING, ANY_ARRAY);
const PATHS = anyOf(arrayOf(PATH), setOf(PATH));
const OPTIONS: Type = {
  kind: "object",
  members: [
    { key: "indent", type: STRING },
    { key: "prefix", type: STRING },
    { key: "pretty", type: BOOLEAN },
  ],
  rest: { key: STRING, value: ANY },
};

export const json: readonly Builtin[] = [
  define(
    "json.filter",
    [ANY_OBJECT, PATHS],
    ANY_OBJECT,
    (object: Value, paths: Value, context: BuiltinContext) =>
      filter(objectAt(object, 1), pathsAt(paths, context), context),
  ),
  define(
    "json.remove",
    [ANY_OBJECT, PATHS],
    ANY_OBJECT,
    (object: Value, paths: Value, context: BuiltinContext) =>
      remove(objectAt(object, 1), pathsAt(paths, context), context),
  ),
  define("json.marshal", [ANY], STRING, (value: Value, context: BuiltinContext) =>
    paid(jsonOf(value), context),
  ),
  define("json.marshal_with_options", [ANY, OPTIONS], STRING, marshal),
  define("json.unmarshal", [STRING], ANY, (text: Value, context: BuiltinContext) =>
    parseJson(paid(stringAt(text, 1), context)),
  ),
  define(
    "json.is_valid",
    [STRING],
    BOOLEAN,
    (text: Value, context: BuiltinContext) => typeof text === "string" && isJson(paid(text, context)),
  ),
];

/** The names of a path: an array, or text with `/` between and `~1`, `~0` for `/` and `~` (RFC 6901). */
export function parsePath(path: Value): readonly Value[] {
  if (Array.isArray(path)) return path;
  if (typeof path !== "string") {
    throw operandFailure(
      2,
      `must be one of {set, array} containing string paths or array of path segments but got ${kindOf(path)}`,
    );
  }
  if (path === "") return [];
  return path
    .replace(/^\/+/, "")
    .split("/")
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function paid(text: string, context: BuiltinContext): string {
  context.spend(text.length >> 4);
  return text;
}

function marshal(value: Value, options: Value, context: BuiltinContext): Value {
  let indent = "\t";
  let prefix = "";
  let pretty: boolean | undefined;
  let layout = false;
  for (const [key, option] of entriesOf(objectAt(options, 2))) {
    if (key === "pretty" && typeof option === "boolean") pretty = option;
    else if (key === "indent" && typeof option === "string") [indent, layout] = [option, true];
    else if (key === "prefix" && typeof option === "string") [prefix, layout] = [option, true];
    else throw operandFailure(2, `has a key that is unknown or of a wrong type: ${jsonOf(key).slice(0, 40)}`);
  }
  if (!(pretty ?? layout)) return paid(jsonOf(value), context);
  // The layout may multiply the size of the text.
  context.spend((jsonOf(value).length * (1 + indent.length + prefix.length)) >> 4);
  return prefix + jsonOf(value, indent, prefix);
}

function pathsAt(value: Value, context: BuiltinContext): Paths {
  const paths = value instanceof RegoSet ? value.sorted() : value;
  if (!Array.isArray(paths)) throw wrong(value, 2, "set", "array");
  const root: Paths = new Map();
  for (const path of paths as readonly Value[]) {
    const names = parsePath(path);
    context.spend(1 + names.length);
    let node: Paths | undefined = root;
    for (const [i, name] of names.entries()) {
      const key = keyOf(name);
      if (i === names.length - 1) node.set(key, undefined);
      else {
        if (!node.has(key)) node.set(key, new Map());
        node = node.get(key);
        // A shorter path has ended here: it takes all below.
        if (node === undefined) break;
      }
    }
  }
  return root;
}

/** What the paths lead to, with what stands above it. */
function filter(value: Value, paths: Paths | undefined, context: BuiltinContext): Value {
  return paths === undefined
    ? value
    : mapped(value, context, (key, member) =>
        paths.has(key) ? filter(member, paths.get(key), context) : undefined,
      );
}

/** All but what the paths lead to. */
function remove(value: Value, paths: Paths, context: BuiltinContext): Value {
  return mapped(value, context, (key, member) => {
    if (!paths.has(key)) return member;
    const below = paths.get(key);
    return below === undefined ? undefined : remove(member, below, context);
  });
}

/** The collection with each member as `change` gives it, or without it; positions in arrays have text as keys. */
function mapped(
  value: Value,
  context: BuiltinContext,
  change: (key: Key, member: Value) => Value | undefined,
): Value {
  const kept = <T extends Value>(members: Iterable<T>, keyAt: (member: T, i: number) => Key): Value[] =>
    [...members]
      .map((member, i) => change(keyAt(member, i), member))
      .filter((member) => member !== undefined);
  if (Array.isArray(value)) {
    context.spend(value.length);
    return kept(value, (_, i) => String(i));
  }
  if (value instanceof RegoSet) {
    context.spend(value.size);
    return RegoSet.of(kept(value.members(), keyOf));
  }
  if (!isObject(value)) return value;
  const entries = entriesOf(value);
  context.spend(entries.length);
  return objectOf(
    entries.flatMap(([key, member]) => {
      const changed = change(keyOf(key), member);
      return changed === undefined ? [] : [[key, changed] as const];
    }),
  );
}
