// SPDX-License-Identifier: Apache-2.0
// Numbers as the reference implementation computes them: integers exactly, fractions in binary floating point with a
// mantissa of 64 bits, which are then read back from their shortest decimal text (OPA 1.22, arithmetic functions).

import { BuiltinFailure } from "./builtin.ts";
import { Decimal } from "./decimal.ts";
import type { RegoNumber } from "./value.ts";

/** Decimal digits left of the point, or zeros right of it, that a number may have: 2^±100,000. */
const MAX_MAGNITUDE = 30_103;
const PRECISION = 64;
/** Integers have no more bits than this. */
export const MAX_BITS = 100_000n;
const JSON_NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** mantissa × 2^exponent */
type Float = readonly [mantissa: bigint, exponent: number];

/**
 * The number that JSON text stands for; leading zeros are taken. Throws `BuiltinFailure` for other text and for numbers
 * beyond 2^±100,000.
 */
export function numberOf(text: string): RegoNumber {
  const match = JSON_NUMBER.exec(text);
  if (match === null) throw new BuiltinFailure("builtin", `"${text.slice(0, 40)}" is not a number`);
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  if (fraction === "" && exponent === "0" && whole.length < 16) return Number(text) || 0;
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return 0;
  return fromDecimal(sign + digits, Number(exponent) - fraction.length);
}

/** JSON text: integers in full, small fractions with an exponent as JavaScript writes it. */
export function formatNumber(value: RegoNumber): string {
  if (typeof value === "number") {
    return Number.isInteger(value) && Math.abs(value) >= 1e21 ? String(BigInt(value)) : String(value);
  }
  if (typeof value === "bigint") return String(value);
  const sign = value.digits < 0n ? "-" : "";
  const digits = String(value.digits).slice(sign.length);
  const point = digits.length + value.exponent;
  if (point > 0) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  if (point > -6) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return `${sign}${digits[0]}${digits.length > 1 ? `.${digits.slice(1)}` : ""}e${point - 1}`;
}

/** The integer that a number is, or undefined for a fraction. */
export function toBigInt(value: RegoNumber): bigint | undefined {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : undefined;
}

/** The number of an integer: `number` when it is safe. Throws `BuiltinFailure` beyond 2^100,000. */
export function fromBigInt(value: bigint): RegoNumber {
  const near = Number(value);
  if (Number.isSafeInteger(near)) return near;
  if (!Number.isFinite(near) && bitLength(magnitude(value)) > MAX_BITS) throw tooBig();
  return value;
}

/** The steps that an operation on a number is worth beyond one: it grows with its digits. */
export function weightOf(value: RegoNumber): number {
  if (typeof value === "number") {
    return Number.isInteger(value) ? 0 : Math.ceil(10 + 3 * Math.abs(Math.log10(Math.abs(value))));
  }
  if (value instanceof Decimal)
    return 50 + weightOf(value.digits) + Math.ceil((value.exponent / 2 ** 7) ** 2);
  // Multiplication takes more than linear time.
  return Number.isFinite(Number(value)) ? 0 : Math.ceil((bitLength(magnitude(value)) / 2 ** 8) ** 2);
}

export function add(a: RegoNumber, b: RegoNumber): RegoNumber {
  if (typeof a === "number" && typeof b === "number" && Number.isInteger(a) && Number.isInteger(b)) {
    const sum = a + b;
    if (Number.isSafeInteger(sum) && Number.isSafeInteger(a)) return sum;
  }
  const left = toBigInt(a);
  const right = toBigInt(b);
  if (left !== undefined && right !== undefined) return fromBigInt(left + right);
  return fromFloat(addFloats(toFloat(a), toFloat(b)));
}

export function sub(a: RegoNumber, b: RegoNumber): RegoNumber {
  return add(a, neg(b));
}

export function mul(a: RegoNumber, b: RegoNumber): RegoNumber {
  if (typeof a === "number" && typeof b === "number" && Number.isInteger(a) && Number.isInteger(b)) {
    const product = a * b;
    // A safe product has safe factors, unless one is zero. Adding zero turns -0 to 0.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  const left = toBigInt(a);
  const right = toBigInt(b);
  if (left !== undefined && right !== undefined) return fromBigInt(left * right);
  return fromFloat(mulFloats(toFloat(a), toFloat(b), PRECISION));
}

/** Throws `BuiltinFailure` for a zero divisor. */
export function div(a: RegoNumber, b: RegoNumber): RegoNumber {
  if (b === 0) throw new BuiltinFailure("builtin", "divide by zero");
  if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) {
    const quotient = (a as number) / (b as number);
    // Doubles of this size divide exactly or not at all.
    if (Number.isInteger(quotient) && quotient * (b as number) === a) return quotient + 0;
  }
  const [mantissa, exponent] = toFloat(a);
  const [divisor, shift] = toFloat(b);
  return fromFloat(ratio(mantissa, divisor, exponent - shift));
}

