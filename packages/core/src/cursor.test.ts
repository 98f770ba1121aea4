// SPDX-License-Identifier: Apache-2.0
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Reader, Writer } from "./cursor.ts";
import { CoreError } from "./errors.ts";

describe("Reader and Writer", () => {
  it("round-trip every field kind", () => {
    fc.assert(
      fc.property(
        fc.nat(0xff),
        fc.nat(0xffff),
        fc.nat(0xffffffff),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.uint8Array({ minLength: 3, maxLength: 3 }),
        (a, b, c, d, e) => {
          const bytes = new Writer(1 + 2 + 2 + 4 + 4 + 8 + 3 + 2)
            .u8(a)
            .u16le(b)
            .u16be(b)
            .u32le(c)
            .u32be(c)
            .u64le(d)
            .bytes(e, 3, "e")
            .zeros(2)
            .finish();
          const reader = new Reader(bytes, "record");
          expect(reader.u8("a")).toBe(a);
          expect(reader.u16le("b")).toBe(b);
          expect(reader.u16be("b")).toBe(b);
          expect(reader.u32le("c")).toBe(c);
          expect(reader.u32be("c")).toBe(c);
          expect(reader.u64le("d")).toBe(d);
          expect(reader.bytes(3, "e")).toEqual(e);
          expect(reader.offset).toBe(24);
          expect(reader.rest()).toEqual(new Uint8Array(2));
          reader.end();
        },
      ),
    );
  });

  it("u64be reads most significant byte first", () => {
    expect(new Reader(Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2), "x").u64be("x")).toBe(258n);
  });

  it.each([
    ["read past the end", () => new Reader(new Uint8Array(3), "record").u32le("field"), "OUT_OF_BOUNDS"],
    ["bytes past the end", () => new Reader(new Uint8Array(3), "record").bytes(4, "field"), "OUT_OF_BOUNDS"],
    ["negative length", () => new Reader(new Uint8Array(3), "record").bytes(-1, "field"), "OUT_OF_BOUNDS"],
    ["trailing bytes", () => new Reader(new Uint8Array(3), "record").end(), "TRAILING_BYTES"],
    ["write past the end", () => new Writer(1).u16le(1), "OUT_OF_BOUNDS"],
    ["unfinished write", () => new Writer(2).u8(1).finish(), "OUT_OF_BOUNDS"],
    ["a field of the wrong size", () => new Writer(2).bytes(new Uint8Array(1), 2, "field"), "OUT_OF_BOUNDS"],
  ])("refuses: %s", (_, act, code) => {
    expect(codeOf(act)).toBe(code);
  });

  it("names structure, field and absolute offset in errors", () => {
    const outer = new Reader(new Uint8Array(10), "quote");
    outer.bytes(4, "header");
    const inner = outer.sub(4, "body");
    inner.u16le("version");
    try {
      inner.u32le("size");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(CoreError);
      expect((error as CoreError).message).toBe(
        "Cannot parse body: size needs 4 bytes at offset 6, 2 are left",
      );
      expect((error as CoreError).detail).toEqual({
        what: "body",
        field: "size",
        offset: 6,
        expected: 4,
        found: 2,
      });
    }
  });
});
