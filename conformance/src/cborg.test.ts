// SPDX-License-Identifier: Apache-2.0
// CBOR and COSE beside cborg: it reads alike what we write, and we read alike what it writes.

import { fromHex, toHex } from "@adyton/core/bytes";
import { CborTag, type CborValue, encodeCbor, isCborMap, parseCbor } from "@adyton/core/cbor";
import { parseSign1 } from "@adyton/core/cose";
import { createCcaPlatform, createNitroVendor } from "@adyton/simulator";
import { codeOf } from "@adyton/testing";
import { decode, encode, Tagged } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const bare = fc.oneof(
  fc.constantFrom(null, true, false),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
  fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
  fc.uint8Array({ maxLength: 300 }),
);
const { value: anyValue } = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    bare,
    fc.array(tie("value"), { maxLength: 30 }),
    fc
      .uniqueArray(fc.tuple(fc.oneof(fc.string(), fc.nat()), tie("value")), { selector: ([key]) => key })
      .map((entries) => new Map(entries)),
  ),
}));

/** Both sides' numbers alike: small ones as numbers, whatever type they were given in. */
function settle(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(settle);
  if (value instanceof Map) return [...value].map(([key, member]) => [key, settle(member)]);
  return value;
}

const AS_MAPS = { useMaps: true, strict: true, rejectDuplicateMapKeys: true } as const;

describe("cborg", () => {
  it("reads what we write", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(settle(decode(encodeCbor(value), AS_MAPS))).toEqual(settle(value));
      }),
    );
  });
  it("writes what we read, byte for byte", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const theirs = encode(value);
        const ours = parseCbor(theirs, "theirs");
        expect(toHex(encodeCbor(ours))).toBe(toHex(theirs));
      }),
    );
  });
  it("reads the tokens that the simulator signs", async () => {
    const document = await (await (await createNitroVendor()).enclave()).document();
    const [header, , payload] = decode(document, AS_MAPS) as [Uint8Array, unknown, Uint8Array, Uint8Array];
    const sign1 = parseSign1(document, "document");
    expect(settle([header, payload])).toEqual(settle([sign1.protectedBytes, sign1.payload]));
    expect(settle(decode(payload, AS_MAPS))).toEqual(settle(parseCbor(sign1.payload, "payload")));
    const token = await (await createCcaPlatform()).token();
    const ours = parseCbor(token, "token");
    if (!(ours instanceof CborTag) || !isCborMap(ours.value)) throw new Error("a token is a tagged map");
    const tags = { ...AS_MAPS, tags: Tagged.preserve(ours.tag) };
    const theirs = decode(token, tags) as Tagged;
    expect([theirs.tag, settle(theirs.value)]).toEqual([ours.tag, settle(ours.value)]);
  });
  // Deliberate differences: cborg takes the general format, we take what evidence may contain.
  it.each([
    ["floating point", "fb3ff199999999999a"],
    ["keys that are neither integers nor text", "a1810102"],
  ])("%s: cborg reads it, we refuse", (_name, hex) => {
    expect(() => decode(fromHex(hex), AS_MAPS)).not.toThrow();
    expect(codeOf(() => parseCbor(fromHex(hex), "input"))).toBe("INVALID_CBOR");
  });
});
