// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { numberOf } from "../number.ts";
import { RegoObject, RegoSet, type Value } from "../value.ts";
import { sprintf } from "./sprintf.ts";

const call = callerOf(sprintf);
const BIG = 123456789123456789123n;

describe("sprintf", () => {
  it.each<[string, Value[], string]>([
    ["", [], ""],
    ["100%%", [], "100%"],
    ["%s is %d", ["x", 5], "x is 5"],
    ["%v %v %v", [null, true, "a"], "null true a"],
    ["%v", [[1, "a\n\u200b", 1.5]], '[1, "a\\n\\u200b", 1.5]'],
    ["%v", [{ b: 1, a: [] }], '{"a": [], "b": 1}'],
    ["%v %v", [RegoSet.of([]), RegoSet.of([2, 1])], "set() {1, 2}"],
    ["%v", [RegoObject.of([[1, 2]])], "{1: 2}"],
    ["%v", [numberOf("0.33333333333333333334")], "0.3333333333333333"],
    ["%5d|%-5d|%05d|%+d|% d", [42, 42, 42, 42, 42], "   42|42   |00042|+42| 42"],
    ["%.3d|%6.3d|%.0d", [5, -5, 0], "005|  -005|"],
    ["%b|%#b|%o|%#o|%O", [5, 5, 8, 8, 8], "101|0b101|10|010|0o10"],
    ["%x|%X|%#x|%#X", [255, 255, 255, -255], "ff|FF|0xff|-0XFF"],
    ["%08x|%#08x", [255, 255], "000000ff|0x000000ff"],
    ["%c|%q|%+q|%U|%#U", [128512, 97, 128512, 128512, 128512], "😀|'a'|'\\U0001f600'|U+1F600|U+1F600 '😀'"],
    ["%c|%U", [-1, -1], "\ufffd|U+FFFFFFFFFFFFFFFF"],
    [
      "%s|%d|%30d|%x|%q",
      [BIG, BIG, BIG, BIG, BIG],
      `${BIG}|${BIG}|         ${BIG}|${BIG.toString(16)}|%!q(big.Int=${BIG})`,
    ],
    ["%T %T %T %T", ["a", 1, 1.5, BIG], "string int64 float64 *big.Int"],
    ["%s|%10s|%-4s|%04s|%.2s", ["a", "é", "b", "c", "😀😀😀"], "a|         é|b   |000c|😀😀"],
    ["%q|%#q|%+q|%#q", ['a"b', "ab", "é", "a`"], '"a\\"b"|`ab`|"\\u00e9"|"a`"'],
    ["%x|%X|% x|%#x|% #x|%.1x", ["é", "é", "é", "é", "é", "é"], "c3a9|C3A9|c3 a9|0xc3a9|0xc3 0xa9|c3"],
    ["%x", ["\udcff"], "ff"],
    ["%v|%g|%e|%f", [1.5, 1e-7, 1.5, 1.5], "1.5|1e-07|1.500000e+00|1.500000"],
    ["%v|%v", [1000000.5, 123456789.5], "1.0000005e+06|1.234567895e+08"],
    ["%.0f|%.0f|%.0f|%.1f", [0.5, 1.5, 2.5, 0.25], "0|2|2|0.2"],
    ["%6.2f|%-8.1f|%08.3f|%+.1f", [3.14153, 2.55, -1.5, 2.5], "  3.14|2.5     |-001.500|+2.5"],
    ["%.3g|%.10g|%#g|%#.3g", [1234.5678, 123456789.5, 1.5, 0.5], "1.23e+03|123456789.5|1.50000|0.500"],
    [
      "%E|%G|%x|%b|%.2x",
      [1.5, 1e-10, 1.5, 1.5, 1.1],
      "1.500000E+00|1E-10|0x1.8p+00|6755399441055744p-52|0x1.1ap+00",
    ],
    ["%f %3.1f %.3f %e %g", [0, 100, 1e21, 2, 3], "0.000000 100.0 1000000000000000000000.000 2.000000e+00 3"],
    ["%*d|%-*d|%.*f", [4, 7, 4, 7, 1, 2.25], "   7|7   |2.2"],
    ["%*d", [-4, 7], "7   "],
    ["%[2]d %[1]d", [1, 2], "2 1"],
    ["%[2]*[1]d", [7, 3], "  7"],
    ["%d", ["a"], "%!d(string=a)"],
    ["%5d", ["ab"], "%!d(string=   ab)"],
    ["%s %t", [1, true], "%!s(int64=1) %!t(string=true)"],
    ["%d", [1.5], "%!d(float64=1.5)"],
    ["%d", [], "%!d(MISSING)"],
    ["%d %d", [1], "1 %!d(MISSING)"],
    ["x", [1, "a", 1.5], "x%!(EXTRA int64=1, string=a, float64=1.5)"],
    ["%", [], "%!(NOVERB)"],
    ["%-", [1], "%!(NOVERB)%!(EXTRA int64=1)"],
    ["%z %!", [1, 2], "%!z(int64=1) %!!(int64=2)"],
    ["%[3]d %[]d %[x]d", [1], "%!d(BADINDEX) %!d(BADINDEX) %!d(BADINDEX)"],
    ["%*d %.*d", ["a", 1, -1, 2], "%!(BADWIDTH)1 %!(BADPREC)2"],
    ["%#v %+v", ["a", "b"], '"a" b'],
    ["%w", ["a"], "%!w(string=a)"],
    ["%20000000d", [1], "%!(NOVERB)%!(EXTRA int64=1)"],
  ])("row %#", (format, values, expected) => {
    expect(call("sprintf", format, values)).toBe(expected);
  });

  it.each<[Value, Value, string]>([
    [1, [], "operand 1 must be string but got number"],
    ["", "a", "operand 2 must be array but got string"],
  ])("fails for %j, %j", (format, values, message) => {
    expect(failureOf(() => call("sprintf", format, values))).toEqual({ kind: "type", message });
  });

  it("counts what it makes", () => {
    const few = callerOf(sprintf, { steps: 10_000 });
    expect(() =>
      few(
        "sprintf",
        "%999999d".repeat(20),
        Array.from({ length: 20 }, () => 1),
      ),
    ).toThrow(RangeError);
  });

  it("rounds to what the platform shows, where no digit is exactly half", () => {
    const number = fc
      .double({ min: -1e15, max: 1e15, noNaN: true })
      .filter((value) => !Number.isInteger(value));
    fc.assert(
      fc.property(number, fc.integer({ min: 0, max: 20 }), (value, digits) => {
        expect(call("sprintf", "%v", [value])).toBe(call("sprintf", "%g", [value]));
        expect(Number(call("sprintf", "%v", [value]))).toBe(value);
        const fixed = call("sprintf", `%.${digits}f`, [value]) as string;
        expect(Math.abs(Number(fixed) - Number(value.toFixed(digits)))).toBeLessThanOrEqual(
          10 ** -digits * 1.0001 + Math.abs(value) * 2 ** -52,
        );
        expect(call("sprintf", "%.100f", [value])).toBe(value.toFixed(100));
      }),
    );
  });

  it("never fails on a format", () => {
    const piece = fc.constantFrom(..."%%%+-# 0123456789.*[]sdvqxXeEfgGbcUTtéz");
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.array(fc.oneof(fc.integer(), fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true })), {
          maxLength: 3,
        }),
        (pieces, values) => {
          expect(call("sprintf", pieces.join(""), values)).toBeTypeOf("string");
        },
      ),
    );
  });
});
