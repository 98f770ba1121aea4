// SPDX-License-Identifier: Apache-2.0
// Values as templates see them, and the functions that templates may call: those of Go's package text/template on what
// the reference hands it. Numbers of a policy are texts there, numbers of the template are not.

import { formatText } from "../builtins/sprintf.ts";
import { floatText } from "../float-text.ts";
import { formatNumber } from "../number.ts";
import { showValue } from "../show.ts";
import {
  compareStrings,
  entriesOf,
  kindOf,
  type PlainObject,
  type RegoNumber,
  type RegoObject,
  type RegoSet,
  type Value,
} from "../value.ts";
import { templateFailure } from "./lexer.ts";

/** `undefined` is what is not there; a bigint or a number is one that the template wrote. */
export type TemplateValue =
  | undefined
  | null
  | boolean
  | string
  | bigint
  | number
  | readonly TemplateValue[]
  | ReadonlyMap<string, TemplateValue>;

/** Sets become lists, numbers texts, keys that are no strings their own text. One step for each value. */
export function templateValue(value: Value, spend: Spend): TemplateValue {
  spend(1);
  const below = (member: Value): TemplateValue => templateValue(member, spend);
  switch (kindOf(value)) {
    case "number":
      return formatNumber(value as RegoNumber);
    case "array":
      return (value as readonly Value[]).map(below);
    case "set":
      return (value as RegoSet).sorted().map(below);
    case "object": {
      const entries = entriesOf(value as PlainObject | RegoObject);
      return new Map(
        entries.map(([key, member]) => [typeof key === "string" ? key : showValue(key), below(member)]),
      );
    }
    default:
      return value as null | boolean | string;
  }
}

export function isTrue(value: TemplateValue): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value instanceof Map ? value.size > 0 : Boolean(value);
}

/** Entries of a map in order of keys. */
export function sortedEntries(map: ReadonlyMap<string, TemplateValue>): [string, TemplateValue][] {
  return [...map].sort(([a], [b]) => compareStrings(a, b));
}

/** As Go prints it: `[a b]`, `map[k:v]`. */
export function textOf(value: TemplateValue, none = "<nil>"): string {
  if (value === undefined || value === null) return none;
  if (typeof value === "number") return (value < 0 ? "-" : "") + floatText(value, "g", undefined);
  if (typeof value !== "object") return String(value);
  if (value instanceof Map) {
    return `map[${sortedEntries(value)
      .map(([key, member]) => `${key}:${textOf(member)}`)
      .join(" ")}]`;
  }
  return `[${(value as readonly TemplateValue[]).map((member) => textOf(member)).join(" ")}]`;
}

type Spend = (steps: number) => void;
type Call = (args: readonly TemplateValue[], spend: Spend) => TemplateValue;

/** By name; `and` and `or` stop early and are no calls. */
export const templateFunctions: ReadonlyMap<string, Call> = /* @__PURE__ */ new Map<string, Call>([
  ["not", (args) => !isTrue(only(args))],
  ["len", (args) => length(only(args))],
  ["index", ([item, ...keys]) => keys.reduce(member, item)],
  ["print", (args) => printed(args)],
  ["println", (args) => `${args.map((arg) => textOf(arg)).join(" ")}\n`],
  ["printf", printf],
  ["eq", (args) => equal(args)],
  ["ne", (args) => !equal(two(args))],
  ["lt", (args) => order(args) < 0],
  ["le", (args) => order(args) <= 0],
  ["gt", (args) => order(args) > 0],
  ["ge", (args) => order(args) >= 0],
]);

function only(args: readonly TemplateValue[]): TemplateValue {
  if (args.length !== 1) throw templateFailure(`wrong number of args: want 1 got ${args.length}`);
  return args[0];
}

function two(args: readonly TemplateValue[]): readonly TemplateValue[] {
  if (args.length !== 2) throw templateFailure(`wrong number of args: want 2 got ${args.length}`);
  return args;
}

/** In bytes, for a string. */
function length(value: TemplateValue): bigint {
  if (typeof value === "string") return BigInt(new TextEncoder().encode(value).length);
  if (Array.isArray(value)) return BigInt(value.length);
  if (value instanceof Map) return BigInt(value.size);
  throw templateFailure("len of a value that has none");
}

/** Of a string, a byte. */
function member(item: TemplateValue, key: TemplateValue): TemplateValue {
  if (item instanceof Map && typeof key === "string") return item.get(key);
  const list = typeof item === "string" ? Array.from(new TextEncoder().encode(item), BigInt) : item;
  if (Array.isArray(list) && typeof key === "bigint" && key >= 0n && key < BigInt(list.length)) {
    return list[Number(key)];
  }
  throw templateFailure("cannot index that way, or index out of range");
}

/** Spaces stand between two that are no strings. */
function printed(args: readonly TemplateValue[]): string {
  return args.reduce<string>((out, arg, i) => {
    const between = i > 0 && typeof arg !== "string" && typeof args[i - 1] !== "string";
    return `${out}${between ? " " : ""}${textOf(arg)}`;
  }, "");
}

function printf(args: readonly TemplateValue[], spend: Spend): string {
  const [format, ...operands] = args;
  if (typeof format !== "string") throw templateFailure("wrong type for format; expected string");
  const values = operands.map((operand) => (typeof operand === "bigint" ? operand : numberOrText(operand)));
  return formatText(format, values, spend);
}

function numberOrText(operand: TemplateValue): Value {
  return typeof operand === "number" ? operand : textOf(operand);
}

function equal([first, ...others]: readonly TemplateValue[]): boolean {
  if (others.length === 0) throw templateFailure("missing argument for comparison");
  return others.some((other) => {
    if ((first ?? null) === null || (other ?? null) === null) return (first ?? null) === (other ?? null);
    if (typeof first !== typeof other || typeof first === "object") {
      throw templateFailure("incompatible types for comparison");
    }
    return first === other;
  });
}

function order(args: readonly TemplateValue[]): number {
  const [a, b] = two(args);
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  if ((typeof a === "bigint" && typeof b === "bigint") || (typeof a === "number" && typeof b === "number")) {
    return a < b ? -1 : a > b ? 1 : 0;
  }
  throw templateFailure("incompatible types for comparison");
}
