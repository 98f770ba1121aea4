// SPDX-License-Identifier: Apache-2.0
// What a JSON schema says of types: of `type`, `properties`, `items`, `anyOf`, `allOf` and `$ref`, as `opa check -s` reads them.

import type { BuiltinFailure } from "../builtin.ts";
import { failure } from "../builtins/define.ts";
import { ANY, BOOLEAN, NUMBER, STRING, type Type } from "../types.ts";
import { isObject, type PlainObject, type Value } from "../value.ts";
import { compileSchema, type Schema } from "./compile.ts";

/** A schema that may still be merged with others. */
interface Shape {
  readonly anyOf: readonly Value[] | undefined;
  readonly allOf: readonly Value[] | undefined;
  readonly types: ReadonlySet<string>;
  readonly properties: readonly (readonly [name: string, schema: Value])[];
  readonly items: readonly Value[];
  /** One schema for all items. */
  readonly uniform: boolean;
}

/** The type of what a schema allows. Throws `BuiltinFailure` where it is none, or says two things of one. */
export function typeOfSchema(root: Value): Type {
  return new Reader(compileSchema(root, () => {})).type(root);
}

class Reader {
  readonly #schema: Schema;
  /** Undefined while it is being made: a schema within itself is anything. */
  readonly #known = new Map<Value, Type | undefined>();

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  type(node: Value): Type {
    const at = this.#resolved(node);
    if (at === undefined || !isObject(at)) return ANY;
    if (this.#known.has(at)) return this.#known.get(at) ?? ANY;
    this.#known.set(at, undefined);
    const type = this.#ofShape(this.#shape(at as PlainObject));
    this.#known.set(at, type);
    return type;
  }

  /** Where references lead; undefined where they lead to themselves. */
  #resolved(node: Value): Value | undefined {
    const seen = new Set<Value>();
    let at = node;
    for (let next = this.#schema.targets.get(at); next !== undefined; next = this.#schema.targets.get(at)) {
      if (seen.has(at)) return undefined;
      seen.add(at);
      at = next;
    }
    return at;
  }

  #shape(node: PlainObject): Shape {
    const { allOf, anyOf, items, properties, type } = node;
    const types = new Set<string>();
    for (const name of Array.isArray(type) ? (type as readonly Value[]) : [type]) {
      if (typeof name === "string") types.add(name);
    }
    return {
      allOf: listIn(allOf),
      anyOf: listIn(anyOf),
      types,
      properties:
        properties !== undefined && isObject(properties) ? Object.entries(properties as PlainObject) : [],
      items: listIn(items) ?? (items === undefined ? [] : [items]),
      uniform: !Array.isArray(items),
    };
  }

  #ofShape(shape: Shape): Type {
    const { allOf, anyOf, items, properties, types, uniform } = shape;
    if (anyOf !== undefined) {
      const core = types.size > 0 ? this.#ofShape({ ...shape, anyOf: undefined }) : ANY;
      const closed = core.kind === "object" && core.rest === undefined && core.members !== undefined;
      return alternatives([...(closed ? [core] : []), ...anyOf.map((each) => this.type(each))]);
    }
    if (allOf !== undefined) return this.#ofAll(allOf, shape);
    if (types.has("boolean")) return BOOLEAN;
    if (types.has("string")) return STRING;
    if (types.has("integer") || types.has("number")) return NUMBER;
    if (types.has("object") || (types.size === 0 && properties.length > 0)) {
      if (properties.length === 0) return { kind: "object", rest: { key: ANY, value: ANY } };
      return {
        kind: "object",
        members: properties.map(([key, value]) => ({ key, type: this.type(value) })),
      };
    }
    if (types.has("array") || (types.size === 0 && items.length > 0)) {
      const [first] = items;
      if (first === undefined) return { kind: "array", rest: ANY };
      if (uniform) return { kind: "array", rest: this.type(first) };
      return { kind: "array", items: items.map((item) => this.type(item)) };
    }
    return ANY;
  }

  #ofAll(list: readonly Value[], shape: Shape): Type {
    const parts: Shape[] = [];
    for (const each of list) {
      const node = this.#resolved(each);
      const part = this.#shape(node !== undefined && isObject(node) ? (node as PlainObject) : {});
      const says = part.types.size > 0 || part.properties.length > 0 || part.items.length > 0;
      // What only chooses says nothing of the type itself.
      if (says || part.anyOf === undefined) parts.push(part);
    }
    const [first, ...more] = parts;
    if (first === undefined) return ANY;
    const all = more.reduce((whole, part) => this.#merged(whole, part), settled(first));
    const { types } = shape;
    if (types.size === 0) return this.#ofShape(all);
    if (["object", "array"].some((name) => types.has(name) && all.types.has(name))) {
      return this.#ofShape(this.#merged(all, { ...shape, allOf: undefined }));
    }
    if (namesOf(types) !== namesOf(all.types)) throw unmergeable(types, all.types);
    return this.#ofShape(all);
  }

  #merged(whole: Shape, part: Shape): Shape {
    const [a, b] = [settled(whole), settled(part)];
    if (namesOf(a.types) !== namesOf(b.types)) throw unmergeable(a.types, b.types);
    if (a.types.has("object") && a.properties.length > 0 && b.properties.length > 0) {
      return { ...a, properties: [...a.properties, ...b.properties] };
    }
    if (a.types.has("array") && a.items.length > 0 && b.items.length > 0) {
      for (const [i, item] of b.items.entries()) {
        const beside = a.items[i];
        if (beside === undefined) continue;
        const [left, right] = [this.#typesOf(beside), this.#typesOf(item)];
        if (namesOf(left) !== namesOf(right)) throw unmergeable(left, right);
      }
      return { ...a, items: [...a.items, ...b.items.slice(a.items.length)] };
    }
    return a;
  }

  #typesOf(node: Value): ReadonlySet<string> {
    return isObject(node) ? this.#shape(node as PlainObject).types : new Set();
  }
}

/** With the type that its keywords imply. */
function settled(shape: Shape): Shape {
  const implied = shape.properties.length > 0 ? "object" : shape.items.length > 0 ? "array" : undefined;
  return implied === undefined ? shape : { ...shape, types: new Set([...shape.types, implied]) };
}

function alternatives(types: readonly Type[]): Type {
  const of = types.flatMap((type) => (type.kind === "union" ? type.of : [type]));
  const [only] = of;
  if (only === undefined || of.some(({ kind }) => kind === "any")) return ANY;
  return of.length === 1 ? only : { kind: "union", of };
}

function listIn(value: Value | undefined): readonly Value[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function namesOf(types: ReadonlySet<string>): string {
  return [...types].sort().join(", ");
}

function unmergeable(a: ReadonlySet<string>, b: ReadonlySet<string>): BuiltinFailure {
  return failure(
    `unable to merge these schemas: type mismatch: ${namesOf(a) || "none"} and ${namesOf(b) || "none"}`,
  );
}
