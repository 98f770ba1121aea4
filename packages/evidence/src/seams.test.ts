// SPDX-License-Identifier: Apache-2.0
// The parts that no TEE owns: bindings, anchors, the cache, the seal, the registry.
import { fromHex, fromUtf8, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { issueCertificate } from "@adyton/core/issue";
import { parseCertificate } from "@adyton/core/x509";
import { codeOf, codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { selectAnchors, trustOf } from "./anchors.ts";
import { checkReportData, initDataField, reportDataOf } from "./binding.ts";
import { createCache } from "./cache.ts";
import { isTeeName, type TeeName } from "./envelope.ts";
import { detectTee, SCHEMES, schemeOf, verifyEvidence } from "./registry.ts";
import { assertVerified, seal, type VerifiedEvidence } from "./verified.ts";

describe("report data", () => {
  it("is SHA-384 over the canonical form, zero-padded to 64 bytes", async () => {
    const data = {
      nonce: "bm9uY2U=",
      teePubkey: { kty: "EC", crv: "P-256", y: "b", x: "a" },
      additionalEvidence: "",
    };
    const text =
      '{"additional-evidence":"","nonce":"bm9uY2U=","tee-pubkey":{"crv":"P-256","kty":"EC","x":"a","y":"b"}}';
    const digest = await defaultCrypto.digest("SHA-384", fromUtf8(text));
    expect(toHex(await reportDataOf(data, defaultCrypto))).toBe(`${toHex(digest)}${"00".repeat(16)}`);
  });

  it("changes with every member", async () => {
    const base = { nonce: "a", teePubkey: { kty: "EC" }, additionalEvidence: "" };
    const values = await Promise.all(
      [
        base,
        { ...base, nonce: "b" },
        { ...base, teePubkey: { kty: "RSA" } },
        { ...base, additionalEvidence: "{}" },
      ].map(async (data) => toHex(await reportDataOf(data, defaultCrypto))),
    );
    expect(new Set(values).size).toBe(4);
  });

  it("is compared with the expectation padded to its width", () => {
    const found = fromHex(`aabb${"00".repeat(62)}`);
    expect(codeOf(() => checkReportData(found, fromHex("aabb")))).toBe("nothing");
    expect(codeOf(() => checkReportData(found, found))).toBe("nothing");
    expect(codeOf(() => checkReportData(found, fromHex("aa")))).toBe("REPORT_DATA_MISMATCH");
    expect(codeOf(() => checkReportData(found, new Uint8Array(65)))).toBe("REPORT_DATA_MISMATCH");
  });
});

describe("init-data field", () => {
  it.each([
    ["SHA-256", 48, 32],
    ["SHA-384", 48, 48],
    ["SHA-512", 48, 48],
    ["SHA-384", 32, 32],
  ] as const)("%s in %i bytes keeps %i", async (hash, width, kept) => {
    const document = fromUtf8('version = "0.1.0"\n');
    const field = await initDataField(document, hash, width, defaultCrypto);
    const digest = toHex(await defaultCrypto.digest(hash, document));
    expect(toHex(field)).toBe(digest.slice(0, 2 * kept).padEnd(2 * width, "0"));
  });
});

describe("the cache", () => {
  const from = new Date("2026-01-01T00:00:00Z");
  const until = new Date("2026-02-01T00:00:00Z");

  it("returns a value only while it is valid", () => {
    const cache = createCache();
    cache.set("k", 1, from, until);
    expect(cache.get("k", from)).toBe(1);
    expect(cache.get("k", until)).toBe(1);
    expect(cache.get("k", new Date(from.getTime() - 1))).toBeUndefined();
    expect(cache.get("k", new Date(until.getTime() + 1))).toBeUndefined();
    expect(cache.get("other", from)).toBeUndefined();
  });

  it("never holds more than its capacity, and keeps the newest", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string(), { minLength: 1 }),
        fc.integer({ min: 1, max: 5 }),
        (keys, capacity) => {
          const cache = createCache(capacity);
          for (const key of keys) cache.set(key, key, from, until);
          expect(cache.get(keys.at(-1) ?? "", from)).toBe(keys.at(-1));
          expect(new Set(keys.filter((key) => cache.get(key, from) !== undefined)).size).toBeLessThanOrEqual(
            capacity,
          );
        },
      ),
    );
  });
});

