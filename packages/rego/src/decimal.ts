// SPDX-License-Identifier: Apache-2.0
// A decimal fraction that no double stands for: digits × 10^exponent.

/** Never changed once made; `digits` does not end in 0, `exponent` is negative. */
export class Decimal {
  readonly digits: bigint;
  readonly exponent: number;

  constructor(digits: bigint, exponent: number) {
    this.digits = digits;
    this.exponent = exponent;
  }

  /** Any number as a decimal: integers as they are, fractions by the text that JavaScript writes. */
  static of(value: number | bigint | Decimal): Decimal {
    if (value instanceof Decimal) return value;
    if (typeof value === "bigint" || Number.isInteger(value)) return new Decimal(BigInt(value), 0);
    const [mantissa = "0", exponent = "0"] = String(value).split("e");
    const [whole = "0", fraction = ""] = mantissa.split(".");
    return new Decimal(BigInt(whole + fraction), Number(exponent) - fraction.length);
  }

  compare(other: Decimal): number {
    const exponent = Math.min(this.exponent, other.exponent);
    const left = this.digits * 10n ** BigInt(this.exponent - exponent);
    const right = other.digits * 10n ** BigInt(other.exponent - exponent);
    return left < right ? -1 : left > right ? 1 : 0;
  }

  toString(): string {
    return `${this.digits}e${this.exponent}`;
  }
}
