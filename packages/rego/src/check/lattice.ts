// SPDX-License-Identifier: Apache-2.0
// What can be said of types: whether two can ever hold one value, what stands below a key, how a type is written.

import { showValue } from "../show.ts";
import { ANY, BOOLEAN, NULL, NUMBER, STRING, type Type } from "../types.ts";
import {
  entriesOf,
  kindOf,
  type PlainObject,
  type RegoObject,
  type RegoSet,
  same,
  type Value,
} from "../value.ts";

/** Alternatives of a union, and depth, beyond which a type is anything: types must stay smaller than programs. */
const MAX_ALTERNATIVES = 32;
const MAX_DEPTH = 8;

/** The type of a value that is known. */
export function typeOf(value: Value, depth = 0): Type {
  if (depth > MAX_DEPTH) return ANY;
  switch (kindOf(value)) {
    case "null":
      return NULL;
    case "boolean":
      return BOOLEAN;
    case "number":
      return NUMBER;
    case "string":
      return STRING;
    case "array":
      return { kind: "array", items: (value as readonly Value[]).map((item) => typeOf(item, depth + 1)) };
    case "set": {
      const members = (value as RegoSet).sorted();
      return {
        kind: "set",
        of: members.length === 0 ? ANY : unionOf(members.map((member) => typeOf(member, depth + 1))),
      };
    }
    case "object":
      return objectType(
        entriesOf(value as PlainObject | RegoObject).map(
          ([key, member]) => [key, typeOf(member, depth + 1)] as const,
        ),
      );
  }
}

/** An object of keys that are known where they are scalars, and of others. */
export function objectType(entries: readonly (readonly [key: Value | undefined, type: Type])[]): Type {
  const members = entries.flatMap(([key, type]) =>
    key !== undefined && isScalar(key) ? [{ key, type }] : [],
  );
  if (members.length === entries.length) return { kind: "object", members };
  const rest = unionOf(entries.flatMap(([key, type]) => (key !== undefined && isScalar(key) ? [] : [type])));
  return { kind: "object", members, rest: { key: ANY, value: rest } };
}

type Scalar = Extract<Type, { kind: "object" }>["members"] extends
  | readonly { readonly key: infer K }[]
  | undefined
  ? K
  : never;

function isScalar(value: Value): value is Scalar {
  return !["array", "object", "set"].includes(kindOf(value));
}

/** Any of these; ANY of too many. */
export function unionOf(types: readonly Type[]): Type {
  const flat = types.flatMap((type) => (type.kind === "union" ? type.of : [type]));
  if (flat.some(({ kind }) => kind === "any")) return ANY;
  const kept: Type[] = [];
  for (const type of flat) {
    if (!kept.some((known) => equalTypes(known, type))) kept.push(type);
    if (kept.length > MAX_ALTERNATIVES) return ANY;
  }
  const [only] = kept;
  return kept.length === 1 && only !== undefined
    ? only
    : kept.length === 0
      ? ANY
      : { kind: "union", of: kept };
}

function equalTypes(a: Type, b: Type): boolean {
  if (a === b) return true;
  const text = typeText(a, 0, MAX_DEPTH);
  // What lies deeper may differ.
  return text === typeText(b, 0, MAX_DEPTH) && !text.includes("…");
}

/** Whether a value can have both types. Wrong only in the direction of yes. */
export function overlap(a: Type, b: Type, depth = 0): boolean {
  if (a.kind === "any" || b.kind === "any" || depth > MAX_DEPTH) return true;
  if (a.kind === "union") return a.of.some((each) => overlap(each, b, depth));
  if (b.kind === "union") return b.of.some((each) => overlap(a, each, depth));
  if (a.kind === "array" && b.kind === "array") return arraysOverlap(a, b, depth + 1);
  if (a.kind === "set" && b.kind === "set") return overlap(a.of, b.of, depth + 1);
  if (a.kind === "object" && b.kind === "object") return objectsOverlap(a, b, depth + 1);
  return a.kind === b.kind;
}

/** Whether a function takes an argument. Stricter than `overlap` in one thing: it takes no key that it does not expect. */
export function takesArgument(declared: Type, given: Type): boolean {
  if (!overlap(declared, given)) return false;
  const objects = (declared.kind === "union" ? declared.of : [declared]).filter(
    (each) => each.kind === "object",
  );
  if (given.kind !== "object" || objects.length === 0) return true;
  return objects.some(({ members = [], rest }) =>
    (given.members ?? []).every(
      ({ key }) =>
        members.some((member) => same(member.key, key)) ||
        (rest !== undefined && overlap(typeOf(key), rest.key)),
    ),
  );
}

type ArrayType = Extract<Type, { kind: "array" }>;
type ObjectType = Extract<Type, { kind: "object" }>;