describe("anchors", async () => {
  const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
  const name = [["CN", "root"]] as const;
  const dates = { notBefore: new Date("2026-01-01T00:00:00Z"), notAfter: new Date("2027-01-01T00:00:00Z") };
  const template = { spki: key.publicKey.spki, serial: "01", ...dates };
  const root = parseCertificate(await issueCertificate({ ...template, subject: name }, { name, key }));
  const leaf = parseCertificate(
    await issueCertificate({ ...template, subject: [["CN", "leaf"]] }, { name, key }),
  );
  const sha256 = toHex(await defaultCrypto.digest("SHA-256", root.der));

  it("are pinned roots from the pool, or named by the caller, and nothing else", async () => {
    expect(await selectAnchors([root, leaf], new Set(), [], defaultCrypto)).toEqual([]);
    const pinned = await selectAnchors([root, leaf], new Set([sha256]), [], defaultCrypto);
    expect(pinned).toEqual([{ certificate: root, sha256, vendor: true }]);
    const named = await selectAnchors([leaf], new Set(), [root], defaultCrypto);
    expect(named).toEqual([{ certificate: root, sha256, vendor: false }]);
    const both = await selectAnchors([root], new Set([sha256]), [root], defaultCrypto);
    expect(both).toHaveLength(1);
    expect(both[0]?.vendor).toBe(true);
  });

  it("a certificate that is not self-issued is never one, pinned or not", async () => {
    const pin = toHex(await defaultCrypto.digest("SHA-256", leaf.der));
    expect(await selectAnchors([leaf], new Set([pin]), [], defaultCrypto)).toEqual([]);
  });

  it("show in results as simulated unless pinned", () => {
    expect(trustOf([{ certificate: root, sha256, vendor: false }], root).simulated).toBe(true);
    expect(trustOf([{ certificate: root, sha256, vendor: true }], root).simulated).toBe(false);
    expect(() => trustOf([], root)).toThrow(TypeError);
  });
});

describe("the seal", () => {
  const fields = { tee: "sample" } as Parameters<typeof seal>[0];

  it("is on what verification made, not on copies", () => {
    const verified = seal(fields);
    expect(codeOf(() => assertVerified(verified))).toBe("nothing");
    expect(codeOf(() => assertVerified({ ...verified }))).toBe("NOT_VERIFIED");
    expect(codeOf(() => assertVerified(fields as VerifiedEvidence))).toBe("NOT_VERIFIED");
  });

  it("holds what was sealed: fields cannot be replaced", () => {
    const verified = seal(fields);
    expect(Reflect.set(verified, "debug", true)).toBe(false);
  });
});

describe("the registry", () => {
  it("knows each TEE once, by a protocol name", () => {
    const names = SCHEMES.map((scheme) => scheme.tee);
    expect(new Set(names).size).toBe(names.length);
    expect(names.every(isTeeName)).toBe(true);
    for (const name of names) expect(schemeOf(name).tee).toBe(name);
    expect(isTeeName("toaster")).toBe(false);
  });

  it("refuses a TEE it does not know, and bytes that are no evidence", async () => {
    expect(codeOf(() => schemeOf("toaster" as TeeName))).toBe("UNSUPPORTED_TEE");
    expect(codeOf(() => detectTee(new Uint8Array(10)))).toBe("UNKNOWN_EVIDENCE");
    const now = new Date("2026-01-01T00:00:00Z");
    expect(await codeOfAsync(() => verifyEvidence(new Uint8Array(10), { now }))).toBe("UNKNOWN_EVIDENCE");
  });

  it("detects, inspects and verifies any bytes without an untyped error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000, size: "max" }), async (bytes) => {
        for (const scheme of SCHEMES) {
          scheme.detect(bytes);
          for (const act of [
            () => scheme.inspect(bytes),
            () => scheme.verify(bytes, { now: new Date("2026-01-01T00:00:00Z") }),
          ]) {
            try {
              await act();
              expect.unreachable(`${scheme.tee} accepted noise`);
            } catch (error) {
              expect(error).toBeInstanceOf(AdytonError);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
