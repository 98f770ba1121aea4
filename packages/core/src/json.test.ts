// SPDX-License-Identifier: Apache-2.0
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, type JsonValue, parseJson, parseJsonDocument } from "./json.ts";

describe("parseJson", () => {
  it("agrees with JSON.parse on everything JSON.stringify makes", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ["duplicate keys", '{"a":1,"a":2}'],
    ["duplicate keys, one escaped", '{"a":1,"\\u0061":2}'],
    ["duplicate keys below the top", '{"x":[{"a":1,"b":{},"a":2}]}'],
    ["a trailing comma", '{"a":1,}'],
    ["a comment", '{"a":1}//'],
    ["an unfinished string", '{"a'],
    ["nothing", ""],
    ["two values", "1 2"],
    ["deep nesting", `${"[".repeat(65)}${"]".repeat(65)}`],
    ["very deep nesting", "[".repeat(1_000_000)],
  ])("refuses %s", (_, text) => {
    expect(codeOf(() => parseJson(text))).toBe("INVALID_JSON");
  });

  it("takes the same key in different objects", () => {
    expect(parseJson('{"a":{"a":1},"b":[{"a":1},{"a":2}]}')).toEqual({
      a: { a: 1 },
      b: [{ a: 1 }, { a: 2 }],
    });
  });

  it("refuses more than 16 Mi characters", () => {
    expect(codeOf(() => parseJson(`"${"x".repeat(16 * 1024 * 1024)}"`))).toBe("INVALID_JSON");
  });
});

describe("parseJsonDocument", () => {
  it("keeps the members' exact text", () => {
    const document = parseJsonDocument('{ "body" : { "b":1,  "a":"}," } ,"signature":"00", "n": -1e3 }');
    expect(document.text("body")).toBe('{ "b":1,  "a":"}," }');
    expect(document.text("signature")).toBe('"00"');
    expect(document.text("n")).toBe("-1e3");
    expect(document.text("b")).toBeUndefined();
  });

  it("gives text that parses to the member, for any object", () => {
    const space = fc.constantFrom("", " ", "\n\t");
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), space, (object, gap) => {
        const text = JSON.stringify(object, null, gap);
        const document = parseJsonDocument(text);
        for (const [key, value] of Object.entries(JSON.parse(text) as object)) {
          expect(JSON.parse(document.text(key) ?? "")).toEqual(value);
        }
      }),
    );
  });

  it("refuses a top level that is no object", () => {
    expect(codeOf(() => parseJsonDocument("[]"))).toBe("INVALID_JSON");
  });
});

describe("canonicalJson", () => {
  it("is the example of RFC 8785 section 3.2.3", () => {
    const value: JsonValue = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    expect(canonicalJson(value)).toBe(
      `{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign","\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}`,
    );
  });

  it("writes numbers as ECMAScript does (RFC 8785 section 3.2.2.3)", () => {
    expect(canonicalJson([333333333.3333333, 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
      "[333333333.3333333,1e+30,4.5,0.002,1e-27,0]",
    );
  });

  it("does not depend on the order of members", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()), (object) => {
        const shuffled = Object.fromEntries(Object.entries(object).reverse());
        expect(canonicalJson(shuffled as JsonValue)).toBe(canonicalJson(object as JsonValue));
        expect(JSON.parse(canonicalJson(object as JsonValue))).toEqual(JSON.parse(JSON.stringify(object)));
      }),
    );
  });

  it.each([
    ["infinity", Number.POSITIVE_INFINITY],
    ["not a number", Number.NaN],
    ["a lone surrogate", "\ud800"],
  ])("refuses %s", (_, value) => {
    expect(codeOf(() => canonicalJson([value]))).toBe("INVALID_JSON");
  });
});
