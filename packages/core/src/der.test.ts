// SPDX-License-Identifier: Apache-2.0
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "./bytes.ts";
import { type DerValue, encodeDer, parseDer, TAG } from "./der.ts";
import { AdytonError } from "./errors.ts";

const parse = (hex: string): DerValue => parseDer(fromHex(hex), "value");

describe("round trips", () => {
  it("integers", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n }), (value) => {
        const parsed = parseDer(encodeDer.integer(value), "integer");
        expect(BigInt(`0x${toHex(parsed.unsigned())}`)).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.nat(), (value) => {
        expect(parseDer(encodeDer.integer(value), "integer").smallInteger()).toBe(value);
        expect(parseDer(encodeDer.enumerated(value), "enumerated").smallInteger(TAG.ENUMERATED)).toBe(value);
      }),
    );
  });

  it("object identifiers", () => {
    const oid = fc
      .tuple(fc.nat(2), fc.nat(39), fc.array(fc.nat(2 ** 31 - 1), { maxLength: 8 }))
      .map(([top, second, rest]) => [top, second, ...rest].join("."));
    fc.assert(
      fc.property(oid, (text) => {
        expect(parseDer(encodeDer.oid(text), "oid").oid()).toBe(text);
      }),
    );
    expect(toHex(encodeDer.oid("1.2.840.113741.1.13.1"))).toBe("06092a864886f84d010d01");
  });

  it("strings, bits, booleans, null and long lengths", () => {
    const long = fc.uint8Array({ maxLength: 70_000, size: "max" });
    fc.assert(
      fc.property(long, (bytes) => {
        expect(parseDer(encodeDer.octetString(bytes), "octets").octetString()).toEqual(bytes);
        expect(parseDer(encodeDer.bitString(bytes), "bits").bitString()).toEqual(bytes);
      }),
      { numRuns: 20 },
    );
    expect(parseDer(encodeDer.boolean(true), "b").boolean()).toBe(true);
    expect(parseDer(encodeDer.boolean(false), "b").boolean()).toBe(false);
    expect(parseDer(encodeDer.null(), "n").null()).toBeNull();
    expect(parseDer(encodeDer.utf8String("é"), "s").string()).toBe("é");
    expect(parseDer(encodeDer.ia5String("a"), "s").string()).toBe("a");
    expect([...parseDer(encodeDer.namedBits(5, 6), "bits").namedBits()]).toEqual([5, 6]);
    expect([...parseDer(encodeDer.namedBits(), "bits").namedBits()]).toEqual([]);
  });

  it("times, in the form RFC 5280 asks for", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("1970-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
        (date) => {
          const whole = new Date(Math.floor(date.getTime() / 1000) * 1000);
          const value = parseDer(encodeDer.time(whole), "time");
          expect(value.time()).toEqual(whole);
          expect(value.tag).toBe(whole.getUTCFullYear() < 2050 ? TAG.UTC_TIME : TAG.GENERALIZED_TIME);
        },
      ),
    );
  });

  it("sequences keep their elements", () => {
    const value = parseDer(
      encodeDer.sequence(encodeDer.integer(1), encodeDer.explicit(0, encodeDer.null())),
      "s",
    );
    const [first, second] = value.sequence(2);
    expect(first?.smallInteger()).toBe(1);
    expect(second?.elements(0xa0, 1)[0]?.null()).toBeNull();
  });
});

describe("what BER would take and DER must not", () => {
  it.each([
    ["an indefinite length", "3080020101 0000"],
    ["a length that fits one byte in two", "04810100"],
    ["a length with a leading zero", "0482000100"],
    ["a length of five bytes", "04850000000001 00"],
    ["a multi-byte tag", "1f810100"],
    ["bytes after the value", "020101 00"],
    ["a length past the end", "0402 00"],
    ["a truncated length", "0482 01"],
    ["nothing", ""],
    ["a lone tag", "04"],
  ])("%s", (_, hex) => {
    expect(codeOf(() => parse(hex.replaceAll(" ", "")))).toBe("INVALID_DER");
  });

  it.each<[string, string, (value: DerValue) => unknown]>([
    ["a padded INTEGER", "02020001", (v) => v.unsigned()],
    ["a padded negative INTEGER", "0202ff80", (v) => v.integerBytes()],
    ["an empty INTEGER", "0200", (v) => v.integerBytes()],
    ["a negative INTEGER where none may be", "0201ff", (v) => v.unsigned()],
    ["a negative small INTEGER", "020180", (v) => v.smallInteger()],
    ["an INTEGER that is not small", "02050100000000", (v) => v.smallInteger()],
    ["a BOOLEAN of 1", "010101", (v) => v.boolean()],
    ["an empty BOOLEAN", "0100", (v) => v.boolean()],
    ["a BOOLEAN of two bytes", "0102ffff", (v) => v.boolean()],
    ["a NULL with contents", "050100", (v) => v.null()],
    ["an empty OID", "0600", (v) => v.oid()],
    ["a truncated OID", "060180", (v) => v.oid()],
    ["a padded OID arc", "06032a8001", (v) => v.oid()],
    ["an OID arc beyond 2^52", "060b2affffffffffffffffff7f", (v) => v.oid()],
    ["a BIT STRING with unused bits", "030204f0", (v) => v.bitString()],
    ["an empty BIT STRING", "0300", (v) => v.bitString()],
    ["an empty named BIT STRING", "0300", (v) => v.namedBits()],
    ["named bits with set unused bits", "030204ff", (v) => v.namedBits()],
    ["named bits with eight unused bits", "03020800", (v) => v.namedBits()],
    ["a wrong tag", "0401aa", (v) => v.sequence()],
    ["a wrong count", "3003020101", (v) => v.sequence(2)],
    ["a number as a string", "020101", (v) => v.string()],
    ["a PrintableString with a control character", "130100", (v) => v.string()],
    ["a UTF8String that is none", "0c01ff", (v) => v.string()],
    ["a UTCTime without seconds", "170b323530313031303030305a", (v) => v.time()],
    ["a UTCTime with an offset", "1711323530313031303030303030 2b30303030", (v) => v.time()],
    ["a GeneralizedTime with a fraction", "181332303530303130313030303030302e3030305a", (v) => v.time()],
    ["30 February", "170d3235303233303030303030305a", (v) => v.time()],
    ["hour 24", "170d3235303130313234303030305a", (v) => v.time()],
    ["a number as a time", "020101", (v) => v.time()],
  ])("%s", (_, hex, read) => {
    expect(codeOf(() => read(parse(hex.replaceAll(" ", ""))))).toBe("INVALID_DER");
  });

  it("negative numbers are not encoded", () => {
    expect(codeOf(() => encodeDer.integer(-1))).toBe("INVALID_DER");
  });
});

describe("hostile input", () => {
  const walk = (value: DerValue, depth: number): void => {
    if (depth < 20 && value.tag & 0x20) for (const child of value.elements(value.tag)) walk(child, depth + 1);
  };

  it("never throws anything untyped", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          walk(parseDer(bytes, "noise"), 0);
        } catch (error) {
          expect(error).toBeInstanceOf(AdytonError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("bounds the number of elements", () => {
    const many = encodeDer.value(
      TAG.SEQUENCE,
      new Uint8Array(2 * 10_001).map((_, i) => (i % 2 === 0 ? 5 : 0)),
    );
    expect(codeOf(() => parseDer(many, "many").sequence())).toBe("INVALID_DER");
  });

  it("reads old string types", () => {
    expect(parse("1402e961").string()).toBe("éa");
    expect(parse("1e0420ac0061").string()).toBe("€a");
  });
});
