// SPDX-License-Identifier: Apache-2.0
import { codeOf, codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, fromUtf8, toHex } from "./bytes.ts";
import { type CborMap, CborTag, type CborValue, encodeCbor, isCborMap, parseCbor } from "./cbor.ts";
import {
  coseKeyOfPoint,
  encodeSign1,
  parseSign1,
  protectedHeader,
  signedBytes,
  spkiOfCoseKey,
  verifySign1,
} from "./cose.ts";
import { defaultCrypto, type SignatureAlgorithm } from "./crypto.ts";
import { AdytonError } from "./errors.ts";

describe("RFC 8949 appendix A, what is supported", () => {
  it.each<[string, CborValue]>([
    ["00", 0],
    ["17", 23],
    ["1818", 24],
    ["1903e8", 1000],
    ["1a000f4240", 1_000_000],
    ["1b000000e8d4a51000", 1_000_000_000_000],
    ["1bffffffffffffffff", 18446744073709551615n],
    ["20", -1],
    ["3903e7", -1000],
    ["3bffffffffffffffff", -18446744073709551616n],
    ["f4", false],
    ["f5", true],
    ["f6", null],
    ["f7", undefined],
    ["40", new Uint8Array(0)],
    ["4401020304", Uint8Array.of(1, 2, 3, 4)],
    ["60", ""],
    ["62c3bc", "ü"],
    ["80", []],
    ["8301820203820405", [1, [2, 3], [4, 5]]],
    ["a0", new Map()],
    [
      "a201020304",
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ],
    [
      "a26161016162820203",
      new Map<string, CborValue>([
        ["a", 1],
        ["b", [2, 3]],
      ]),
    ],
    ["c11a514b67b0", new CborTag(1, 1363896240)],
  ])("%s", (hex, value) => {
    expect(parseCbor(fromHex(hex), "value")).toEqual(value);
    expect(toHex(encodeCbor(value))).toBe(hex);
  });
});

describe("refused", () => {
  it.each([
    ["an integer in a longer head", "1817"],
    ["a 16-bit head for 8 bits", "190018"],
    ["a 32-bit head for 16 bits", "1a0000ffff"],
    ["a 64-bit head for 32 bits", "1b00000000ffffffff"],
    ["an indefinite byte string", "5f420102ff"],
    ["an indefinite array", "9fff"],
    ["an indefinite map", "bfff"],
    ["a reserved head", "1c"],
    ["a half float", "f90000"],
    ["a double", "fb3ff199999999999a"],
    ["an unassigned simple value", "e0"],
    ["a duplicate key", "a201020103"],
    ["a key that is a byte string", "a1410102"],
    ["trailing bytes", "0000"],
    ["nothing", ""],
    ["a byte string past the end", "42aa"],
    ["an array longer than the input", "9affffffff"],
    ["an array of 2^64-1", "9bffffffffffffffff"],
    ["text that is no UTF-8", "61ff"],
    ["deep nesting", `${"81".repeat(20)}00`],
    ["a truncated head", "19ff"],
    ["a tag of nothing", "c1"],
  ])("%s", (_, hex) => {
    expect(codeOf(() => parseCbor(fromHex(hex), "value"))).toBe("INVALID_CBOR");
  });

  it.each<[string, CborValue]>([
    ["floats", 1.5],
    ["integers beyond 64 bits", 1n << 64n],
  ])("does not encode %s", (_, value) => {
    expect(codeOf(() => encodeCbor(value))).toBe("INVALID_CBOR");
  });
});

