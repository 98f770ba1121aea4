// SPDX-License-Identifier: Apache-2.0
// Secure Execution's formats on s390-tools' own test data, and the known answers of its measurement.

import { concat, fromHex, toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import { parseCertificates } from "@adyton/core/x509";
import { codeOf, codeOfAsync, fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detectTee, schemeOf } from "../registry.ts";
import { coordinatesOf, phkhOf } from "./endorsements.ts";
import {
  encodeSeEvidence,
  encodeSeExchangeRequest,
  parseSeEvidence,
  parseSeExchangeRequest,
  type SeEvidence,
} from "./evidence.ts";
import { encodeSeTags, isSeHeader, parseSeHeader, parseSeTags } from "./header.ts";
import { additionalSizeOf, parseAdditionalData, SE_FLAGS, seFlags, seMeasurement } from "./measurement.ts";
import { encodeSeRequest, openSeRequest, parseSeRequest, sealSeRequest } from "./request.ts";
import { openBox, openGcm, sealBox, sealGcm } from "./symmetric.ts";

const fill = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);
const TAGS = { pld: fill(64, 1), ald: fill(64, 2), tld: fill(64, 3), tag: fill(16, 4) };

describe("the measurement", () => {
  const whole = {
    tags: TAGS,
    cuid: fill(16, 5),
    userData: fill(256, 7),
    nonce: fill(16, 8),
    additional: fill(128, 9),
  };
  const none = new Uint8Array();
  it.each([
    [
      "everything",
      whole,
      "88794c62cce7bcf26216deb3f48f13fea6374b6d7e35bcc5c2ce68121db6f45dfc8c171856463549408bf8e7d1aca11efad0a878af97dc9e21a1fc2a32f3a675",
    ],
    [
      "no nonce",
      { ...whole, nonce: undefined },
      "fbd4f738a390edd947cd4f11af3a2f3bab2fdf8bf89bf81beb495117f4382cf42f0730c8c7d9e3ca27fb25adfceb21224f57fdb398dcf41a83c146e6a23db760",
    ],
    [
      "additional data alone",
      { ...whole, nonce: undefined, userData: none },
      "63671fbf295036eb1023ea71f7182e7d6343dc7b2da584e824d0a7d198ab9cded756c93b39050ffb764555b01f88cb82017a6a15c7e0bafc6005f1e4f78aa124",
    ],
    [
      "the least",
      { ...whole, nonce: undefined, userData: none, additional: none },
      "c5c34c93835d1ec23f5c2d778dfa20129b11b305601742cb2f38e0ed9894dcdb73fc8695ab6a8dbad0744073ddc81a5eaafa52e4a15af8deb8d761091922847f",
    ],
  ])("of %s is s390-tools'", async (_name, measured, expected) => {
    expect(toHex(await seMeasurement(fill(64, 0x41), measured))).toBe(expected);
  });

  it("what was asked for is taken apart by the flags", () => {
    const flags = seFlags(SE_FLAGS.nonce, ...Object.values(SE_FLAGS).slice(1));
    expect(additionalSizeOf(flags)).toBe(448);
    const found = parseAdditionalData(concat(fill(32, 1), fill(32, 2), fill(64, 3), fill(320, 4)), flags);
    expect(found).toEqual({
      imagePhkh: fill(32, 1),
      attestationPhkh: fill(32, 2),
      secretStoreHash: fill(64, 3),
      firmwareState: fill(320, 4),
    });
    expect(codeOf(() => parseAdditionalData(fill(447, 0), flags))).toBe("OUT_OF_BOUNDS");
    expect(codeOf(() => parseAdditionalData(fill(449, 0), flags))).toBe("INVALID_SE_EVIDENCE");
    const unknown = seFlags(SE_FLAGS.imagePhkh, 9);
    expect(parseAdditionalData(fill(33, 1), unknown).unrecognized).toEqual(fill(1, 1));
  });
});

