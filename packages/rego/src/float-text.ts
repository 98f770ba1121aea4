// SPDX-License-Identifier: Apache-2.0
// Doubles as decimal or hexadecimal text of any precision, rounded half to even from their exact value: what Go's
// package strconv calls the formats e, f, g, b and x.

/** 0.d1d2d3… × 10^point, the first digit not 0 unless the number is. */
interface Digits {
  readonly digits: string;
  readonly point: number;
}

/**
 * The text of a finite number without its sign. `precision` counts digits behind the point, or for `g` all digits;
 * undefined stands for the fewest that name the number.
 */
export function floatText(value: number, verb: string, precision: number | undefined): string {
  const size = Math.abs(value);
  switch (verb.toLowerCase()) {
    case "b": {
      const [mantissa, exponent] = parts(size);
      return `${mantissa}p${signed(exponent)}`;
    }
    case "x":
      return hexadecimal(size, precision);
    case "e":
      return exponential(
        digitsOf(size, precision === undefined ? undefined : () => precision + 1),
        precision,
      );
    case "f":
      return fixed(
        digitsOf(size, precision === undefined ? undefined : (point) => point + precision),
        precision,
      );
    default:
      return general(size, precision);
  }
}

/** mantissa × 2^exponent */
function parts(size: number): [bigint, number] {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, size);
  const exponent = bits.getUint16(0) >> 4;
  const fraction = bits.getBigUint64(0) & 0xfffffffffffffn;
  return exponent === 0 ? [fraction, -1074] : [fraction | 0x10000000000000n, exponent - 1075];
}

/** The shortest digits, or so many of the exact ones as `keep` says. */
function digitsOf(size: number, keep: ((point: number) => number) | undefined): Digits {
  if (size === 0) return { digits: "0", point: 1 };
  if (keep === undefined) {
    const [mantissa = "", exponent] = size.toExponential().split("e");
    return { digits: mantissa.replace(".", ""), point: Number(exponent) + 1 };
  }
  const [mantissa, exponent] = parts(size);
  const exact = exponent < 0 ? mantissa * 5n ** BigInt(-exponent) : mantissa << BigInt(exponent);
  const digits = String(exact);
  const point = digits.length + Math.min(0, exponent);
  return roundTo({ digits, point }, keep(point));
}

/** Half to even. */
function roundTo({ digits, point }: Digits, count: number): Digits {
  if (count >= digits.length) return { digits, point };
  if (count < 0) return { digits: "0", point: 1 };
  const kept = digits.slice(0, count);
  const rest = digits.slice(count);
  const odd = Number(kept.at(-1) ?? 0) % 2 === 1;
  const up = rest > "5" && !/^50*$/.test(rest) ? true : rest.startsWith("5") && odd;
  const rounded = up ? String(BigInt(kept || "0") + 1n) : kept;
  if (rounded === "" || /^0+$/.test(rounded)) return { digits: "0", point: 1 };
  return { digits: rounded, point: point + rounded.length - kept.length };
}

function exponential({ digits, point }: Digits, precision = digits.length - 1): string {
  const fraction = digits.slice(1, 1 + precision).padEnd(precision, "0");
  const exponent = digits === "0" ? 0 : point - 1;
  return `${digits[0]}${fraction === "" ? "" : `.${fraction}`}e${signed(exponent, 2)}`;
}

function fixed({ digits, point }: Digits, precision = Math.max(0, digits.length - point)): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  const fraction = `${"0".repeat(Math.max(0, Math.min(precision, -point)))}${digits.slice(Math.max(0, point))}`;
  return precision === 0 ? whole : `${whole}.${fraction.slice(0, precision).padEnd(precision, "0")}`;
}

function general(size: number, precision: number | undefined): string {
  const count = precision === undefined ? undefined : Math.max(1, precision);
  const all = digitsOf(size, count === undefined ? undefined : () => count);
  // Zeros at the end are not written.
  const found = { digits: all.digits.replace(/(?<=.)0+$/, ""), point: all.point };
  const length = found.digits.length;
  const limit = count === undefined ? 6 : count > length && length >= found.point ? length : count;
  const exponent = found.point - 1;
  return exponent < -4 || exponent >= limit ? exponential(found) : fixed(found);
}

/** 0x1.8p+01 */
function hexadecimal(size: number, precision: number | undefined): string {
  let [mantissa, exponent] = parts(size);
  if (mantissa === 0n) return `0x0${precision ? `.${"0".repeat(precision)}` : ""}p+00`;
  while (mantissa < 1n << 52n) {
    mantissa <<= 1n;
    exponent--;
  }
  if (precision !== undefined && precision < 13) {
    const shift = BigInt(4 * (13 - precision));
    const rest = mantissa & ((1n << shift) - 1n);
    mantissa >>= shift;
    if (rest + (mantissa & 1n) > 1n << (shift - 1n)) mantissa++;
    mantissa <<= shift;
    if (mantissa >= 1n << 53n) {
      mantissa >>= 1n;
      exponent++;
    }
  }
  const all = mantissa.toString(16).slice(1);
  const fraction =
    precision === undefined ? all.replace(/0+$/, "") : all.slice(0, precision).padEnd(precision, "0");
  return `0x1${fraction === "" ? "" : `.${fraction}`}p${signed(exponent + 52, 2)}`;
}

function signed(exponent: number, width = 1): string {
  return `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(width, "0")}`;
}
