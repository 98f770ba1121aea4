// SPDX-License-Identifier: Apache-2.0
// TPM structures: those that real TPMs and tpm2-tools wrote, generated ones, and broken ones.

import { concat, equal, fromHex, fromUtf8, toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import { parsePem } from "@adyton/core/pem";
import { codeOf, fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TpmHash } from "./algorithms.ts";
import {
  encodeQuoteAttest,
  encodeTpmSignature,
  parseQuoteAttest,
  parseTpmSignature,
  type QuoteAttest,
  type TpmSignature,
} from "./attest.ts";
import {
  encodeTpmPublic,
  isAttestationKey,
  nameOf,
  OBJECT_ATTRIBUTE,
  parseTpmPublic,
  spkiOfTpmPublic,
} from "./public.ts";

const BOOT = "measure/tpm/boots/q11-direct";

describe.skipIf(!hasFixtures)("structures of a real TPM", () => {
  it.each([
    ["ak", "ECC", true],
    ["akr", "RSA", true],
  ] as const)(
    "%s.pub is an attestation key, and its key is that of the PEM file",
    async (name, type, attests) => {
      const bytes = await fixtureBytes(`${BOOT}/${name}.pub`);
      const key = parseTpmPublic(bytes);
      expect(key.key.type).toBe(type);
      expect(isAttestationKey(key)).toBe(attests);
      const [block] = parsePem(await fixtureText(`${BOOT}/${name}.pem`));
      expect(toHex(spkiOfTpmPublic(key))).toBe(toHex(block?.der ?? new Uint8Array()));
      expect(equal(encodeTpmPublic(key), bytes.subarray(2))).toBe(true);
      expect(parseTpmPublic(bytes.subarray(2))).toEqual(key);
    },
  );

  it("the key's name is the one that the TPM told", async () => {
    const name = await nameOf(parseTpmPublic(await fixtureBytes(`${BOOT}/ak.pub`)), verifyingCrypto);
    expect(toHex(name)).toBe(toHex(await fixtureBytes(`${BOOT}/ak.name`)));
  });

  it("ek.pub is an endorsement key and no attestation key", async () => {
    const ek = parseTpmPublic(await fixtureBytes(`${BOOT}/ek.pub`));
    expect(isAttestationKey(ek)).toBe(false);
    expect(ek.attributes & OBJECT_ATTRIBUTE.decrypt).not.toBe(0);
    expect(ek.symmetric).toEqual({ algorithm: 6, bits: 128, mode: 0x43 });
  });

  it.each([
    ["q", "ECDSA", "SHA-256"],
    ["q384", "ECDSA", "SHA-384"],
    ["qr", "RSASSA", "SHA-256"],
  ] as const)("%s.msg and .sig", async (name, scheme, bank) => {
    const message = await fixtureBytes(`${BOOT}/${name}.msg`);
    const attest = parseQuoteAttest(message);
    expect(toHex(attest.extraData)).toBe("00112233445566778899aabbccddeeff".repeat(2));
    expect(attest.selection).toEqual([
      { hash: bank, indices: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14] },
    ]);
    expect(equal(encodeQuoteAttest(attest), message)).toBe(true);
    const bytes = await fixtureBytes(`${BOOT}/${name}.sig`);
    const signature = parseTpmSignature(bytes);
    expect(signature).toMatchObject({ scheme, hash: "SHA-256" });
    expect(equal(encodeTpmSignature(signature), bytes)).toBe(true);
  });

  it.each(["q.msg", "q.sig", "ak.pub", "akr.pub"])("%s cut anywhere, or longer, is refused", async (name) => {
    const bytes = await fixtureBytes(`${BOOT}/${name}`);
    const parse = name.endsWith("msg")
      ? parseQuoteAttest
      : name.endsWith("sig")
        ? parseTpmSignature
        : parseTpmPublic;
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => parse(bytes.subarray(0, length)))).toBe("INVALID_TPM_STRUCTURE");
    }
    expect(codeOf(() => parse(concat(bytes, Uint8Array.of(0))))).toBe("INVALID_TPM_STRUCTURE");
  });
});