describe.skipIf(!hasFixtures)("s390-tools' test data", () => {
  it("an exchange", async () => {
    const bytes = await fixtureBytes("ibm-se/pv/exp/exchange.bin");
    expect(detectTee(bytes)).toBe("se");
    const exchange = parseSeEvidence(bytes);
    expect(exchange).toEqual({
      form: "exchange",
      request: fill(16, 0x11),
      measurement: fill(64, 0x12),
      additional: fill(32, 0x13),
      userData: fill(256, 0x13),
      cuid: fill(16, 0x14),
    });
    expect(toHex(encodeSeEvidence(exchange))).toBe(toHex(bytes));
    expect(schemeOf("se").inspect(bytes)).toMatchObject({ version: 256, cuid: "14".repeat(16) });
    // The first five 32-bit words of the head are magic, version and size; then zeros, then sizes and offsets.
    for (let at = 0; at < 0x40; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      expect(codeOf(() => parseSeEvidence(changed))).toMatch(
        /^(INVALID_SE_EVIDENCE|OUT_OF_BOUNDS|TRAILING_BYTES|INVALID_JSON|INVALID_UTF8)$/,
      );
    }
    expect(codeOf(() => parseSeExchangeRequest(bytes))).toBe("INVALID_SE_EVIDENCE");
  });

  it("a request, opened with its protection key", async () => {
    const bytes = await fixtureBytes("ibm-se/pv/exp/arcb.bin");
    const request = parseSeRequest(bytes);
    expect(request.flags).toBe(seFlags(SE_FLAGS.nonce, SE_FLAGS.imagePhkh, SE_FLAGS.attestationPhkh));
    expect(toHex(request.iv)).toBe("55".repeat(12));
    expect(toHex(request.customerKey)).toBe(toHex(await fixtureBytes("ibm-se/pv/keys/public_cust.bin")));
    const [slot] = request.slots;
    if (slot === undefined) throw new Error("no slot");
    expect(toHex(concat(slot.phkh, slot.wrapped))).toBe(
      toHex(await fixtureBytes("ibm-se/pv/exp/keyslot.bin")),
    );
    const [host] = parseCertificates(await fixtureText("ibm-se/pv/keys/host.pem.crt"));
    if (host === undefined) throw new Error("no host key");
    expect(toHex(slot.phkh)).toBe(toHex(await phkhOf(host.spki, verifyingCrypto)));
    expect(await openSeRequest(bytes, fill(32, 0x17))).toEqual({
      measurementKey: fill(64, 0x77),
      nonce: fill(16, 0xab),
    });
    expect(toHex(encodeSeRequest(request))).toBe(toHex(bytes));
    const secrets = await openSeRequest(bytes, fill(32, 0x17));
    expect(toHex(await sealSeRequest(request, secrets, fill(32, 0x17)))).toBe(toHex(bytes));
  });

  it("no byte of a request can be changed unnoticed", async () => {
    const bytes = await fixtureBytes("ibm-se/pv/exp/arcb.bin");
    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      const code = await codeOfAsync(() => openSeRequest(changed, fill(32, 0x17)));
      expect(code).toMatch(/^(DECRYPTION_FAILED|INVALID_SE_EVIDENCE|OUT_OF_BOUNDS|TRAILING_BYTES)$/);
      expect(codeOf(() => parseSeRequest(bytes.subarray(0, at)))).toMatch(
        /^(OUT_OF_BOUNDS|INVALID_SE_EVIDENCE)$/,
      );
    }
    expect(await codeOfAsync(() => openSeRequest(bytes, fill(32, 0x18)))).toBe("DECRYPTION_FAILED");
  });

  it("a header, whose digests and tag s390-tools names", async () => {
    const bytes = await fixtureBytes("ibm-se/pv/exp/secure_guest.hdr");
    expect(isSeHeader(bytes)).toBe(true);
    const tags = parseSeHeader(bytes);
    expect(toHex(tags.tag)).toBe("92309d4589b9a85b427f8753171d1520");
    expect(toHex(tags.pld)).toMatch(/^be94b5eab3c1b118.*2f3e0161$/);
    expect(toHex(tags.ald)).toMatch(/^2858c3368b2a0af0.*4fcb9328$/);
    expect(toHex(tags.tld)).toMatch(/^4860ebcf7b9d24eb.*9fe67af5$/);
    expect(parseSeTags(encodeSeTags(tags))).toEqual(tags);
    for (const [at, code] of [
      [0, "INVALID_SE_EVIDENCE"],
      [11, "INVALID_SE_EVIDENCE"],
      [15, "INVALID_SE_EVIDENCE"],
      [0x27, "INVALID_SE_EVIDENCE"],
      [0x2f, "INVALID_SE_EVIDENCE"],
    ] as const) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(codeOf(() => parseSeHeader(changed))).toBe(code);
    }
    expect(codeOf(() => parseSeHeader(bytes.subarray(0, 600)))).toBe("INVALID_SE_EVIDENCE");
    expect(codeOf(() => parseSeHeader(new Uint8Array(17_000)))).toBe("INVALID_SE_EVIDENCE");
    expect(codeOf(() => parseSeTags(bytes))).toBe("INVALID_SE_EVIDENCE");
  });
});

