// SPDX-License-Identifier: Apache-2.0
// Conversions: `to_number`, and the casts of v0, which only look whether there is anything to do.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { numberOf } from "../number.ts";
import { ANY, anyOf, BOOLEAN, NULL, NUMBER, STRING, type Type } from "../types.ts";
import { type Kind, kindOf, RegoSet, type Value } from "../value.ts";
import { ANY_ARRAY, ANY_OBJECT, ANY_SET, define, failure, listAt, operandFailure, wrong } from "./define.ts";

const DECIMAL = /^([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))((?:[eE][+-]?\d+)?)$/;

export const conversions: readonly Builtin[] = [
  define(
    "to_number",
    [anyOf(NULL, BOOLEAN, NUMBER, STRING)],
    NUMBER,
    (value: Value, context: BuiltinContext) => {
      if (value === null || typeof value === "boolean") return Number(value);
      if (kindOf(value) === "number") return value;
      if (typeof value !== "string") throw wrong(value, 1, "null", "boolean", "number", "string");
      context.spend(value.length >> 4);
      return parseDecimal(value);
    },
  ),
  cast("string", STRING),
  cast("boolean", BOOLEAN),
  cast("null", NULL),
  cast("object", ANY_OBJECT),
  define("cast_array", [ANY], ANY_ARRAY, members),
  define("cast_set", [ANY], ANY_SET, (value: Value, context: BuiltinContext) =>
    RegoSet.of(members(value, context)),
  ),
];

/**
 * A number as Go's `strconv.ParseFloat` reads decimals: a sign, digits left or right of a point, an exponent; nothing
 * beyond the range of doubles. Unlike there, no hexadecimal.
 */
function parseDecimal(text: string): Value {
  if (/^[+-]*(inf|infinity|nan)$/i.test(text)) throw operandFailure(1, "must be valid number string");
  const match = DECIMAL.exec(text);
  if (match === null || !Number.isFinite(Number(text)))
    throw failure(`"${text.slice(0, 40)}" is not a number`);
  const [, sign, whole = "0", fraction = "", only = fraction, exponent = ""] = match;
  return numberOf(`${sign === "-" ? "-" : ""}${whole}.${only}0${exponent}`);
}

function cast(kind: Kind, type: Type): Builtin {
  const call = (value: Value): Value => {
    if (kindOf(value) === kind) return value;
    throw wrong(value, 1, kind);
  };
  return define(`cast_${kind}`, [ANY], type, call);
}

function members(value: Value, context: BuiltinContext): readonly Value[] {
  const list = listAt(value, 1);
  context.spend(list.length);
  return list;
}
