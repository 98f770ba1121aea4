// SPDX-License-Identifier: Apache-2.0
// A real attestation document (provenance: the README beside the fixtures), whole and broken. Faults that only a key
// holder can make are in the simulator's tests.

import { concat, fromHex, toBase64, toHex } from "@adyton/core/bytes";
import { encodeCbor, isCborMap, parseCbor } from "@adyton/core/cbor";
import { parseSign1 } from "@adyton/core/cose";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { parseCertificate } from "@adyton/core/x509";
import { codeOf, codeOfAsync, fixtureBytes, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCache } from "../cache.ts";
import { detectTee } from "../registry.ts";
import { encodeNitroClaims, encodeNitroDocument, parseNitroDocument } from "./evidence.ts";
import { nitro } from "./scheme.ts";
import { verifyNitro } from "./verify.ts";

const MADE = new Date("2025-04-04T18:39:07.519Z");
/** Every so many bytes are changed, fewer where WebCrypto answers more slowly. */
const STRIDE = defaultCrypto.name === "node" ? 3 : 61;
const document = hasFixtures ? await fixtureBytes("nitro/sequence_doc.bin") : new Uint8Array();

/** The document with some bytes changed. */
function changed(change: (bytes: Uint8Array) => void): Uint8Array {
  const copy = Uint8Array.from(document);
  change(copy);
  return copy;
}