/** With the sign of the dividend. Throws `BuiltinFailure` for a zero divisor and for fractions. */
export function rem(a: RegoNumber, b: RegoNumber): RegoNumber {
  if (b === 0 && toBigInt(a) !== undefined) throw new BuiltinFailure("builtin", "modulo by zero");
  if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) return ((a as number) % (b as number)) + 0;
  const left = toBigInt(a);
  const right = toBigInt(b);
  if (left === undefined || right === undefined) {
    throw new BuiltinFailure("builtin", "modulo on floating-point number");
  }
  return fromBigInt(left % right);
}

export function neg(a: RegoNumber): RegoNumber {
  if (a instanceof Decimal) return new Decimal(-a.digits, a.exponent);
  return a === 0 ? 0 : -a;
}

/** As the reference: beyond 64 bits the result is rounded to them. */
export function abs(a: RegoNumber): RegoNumber {
  if (Number.isSafeInteger(a)) return Math.abs(a as number);
  const [mantissa, exponent] = toFloat(a);
  return fromFloat([magnitude(mantissa), exponent]);
}

/** Half away from zero. */
export function round(a: RegoNumber): RegoNumber {
  if (Number.isSafeInteger(a)) return a;
  const float = toFloat(a);
  return fromBigInt(truncate(addFloats(float, [float[0] < 0n ? -1n : 1n, -1])));
}

/** As the reference: the integer part, and one more for a fraction above -1, so that `ceil(-0.5)` is 1. */
export function ceil(a: RegoNumber): RegoNumber {
  if (Number.isSafeInteger(a)) return a;
  const float = toFloat(a);
  const whole = truncate(float);
  return fromBigInt(whole < 0n || isWhole(float) ? whole : whole + 1n);
}

/** As the reference: the integer part, and one less for a fraction below -1, so that `floor(-0.5)` is 0. */
export function floor(a: RegoNumber): RegoNumber {
  if (Number.isSafeInteger(a)) return a;
  const float = toFloat(a);
  const whole = truncate(float);
  return fromBigInt(whole >= 0n || isWhole(float) ? whole : whole - 1n);
}

/** The sum of all, from left to right. */
export function sum(values: Iterable<RegoNumber>): RegoNumber {
  const exact = fold(values, 0, add);
  if (exact !== undefined) return exact;
  let total: Float = [0n, 0];
  for (const value of values) total = addFloats(total, toFloat(value));
  return fromFloat(total);
}

/** The product of all, from left to right; with a fraction among them in 53 bits, as the reference. */
export function product(values: Iterable<RegoNumber>): RegoNumber {
  const exact = fold(values, 1, mul);
  if (exact !== undefined) return exact;
  let total: Float = [1n, 0];
  for (const value of values) total = mulFloats(total, toFloat(value), 53);
  return fromFloat(total, 53);
}

/** The product of two numbers, each rounded to 64 bits, without its fraction. */
export function truncatedProduct(a: RegoNumber, b: RegoNumber): RegoNumber {
  return fromBigInt(truncate(mulFloats(toFloat(a), toFloat(b), PRECISION)));
}

/** Undefined when there is a fraction. */
function fold(values: Iterable<RegoNumber>, start: number, step: typeof add): RegoNumber | undefined {
  let total: RegoNumber = start;
  for (const value of values) {
    if (value instanceof Decimal || (typeof value === "number" && !Number.isInteger(value))) return undefined;
    total = step(total, value);
  }
  return total;
}

function toFloat(value: RegoNumber): Float {
  const { digits, exponent } = Decimal.of(value);
  return exponent < 0 ? ratio(digits, 10n ** BigInt(-exponent), 0) : rounded(digits, exponent, PRECISION);
}

function addFloats([a, m]: Float, [b, n]: Float): Float {
  const exponent = Math.min(m, n);
  return rounded((a << BigInt(m - exponent)) + (b << BigInt(n - exponent)), exponent, PRECISION);
}

function mulFloats([a, m]: Float, [b, n]: Float, precision: number): Float {
  return rounded(a * b, m + n, precision);
}

/** a ÷ b × 2^exponent, correctly rounded. */
function ratio(a: bigint, b: bigint, exponent: number): Float {
  // Enough quotient bits to round, and one more that says whether anything is left.
  const shift = BigInt(Math.max(0, PRECISION + 2 + bitLength(magnitude(b)) - bitLength(magnitude(a))));
  const dividend = magnitude(a) << shift;
  const divisor = magnitude(b);
  const quotient = ((dividend / divisor) << 1n) | (dividend % divisor === 0n ? 0n : 1n);
  return rounded(a < 0n !== b < 0n ? -quotient : quotient, exponent - Number(shift) - 1, PRECISION);
}

