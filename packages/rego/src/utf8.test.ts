// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesOf, textOf } from "./utf8.ts";

test.each([
  ["ASCII", [0x61], "a"],
  ["two bytes", [0xc3, 0xb1], "ñ"],
  ["four bytes", [0xf0, 0x9f, 0x98, 0x80], "😀"],
  ["a mark at the start", [0xef, 0xbb, 0xbf, 0x61], "\ufeffa"],
  ["a byte alone", [0xff], "\udcff"],
  ["a sequence cut short", [0xe2, 0x82, 0x61], "\udce2\udc82a"],
  ["an overlong sequence", [0xc0, 0xaf], "\udcc0\udcaf"],
  ["a surrogate", [0xed, 0xa0, 0x80], "\udced\udca0\udc80"],
  ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80], "\udcf4\udc90\udc80\udc80"],
  ["valid after invalid", [0xe2, 0xc3, 0xb1], "\udce2ñ"],
])("%s", (_, bytes, text) => {
  expect(textOf(Uint8Array.from(bytes))).toBe(text);
  expect([...bytesOf(text)]).toEqual(bytes);
});

test("a surrogate that stands for no byte is the replacement character", () => {
  expect([...bytesOf("\ud800")]).toEqual([0xef, 0xbf, 0xbd]);
  expect([...bytesOf("\udc00\udcff")]).toEqual([0xef, 0xbf, 0xbd, 0xff]);
});

test("bytes come back", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect([...bytesOf(textOf(bytes))]).toEqual([...bytes]);
    }),
  );
});

test("text comes back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(textOf(bytesOf(text))).toBe(text);
    }),
  );
});
