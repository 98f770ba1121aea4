// SPDX-License-Identifier: Apache-2.0
// AMD's binary certificates: real ones of five generations and one whole Naples platform, whole and broken.

import { concat, fromUtf8, toBase64, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { codeOf, fixtureBytes, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readEndorsement } from "../../endorsements.ts";
import { EvidenceError } from "../../errors.ts";
import { encodeSevCaCertificate, parseSevCaCertificate, type SevCaFields } from "./ca.ts";
import { readSevCertificates, SEV_CA, SEV_PLATFORM, splitSevCertificates } from "./endorsements.ts";
import { SEV_GENERATIONS, sevGenerationOf } from "./generations.ts";
import { sevSpkiOf } from "./keys.ts";
import { ALGORITHM, type SevAlgorithm, type SevUsage, USAGE } from "./numbers.ts";
import {
  encodeSevPlatformBody,
  encodeSevPlatformCertificate,
  parseSevPlatformCertificate,
  type SevPlatformFields,
} from "./platform.ts";

const CA: SevCaFields = {
  usage: "ASK",
  keyId: new Uint8Array(16).fill(1),
  certifyingId: new Uint8Array(16).fill(2),
  exponent: 65537,
  modulus: new Uint8Array(256).fill(0xc1),
  signature: new Uint8Array(256).fill(4),
};
const PLATFORM: SevPlatformFields = {
  apiMajor: 1,
  apiMinor: 55,
  usage: "PEK",
  algorithm: "ECDSA-SHA256",
  curve: "P-384",
  point: new Uint8Array(96).fill(5),
  signatures: [
    { usage: "OCA", algorithm: "ECDSA-SHA256", signature: new Uint8Array(144).fill(6) },
    { usage: "CEK", algorithm: "ECDSA-SHA384", signature: new Uint8Array(144).fill(7) },
  ],
};

/** `bytes` with a little-endian word written over. */
function withWord(bytes: Uint8Array, offset: number, word: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  new DataView(out.buffer).setUint32(offset, word, true);
  return out;
}

describe("CA certificates", () => {
  const bytes = encodeSevCaCertificate(CA);
  it("have 832 or 1,600 bytes", () => {
    expect(bytes).toHaveLength(832);
    const wide = { ...CA, modulus: new Uint8Array(512).fill(0xc1), signature: new Uint8Array(512) };
    expect(encodeSevCaCertificate(wide)).toHaveLength(1600);
    expect(codeOf(() => encodeSevCaCertificate({ ...CA, signature: new Uint8Array(512) }))).toBe(
      "OUT_OF_BOUNDS",
    );
  });

  it("decode to what was encoded", () => {
    const number = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
    fc.assert(
      fc.property(
        fc.constantFrom(256, 512),
        fc.constantFrom("ARK" as const, "ASK" as const),
        fc.nat(0x7ffffffe),
        fc.gen(),
        (size, usage, half, gen) => {
          const modulus = gen(number, size).map((byte, i) => (i === 0 ? byte | 0x80 : byte));
          const fields: SevCaFields = {
            usage,
            keyId: gen(number, 16),
            certifyingId: gen(number, 16),
            exponent: 2 * half + 3,
            modulus,
            signature: gen(number, size),
          };
          const {
            bytes: _bytes,
            signedPart: _signed,
            ...again
          } = parseSevCaCertificate(encodeSevCaCertificate(fields));
          expect(again).toEqual(fields);
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each<[string, Uint8Array]>([
    ["another version", withWord(bytes, 0, 2)],
    ["another usage", withWord(bytes, 0x24, 1)],
    ["a reserved word", withWord(bytes, 0x28, 1)],
    ["the last reserved word", withWord(bytes, 0x34, 1)],
    ["another size of the exponent", withWord(bytes, 0x38, 4096)],
    ["another size of both", withWord(withWord(bytes, 0x38, 3072), 0x3c, 3072)],
    ["an even exponent", withWord(bytes, 0x40, 65536)],
    ["exponent 1", withWord(bytes, 0x40, 1)],
    ["an exponent beyond 32 bits", withWord(bytes, 0x44, 1)],
    ["a modulus with a bit less", encodeSevCaCertificate({ ...CA, modulus: new Uint8Array(256).fill(0x7f) })],
    ["a byte less", bytes.subarray(1)],
    ["a byte cut off", bytes.subarray(0, -1)],
    ["a byte more", concat(bytes, Uint8Array.of(0))],
    ["nothing", new Uint8Array(0)],
  ])("with %s are refused", (_, broken) => {
    expect(codeOf(() => parseSevCaCertificate(broken))).toBe("INVALID_SEV_CERTIFICATE");
  });
});

describe("platform certificates", () => {
  const bytes = encodeSevPlatformCertificate(PLATFORM);
  const unsigned = encodeSevPlatformCertificate({ ...PLATFORM, signatures: [undefined, undefined] });
  const point256 = encodeSevPlatformCertificate({ ...PLATFORM, curve: "P-256", point: new Uint8Array(64) });

  it("decode to what was encoded", () => {
    const usages = (Object.keys(USAGE) as SevUsage[]).filter((usage) => usage !== "ARK" && usage !== "ASK");
    const number = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
    const slot = (usage: SevUsage) =>
      fc.option(
        fc.oneof(
          fc.record({
            usage: fc.constant(usage),
            algorithm: fc.constantFrom<SevAlgorithm>("ECDSA-SHA256", "ECDSA-SHA384"),
            signature: number(144),
          }),
          fc.record({
            usage: fc.constant(usage),
            algorithm: fc.constantFrom<SevAlgorithm>("RSA-SHA256", "RSA-SHA384"),
            signature: number(512),
          }),
        ),
        { nil: undefined },
      );
    const fields = fc.constantFrom("P-256" as const, "P-384" as const).chain((curve) =>
      fc.record({
        apiMajor: fc.nat(255),
        apiMinor: fc.nat(255),
        usage: fc.constantFrom(...usages),
        algorithm: fc.constantFrom<SevAlgorithm>(
          "ECDSA-SHA256",
          "ECDH-SHA256",
          "ECDSA-SHA384",
          "ECDH-SHA384",
        ),
        curve: fc.constant(curve),
        point: number(curve === "P-256" ? 64 : 96),
        signatures: fc.tuple(slot("ASK"), slot("CEK")),
      }),
    );
    fc.assert(
      fc.property(fields, (given) => {
        const {
          bytes: _bytes,
          signedPart,
          ...again
        } = parseSevPlatformCertificate(encodeSevPlatformCertificate(given as SevPlatformFields));
        expect(again).toEqual(given);
        expect(signedPart).toEqual(encodeSevPlatformBody(given as SevPlatformFields));
      }),
      { numRuns: 50 },
    );
  });

  it.each<[string, Uint8Array]>([
    ["another version", withWord(bytes, 0, 2)],
    ["a reserved word", withWord(bytes, 4, 0x00010000)],
    ["the usage of a CA", withWord(bytes, 8, USAGE.ASK)],
    ["the usage of nothing", withWord(bytes, 8, 0x1000)],
    ["an RSA key", withWord(bytes, 12, ALGORITHM["RSA-SHA256"])],
    ["an unknown algorithm", withWord(bytes, 12, 4)],
    ["Hygon's curve", withWord(bytes, 16, 3)],
    ["x beyond its curve", withWord(bytes, 20 + 68, 1)],
    ["y beyond its curve", withWord(point256, 20 + 72 + 32, 1)],
    ["something after the point", withWord(bytes, 20 + 144, 1)],
    ["something at the end of the body", withWord(bytes, 0x410, 1)],
    ["an unknown signer", withWord(bytes, 0x414, 0x1005)],
    ["a signature by ECDH", withWord(bytes, 0x418, ALGORITHM["ECDH-SHA256"])],
    ["a signature by an unknown algorithm", withWord(bytes, 0x418, 7)],
    ["something after s", withWord(bytes, 0x41c + 144, 1)],
    ["two signatures by one signer", withWord(bytes, 0x61c, USAGE.OCA)],
    ["an algorithm of an unused signature", withWord(unsigned, 0x418, 2)],
    ["an unused signature that is not empty", withWord(unsigned, 0x820, 1)],
    ["a byte cut off", bytes.subarray(0, -1)],
    ["a byte more", concat(bytes, Uint8Array.of(0))],
    ["nothing", new Uint8Array(0)],
  ])("with %s are refused", (_, broken) => {
    expect(codeOf(() => parseSevPlatformCertificate(broken))).toBe("INVALID_SEV_CERTIFICATE");
  });

  it("are not encoded with a point or a signature of another size", () => {
    const code = (fields: Partial<SevPlatformFields>): string =>
      codeOf(() => encodeSevPlatformCertificate({ ...PLATFORM, ...fields }));
    expect(code({ point: new Uint8Array(64) })).toBe("INVALID_SEV_CERTIFICATE");
    const short = { usage: "OCA", algorithm: "ECDSA-SHA256", signature: new Uint8Array(96) } as const;
    expect(code({ signatures: [short, undefined] })).toBe("INVALID_SEV_CERTIFICATE");
    const rsa = { ...short, algorithm: "RSA-SHA256" } as const;
    expect(code({ signatures: [rsa, undefined] })).toBe("OUT_OF_BOUNDS");
  });
});

describe("certificates one after the other", () => {
  const ca = encodeSevCaCertificate(CA);
  const platform = encodeSevPlatformCertificate(PLATFORM);
  const kinds = (bytes: Uint8Array): string[] =>
    (readEndorsement({ name: "file", bytes }).vendorCertificates ?? []).map(({ kind }) => kind);

  it("are taken apart in any order, raw and in base64", () => {
    expect(kinds(ca)).toEqual([SEV_CA]);
    const all = concat(platform, ca, platform, ca);
    expect(kinds(all)).toEqual([SEV_PLATFORM, SEV_CA, SEV_PLATFORM, SEV_CA]);
    const lines = toBase64(all).match(/.{1,64}/g) ?? [];
    expect(kinds(fromUtf8(`${lines.join("\n")}\n`))).toEqual([SEV_PLATFORM, SEV_CA, SEV_PLATFORM, SEV_CA]);
  });

  it.each<[string, Uint8Array]>([
    ["cut off", platform.subarray(0, -1)],
    ["cut off in base64", fromUtf8(toBase64(platform.subarray(0, -1)))],
    ["followed by something", concat(platform, Uint8Array.of(1))],
    ["followed by half of one", concat(ca, platform.subarray(0, 100))],
    ["broken inside", withWord(platform, 0x410, 1)],
    ["too many", concat(...Array.from({ length: 65 }, () => ca))],
  ])("%s are refused", (_, bytes) => {
    expect(codeOf(() => readSevCertificates(bytes))).toBe("INVALID_SEV_CERTIFICATE");
  });

  it.each<[string, Uint8Array]>([
    ["a note", fromUtf8("AQ is no certificate")],
    ["base64 of something else", fromUtf8("AQAAAAAA")],
    ["base64 that is broken", fromUtf8("AQAAA")],
    ["Hygon's", withWord(platform, 16, 3)],
    ["nothing", new Uint8Array(0)],
    ["too little", platform.subarray(0, 16)],
  ])("%s is none of these", (_, bytes) => {
    expect(readSevCertificates(bytes)).toBeUndefined();
  });

  it("give typed errors on any bytes", () => {
    const start = fc.constantFrom(
      new Uint8Array(0),
      ca.subarray(0, 0x40),
      platform.subarray(0, 0x14),
      ca,
      platform,
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 3000, size: "max" }), (head, tail) => {
        for (const read of [
          readSevCertificates,
          splitSevCertificates,
          parseSevCaCertificate,
          parseSevPlatformCertificate,
        ]) {
          try {
            read(concat(head, tail));
          } catch (error) {
            expect(error).toBeInstanceOf(EvidenceError);
          }
        }
      }),
    );
  });
});

describe.skipIf(!hasFixtures)("AMD's own", () => {
  const CAS = SEV_GENERATIONS.flatMap((generation) =>
    (["ark", "ask"] as const).map((role) => [generation, role] as const),
  );
  const file = (generation: string, role: string): Promise<Uint8Array> =>
    fixtureBytes(`sev/${generation.toLowerCase()}/${role}.cert`);

  it.each(CAS)("%s %s", async (generation, role) => {
    const bytes = await file(generation, role);
    const parsed = parseSevCaCertificate(bytes);
    expect(parsed.usage).toBe(role.toUpperCase());
    expect(parsed.modulus).toHaveLength(generation === "Naples" ? 256 : 512);
    expect(parsed.exponent).toBe(65537);
    expect(encodeSevCaCertificate(parsed)).toEqual(bytes);
    const sha256 = toHex(await defaultCrypto.digest("SHA-256", bytes));
    expect(sevGenerationOf(sha256)).toBe(role === "ark" ? generation : undefined);
  });

  it.each([
    ["Milan", "ask_ark_milan.pem"],
    ["Genoa", "ask_ark_genoa.pem"],
    ["Turin", "ask_ark_turin_vcek.pem"],
  ])("%s: the binary root holds the key of the X.509 root", async (generation, pem) => {
    const bag = readEndorsement({ name: pem, bytes: await fixtureBytes(`sev-snp/roots/${pem}`) });
    const x509 = bag.certificates.find(({ subject }) => subject.commonName === `ARK-${generation}`);
    const spki = sevSpkiOf(parseSevCaCertificate(await file(generation, "ark")));
    expect(toHex(x509?.spki ?? new Uint8Array())).toBe(toHex(spki));
  });

  it.each([
    ["cek", "CEK", "ECDSA-SHA256", ["ASK", undefined]],
    ["oca", "OCA", "ECDSA-SHA256", ["OCA", undefined]],
    ["pek", "PEK", "ECDSA-SHA256", ["OCA", "CEK"]],
    ["pdh", "PDH", "ECDH-SHA256", ["PEK", undefined]],
  ] as const)("Naples %s", async (name, usage, algorithm, signers) => {
    const bytes = await fixtureBytes(`sev/naples/${name}.cert`);
    const parsed = parseSevPlatformCertificate(bytes);
    expect(parsed).toMatchObject({ usage, algorithm, curve: "P-384", apiMajor: 0 });
    expect(parsed.signatures.map((slot) => slot?.usage)).toEqual(signers);
    expect(encodeSevPlatformCertificate(parsed)).toEqual(bytes);
    await defaultCrypto.importPublicKey(sevSpkiOf(parsed));
  });

  it("the Naples ARK as it was once published, without its signature, is refused with the reason", async () => {
    const bytes = await fixtureBytes("sev/naples/ark.cert.bad");
    expect(bytes).toHaveLength(576);
    try {
      readEndorsement({ name: "ark.cert.bad", bytes });
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof AdytonError)) throw error;
      expect(error.code).toBe("INVALID_SEV_CERTIFICATE");
      expect(error.message).toContain("signature needs 256 bytes");
      expect(error.hint).toContain("Naples");
    }
    const whole = concat(bytes, await fixtureBytes("sev/naples/ark.cert.sig"));
    expect(whole).toEqual(await file("Naples", "ark"));
  });
});