/** To `precision` bits, half to even. */
function rounded(mantissa: bigint, exponent: number, precision: number): Float {
  const size = magnitude(mantissa);
  const excess = bitLength(size) - precision;
  if (excess <= 0) return [mantissa, exponent];
  const shift = BigInt(excess);
  const kept = size >> shift;
  const up = (size & ((1n << shift) - 1n)) + (kept & 1n) > 1n << (shift - 1n) ? kept + 1n : kept;
  return [mantissa < 0n ? -up : up, exponent + excess];
}

function truncate([mantissa, exponent]: Float): bigint {
  const size =
    exponent < 0 ? magnitude(mantissa) >> BigInt(-exponent) : magnitude(mantissa) << BigInt(exponent);
  return mantissa < 0n ? -size : size;
}

function isWhole([mantissa, exponent]: Float): boolean {
  return exponent >= 0 || (mantissa & ((1n << BigInt(-exponent)) - 1n)) === 0n;
}

/** The number that the shortest decimal text within half a unit of the last place stands for. */
function fromFloat(float: Float, precision: number = PRECISION): RegoNumber {
  const [signed, exponent] = float;
  if (signed === 0n) return 0;
  const mantissa = magnitude(signed);
  const bits = bitLength(mantissa);
  if (Math.abs(bits + exponent) > MAX_BITS) throw tooBig();
  if (bits + exponent <= 53 && isWhole(float)) return Number(truncate(float));
  const near = nearestDouble(signed, exponent, bits - precision);
  if (near !== undefined) return near;
  // Everything in units of 10^places, so that half a unit of the last place, too, is an integer.
  const half = bits + exponent - precision - 1;
  const places = Math.min(exponent, half, 0);
  const unitOf = (power: number): bigint => 2n ** BigInt(power - places) * 5n ** BigInt(-places);
  const exact = mantissa * unitOf(exponent);
  const low = exact - unitOf(half);
  const high = exact + unitOf(half);
  // The ends of the interval are read back as this number only when its last bit is 0.
  const odd = bits < precision || (mantissa & 1n) === 0n ? 0n : 1n;
  const fits = (zeros: number): bigint | undefined => {
    const unit = 10n ** BigInt(zeros);
    const rest = exact % unit;
    const down = exact - rest;
    const up = rest === 0n ? down : down + unit;
    const canDown = down >= low + odd;
    // The reference does not round up to more digits than the end of the interval has, when that is outside.
    const canUp = up <= high - odd && (odd === 0n || high % (unit * 10n) !== 0n);
    if (!canDown) return canUp ? up : undefined;
    if (!canUp) return down;
    return rest * 2n > unit || (rest * 2n === unit && (down / unit) % 2n === 1n) ? up : down;
  };
  // Whatever fits with more zeros fits with fewer; no zeros always fit.
  let least = 0;
  let most = String(exact).length;
  let best = exact;
  while (least <= most) {
    const middle = (least + most) >> 1;
    const found = fits(middle);
    if (found === undefined) most = middle - 1;
    else {
      best = found;
      least = middle + 1;
    }
  }
  return fromDecimal(String(signed < 0n ? -best : best), places);
}

/**
 * The double next to a fraction, when its text is closer to the fraction than half a unit of the last place, which is
 * 2^last of the mantissa's units. There is then no other text of 17 digits as close, let alone a shorter one.
 */
function nearestDouble(mantissa: bigint, exponent: number, last: number): number | undefined {
  if (exponent >= 0 || exponent < -1000) return undefined;
  const near = Number(mantissa) * 2 ** exponent;
  const { digits, exponent: power } = Decimal.of(near);
  if (power >= 0) return undefined;
  const scale = 10n ** BigInt(-power);
  const distance = magnitude((digits << BigInt(-exponent)) - mantissa * scale);
  return distance << BigInt(1 - last) < scale ? near : undefined;
}

/** `digits` × 10^exponent in its canonical form. */
function fromDecimal(digits: string, exponent: number): RegoNumber {
  const short = digits.replace(/0+$/, "");
  const power = exponent + digits.length - short.length;
  if (short.length > MAX_MAGNITUDE || !(Math.abs(short.length + power) <= MAX_MAGNITUDE)) throw tooBig();
  if (power >= 0) return fromBigInt(BigInt(short) * 10n ** BigInt(power));
  const value = new Decimal(BigInt(short), power);
  const near = Number(`${short}e${power}`);
  return near !== 0 && Number.isFinite(near) && Decimal.of(near).toString() === value.toString()
    ? near
    : value;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0] ?? "0", 16)) + 28;
}

function tooBig(): BuiltinFailure {
  return new BuiltinFailure("builtin", "number too big");
}