describe.skipIf(!hasFixtures)("a real Nitro document", () => {
  it("verifies at its time under AWS's own root", async () => {
    const verified = await verifyNitro(document, { now: MADE });
    expect(verified).toMatchObject({
      tee: "nitro",
      debug: false,
      initDataField: null,
      trust: {
        root: "C=US, O=Amazon, OU=AWS, CN=aws.nitro-enclaves",
        rootSha256: "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b",
        simulated: false,
      },
      endorsements: {
        earliestIssue: "2019-10-28T13:28:05.000Z",
        earliestExpiry: "2025-04-04T19:38:32.000Z",
        revocation: "unchecked",
      },
    });
    expect(toHex(verified.reportData)).toBe("00".repeat(64));
    expect(verified.warnings.map((warning) => warning.code)).toEqual(["REVOCATION_UNCHECKED"]);
    expect(verified.endorsements.items).toHaveLength(5);
  });

  it("says what the enclave is", () => {
    const claims = nitro.inspect(document);
    expect(claims).toMatchObject({
      module_id: "i-01721714461f7afa6-enc01953e42450be060",
      digest: "SHA384",
      timestamp: "2025-04-04T18:39:07.519Z",
      pcr0: "73934ebd95cac683b96ceb064acda3f0c73f2e11bebc702ed4aa271cd47a08973165df31fc138a204642d554ee2508ec",
      pcr1: "b7ada9ee8a3fa0a2c74c23ddd04a58f0b095d0465327b2d8461b9b81bcbc7236563ff0326c8614fe9205669636955199",
      pcr2: "1492fb3b975e88948e07e6dcc65f509c9f18610c1cfc3efd3b6119802cfb7ff14d63abaf02ba0cdb3f91d4c78ab2d708",
      pcr15: "00".repeat(48),
      user_data: null,
      nonce: null,
      debug: false,
    });
    expect(String(claims.public_key)).toHaveLength(2 * 294);
    expect(claims).not.toHaveProperty("pcr16");
  });

  it.each([
    ["the first moment of its certificate", "2025-04-04T16:38:29.000Z", "nothing"],
    ["a second before that", "2025-04-04T16:38:28.000Z", "CERTIFICATE_NOT_YET_VALID"],
    ["the last moment of its certificate", "2025-04-04T19:38:32.000Z", "nothing"],
    ["a second after that", "2025-04-04T19:38:33.000Z", "CERTIFICATE_EXPIRED"],
  ])("at %s", async (_when, at, code) => {
    expect(await codeOfAsync(() => verifyNitro(document, { now: new Date(at) }))).toBe(code);
  });

  it("warns of a document from the future, beyond what clocks may differ", async () => {
    const codes = async (at: string): Promise<string[]> =>
      (await verifyNitro(document, { now: new Date(at) })).warnings.map((warning) => warning.code);
    expect(await codes("2025-04-04T18:30:00Z")).toContain("TIMESTAMP_AHEAD");
    expect(await codes("2025-04-04T18:39:00Z")).not.toContain("TIMESTAMP_AHEAD");
  });

  it("says why an old document is refused, and what to do", async () => {
    await expect(verifyNitro(document, { now: new Date("2026-01-01T00:00:00Z") })).rejects.toMatchObject({
      code: "CERTIFICATE_EXPIRED",
      category: "endorsements",
      hint: expect.stringContaining("three hours"),
    });
  });

  it("is the same with COSE's tag, and with the chain out of the cache", async () => {
    const cache = createCache();
    const tagged = concat(Uint8Array.of(0xd2), document);
    for (const bytes of [document, tagged, document]) {
      expect(detectTee(bytes)).toBe("nitro");
      expect((await verifyNitro(bytes, { now: MADE, cache })).trust.simulated).toBe(false);
    }
    const late = { now: new Date("2025-04-04T19:38:33Z"), cache };
    expect(await codeOfAsync(() => verifyNitro(document, late))).toBe("CERTIFICATE_EXPIRED");
  });

  it.each([
    ["report data that the enclave did not give", { reportData: fromHex("01") }, "REPORT_DATA_MISMATCH"],
    ["no revocation list where one is required", { requireRevocation: true }, "CRL_MISSING"],
    ["a time that is no date", { now: new Date("soon") }, "INVALID_TIME"],
  ])("refuses %s", async (_what, options, code) => {
    expect(await codeOfAsync(() => verifyNitro(document, { now: MADE, ...options }))).toBe(code);
  });

  it("keeps AWS's root pinned when another is named", async () => {
    const other = parseCertificate(parseNitroDocument(document).claims.cabundle[1] ?? new Uint8Array());
    const verified = await verifyNitro(document, { now: MADE, roots: [] });
    expect(verified.trust.simulated).toBe(false);
    expect(await codeOfAsync(() => verifyNitro(document, { now: MADE, roots: [other] }))).not.toBe("nothing");
  });

  it("round-trips", () => {
    const { claims, sign1 } = parseNitroDocument(document);
    expect(encodeNitroClaims(claims)).toEqual(new Uint8Array(sign1.payload));
    expect(encodeNitroDocument(encodeNitroClaims(claims), sign1.signature)).toEqual(document);
    expect(nitro.fromKbs(nitro.toKbs({ evidence: document })).evidence).toEqual(document);
    expect(nitro.fromKbs(toBase64(document)).evidence).toEqual(document);
  });

  it("is refused with any byte changed, signature included", async () => {
    const cache = createCache();
    for (let at = 0; at < document.length; at += at < 16 ? 1 : STRIDE) {
      const bytes = changed((copy) => {
        copy[at] = (copy[at] ?? 0) ^ 0x01;
      });
      const code = await codeOfAsync(() => verifyNitro(bytes, { now: MADE, cache }));
      expect([at, code]).not.toEqual([at, "nothing"]);
    }
  });

  it("is refused at any length, with a typed error", async () => {
    for (let length = 0; length < document.length; length += STRIDE) {
      expect(codeOf(() => parseNitroDocument(document.subarray(0, length)))).not.toBe("nothing");
    }
    const longer = concat(document, Uint8Array.of(0));
    expect(await codeOfAsync(() => verifyNitro(longer, { now: MADE }))).toBe("INVALID_CBOR");
  });
});

