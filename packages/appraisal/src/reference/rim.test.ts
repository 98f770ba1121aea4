// SPDX-License-Identifier: Apache-2.0
// Integrity manifests and documents of any kind as reference values. Signatures of manifests: simulator/nvidia/rim.test.ts.

import { fromUtf8 } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { fingerprintOf } from "@adyton/core/x509";
import { createNvidiaVendor, type NvidiaVendor } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeCorim, readReferenceDocument, readRim, signCorim } from "./index.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const GOOD = "ab".repeat(48);
const measurement = (index: number, values: readonly string[]) => ({
  index,
  active: true,
  name: `Measurement_${index}`,
  values,
});

let vendor: NvidiaVendor;
let manifest: Uint8Array;

beforeAll(async () => {
  vendor = await createNvidiaVendor({ at: AT });
  const measurements = [measurement(1, [GOOD, "00".repeat(48)]), measurement(2, ["00".repeat(48)])];
  manifest = fromUtf8(await vendor.rims.manifest({ measurements, manufacturer: "NVIDIA Corp/é" }));
});

const roots = () => [vendor.rims.root.certificate];

describe("an integrity manifest", () => {
  it("gives its values, with who signed it and until when", async () => {
    const [value, ...more] = await readRim(manifest, { at: AT, roots: roots() });
    expect(more).toEqual([]);
    expect(value).toMatchObject({
      id: expect.stringMatching(/^NVIDIA_Corp%2F%C3%A9\.\w+\.measurement_1$/),
      value: GOOD,
      voucher: {
        kind: "rim",
        name: expect.stringContaining("RIM Signer"),
        keyId: expect.stringMatching(/^[0-9a-f]{64}$/),
        document: expect.stringMatching(/^[0-9a-f]{64}$/),
        verified: true,
      },
    });
    expect(value?.voucher.certificate).not.toBe(await fingerprintOf(vendor.rims.root.certificate));
    expect(value?.expires?.getTime()).toBeGreaterThan(AT.getTime());
  });

  it("without a signature is taken only where that was allowed, and says so", async () => {
    const text = new TextDecoder().decode(manifest).replace(/<(\w+:)?Signature[\s\S]*Signature>/, "");
    expect(await codeOfAsync(() => readRim(fromUtf8(text), { at: AT, roots: roots() }))).toBe(
      "REFERENCE_UNSIGNED",
    );
    const [value] = await readRim(fromUtf8(text), { at: AT, allowUnsigned: true });
    expect(value?.voucher).toMatchObject({ kind: "rim", verified: false });
    expect(value?.expires).toBeUndefined();
  });

  it.each<readonly [string, (text: string) => string, boolean, Date, string]>([
    ["of a root that is not trusted", (text) => text, false, AT, "NO_TRUST_ANCHOR"],
    [
      "that was changed",
      (text) => text.replace(GOOD, `${GOOD.slice(2)}00`),
      true,
      AT,
      "INVALID_RIM_SIGNATURE",
    ],
    ["of a later time", (text) => text, true, new Date("2001-01-01"), "CERTIFICATE_NOT_YET_VALID"],
    ["that is no XML", () => "<a", true, AT, "REFERENCE_UNSIGNED"],
  ])("%s is refused", async (_what, edit, trusted, at, code) => {
    const text = edit(new TextDecoder().decode(manifest));
    const options = { at, ...(trusted ? { roots: roots() } : {}) };
    expect(await codeOfAsync(() => readRim(fromUtf8(text), options))).toBe(code);
  });

  it("that claims a signature is never taken as unsigned", async () => {
    const text = new TextDecoder().decode(manifest).replace(GOOD, `${GOOD.slice(2)}00`);
    const options = { at: AT, roots: roots(), allowUnsigned: true };
    expect(await codeOfAsync(() => readRim(fromUtf8(text), options))).toBe("INVALID_RIM_SIGNATURE");
  });
});

describe("a document of any kind", () => {
  it("is read as what it is", async () => {
    const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
    const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
    const corim = await signCorim(encodeCorim({ id: "a", measurements: [{ vendor: "v", svn: 3 }] }), {
      key,
      algorithm,
      name: "v",
    });
    const options = { at: AT, roots: roots(), keys: [key.publicKey], allowPlain: true, name: "me" };
    const kindOf = async (bytes: Uint8Array) =>
      (await readReferenceDocument(bytes, options)).map(({ voucher }) => [voucher.kind, voucher.verified]);
    expect(await kindOf(corim)).toEqual([["corim", true]]);
    expect(await kindOf(manifest)).toEqual([["rim", true]]);
    expect(await kindOf(fromUtf8(' \n{"a": 1}'))).toEqual([["json", false]]);
    expect(await codeOfAsync(() => readReferenceDocument(fromUtf8('{"a": 1}'), { at: AT }))).toBe(
      "REFERENCE_UNSIGNED",
    );
    expect(await codeOfAsync(() => readReferenceDocument(new Uint8Array(), options))).toBe("INVALID_JSON");
    expect(await codeOfAsync(() => readReferenceDocument(fromUtf8("\uFEFF<a/>"), options))).toBe(
      "REFERENCE_UNSIGNED",
    );
  });
});