const HASHES: readonly TpmHash[] = ["SHA-1", "SHA-256", "SHA-384", "SHA-512", "SM3"];
const anyBytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const anyAttest: fc.Arbitrary<QuoteAttest> = fc.record({
  qualifiedSigner: anyBytes(34),
  extraData: anyBytes(64),
  clock: fc.bigInt(0n, 2n ** 64n - 1n),
  resetCount: fc.nat(),
  restartCount: fc.nat(),
  safe: fc.boolean(),
  firmwareVersion: fc.bigInt(0n, 2n ** 64n - 1n),
  selection: fc.array(
    fc.record({
      hash: fc.constantFrom(...HASHES),
      indices: fc.uniqueArray(fc.nat(23)).map((indices) => indices.sort((a, b) => a - b)),
    }),
    { maxLength: 5 },
  ),
  pcrDigest: anyBytes(64),
});
const anySignature: fc.Arbitrary<TpmSignature> = fc.oneof(
  fc.record({
    scheme: fc.constantFrom("RSASSA" as const, "RSAPSS" as const),
    hash: fc.constantFrom(...HASHES),
    values: fc.tuple(anyBytes(512)),
  }),
  fc.record({
    scheme: fc.constant("ECDSA" as const),
    hash: fc.constantFrom(...HASHES),
    values: fc.tuple(anyBytes(66), anyBytes(66)),
  }),
);

describe("TPM structures", () => {
  it("quotes and signatures round trip", () => {
    fc.assert(
      fc.property(anyAttest, anySignature, (attest, signature) => {
        expect(parseQuoteAttest(encodeQuoteAttest(attest))).toEqual(attest);
        expect(parseTpmSignature(encodeTpmSignature(signature))).toEqual(signature);
      }),
    );
  });

  it("any bytes give a structure or a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        for (const parse of [parseQuoteAttest, parseTpmSignature, parseTpmPublic]) {
          expect(["nothing", "INVALID_TPM_STRUCTURE"]).toContain(codeOf(() => parse(noise)));
        }
      }),
      { numRuns: 300 },
    );
  });

  const attest: QuoteAttest = {
    qualifiedSigner: new Uint8Array(),
    extraData: fromUtf8("nonce"),
    clock: 1n,
    resetCount: 2,
    restartCount: 3,
    safe: true,
    firmwareVersion: 4n,
    selection: [{ hash: "SHA-256", indices: [0, 23] }],
    pcrDigest: new Uint8Array(32),
  };
  const good = encodeQuoteAttest(attest);
  it.each<readonly [rule: string, offset: number, value: readonly number[]]>([
    ["another magic", 0, [0xfe]],
    ["a certify attestation", 5, [0x17]],
    ["safe neither yes nor no", 31, [2]],
    ["17 selections", 43, [17]],
    ["an unknown bank", 45, [0x27]],
    ["a bitmap of five bytes", 46, [5]],
  ])("a quote with %s", (_rule, offset, value) => {
    const broken = Uint8Array.from(good);
    broken.set(value, offset);
    expect(codeOf(() => parseQuoteAttest(broken))).toBe("INVALID_TPM_STRUCTURE");
  });
  it("a quote with a nonce of 65 bytes", () => {
    const long = encodeQuoteAttest({ ...attest, extraData: new Uint8Array(65) });
    expect(codeOf(() => parseQuoteAttest(long))).toBe("INVALID_TPM_STRUCTURE");
  });

  it.each([
    ["HMAC", "0005000b0000"],
    ["an unknown hash", "001400270000"],
    ["SM2", "001b00120000"],
  ])("a signature by %s", (_rule, hex) => {
    expect(codeOf(() => parseTpmSignature(fromHex(hex)))).toBe("INVALID_TPM_STRUCTURE");
  });

  const ecc = `0023000b00050072000000100018000b00030010${"0020".concat("11".repeat(32)).repeat(2)}`;
  it("an ECC key whose coordinates lack leading zeros", () => {
    const short = ecc.replace(`0020${"11".repeat(32)}`, `001f${"11".repeat(31)}`);
    const key = parseTpmPublic(fromHex(short));
    expect(key.key).toMatchObject({ type: "ECC", x: fromHex(`00${"11".repeat(31)}`) });
  });
  it.each([
    ["of another type", ecc.replace(/^0023/, "0025")],
    ["with an unknown name algorithm", ecc.replace(/^0023000b/, "00230027")],
    ["with an unknown curve", ecc.replace("0018000b0003", "0018000b0020")],
    ["with a key derivation", ecc.replace("00030010", "00030022")],
    ["with an unknown scheme hash", ecc.replace("0018000b", "00180027")],
    ["with an empty coordinate", ecc.replace(`0020${"11".repeat(32)}`, "0000")],
    ["with a coordinate that is too long", ecc.replace(`0020${"11".repeat(32)}`, `0021${"11".repeat(33)}`)],
    [
      "RSA with a modulus of another size",
      `0001000b00050072000000100014000b0800000000000080${"ff".repeat(128)}`,
    ],
  ])("a public area %s", (_rule, hex) => {
    expect(codeOf(() => parseTpmPublic(fromHex(hex)))).toBe("INVALID_TPM_STRUCTURE");
  });
});
