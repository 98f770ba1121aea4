// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from "@adyton/core/bytes";
import type { JsonValue } from "@adyton/core/json";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import {
  readPlainReferences,
  referenceValuesOf,
  type VouchedValue,
  voucherLookup,
  vouchersOf,
} from "./index.ts";

const AT = new Date("2026-03-01T12:00:00Z");
const BEFORE = new Date("2026-03-01T11:59:59Z");
const AFTER = new Date("2026-03-01T12:00:01Z");
const VERIFIED = { kind: "corim", name: "ACME", document: "00", verified: true } as const;

function value(more: Partial<VouchedValue> = {}): VouchedValue {
  return { id: "a", value: "x", voucher: VERIFIED, ...more };
}

describe("readPlainReferences", () => {
  it("reads values that nobody verified", async () => {
    const bytes = fromUtf8('{"a":["x",1],"b":true}');
    const values = await readPlainReferences(bytes, { allowUnsigned: true, name: "administrator" });
    expect(values.map(({ id, value }) => [id, value])).toEqual([
      ["a", "x"],
      ["a", 1],
      ["b", true],
    ]);
    expect(values[0]?.voucher).toMatchObject({ kind: "json", name: "administrator", verified: false });
    expect(values[0]?.voucher.document).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ["no permission", "{}", {}, "REFERENCE_UNSIGNED"],
    ["no JSON", "{", { allowUnsigned: true }, "INVALID_JSON"],
    ["values that are objects", '{"a":{}}', { allowUnsigned: true }, "INVALID_REFERENCE_VALUES"],
    ["too many bytes", " ".repeat(1_048_577), { allowUnsigned: true }, "TOO_LARGE"],
  ])("refuses %s", async (_what, text, options, code) => {
    expect(await codeOfAsync(() => readPlainReferences(fromUtf8(text), options))).toBe(code);
  });
});

describe("referenceValuesOf", () => {
  it("takes each value once, and only in its time", () => {
    const values = [
      value(),
      value(),
      value({ value: "early", notBefore: AFTER }),
      value({ value: "from now", notBefore: AT }),
      value({ value: "until now", expires: AT }),
      value({ value: "late", expires: BEFORE }),
      value({ value: "still", expires: AFTER }),
      value({ value: "no time", expires: new Date(Number.NaN) }),
      value({ id: "__proto__", value: 1 }),
    ];
    const taken = referenceValuesOf(values, { at: AT });
    expect(Object.entries(taken)).toEqual([
      ["a", ["x", "from now", "still"]],
      ["__proto__", [1]],
    ]);
  });

  it("refuses what is not verified, unless allowed", () => {
    const values = [value({ voucher: { ...VERIFIED, verified: false } })];
    expect(codeOf(() => referenceValuesOf(values, { at: AT }))).toBe("REFERENCE_UNSIGNED");
    expect(referenceValuesOf(values, { at: AT, allowUnverified: true })).toEqual({ a: ["x"] });
  });

  it("refuses a time that is none", () => {
    expect(codeOf(() => referenceValuesOf([], { at: new Date(Number.NaN) }))).toBe("INVALID_APPRAISAL_INPUT");
  });
});

describe("vouchersOf", () => {
  it("finds everyone who vouches for a value", () => {
    const other = { ...VERIFIED, name: "other" };
    const values = [value(), value({ voucher: other }), value({ value: "y" }), value({ id: "b" })];
    expect(vouchersOf(values, "a", "x")).toEqual([VERIFIED, other]);
    expect(vouchersOf(values, "a", 1)).toEqual([]);
  });
});

describe("voucherLookup", () => {
  const one = (value: JsonValue, name: string): VouchedValue => ({
    id: "a",
    value,
    voucher: { ...VERIFIED, name },
  });
  const lookup = voucherLookup([
    one("ab", "x"),
    one("AB", "y"),
    one(2, "two"),
    one(5, "five"),
    one(true, "t"),
  ]);

  it.each<readonly [string, JsonValue, readonly (readonly [JsonValue, string])[] | undefined]>([
    [
      "hex in either case",
      "Ab",
      [
        ["ab", "x"],
        ["AB", "y"],
      ],
    ],
    ["an equal number alone", 5, [[5, "five"]]],
    ["of a minimum what the number is not below", 4, [[2, "two"]]],
    ["a boolean", true, [[true, "t"]]],
    ["nothing below every value", 1, undefined],
    ["nothing for another value", "cd", undefined],
  ])("finds %s", (_what, found, expected) => {
    const met = lookup("a", found) as readonly { value: JsonValue; name: string }[] | undefined;
    expect(met?.map(({ value, name }) => [value, name])).toEqual(expected);
  });

  it("knows no other ids, and shows no more than a token can carry", () => {
    expect(lookup("b", "ab")).toBeUndefined();
    const many = voucherLookup(Array.from({ length: 20 }, (_, i) => one("ab", String(i))));
    expect(many("a", "ab")).toHaveLength(8);
  });
});
