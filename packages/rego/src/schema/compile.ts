// SPDX-License-Identifier: Apache-2.0
// JSON Schema, drafts 4, 6 and 7, read and checked before use (draft-zyp-json-schema-04, draft-wright-json-schema-01,
// draft-handrews-json-schema-01). References lead within the document only: nothing is fetched.

import { BuiltinFailure } from "../builtin.ts";
import { Decimal } from "../decimal.ts";
import { jsonOf } from "../json-text.ts";
import { type Regex, regexOf } from "../re2/regex.ts";
import { PatternError } from "../re2/scan.ts";
import {
  compareNumbers,
  isObject,
  keysOf,
  kindOf,
  memberOf,
  type PlainObject,
  type RegoNumber,
  type Value,
} from "../value.ts";

/** What holds where no `$schema` names a draft: all keywords of all drafts. */
const HYBRID = 99;

export interface Schema {
  readonly root: Value;
  readonly draft: number;
  /** What each schema with a `$ref` refers to. */
  readonly targets: ReadonlyMap<Value, Value>;
  readonly patterns: ReadonlyMap<string, Regex>;
}

/** What compilation collects. */
interface Work {
  readonly draft: number;
  readonly targets: Map<Value, Value>;
  readonly patterns: Map<string, Regex>;
  /** Schemas by their absolute names, and the name that holds in each. */
  readonly named: Map<string, Value>;
  readonly bases: Map<Value, string>;
  readonly checked: Set<Value>;
  readonly spend: (steps: number) => void;
}

type Check = (value: Value, node: PlainObject, work: Work, keyword: string) => void;

const TYPES = ["array", "boolean", "integer", "number", "null", "object", "string"];
/** Names are resolved against this where a schema has none; nothing is ever fetched. */
const ROOT = "schema:///";

/** Checks a schema and resolves its references. Throws `BuiltinFailure` with the reference's messages. */
export function compileSchema(root: Value, spend: (steps: number) => void): Schema {
  const work: Work = {
    draft: draftOf(root),
    targets: new Map(),
    patterns: new Map(),
    named: new Map([[ROOT, root]]),
    bases: new Map(),
    checked: new Set(),
    spend,
  };
  nameSchemas(root, ROOT, work);
  checkSchema(root, work);
  return { root, draft: work.draft, targets: work.targets, patterns: work.patterns };
}

/** A pattern compiled. Throws `BuiltinFailure` with the message. */
export function patternOf(pattern: string, message: string, spend: (steps: number) => void): Regex {
  try {
    return regexOf(pattern, spend);
  } catch (cause) {
    if (cause instanceof PatternError) throw bad(message);
    throw cause;
  }
}

function draftOf(root: Value): number {
  const named = memberOf(root, "$schema");
  if (named === undefined) return HYBRID;
  if (typeof named !== "string") throw bad("$schema must be of type string");
  const draft = /^http:\/\/json-schema\.org\/draft-0([467])\/schema#?$/.exec(named)?.[1];
  return draft === undefined ? HYBRID : Number(draft);
}

/** Remembers every `$id` (draft 4: `id`) below, also where no schema stands: as the reference does. */
function nameSchemas(node: Value, base: string, work: Work): void {
  work.spend(1);
  if (typeof node !== "object" || node === null || node instanceof Decimal) return;
  if (Array.isArray(node)) {
    for (const item of node) nameSchemas(item, base, work);
    return;
  }
  const object = node as PlainObject;
  const id = memberOf(object, "id") ?? memberOf(object, "$id");
  const name = typeof id === "string" ? (absolute(id, base) ?? base) : base;
  if (typeof id === "string") work.named.set(name, node);
  work.bases.set(node, name);
  for (const key of keysOf(object)) nameSchemas(object[key] as Value, name, work);
}