describe("formats", () => {
  const bytes = (minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> =>
    fc.uint8Array({ minLength, maxLength });
  const answer = {
    measurement: bytes(64),
    additional: bytes(0, 500),
    userData: bytes(0, 256),
    cuid: bytes(16),
  };
  const evidence: fc.Arbitrary<SeEvidence> = fc.oneof(
    fc.record({ form: fc.constant("exchange" as const), request: bytes(1, 600), ...answer }),
    fc.record({
      form: fc.constant("response" as const),
      ...answer,
      sealedMeasurementKey: bytes(1, 300),
      sealedNonce: bytes(1, 100),
      tags: fc.record({ pld: bytes(64), ald: bytes(64), tld: bytes(64), tag: bytes(16) }),
    }),
  );

  it("what is written reads back", () => {
    fc.assert(
      fc.property(evidence, (value) => {
        const encoded = encodeSeEvidence(value);
        expect(parseSeEvidence(encoded)).toEqual(value);
        expect(detectTee(encoded)).toBe("se");
      }),
    );
    fc.assert(
      fc.property(
        bytes(1, 600),
        fc.nat(0x8000),
        fc.nat(0x8000),
        (request, measurementSize, additionalSize) => {
          const value = { request, measurementSize, additionalSize };
          expect(parseSeExchangeRequest(encodeSeExchangeRequest(value))).toEqual(value);
        },
      ),
    );
  });

  it("any bytes give typed errors only", () => {
    fc.assert(
      fc.property(evidence, fc.nat(), fc.uint8Array({ maxLength: 16 }), (value, where, noise) => {
        const encoded = encodeSeEvidence(value);
        const at = where % encoded.length;
        const changed = Uint8Array.from(encoded);
        changed.set(noise.subarray(0, encoded.length - at), at);
        for (const each of [changed, encoded.subarray(0, at), concat(fromHex("7076617474657374"), noise)]) {
          codeOf(() => parseSeEvidence(each));
          codeOf(() => parseSeExchangeRequest(each));
          codeOf(() => parseSeRequest(each));
          codeOf(() => parseSeHeader(each));
          schemeOf("se").detect(each);
        }
      }),
    );
  });

  it.each([
    ["no object", "[]"],
    ["a member missing", '{"measurement":""}'],
    ["a member too many", '{"more":1}'],
    ["a member that is no text", '{"measurement":1}'],
    ["a measurement of another size", '{"measurement":"AAAA"}'],
  ])("JSON with %s is refused", (_name, text) => {
    const value = JSON.parse(text);
    expect(codeOf(() => schemeOf("se").fromKbs(value))).toBe("INVALID_SE_EVIDENCE");
  });

  it("JSON goes and comes back; an exchange has no such form", () => {
    const [response] = fc.sample(
      evidence.filter(({ form }) => form === "response"),
      1,
    );
    const [exchange] = fc.sample(
      evidence.filter(({ form }) => form === "exchange"),
      1,
    );
    if (response === undefined || exchange === undefined) throw new Error("no sample");
    const encoded = encodeSeEvidence(response);
    const value = schemeOf("se").toKbs({ evidence: encoded });
    expect(toHex(schemeOf("se").fromKbs(value).evidence)).toBe(toHex(encoded));
    expect(codeOf(() => schemeOf("se").toKbs({ evidence: encodeSeEvidence(exchange) }))).toBe(
      "INVALID_SE_EVIDENCE",
    );
  });

  it("a key that is not on P-521 has no coordinates", () => {
    expect(codeOf(() => coordinatesOf(new Uint8Array(91)))).toBe("INVALID_SE_HOST_KEY");
  });
});

describe("AES-256-GCM", () => {
  // NIST GCM test case 16 (McGrew and Viega), AES-256 with associated data.
  const key = fromHex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const nonce = fromHex("cafebabefacedbaddecaf888");
  const data = fromHex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  );
  const associated = fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const sealed = fromHex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
  );

  it("is the standard's", async () => {
    expect(toHex(await sealGcm(key, nonce, associated, data))).toBe(toHex(sealed));
    expect(toHex(await openGcm(key, nonce, associated, sealed))).toBe(toHex(data));
  });

  it("refuses what was changed, and keys of another size", async () => {
    const changed = Uint8Array.from(sealed);
    changed[3] = (changed[3] ?? 0) ^ 1;
    expect(await codeOfAsync(() => openGcm(key, nonce, associated, changed))).toBe("DECRYPTION_FAILED");
    expect(await codeOfAsync(() => openGcm(key, nonce, data, sealed))).toBe("DECRYPTION_FAILED");
    expect(await codeOfAsync(() => openGcm(key.subarray(1), nonce, associated, sealed))).toBe("INVALID_KEY");
    expect(await codeOfAsync(() => sealGcm(key, nonce.subarray(1), associated, data))).toBe("INVALID_KEY");
    const box = await sealBox(key, associated, data);
    expect(toHex(await openBox(key, associated, box))).toBe(toHex(data));
    expect(await codeOfAsync(() => openBox(key, associated, box.subarray(0, 20)))).toBe("DECRYPTION_FAILED");
  });
});
