// SPDX-License-Identifier: Apache-2.0
// YAML to values. The library `yaml` parses; what its nodes mean is decided here, so that aliases cost what they stand
// for, nesting is bounded, and scalars are those of the reference.

import { type Bytes, fromBase64 } from "@adyton/core/bytes";
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Pair,
  parseAllDocuments,
  type Scalar,
} from "yaml";
import type { BuiltinContext } from "../builtin.ts";
import { failure } from "../builtins/define.ts";
import { guarded } from "../crypto/guard.ts";
import { formatNumber } from "../number.ts";
import { textOf } from "../utf8.ts";
import { isObject, kindOf, type PlainObject, type RegoNumber, setMember, type Value } from "../value.ts";
import { resolvePlain } from "./scalar.ts";

const MAX_TEXT = 1024 * 1024;
const MAX_DEPTH = 200;
/** Values that a document may stand for, aliases counted in full. */
const MAX_VALUES = 1_000_000;
const TAG = "tag:yaml.org,2002:";

/** A value with the number of values in it, itself counted, and their depth. */
interface Read {
  readonly value: Value;
  readonly size: number;
  readonly depth: number;
}

/** The first document; the others must be well formed. Throws a `BuiltinFailure`. */
export function readYaml(text: string, context: BuiltinContext): Value {
  if (text.length > MAX_TEXT) throw failure(`yaml: ${text.length} characters, at most ${MAX_TEXT} are read`);
  // The library makes several objects of each token.
  context.spend(1 + text.length);
  const documents = parsed(text);
  for (const { errors, directives } of documents) {
    const [error] = errors;
    if (error !== undefined)
      throw failure(`yaml: ${error.code.toLowerCase().replaceAll("_", " ")} at offset ${error.pos[0]}`);
    if (directives?.yaml.explicit === true && directives.yaml.version !== "1.1")
      throw failure("yaml: found incompatible YAML document");
  }
  const [first] = documents;
  return first === undefined ? null : new Reader(text, context).read(first.contents, 0).value;
}

function parsed(text: string): readonly Document.Parsed[] {
  try {
    // Every scalar stays text here.
    const documents = parseAllDocuments(text, {
      schema: "failsafe",
      uniqueKeys: false,
      logLevel: "silent",
      prettyErrors: false,
    });
    return "empty" in documents ? [] : documents;
  } catch (error) {
    if (error instanceof RangeError) throw failure("yaml: nested too deeply");
    throw error;
  }
}

/** Reads nodes in the order of the text, so that an alias finds the anchor that stands last before it. */
class Reader {
  /** Where the text ends without a line end: a block there has none either. */
  readonly #openEnd: number;
  readonly #context: BuiltinContext;
  readonly #anchors = new Map<string, Read>();
  #total = 0;

  constructor(text: string, context: BuiltinContext) {
    this.#openEnd = text.endsWith("\n") ? -1 : text.length;
    this.#context = context;
  }

  read(node: unknown, depth: number): Read {
    if (depth > MAX_DEPTH) throw failure("yaml: nested too deeply");
    if (isAlias(node)) return this.#count(this.#named(node.source, depth), true);
    const anchor = isNode(node) && !isAlias(node) ? node.anchor : undefined;
    const read = this.#count(this.#plain(node, depth), false);
    if (anchor !== undefined) this.#anchors.set(anchor, read);
    return read;
  }

  #plain(node: unknown, depth: number): Read {
    if (node === null || node === undefined) return leaf(null);
    if (isScalar(node)) {
      const text = node.source ?? "";
      const isOpen = node.type?.startsWith("BLOCK_") === true && node.range?.[1] === this.#openEnd;
      return leaf(scalarOf(node, isOpen ? text.replace(/\n$/, "") : text));
    }
    if (isMap(node)) return this.#map(node.items, depth);
    if (!isSeq(node) || node.items.some(isPair)) throw failure("yaml: a collection of unknown kind");
    const items = node.items.map((item) => this.read(item, depth + 1));
    return { value: items.map(({ value }) => value), ...extentOf(items) };
  }

  /** Of members that stand twice, the last one counts; merged ones count least (YAML 1.1, "merge key"). */
  #map(pairs: readonly Pair[], depth: number): Read {
    const object: Record<string, Value> = {};
    const merged: PlainObject[] = [];
    const members: Read[] = [];
    for (const { key, value } of pairs) {
      const name = isScalar(key) && isMerge(key) ? undefined : keyOf(this.read(key, depth + 1).value);
      const member = this.read(value, depth + 1);
      members.push(member);
      if (name === undefined) merged.push(...sourcesOf(member.value));
      else setMember(object, name, member.value);
    }
    for (const source of merged) {
      for (const name of Object.keys(source)) {
        if (!Object.hasOwn(object, name)) setMember(object, name, source[name] as Value);
      }
    }
    return { value: object, ...extentOf(members) };
  }

  #named(anchor: string, depth: number): Read {
    const read = this.#anchors.get(anchor);
    // The anchor of a node that is not read to its end is not there yet: nothing contains itself.
    if (read === undefined) throw failure("yaml: an alias without an anchor, or inside what it names");
    if (depth + read.depth > MAX_DEPTH) throw failure("yaml: nested too deeply");
    return read;
  }

  /** What an alias stands for costs as much as if it were written out. */
  #count(read: Read, whole: boolean): Read {
    const added = whole ? read.size : 1;
    this.#total += added;
    if (this.#total > MAX_VALUES) throw failure(`yaml: more than ${MAX_VALUES} values`);
    this.#context.spend(added);
    return read;
  }
}

function leaf(value: Value): Read {
  return { value, size: 1, depth: 0 };
}

function extentOf(members: readonly Read[]): { size: number; depth: number } {
  return members.reduce(
    (extent, { size, depth }) => ({ size: extent.size + size, depth: Math.max(extent.depth, depth + 1) }),
    { size: 1, depth: 0 },
  );
}

function scalarOf(node: Scalar, text: string): Value {
  const tag = node.tag?.startsWith(TAG) ? node.tag.slice(TAG.length) : undefined;
  if (tag === "binary") return textOf(binary(text));
  // Quoted, or with a tag of somebody's own.
  if (tag === "str" || tag === "timestamp") return text;
  if (tag === undefined && (node.tag !== undefined || node.type !== "PLAIN")) return text;
  const value = resolvePlain(text);
  if (value === undefined) throw failure("yaml: JSON has neither infinities nor NaN");
  const kind = kindOf(value);
  const fits = { int: "number", float: "number", bool: "boolean", null: "null" }[tag ?? ""];
  if (fits !== undefined && fits !== kind) throw failure(`yaml: cannot decode ${kind} as a ${tag}`);
  return value;
}

function binary(text: string): Bytes {
  return guarded(() => fromBase64(text.replace(/\s/g, "")));
}

function isMerge(key: Scalar): boolean {
  return key.source === "<<" && (key.type === "PLAIN" || key.tag === `${TAG}merge`);
}

function sourcesOf(value: Value): readonly PlainObject[] {
  const sources = Array.isArray(value) ? (value as readonly Value[]) : [value];
  if (sources.every(isObject)) return sources as readonly PlainObject[];
  throw failure("yaml: map merge requires map or sequence of maps as the value");
}

/** Keys are strings in JSON: numbers and booleans become their text. */
function keyOf(value: Value): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (kindOf(value) === "number") return formatNumber(value as RegoNumber);
  throw failure(`yaml: a key is ${kindOf(value)}, JSON has only strings`);
}