function absolute(name: string, base: string): string | undefined {
  try {
    return new URL(name, base).href.replace(/#$/, "");
  } catch {
    return undefined;
  }
}

function checkSchema(node: Value, work: Work): void {
  work.spend(1);
  if (typeof node === "boolean" && work.draft >= 6) return;
  if (!isObject(node)) throw bad("Expected: Valid Schema, given: Invalid JSON");
  // References may lead back.
  if (work.checked.has(node)) return;
  work.checked.add(node);
  const object = node as PlainObject;
  for (const [keyword, [draft, check]] of CHECKS) {
    const value = memberOf(object, keyword);
    if (value === undefined || work.draft < draft) continue;
    if (keyword === "$ref") {
      text(value, object, work, keyword);
      follow(object, value as string, work);
      // Whatever stands beside a reference is not looked at (draft-wright-json-schema-01 section 8).
      return;
    }
    check(value, object, work, keyword);
  }
}

function follow(node: PlainObject, reference: string, work: Work): void {
  const target = resolve(reference, work.bases.get(node) ?? ROOT, work);
  if (typeof target !== "boolean" && !isObject(target)) throw bad("Valid Schema must be of type object");
  work.targets.set(node, target);
  checkSchema(target, work);
}

function resolve(reference: string, base: string, work: Work): Value {
  const name = absolute(reference, base);
  if (name === undefined) throw bad("a reference is no URI");
  const [document = "", fragment = ""] = name.split("#");
  const whole = work.named.get(name);
  if (whole !== undefined) return whole;
  let found = work.named.get(document);
  if (found === undefined) throw bad("remote references are not followed");
  if (fragment === "") return found;
  if (!fragment.startsWith("/")) throw bad(`a reference leads nowhere: ${fragment.slice(0, 40)}`);
  for (const part of decode(fragment).slice(1).split("/")) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    found = Array.isArray(found) ? (found[Number(key)] as Value | undefined) : memberOf(found, key);
    if (found === undefined) throw bad(`Object has no key '${key.slice(0, 40)}'`);
  }
  return found;
}

function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    throw bad("a reference is no URI");
  }
}

const text: Check = (value, _node, _work, keyword) => {
  if (typeof value !== "string") throw mistyped("string", keyword);
};

const schema: Check = (value, _node, work) => checkSchema(value, work);

/** A schema, where the reference says so when there is none. */
function schemaOr(complain: (keyword: string) => Error): Check {
  return (value, _node, work, keyword) => {
    if (typeof value !== "boolean" && !isObject(value)) throw complain(keyword);
    checkSchema(value, work);
  };
}

/** A boolean of whatever draft, or a schema. */
const booleanOrSchema: Check = (value, _node, work, keyword) => {
  if (typeof value === "boolean") return;
  if (!isObject(value)) throw mistyped("boolean/Valid Schema", keyword);
  checkSchema(value, work);
};

const schemas: Check = (value, _node, work, keyword) => {
  for (const item of listOf(value, keyword)) checkSchema(item, work);
};

const properties: Check = (value, _node, work, keyword) => {
  if (!isObject(value))
    throw bad(`${keyword === "properties" ? "Properties" : keyword} must be of type object`);
  for (const key of keysOf(value as PlainObject)) {
    const member = (value as PlainObject)[key] as Value;
    if (keyword === "dependencies" && Array.isArray(member)) {
      if (member.every((name) => typeof name === "string")) continue;
      throw bad("Dependency must be of type Schema Or Array Of Strings");
    }
    if (keyword === "dependencies" && typeof member !== "boolean" && !isObject(member)) {
      throw bad("Dependency must be of type Schema Or Array Of Strings");
    }
    checkSchema(member, work);
  }
};

const definitions: Check = (value, _node, work, keyword) => {
  const members = isObject(value) ? Object.values(value as PlainObject) : undefined;
  if (members?.every((member) => typeof member === "boolean" || isObject(member)) !== true) {
    throw mistyped("Array Of Schemas", keyword);
  }
  for (const member of members) checkSchema(member, work);
};

const patternProperties: Check = (value, _node, work, keyword) => {
  if (!isObject(value)) throw mistyped("Valid Schema", keyword);
  for (const key of keysOf(value as PlainObject)) {
    work.patterns.set(key, patternOf(key, `Invalid regex pattern '${key}'`, work.spend));
    checkSchema((value as PlainObject)[key] as Value, work);
  }
};

const pattern: Check = (value, node, work, keyword) => {
  text(value, node, work, keyword);
  work.patterns.set(value as string, patternOf(value as string, "pattern must be a valid regex", work.spend));
};

const type: Check = (value) => {
  const names = Array.isArray(value) ? (value as readonly Value[]) : [value];
  for (const [i, name] of names.entries()) {
    if (typeof name !== "string") throw mistyped("type", "string/Array Of Strings");
    if (!TYPES.includes(name)) {
      throw bad(
        `has a primitive type that is NOT VALID -- given: /${name}/ Expected valid values are:[${TYPES.join(" ")}]`,
      );
    }
    if (names.indexOf(name) < i) throw bad(`${name} type is duplicated`);
  }
};

const items: Check = (value, _node, work, keyword) => {
  for (const item of Array.isArray(value) ? (value as readonly Value[]) : [value]) {
    if (typeof item !== "boolean" && !isObject(item))
      throw mistyped("Valid Schema/Array Of Schemas", keyword);
    checkSchema(item, work);
  }
};

