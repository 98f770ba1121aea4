// SPDX-License-Identifier: Apache-2.0
// Amounts with SI and binary units: `10Ki`, `200m`, `1.5GB`.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { Decimal } from "../decimal.ts";
import { fromBigInt, numberOf, truncatedProduct } from "../number.ts";
import { NUMBER, STRING } from "../types.ts";
import type { RegoNumber, Value } from "../value.ts";
import { define, failure, stringAt } from "./define.ts";

const PREFIXES = ["", "k", "m", "g", "t", "p", "e"];
/** The reference multiplies by the double next to 1/1000: this many units of 2^-60. */
const MILLI = 1152921504606847n;
/** The number before the unit; `e` belongs to it when an exponent follows. */
const AMOUNT = /^((?:[0-9.+-]|e[0-9+-])*)(.*)$/is;

export const units: readonly Builtin[] = [
  define("units.parse", [STRING], NUMBER, (text: Value, context: BuiltinContext) => {
    const [amount, unit] = split(stringAt(text, 1), context);
    const number = Decimal.of(amountOf(amount));
    // Only a lone m is told from M.
    if (unit === "m") return fixed(number.digits * MILLI, number.exponent, 60n);
    return fixed(number.digits * factorOf(unit.toLowerCase()), number.exponent, 0n);
  }),
  define("units.parse_bytes", [STRING], NUMBER, (text: Value, context: BuiltinContext) => {
    const [amount, unit] = split(stringAt(text, 1).toLowerCase(), context);
    const factor = factorOf(unit === "b" ? "?" : unit.replace(/b$/, ""));
    return truncatedProduct(amountOf(amount), fromBigInt(factor));
  }),
];

function split(text: string, context: BuiltinContext): [amount: string, unit: string] {
  context.spend(text.length >> 4);
  const plain = text.replaceAll('"', "");
  if (plain.includes(" ")) throw failure("spaces not allowed in resource strings");
  const [, amount = "", unit = ""] = AMOUNT.exec(plain) ?? [];
  if (amount === "") throw failure("no amount provided");
  return [amount, unit];
}

function amountOf(text: string): RegoNumber {
  const match = /^([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))((?:e[+-]?\d{1,6})?)$/i.exec(text);
  if (match === null) throw failure("could not parse amount to a number");
  const [, sign, whole = "0", fraction = "", only = fraction, exponent = ""] = match;
  return numberOf(`${sign === "-" ? "-" : ""}${whole}.${only}0${exponent}`);
}

function factorOf(unit: string): bigint {
  const binary = unit.length === 2 && unit.endsWith("i");
  const power = PREFIXES.indexOf(binary ? unit.slice(0, 1) : unit);
  if (power < 0) throw failure(`unit ${unit.slice(0, 40)} not recognized`);
  return (binary ? 1024n : 1000n) ** BigInt(power);
}

/** digits × 10^exponent ÷ 2^shift: an integer, or rounded to ten places, half away from zero. */
function fixed(digits: bigint, exponent: number, shift: bigint): RegoNumber {
  const numerator = exponent < 0 ? digits : digits * 10n ** BigInt(exponent);
  const denominator = (exponent < 0 ? 10n ** BigInt(-exponent) : 1n) << shift;
  if (numerator % denominator === 0n) return fromBigInt(numerator / denominator);
  const scaled = (2n * numerator * 10n ** 10n) / denominator;
  return numberOf(`${(scaled + (scaled < 0n ? -1n : 1n)) / 2n}e-10`);
}