describe("properties", () => {
  const leaf = fc.oneof(
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array({ maxLength: 30 }),
    fc.boolean(),
    fc.constant(null),
  );
  const tree = fc.letrec<{ value: CborValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", maxDepth: 6 },
      leaf,
      fc.array(tie("value"), { maxLength: 4 }),
      fc
        .dictionary(fc.string(), tie("value"), { maxKeys: 4 })
        .map((object) => new Map(Object.entries(object))),
      fc.tuple(fc.nat(), tie("value")).map(([tag, value]) => new CborTag(tag, value)),
    ),
  })).value;

  it("round-trips", () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(parseCbor(encodeCbor(value), "value")).toEqual(value);
      }),
    );
  });

  it("takes noise with a typed error, or as something that encodes to the same bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          expect(encodeCbor(parseCbor(bytes, "noise"))).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(AdytonError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("COSE_Sign1", () => {
  const payload = fromUtf8("claims");
  const kinds: ["P-256" | "P-384" | "P-521", SignatureAlgorithm][] = [
    ["P-256", { name: "ECDSA", hash: "SHA-256" }],
    ["P-384", { name: "ECDSA", hash: "SHA-384" }],
    ["P-521", { name: "ECDSA", hash: "SHA-512" }],
  ];

  it.each(kinds)("on %s: made, read, verified; every change refused", async (curve, algorithm) => {
    const key = await defaultCrypto.generateKey({ name: "EC", curve });
    const header = protectedHeader(algorithm);
    const signature = await key.sign(algorithm, signedBytes(header, payload));
    for (const tagged of [true, false]) {
      const sign1 = parseSign1(encodeSign1(header, payload, signature, tagged), "token");
      expect(sign1.algorithm).toEqual(algorithm);
      const spki = spkiOfCoseKey(
        parseCbor(
          encodeCbor(coseKeyOfPoint(curve, key.publicKey.spki.slice(-2 * (signature.length / 2)))),
          "key",
        ) as CborMap,
      );
      const imported = await defaultCrypto.importPublicKey(spki);
      expect(await verifySign1(sign1, imported)).toBe(true);
      expect(await verifySign1(sign1, imported, fromUtf8("other"))).toBe(false);
      expect(await verifySign1({ ...sign1, payload: fromUtf8("Claims") }, imported)).toBe(false);
    }
  });

  const header = protectedHeader({ name: "ECDSA", hash: "SHA-256" });
  const of = (...parts: CborValue[]): Uint8Array => encodeCbor(parts);
  const sig = new Uint8Array(64);
  it.each<[string, Uint8Array, string]>([
    ["no array", encodeCbor(1), "INVALID_COSE"],
    ["another tag", encodeCbor(new CborTag(17, [header, new Map(), payload, sig])), "INVALID_COSE"],
    ["three parts", of(header, new Map(), payload), "INVALID_COSE"],
    ["a protected header that is no bytes", of(1, new Map(), payload, sig), "INVALID_COSE"],
    ["an unprotected header that is no map", of(header, [], payload, sig), "INVALID_COSE"],
    ["a detached payload", of(header, new Map(), null, sig), "INVALID_COSE"],
    ["a signature that is no bytes", of(header, new Map(), payload, "x"), "INVALID_COSE"],
    ["a protected header that is no map", of(encodeCbor([]), new Map(), payload, sig), "INVALID_COSE"],
    ["an empty protected header", of(new Uint8Array(0), new Map(), payload, sig), "INVALID_CBOR"],
    [
      "critical parameters",
      of(
        encodeCbor(
          new Map<number, CborValue>([
            [1, -7],
            [2, [4]],
          ]),
        ),
        new Map(),
        payload,
        sig,
      ),
      "INVALID_COSE",
    ],
    ["the algorithm unprotected", of(header, new Map([[1, -7]]), payload, sig), "INVALID_COSE"],
    [
      "an unknown algorithm",
      of(encodeCbor(new Map([[1, -999]])), new Map(), payload, sig),
      "UNSUPPORTED_ALGORITHM",
    ],
    ["no algorithm", of(encodeCbor(new Map()), new Map(), payload, sig), "UNSUPPORTED_ALGORITHM"],
  ])("refuses %s", (_, bytes, code) => {
    expect(codeOf(() => parseSign1(bytes, "token"))).toBe(code);
  });

  it.each<[string, CborMap]>([
    [
      "another type",
      new Map<number, CborValue>([
        [1, 1],
        [-1, 1],
      ]),
    ],
    [
      "an unknown curve",
      new Map<number, CborValue>([
        [1, 2],
        [-1, 8],
      ]),
    ],
    [
      "short coordinates",
      new Map<number, CborValue>([
        [1, 2],
        [-1, 1],
        [-2, new Uint8Array(31)],
        [-3, new Uint8Array(32)],
      ]),
    ],
    [
      "a compressed point",
      new Map<number, CborValue>([
        [1, 2],
        [-1, 1],
        [-2, new Uint8Array(32)],
        [-3, true],
      ]),
    ],
  ])("refuses a key with %s", (_, key) => {
    expect(codeOf(() => spkiOfCoseKey(key))).toBe("INVALID_KEY");
  });

  it("does not sign with algorithms COSE has no number for", async () => {
    expect(
      await codeOfAsync(async () => protectedHeader({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" })),
    ).toBe("UNSUPPORTED_ALGORITHM");
    expect(isCborMap([])).toBe(false);
  });
});