const multipleOf: Check = (value, _node, _work, keyword) => {
  if (kindOf(value) !== "number") throw mistyped("Number", keyword);
  if (compareNumbers(value as RegoNumber, 0) <= 0) throw bad("multipleOf must be strictly greater than 0");
};

const bound: Check = (value, _node, _work, keyword) => {
  if (kindOf(value) !== "number") throw bad(`${keyword} must be of a Number`);
};

/** In draft 4 `true` beside the bound, later a bound of its own. */
function exclusive(beside: string): Check {
  return (value, node, { draft }, keyword) => {
    if (typeof value === "boolean" && (draft === 4 || draft === HYBRID)) {
      if (memberOf(node, beside) === undefined) throw bad(`${keyword} cannot be used without ${beside}`);
    } else if (kindOf(value) !== "number" || draft === 4) {
      throw mistyped(draft === 4 ? "boolean" : draft === HYBRID ? "boolean/number" : "number", keyword);
    }
  };
}

/** A count, and the least one beside the most. */
function count(least?: string, message = ""): Check {
  return (value, node, _work, keyword) => {
    if (!Number.isSafeInteger(value)) throw bad(`${keyword} must be of an integer`);
    if ((value as number) < 0) throw bad(`${keyword} must be greater than or equal to 0`);
    const other = least === undefined ? undefined : memberOf(node, least);
    if (typeof other === "number" && other > (value as number)) throw bad(message);
  };
}

const required: Check = (value, _node, _work, keyword) => {
  const names = listOf(value, keyword);
  if (!names.every((name) => typeof name === "string")) throw mistyped("string", keyword);
  if (new Set(names).size !== names.length) throw bad("required items must be unique");
};

const enumeration: Check = (value, _node, _work, keyword) => {
  const members = listOf(value, keyword).map((member) => jsonOf(member));
  if (new Set(members).size !== members.length) throw bad("enum items must be unique");
};

const flag: Check = (value, _node, _work, keyword) => {
  if (typeof value !== "boolean") throw bad(`${keyword} must be of a boolean`);
};

const nothing: Check = () => {};
const object = schemaOr((keyword) => bad(`${keyword} must be of an object`));

/** By keyword, in the order of the reference: the first draft that has it, and what it demands. */
const CHECKS = new Map<string, readonly [draft: number, check: Check]>([
  [
    "id",
    [
      4,
      (value, node, work, keyword) =>
        work.draft === 4 || work.draft === HYBRID ? text(value, node, work, keyword) : undefined,
    ],
  ],
  ["$id", [6, text]],
  ["definitions", [4, definitions]],
  ["title", [4, text]],
  ["description", [4, text]],
  ["$ref", [4, text]],
  ["type", [4, type]],
  ["properties", [4, properties]],
  ["additionalProperties", [4, booleanOrSchema]],
  ["patternProperties", [4, patternProperties]],
  ["propertyNames", [6, schemaOr(() => mistyped("Valid Schema", "patternProperties"))]],
  ["dependencies", [4, properties]],
  ["items", [4, items]],
  ["additionalItems", [4, booleanOrSchema]],
  ["multipleOf", [4, multipleOf]],
  ["minimum", [4, bound]],
  ["exclusiveMinimum", [4, exclusive("minimum")]],
  ["maximum", [4, bound]],
  ["exclusiveMaximum", [4, exclusive("maximum")]],
  ["minLength", [4, count()]],
  ["maxLength", [4, count("minLength", "minLength cannot be greater than maxLength")]],
  ["pattern", [4, pattern]],
  ["format", [4, text]],
  ["minProperties", [4, count()]],
  ["maxProperties", [4, count("minProperties", "minProperties cannot be greater than maxProperties")]],
  ["required", [4, required]],
  ["minItems", [4, count()]],
  ["maxItems", [4, count()]],
  ["uniqueItems", [4, flag]],
  ["contains", [6, schema]],
  ["const", [6, nothing]],
  ["enum", [4, enumeration]],
  ["oneOf", [4, schemas]],
  ["anyOf", [4, schemas]],
  ["allOf", [4, schemas]],
  ["not", [4, object]],
  ["if", [7, object]],
  ["then", [7, object]],
  ["else", [7, object]],
]);

function listOf(value: Value, keyword: string): readonly Value[] {
  if (Array.isArray(value)) return value;
  throw bad(`${keyword} must be of an array`);
}

function mistyped(expected: string, given: string): BuiltinFailure {
  return bad(`Invalid type. Expected: ${expected}, given: ${given}`);
}

function bad(message: string): BuiltinFailure {
  return new BuiltinFailure("builtin", message);
}
