// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from "@adyton/core/json";
import { describe, expect, it } from "vitest";
import {
  judgeReference,
  parseReferenceValues,
  type ReferenceCheck,
  type ReferenceValues,
} from "./reference.ts";

const check: ReferenceCheck = { id: "id", path: ["a", "b"], compare: "one-of", meaning: "thing" };
const least: ReferenceCheck = { ...check, compare: "at-least" };
const u16: ReferenceCheck = { ...check, encoding: "u16" };
const leastU16: ReferenceCheck = { ...least, encoding: "u16" };

describe("comparison", () => {
  it.each<[string, ReferenceCheck, JsonValue, JsonValue[], boolean]>([
    ["equal strings", check, "abcd", ["abcd"], true],
    ["one of several", check, "abcd", ["0123", "abcd"], true],
    ["hex of another case", check, "abcd", ["ABCD"], true],
    ["words of another case are others", check, "Xyz", ["xyz"], false],
    ["another string", check, "abcd", ["abce"], false],
    ["a longer string", check, "abcd", ["abcd00"], false],
    ["equal numbers", check, 3, [3], true],
    ["a number is no string", check, 3, ["3"], false],
    ["equal booleans", check, false, [false], true],
    ["no values", check, "abcd", [], false],
    ["a list equals nothing", check, ["abcd"], [["abcd"]], false],
    ["null equals nothing", check, null, [null], false],
    ["not below", least, 4, [4], true],
    ["above the smallest", least, 5, [9, 4], true],
    ["below", least, 3, [4, 9], false],
    ["a string is not at least anything", least, "4", [4], false],
    ["a reference of another type", least, 4, ["4"], false],
    ["a small number as Trustee writes it", u16, "0100", [1], true],
    ["a large number as Trustee writes it", leastU16, "0001", [256], true],
    ["a number as such", u16, 1, [1], true],
    ["no two bytes", u16, "010000", [1], false],
  ])("%s", (_name, how, found, values, ok) => {
    const finding = judgeReference(how, { a: { b: found } }, { id: values });
    expect(finding.ok).toBe(ok);
    expect(finding.rule).toBe("reference:id");
    expect(finding.next === undefined).toBe(ok);
  });

  it("says which id is missing and how to add it", () => {
    const finding = judgeReference(check, { a: { b: "abcd" } }, {});
    expect(finding).toMatchObject({ ok: false, found: "abcd", expected: [] });
    expect(finding.message).toContain("id is missing");
    expect(finding.next).toContain('reference value id: "abcd"');
  });

  it.each([{}, { a: {} }, { a: "b" }, { a: null }, { a: [["b"]] }])(
    "a claim absent from %j matches nothing",
    (claims) => {
      expect(judgeReference(check, claims, { id: ["abcd"] }).ok).toBe(false);
    },
  );

  it.each(["constructor", "__proto__", "toString"])(
    "finds no values and no claims called %s by accident",
    (name) => {
      const finding = judgeReference({ ...check, id: name, path: [name] }, {}, {});
      expect(finding).toMatchObject({ ok: false, expected: [] });
      expect(finding.found).toBeUndefined();
    },
  );
});

describe("parseReferenceValues", () => {
  it("takes values and lists of values", () => {
    expect(parseReferenceValues({ mr_td: ["aa", "bb"], major_version: 1, snp_smt_enabled: false })).toEqual({
      mr_td: ["aa", "bb"],
      major_version: [1],
      snp_smt_enabled: [false],
    });
  });

  it.each<[string, JsonValue]>([
    ["a list", []],
    ["null", null],
    ["a null value", { mr_td: null }],
    ["a null among values", { mr_td: ["aa", null] }],
    ["a list of lists", { mr_td: [["aa"]] }],
    ["an object", { mr_td: { value: "aa" } }],
    ["a text too long", { mr_td: "a".repeat(4_097) }],
    ["too many values", { mr_td: Array.from({ length: 10_001 }, (_, i) => i) }],
    ["too many ids", Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`id${i}`, 1]))],
  ])("refuses %s", (_name, json) => {
    expect(() => parseReferenceValues(json)).toThrow(
      expect.objectContaining({ code: "INVALID_REFERENCE_VALUES", category: "malformed" }),
    );
  });

  it("refuses values that were not parsed", () => {
    const unparsed: ReferenceValues = JSON.parse('{"id": "abcd"}');
    expect(() => judgeReference(check, { a: { b: "abcd" } }, unparsed)).toThrow(
      expect.objectContaining({ code: "INVALID_REFERENCE_VALUES" }),
    );
  });
});
