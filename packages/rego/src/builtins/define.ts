// SPDX-License-Identifier: Apache-2.0
// How functions are written: a name, a type, a call; and the checks of operands with the messages of the reference.

import { type Builtin, BuiltinFailure } from "../builtin.ts";
import { toBigInt } from "../number.ts";
import { ANY, anyOf, arrayOf, dictionaryOf, setOf, type Type, takes } from "../types.ts";
import {
  type Kind,
  kindOf,
  type PlainObject,
  type RegoNumber,
  type RegoObject,
  RegoSet,
  type Value,
} from "../value.ts";

export const ANY_ARRAY: Type = arrayOf(ANY);
export const ANY_SET: Type = setOf(ANY);
export const ANY_OBJECT: Type = dictionaryOf(ANY, ANY);
/** An array or a set of anything. */
export const ANY_LIST: Type = anyOf(ANY_ARRAY, ANY_SET);

/** A deterministic function of these arguments. */
export function define(name: string, args: readonly Type[], result: Type, call: Builtin["call"]): Builtin {
  return { name, type: takes(args, result), call };
}

/** The failure of an operand that is of a wrong type or shape; positions count from 1. */
export function operandFailure(position: number, message: string): BuiltinFailure {
  return new BuiltinFailure("type", `operand ${position} ${message}`);
}

/** The failure of a function for a reason other than a type. */
export function failure(message: string): BuiltinFailure {
  return new BuiltinFailure("builtin", message);
}

export function stringAt(value: Value, position: number): string {
  if (typeof value === "string") return value;
  throw wrong(value, position, "string");
}

export function numberAt(value: Value, position: number): RegoNumber {
  if (kindOf(value) === "number") return value as RegoNumber;
  throw wrong(value, position, "number");
}

/** Any integer. */
export function bigIntAt(value: Value, position: number): bigint {
  const integer = toBigInt(numberAt(value, position));
  if (integer === undefined) throw fractional(position);
  return integer;
}

/** An integer of 64 bits, as a double: near enough for what counts, shifts and cuts. */
export function integerAt(value: Value, position: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  const integer = bigIntAt(value, position);
  if (BigInt.asIntN(64, integer) !== integer) throw fractional(position);
  return Number(integer);
}

export function arrayAt(value: Value, position: number): readonly Value[] {
  if (Array.isArray(value)) return value;
  throw wrong(value, position, "array");
}

export function setAt(value: Value, position: number): RegoSet {
  if (value instanceof RegoSet) return value;
  throw wrong(value, position, "set");
}

/** The members of an array, or of a set in order. */
export function listAt(value: Value, position: number): readonly Value[] {
  if (value instanceof RegoSet) return value.sorted();
  if (Array.isArray(value)) return value;
  throw wrong(value, position, "set", "array");
}

export function objectAt(value: Value, position: number): PlainObject | RegoObject {
  if (kindOf(value) === "object") return value as PlainObject | RegoObject;
  throw wrong(value, position, "object");
}

/** The failure of an operand whose kind is none of those. */
export function wrong(value: Value, position: number, ...expected: readonly string[]): BuiltinFailure {
  const kinds = expected.length === 1 ? expected[0] : `one of {${expected.join(", ")}}`;
  return operandFailure(position, `must be ${kinds} but got ${kindOf(value)}`);
}

/** The failure of a list with a member of a wrong kind. */
export function wrongMember(list: Value, member: Value, position: number, expected: Kind): BuiltinFailure {
  const kind = kindOf(list);
  return operandFailure(
    position,
    `must be ${kind} of ${expected}s but got ${kind} containing ${kindOf(member)}`,
  );
}

function fractional(position: number): BuiltinFailure {
  return operandFailure(position, "must be integer number but got floating-point number");
}