function arraysOverlap(a: ArrayType, b: ArrayType, depth: number): boolean {
  const [left, right] = [a.items ?? [], b.items ?? []];
  if (
    (left.length < right.length && a.rest === undefined) ||
    (right.length < left.length && b.rest === undefined)
  ) {
    return false;
  }
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if (!overlap(left[i] ?? a.rest ?? ANY, right[i] ?? b.rest ?? ANY, depth)) return false;
  }
  return a.rest === undefined || b.rest === undefined || overlap(a.rest, b.rest, depth);
}

function objectsOverlap(a: ObjectType, b: ObjectType, depth: number): boolean {
  const fits = (one: ObjectType, other: ObjectType): boolean =>
    (one.members ?? []).every(({ key, type }) => {
      const known = other.members?.find((member) => same(member.key, key))?.type;
      if (known !== undefined) return overlap(type, known, depth);
      // Beside keys that are not known, those that are need not be there: so it is with options of functions.
      if (other.rest === undefined) return one.rest !== undefined;
      return !overlap(typeOf(key), other.rest.key, depth) || overlap(type, other.rest.value, depth);
    });
  if (!fits(a, b) || !fits(b, a)) return false;
  return a.rest === undefined || b.rest === undefined || overlap(a.rest.value, b.rest.value, depth);
}

/** What a collection has below a key: its type, and that of its keys; undefined where nothing can be. */
export function selected(type: Type, key: Value | undefined, keyType: Type): Type | undefined {
  switch (type.kind) {
    case "any":
      return ANY;
    case "union": {
      const found = type.of.flatMap((each) => selected(each, key, keyType) ?? []);
      return found.length === 0 ? undefined : unionOf(found);
    }
    case "array": {
      // Nothing is found in an empty array, and nothing is wrong with looking.
      if ((type.items ?? []).length === 0 && type.rest === undefined && key === undefined) return ANY;
      if (!overlap(keyType, NUMBER)) return undefined;
      if (typeof key === "number") return type.items?.[key] ?? type.rest;
      const all = [...(type.items ?? []), ...(type.rest === undefined ? [] : [type.rest])];
      return unionOf(all);
    }
    case "set":
      return overlap(keyType, type.of) ? type.of : undefined;
    case "object": {
      const member = key === undefined ? undefined : type.members?.find((each) => same(each.key, key));
      if (member !== undefined) return member.type;
      const fitting = (type.members ?? []).filter(
        (each) => key === undefined && overlap(typeOf(each.key), keyType),
      );
      const rest = type.rest !== undefined && overlap(type.rest.key, keyType) ? [type.rest.value] : [];
      const all = [...fitting.map((each) => each.type), ...rest];
      const empty = (type.members ?? []).length === 0 && type.rest === undefined && key === undefined;
      return all.length > 0 || empty ? unionOf(all) : undefined;
    }
    default:
      return undefined;
  }
}

/** The type of the keys that a collection has. */
export function keysType(type: Type): Type {
  switch (type.kind) {
    case "array":
      return NUMBER;
    case "set":
      return type.of;
    case "object": {
      const keys = (type.members ?? []).map(({ key }) => typeOf(key));
      return unionOf(type.rest === undefined ? keys : [...keys, type.rest.key]);
    }
    case "union":
      return unionOf(type.of.filter(({ kind }) => isCollection(kind)).map(keysType));
    default:
      return ANY;
  }
}

function isCollection(kind: Type["kind"]): boolean {
  return kind === "any" || kind === "array" || kind === "set" || kind === "object";
}

/** As people read it: `array[string]`, `object<a: number>`, `number or string`. */
export function typeText(type: Type, depth = 0, most = 3): string {
  const inner = (each: Type): string => (depth >= most ? "…" : typeText(each, depth + 1, most));
  switch (type.kind) {
    case "array": {
      const items = (type.items ?? []).map(inner);
      const rest = type.rest === undefined ? "" : `[${inner(type.rest)}]`;
      return items.length === 0 && rest !== "" ? `array${rest}` : `array<${items.join(", ")}>${rest}`;
    }
    case "set":
      return `set[${inner(type.of)}]`;
    case "object": {
      const members = (type.members ?? []).map(({ key, type: of }) => {
        const plain = typeof key === "string" && /^[A-Za-z_]\w*$/.test(key);
        return `${plain ? key : showValue(key)}: ${inner(of)}`;
      });
      const rest = type.rest === undefined ? "" : `[${inner(type.rest.key)}: ${inner(type.rest.value)}]`;
      return members.length === 0 && rest !== "" ? `object${rest}` : `object<${members.join(", ")}>${rest}`;
    }
    case "union":
      return type.of.map(inner).join(" or ");
    case "function":
      return "function";
    default:
      return type.kind;
  }
}
