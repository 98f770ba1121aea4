// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failureOf } from "../test/call.ts";
import { Decimal } from "./decimal.ts";
import {
  abs,
  add,
  ceil,
  div,
  floor,
  formatNumber,
  fromBigInt,
  mul,
  neg,
  numberOf,
  product,
  rem,
  round,
  sub,
  sum,
  toBigInt,
  weightOf,
} from "./number.ts";
import { compareNumbers, type RegoNumber } from "./value.ts";

const integer = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }).map(fromBigInt),
);
const text = fc
  .tuple(fc.constantFrom("", "-"), fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.integer({ min: -60, max: 30 }))
  .map(([sign, digits, exponent]) => `${sign}${digits}e${exponent}`);
const number = text.map(numberOf);

describe("numberOf", () => {
  test.each<[string, RegoNumber]>([
    ["0", 0],
    ["-0", 0],
    ["-0.0e9", 0],
    ["12", 12],
    ["1.0", 1],
    ["1e3", 1000],
    ["1.50", 1.5],
    ["0.1", 0.1],
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["1e30", 10n ** 30n],
    ["0.1000000000000000000001", new Decimal(1000000000000000000001n, -22)],
    ["1e-400", new Decimal(1n, -400)],
    ["5e-324", 5e-324],
    [
      "1.7976931348623157e308",
      BigInt(1.7976931348623157e308) - (BigInt(1.7976931348623157e308) % 10n ** 292n),
    ],
  ])("%s", (source, value) => {
    expect(numberOf(source)).toEqual(value);
  });

  test.each([
    "",
    "-",
    "a",
    "+1",
    ".5",
    "5.",
    "0x1",
    "1e",
    "1_0",
    " 1",
    "NaN",
    "1e30104",
    "1e-30105",
    "1e99999999999",
    "9".repeat(40_000),
  ])("%s is a failure", (source) => {
    expect(failureOf(() => numberOf(source)).kind).toBe("builtin");
  });

  test("formatNumber writes what numberOf reads", () => {
    fc.assert(
      fc.property(number, (value) => {
        expect(numberOf(formatNumber(value))).toEqual(value);
      }),
    );
  });

  test("equal numbers have one form", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 9 }), (source, zeros) => {
        const [digits = "", exponent = ""] = source.split("e");
        expect(numberOf(`${digits}${"0".repeat(zeros)}e${Number(exponent) - zeros}`)).toEqual(
          numberOf(source),
        );
      }),
    );
  });
});

test.each<[RegoNumber, string]>([
  [1e21, "1000000000000000000000"],
  [1e-7, "1e-7"],
  [new Decimal(-12345678901234567890123n, -3), "-12345678901234567890.123"],
  [new Decimal(33333333333333333334n, -20), "0.33333333333333333334"],
  [new Decimal(12345678901234567891n, -30), "1.2345678901234567891e-11"],
])("formatNumber %#", (value, expected) => {
  expect(formatNumber(value)).toBe(expected);
});

describe("arithmetic", () => {
  // Checked with OPA 1.22.2.
  test.each<[string, () => RegoNumber, string]>([
    ["0.1 + 0.2", () => add(0.1, 0.2), "0.3"],
    ["1 - 1.1", () => sub(1, 1.1), "-0.10000000000000000002"],
    ["1.1 - 1", () => sub(1.1, 1), "0.10000000000000000002"],
    ["2^53 + 1", () => add(9007199254740991, 2), "9007199254740993"],
    ["1 / 3", () => div(1, 3), "0.33333333333333333334"],
    ["2 / 3", () => div(2, 3), "0.6666666666666666667"],
    ["large / 3", () => div(numberOf("12345678901234567890123456789"), 3), "4115226300411522630100000000"],
    ["0 / -5", () => div(0, -5), "0"],
    ["-7 % 3", () => rem(-7, 3), "-1"],
    ["sum", () => sum([0.1, 0.2, 0.3]), "0.6"],
    ["product in 53 bits", () => product([0.1, 3]), "0.30000000000000004"],
    ["exact product", () => product([99999999999, 99999999999]), "9999999999800000000001"],
    ["abs of a fraction", () => abs(-1.5), "1.5"],
    ["abs rounds to 64 bits", () => abs(numberOf("-12345678901234567890123")), "12345678901234567890000"],
    ["round up", () => round(2.5), "3"],
    ["round down", () => round(-2.5), "-3"],
    ["ceil", () => ceil(-0.5), "1"],
    ["ceil of a whole fraction", () => ceil(numberOf("36893488147419103232")), "36893488147419103232"],
    ["floor", () => floor(-0.5), "0"],
    ["floor below -1", () => floor(-1.5), "-2"],
    // A digit that the reference does not round up, though it could.
    ["shortest text", () => abs(numberOf("753956399113405688781.4073425328006")), "753956399113405688760"],
  ])("%s", (_, compute, expected) => {
    expect(formatNumber(compute())).toBe(expected);
  });

  test("integers are exact", () => {
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        const [x, y] = [BigInt(a as number), BigInt(b as number)];
        expect(toBigInt(add(a, b))).toBe(x + y);
        expect(toBigInt(sub(a, b))).toBe(x - y);
        expect(toBigInt(mul(a, b))).toBe(x * y);
        if (y !== 0n) expect(toBigInt(rem(a, b))).toBe(x % y);
        expect(toBigInt(sum([a, b]))).toBe(x + y);
        expect(toBigInt(product([a, b]))).toBe(x * y);
      }),
    );
  });

  test("results are in their one form, and fractions near the exact result", () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        for (const result of [add(a, b), mul(a, b), abs(a), ...(b === 0 ? [] : [div(a, b)])]) {
          expect(numberOf(formatNumber(result))).toEqual(result);
        }
        expect(add(a, b)).toEqual(add(b, a));
        expect(mul(a, b)).toEqual(mul(b, a));
        expect(neg(neg(a))).toEqual(a);
        expect(compareNumbers(sub(a, a), 0)).toBe(0);
      }),
    );
  });

  test("what has no value is a failure", () => {
    expect(failureOf(() => div(1, 0)).message).toBe("divide by zero");
    expect(failureOf(() => div(new Decimal(1n, -400), 0)).message).toBe("divide by zero");
    expect(failureOf(() => rem(1, 0)).message).toBe("modulo by zero");
    expect(failureOf(() => rem(1, 0.5)).message).toBe("modulo on floating-point number");
  });

  test("numbers grow to 2^100000 and no further", () => {
    const big = numberOf(`1e20000`);
    expect(failureOf(() => mul(big, big)).message).toBe("number too big");
    expect(failureOf(() => mul(numberOf("1e-20000"), numberOf("1e-20000"))).message).toBe("number too big");
    expect(failureOf(() => add(fromBigInt(2n ** 100_000n - 1n), 1)).message).toBe("number too big");
    expect(toBigInt(add(fromBigInt(2n ** 99_999n), 1))).toBe(2n ** 99_999n + 1n);
  });

  test("large numbers weigh", () => {
    expect(weightOf(1e300)).toBe(0);
    expect(weightOf(2n ** 64n)).toBe(0);
    expect(weightOf(2n ** 100_000n - 1n)).toBeGreaterThan(10_000);
    expect(weightOf(new Decimal(1n, -30_000))).toBeGreaterThan(10_000);
  });
});