describe.skipIf(!hasFixtures)("members of a Nitro document", () => {
  const { payload = new Uint8Array(), signature = new Uint8Array() } = hasFixtures
    ? parseSign1(document, "document")
    : {};

  /** The document with its payload's members edited; unsigned, which parsing does not ask. */
  function edited(edit: (members: Map<string | number, unknown>) => void): Uint8Array {
    const map = parseCbor(payload, "payload");
    if (!isCborMap(map)) throw new TypeError("the payload is a map");
    const members = new Map<string | number, unknown>(map);
    edit(members);
    return encodeNitroDocument(encodeCbor(members as Parameters<typeof encodeCbor>[0]), signature);
  }
  const pcrs = (
    ...entries: readonly (readonly [number | string, unknown])[]
  ): Map<number | string, unknown> => new Map(entries);
  const zeros = (length: number): Uint8Array => new Uint8Array(length);

  it.each<[rule: string, edit: (members: Map<string | number, unknown>) => void]>([
    ["a module id", (members) => members.delete("module_id")],
    ["a module id of text", (members) => members.set("module_id", zeros(4))],
    ["a module id that is not empty", (members) => members.set("module_id", "")],
    ["a digest", (members) => members.delete("digest")],
    ["SHA384", (members) => members.set("digest", "SHA256")],
    ["a timestamp", (members) => members.delete("timestamp")],
    ["a timestamp after 1970", (members) => members.set("timestamp", 0)],
    ["a timestamp that is a date", (members) => members.set("timestamp", 2 ** 53 - 1)],
    ["registers", (members) => members.delete("pcrs")],
    ["at least one register", (members) => members.set("pcrs", pcrs())],
    ["PCR 0", (members) => members.set("pcrs", pcrs([1, zeros(48)]))],
    ["registers by number", (members) => members.set("pcrs", pcrs([0, zeros(48)], ["1", zeros(48)]))],
    ["registers up to 31", (members) => members.set("pcrs", pcrs([0, zeros(48)], [32, zeros(48)]))],
    ["registers of a digest's size", (members) => members.set("pcrs", pcrs([0, zeros(47)]))],
    ["a certificate", (members) => members.delete("certificate")],
    ["a certificate that is not empty", (members) => members.set("certificate", zeros(0))],
    ["a certificate of at most 1,024 bytes", (members) => members.set("certificate", zeros(1025))],
    ["a bundle", (members) => members.delete("cabundle")],
    ["a bundle that is not empty", (members) => members.set("cabundle", [])],
    [
      "a bundle of at most eight",
      (members) =>
        members.set(
          "cabundle",
          Array.from({ length: 9 }, () => zeros(9)),
        ),
    ],
    ["a bundle of byte strings", (members) => members.set("cabundle", ["x"])],
    ["a public key of at most 1,024 bytes", (members) => members.set("public_key", zeros(1025))],
    ["user data of at most 512 bytes", (members) => members.set("user_data", zeros(513))],
    ["user data in bytes", (members) => members.set("user_data", "text")],
    ["a nonce of at most 512 bytes", (members) => members.set("nonce", zeros(513))],
  ])("demands %s", (_rule, edit) => {
    expect(codeOf(() => parseNitroDocument(edited(edit)))).toBe("INVALID_NITRO_DOCUMENT");
  });

  it("takes absent members like null ones", () => {
    const { claims } = parseNitroDocument(edited((members) => members.delete("user_data")));
    expect(claims.userData).toBeNull();
  });

  it("names what it does not know", () => {
    expect(parseNitroDocument(edited((members) => members.set("extra", 1))).unknown).toEqual(["extra"]);
  });
});

describe("what is no Nitro document", () => {
  it.each<[what: string, bytes: Uint8Array, code: string]>([
    ["nothing", new Uint8Array(), "INVALID_CBOR"],
    ["too much", new Uint8Array(32 * 1024 + 1), "INVALID_NITRO_DOCUMENT"],
    [
      "another algorithm",
      fromHex("8443a10126a0405000000000000000000000000000000000"),
      "INVALID_NITRO_DOCUMENT",
    ],
    [
      "an unsigned parameter",
      fromHex(`8444a1013822a104404058${"60"}${"00".repeat(96)}`),
      "INVALID_NITRO_DOCUMENT",
    ],
    [
      "a short signature",
      fromHex("8444a1013822a0405000000000000000000000000000000000"),
      "INVALID_NITRO_DOCUMENT",
    ],
    [
      "a payload that is no map",
      fromHex(`8444a1013822a0410158${"60"}${"00".repeat(96)}`),
      "INVALID_NITRO_DOCUMENT",
    ],
  ])("%s", (_what, bytes, code) => {
    expect(nitro.detect(bytes)).toBe(false);
    expect(codeOf(() => parseNitroDocument(bytes))).toBe(code);
  });

  it.each([
    ["a member of another name", { document: "" }],
    ["an array", []],
    ["null", null],
  ])("in JSON: %s", (_what, value) => {
    expect(codeOf(() => nitro.fromKbs(value))).toBe("INVALID_ENVELOPE");
  });

  it("any bytes after a plausible lead", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        const bytes = concat(fromHex("8444a1013822a0"), rest);
        expect(nitro.detect(bytes)).toBe(false);
        try {
          parseNitroDocument(bytes);
          expect.unreachable("noise is no document");
        } catch (error) {
          expect(error).toBeInstanceOf(AdytonError);
        }
      }),
    );
  });
});
