// SPDX-License-Identifier: Apache-2.0
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  concat,
  equal,
  equalConstantTime,
  fromBase64,
  fromBase64Url,
  fromHex,
  fromUtf8,
  isZero,
  padRight,
  reversed,
  toBase64,
  toBase64Url,
  toHex,
  toUtf8,
} from "./bytes.ts";

const bytes = fc.uint8Array({ maxLength: 200 });

describe("RFC 4648 section 10", () => {
  it.each([
    ["", "", ""],
    ["f", "Zg==", "66"],
    ["fo", "Zm8=", "666f"],
    ["foo", "Zm9v", "666f6f"],
    ["foob", "Zm9vYg==", "666f6f62"],
    ["fooba", "Zm9vYmE=", "666f6f6261"],
    ["foobar", "Zm9vYmFy", "666f6f626172"],
  ])("%j", (text, base64, hex) => {
    expect(toBase64(fromUtf8(text))).toBe(base64);
    expect(toUtf8(fromBase64(base64))).toBe(text);
    expect(toHex(fromUtf8(text))).toBe(hex);
    expect(toUtf8(fromHex(hex.toUpperCase()))).toBe(text);
    expect(toBase64Url(fromUtf8(text))).toBe(base64.replace(/=+$/, ""));
  });
});

describe("round trips", () => {
  it("hex, base64, base64url", () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(fromHex(toHex(value))).toEqual(value);
        expect(fromBase64(toBase64(value))).toEqual(value);
        expect(fromBase64Url(toBase64Url(value))).toEqual(value);
      }),
    );
  });
});

describe("what is not canonical is refused", () => {
  it.each([
    ["odd length", () => fromHex("abc"), "INVALID_HEX"],
    ["no digit", () => fromHex("zz"), "INVALID_HEX"],
    ["prefix", () => fromHex("0x"), "INVALID_HEX"],
    ["beyond ASCII", () => fromHex("é0"), "INVALID_HEX"],
    ["missing padding", () => fromBase64("Zg"), "INVALID_BASE64"],
    ["padding inside", () => fromBase64("Z==="), "INVALID_BASE64"],
    ["padding twice", () => fromBase64("Zg==Zg=="), "INVALID_BASE64"],
    ["white space", () => fromBase64("Zm9v Zm9"), "INVALID_BASE64"],
    ["unused bits set", () => fromBase64("Zh=="), "INVALID_BASE64"],
    ["url alphabet in base64", () => fromBase64("-_-_"), "INVALID_BASE64"],
    ["base64 alphabet in base64url", () => fromBase64Url("+/+/"), "INVALID_BASE64"],
    ["padding in base64url", () => fromBase64Url("Zg=="), "INVALID_BASE64"],
    ["a lone digit", () => fromBase64Url("Z"), "INVALID_BASE64"],
    ["invalid UTF-8", () => toUtf8(Uint8Array.of(0xff)), "INVALID_UTF8"],
    ["more than fits", () => padRight(new Uint8Array(3), 2), "TOO_LARGE"],
  ])("%s", (_, act, code) => {
    expect(codeOf(act)).toBe(code);
  });
});

describe("comparisons", () => {
  it("agree with each other", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const same = toHex(a) === toHex(b);
        expect(equal(a, b)).toBe(same);
        expect(equalConstantTime(a, b)).toBe(same);
        expect(equal(a, Uint8Array.from(a))).toBe(true);
        expect(equalConstantTime(a, Uint8Array.from(a))).toBe(true);
      }),
    );
  });

  it("see one flipped bit", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), (a, at) => {
        const b = Uint8Array.from(a);
        const index = at % a.length;
        b[index] = (b[index] ?? 0) ^ 1;
        expect(equal(a, b)).toBe(false);
        expect(equalConstantTime(a, b)).toBe(false);
      }),
    );
  });
});

describe("small helpers", () => {
  it("concat, reversed, padRight, isZero", () => {
    expect(concat(Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
    const source = Uint8Array.of(1, 2, 3);
    expect(reversed(source)).toEqual(Uint8Array.of(3, 2, 1));
    expect(source).toEqual(Uint8Array.of(1, 2, 3));
    expect(padRight(Uint8Array.of(1), 3)).toEqual(Uint8Array.of(1, 0, 0));
    expect(isZero(new Uint8Array(4))).toBe(true);
    expect(isZero(Uint8Array.of(0, 1))).toBe(false);
  });
});
