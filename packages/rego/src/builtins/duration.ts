// SPDX-License-Identifier: Apache-2.0
// Durations as Go writes them, `1h30m`, with days, weeks and years of 24 hours, 7 and 365 days.

import { Decimal } from "../decimal.ts";
import { failure } from "./define.ts";

const UNITS = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["\u00b5s", 1e3],
  ["\u03bcs", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
  ["m", 6e10],
  ["h", 3.6e12],
]);
const HOURS = new Map([
  ["d", 24],
  ["w", 168],
  ["y", 8760],
]);
const LIMIT = 2n ** 63n;

/** Nanoseconds. Throws `BuiltinFailure` for other text and for what 64 bits do not hold. */
export function parseDuration(text: string): bigint {
  const [, sign = "", rest = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === "0") return 0n;
  const parts = [...rest.matchAll(/(\d*)(?:\.(\d*))?([^\d.]+)/g)];
  if (rest === "" || parts.reduce((length, part) => length + part[0].length, 0) !== rest.length)
    throw invalid();
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of parts) {
    if (whole === "" && fraction === "") throw invalid();
    total += nanosecondsOf(whole, fraction, unit);
  }
  if (total > LIMIT || (total === LIMIT && sign !== "-")) throw invalid();
  return sign === "-" ? -total : total;
}

function nanosecondsOf(whole: string, fraction: string, unit: string): bigint {
  const hours = HOURS.get(unit);
  if (hours !== undefined) {
    // The reference rewrites these to hours, and the double to its shortest text, first.
    const { digits, exponent } = Decimal.of(Number(`0${whole}.${fraction}0`) * hours);
    const text = String(digits).padStart(1 - exponent, "0");
    const point = text.length + Math.min(0, exponent);
    return nanosecondsOf(text.slice(0, point), text.slice(point), "h");
  }
  const size = UNITS.get(unit);
  if (size === undefined || whole.length > 30) throw invalid();
  // As many digits of the fraction as 64 bits hold.
  const kept = fraction.slice(0, 18);
  const part = BigInt(Math.trunc(Number(kept) * (size / 10 ** kept.length)));
  const nanoseconds = BigInt(whole || 0) * BigInt(size) + part;
  if (nanoseconds > LIMIT) throw invalid();
  return nanoseconds;
}

function invalid(): Error {
  return failure("invalid duration");
}
