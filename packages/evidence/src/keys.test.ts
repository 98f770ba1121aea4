// SPDX-License-Identifier: Apache-2.0
// Public keys out of every form that endorsement files have them in.

import { fromUtf8, toBase64, toHex } from "@adyton/core/bytes";
import { encodeCbor } from "@adyton/core/cbor";
import { coseKeyOfPoint } from "@adyton/core/cose";
import { defaultCrypto } from "@adyton/core/crypto";
import { toPem } from "@adyton/core/pem";
import { codeOf, fixtureBytes, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeEndorsements, readEndorsement } from "./endorsements.ts";

const X = "TKRFE_RwSXooI8DdatPOYg_uiKm2XrtT_uEMEvqQZrw";
const Y = "CRx3H8NHN1lcxqKi92P0OsZBxX3VFaktllpD3SjtN7s";
const JWK = { kty: "EC", crv: "P-256", x: X, y: Y };
const SPKI =
  "3059301306072a8648ce3d020106082a8648ce3d030107034200044ca44513f470497a2823c0dd6ad3ce620fee88a9b65ebb53fee10c12fa9066bc091c771fc34737595cc6a2a2f763f43ac641c57dd515a92d965a43dd28ed37bb";
const IDS = { "instance-id": `01${"AA".repeat(32)}`, "implementation-id": "bb".repeat(32) };

function read(value: unknown) {
  const bytes =
    value instanceof Uint8Array ? value : fromUtf8(typeof value === "string" ? value : JSON.stringify(value));
  return readEndorsement({ name: "key", bytes }).keys ?? [];
}

describe("a public key", async () => {
  const { publicKey } = await defaultCrypto.generateKey({ name: "EC", curve: "P-384" });
  const point = publicKey.spki.subarray(-96);

  it.each([
    ["a JWK", JWK, SPKI],
    ["a JWK in white space", `\n ${JSON.stringify(JWK, null, 2)}\n`, SPKI],
    ["a JWK Set", { keys: [JWK] }, SPKI],
    ["PEM", toPem("PUBLIC KEY", publicKey.spki), toHex(publicKey.spki)],
    ["DER", publicKey.spki, toHex(publicKey.spki)],
    ["base64", toBase64(publicKey.spki), toHex(publicKey.spki)],
    ["hex", toHex(publicKey.spki), toHex(publicKey.spki)],
    ["a COSE_Key", encodeCbor(coseKeyOfPoint("P-384", point)), toHex(publicKey.spki)],
  ])("as %s", (_form, value, spki) => {
    const keys = read(value);
    expect(keys.map((key) => [toHex(key.spki), key.identifiers, key.hardware])).toEqual([
      [spki, {}, undefined],
    ]);
  });

  it("with the identifiers of its device, in lower case, and what is said of its hardware", () => {
    const lower = { ...IDS, "instance-id": `01${"aa".repeat(32)}` };
    expect(read([{ ...IDS, pkey: JWK }])).toMatchObject([{ identifiers: lower, hardware: false }]);
    expect(read({ ...IDS, pkey: JWK, hardware: true })).toMatchObject([
      { identifiers: lower, hardware: true },
    ]);
  });

  it("is left out where its list denies it", () => {
    const denied = { ...IDS, pkey: JWK, "x-reason": "revoked" };
    expect(read([denied])).toEqual([]);
    expect(read([denied, { pkey: JWK }])).toHaveLength(1);
  });

  it("stays when bags are merged", () => {
    const bag = readEndorsement({ name: "key", bytes: fromUtf8(JSON.stringify(JWK)) });
    expect(mergeEndorsements(bag, bag).keys).toHaveLength(2);
  });
});

describe("what is no public key", () => {
  it.each<[what: string, value: unknown, code: string]>([
    ["a private JWK", { ...JWK, d: X }, "UNKNOWN_ENDORSEMENT"],
    ["a private JWK in a list", [{ pkey: { ...JWK, d: X } }], "UNKNOWN_ENDORSEMENT"],
    ["a symmetric JWK", { kty: "oct", k: "AAAA" }, "UNKNOWN_ENDORSEMENT"],
    ["another curve", { ...JWK, crv: "secp256k1" }, "UNKNOWN_ENDORSEMENT"],
    ["a coordinate too short", { ...JWK, x: "AAAA" }, "UNKNOWN_ENDORSEMENT"],
    ["a coordinate missing", { kty: "EC", crv: "P-256", x: X }, "UNKNOWN_ENDORSEMENT"],
    ["a coordinate in base64", { ...JWK, x: X.replace("_", "/") }, "INVALID_BASE64"],
    ["an empty list", [], "UNKNOWN_ENDORSEMENT"],
    ["an empty set", { keys: [] }, "UNKNOWN_ENDORSEMENT"],
    ["a list of text", ["key"], "UNKNOWN_ENDORSEMENT"],
    ["an entry without a key", [IDS], "UNKNOWN_ENDORSEMENT"],
    ["an identifier that is no hex", [{ pkey: JWK, "instance-id": "AQ==" }], "UNKNOWN_ENDORSEMENT"],
    ["an identifier that is no text", [{ pkey: JWK, "instance-id": 1 }], "UNKNOWN_ENDORSEMENT"],
    ["an identifier of another style", [{ pkey: JWK, instanceId: "01" }], "UNKNOWN_ENDORSEMENT"],
    ["hardware that is no boolean", [{ pkey: JWK, hardware: "yes" }], "UNKNOWN_ENDORSEMENT"],
    ["the same member twice", '{"kty":"EC","kty":"EC"}', "INVALID_JSON"],
    ["an object of something else", { platform: [] }, "UNKNOWN_ENDORSEMENT"],
    ["a COSE_Key of another type", encodeCbor(new Map([[1, 1]])), "INVALID_KEY"],
    ["a broken COSE_Key", Uint8Array.of(0xa1, 0x01), "INVALID_CBOR"],
    ["other binary", Uint8Array.of(0x82, 0x01, 0x02), "UNKNOWN_ENDORSEMENT"],
    [
      "the PEM of a private key",
      toPem("PRIVATE KEY", Uint8Array.of(0x30, 0x03, 2, 1, 0)),
      "UNKNOWN_ENDORSEMENT",
    ],
  ])("%s", (_what, value, code) => {
    expect(codeOf(() => read(value))).toBe(code);
  });

  it("any JSON, with typed errors only", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(codeOf(() => read(json))).not.toBe("nothing");
      }),
    );
  });

  it("any bytes that begin like a CBOR map, with typed errors only", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0xa0, max: 0xbf }), fc.uint8Array({ maxLength: 64 }), (first, rest) => {
        expect(codeOf(() => read(Uint8Array.of(first, ...rest)))).not.toBe("nothing");
      }),
    );
  });
});

describe.skipIf(!hasFixtures)("files of the field", () => {
  it.each([
    ["cpak.json", []],
    ["pkey.json", []],
    ["ta.json", ["implementation-id", "instance-id"]],
    ["ta-tfa.json", ["implementation-id", "instance-id"]],
  ])("%s", async (file, identifiers) => {
    const [key, ...others] = read(await fixtureBytes(`cca/rust-ccatoken/${file}`));
    expect(others).toEqual([]);
    expect(Object.keys(key?.identifiers ?? {}).sort()).toEqual(identifiers);
  });

  it("reference values are no endorsement", async () => {
    const bytes = await fixtureBytes("cca/rust-ccatoken/rv.json");
    expect(codeOf(() => readEndorsement({ name: "rv.json", bytes }))).toBe("UNKNOWN_ENDORSEMENT");
  });
});
