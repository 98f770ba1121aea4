// SPDX-License-Identifier: Apache-2.0
// Real CCA tokens and claim sets (provenance: the README beside the fixtures), whole and broken. Faults that only a key
// holder can make are in the simulator's tests.

import { concat, fromBase64, fromHex, toBase64, toHex } from "@adyton/core/bytes";
import { CborTag, type CborValue, encodeCbor, parseCbor } from "@adyton/core/cbor";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { codeOf, codeOfAsync, fixtureBytes, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Endorsements, NO_ENDORSEMENTS, readEndorsement } from "../endorsements.ts";
import { detectTee } from "../registry.ts";
import { isSignedBy } from "./endorsements.ts";
import { encodeCcaToken, parseCcaToken } from "./evidence.ts";
import { encodePlatformClaims, parsePlatformClaims } from "./platform.ts";
import { encodeRealmClaims, parseRealmClaims, realmKeyOf } from "./realm.ts";
import { cca } from "./scheme.ts";
import { verifyCca } from "./verify.ts";

const DIR = "cca/rust-ccatoken";
const NOW = new Date("2026-06-01T12:00:00Z");
/** Every so many bytes are changed, fewer where WebCrypto answers more slowly. */
const STRIDE = defaultCrypto.name === "node" ? 3 : 23;
const LEGACY = "cca-token-01.cbor";
const DRAFT = "cca-token-draft-ffm-00.cbor";
const BUG = "bug-33-repro.cbor";
const ID = "0107060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918";

const read = async (file: string): Promise<Uint8Array> =>
  hasFixtures ? fixtureBytes(`${DIR}/${file}`) : new Uint8Array();
const tokens = new Map(
  await Promise.all([LEGACY, DRAFT, BUG].map(async (file) => [file, await read(file)] as const)),
);
const tokenOf = (file: string): Uint8Array => tokens.get(file) ?? new Uint8Array();
const anchorsOf = async (file: string): Promise<Endorsements> =>
  readEndorsement({ name: file, bytes: await read(file) });
const anchors = hasFixtures ? await anchorsOf("cpak.json") : NO_ENDORSEMENTS;

const verify = (bytes: Uint8Array, options: Partial<Parameters<typeof verifyCca>[1]> = {}) =>
  verifyCca(bytes, { now: NOW, anchors, ...options });
const refusal = (
  bytes: Uint8Array,
  options: Partial<Parameters<typeof verifyCca>[1]> = {},
): Promise<string> => codeOfAsync(() => verify(bytes, options));

/** The same signed tokens in the other envelope. */
const rewrapped = (bytes: Uint8Array, form: "legacy" | "cmw"): Uint8Array => {
  const { platform, realm } = parseCcaToken(bytes);
  return encodeCcaToken(form, platform.bytes, realm.bytes);
};

const QUICK = "54686520717569636b2062726f776e20666f78206a756d7073206f766572203133206c617a7920646f67732e";

describe.skipIf(!hasFixtures)("real CCA tokens", () => {
  it.each([
    [
      LEGACY,
      "legacy",
      {
        platformProfile: "http://arm.com/CCA-SSD/1.0.0",
        realmProfile: undefined,
        challenge: "ab".repeat(64),
        rim: "00".repeat(32),
        rem0: "00".repeat(32),
        components: ["BL", "M1", "M2", "M3"],
        config: ID,
      },
    ],
    [
      DRAFT,
      "legacy",
      {
        platformProfile: "tag:arm.com,2023:cca_platform#1.0.0",
        realmProfile: "tag:arm.com,2023:realm#1.0.0",
        challenge:
          "6e86d6d97cc713bc6dd43dbce491a6b40311c027a8bf85a39da63e9ce44c132a8a119d296fae6a6999e9bf3e4471b0ce01245d889424c31e89793b3b1d6b1504",
        rim: "311314ab73620350cf758834ae5c65d9e8c2dc7febe6e7d9654bbe864e300d49",
        rem0: "24d5b0a296cc05cbd8068c5067c5bd473b770dda6ae082fe3ba30abe3f9a6ab1",
        components: [
          "RSE_BL1_2",
          "RSE_BL2",
          "RSE_S",
          "AP_BL1",
          "AP_BL2",
          "SCP_BL1",
          "SCP_BL2",
          "AP_BL31",
          "RMM",
          "HW_CONFIG",
          "FW_CONFIG",
          "TB_FW_CONFIG",
          "SOC_FW_CONFIG",
        ],
        config: "cfcfcfcf",
      },
    ],
  ] as const)("%s verifies and binds", async (file, form, expected) => {
    expect(detectTee(tokenOf(file))).toBe("cca");
    expect(parseCcaToken(tokenOf(file)).form).toBe(form);
    const verified = await verify(tokenOf(file));
    expect(verified).toMatchObject({
      tee: "cca",
      debug: false,
      tcb: { status: null },
      trust: {
        root: `CPAK of platform ${ID}, named by the caller`,
        rootSha256: "0928f896cb02326566530a62a1e36329a12d0a4a308f4fc81e8ff5560bca6bca",
        simulated: true,
      },
      endorsements: { earliestIssue: null, earliestExpiry: null, revocation: "unchecked" },
    });
    expect(verified.warnings.map((warning) => warning.code)).toEqual(["REVOCATION_UNCHECKED"]);
    expect(toHex(verified.reportData)).toBe(expected.challenge);
    expect(toHex(verified.initDataField ?? new Uint8Array())).toMatch(new RegExp(`^${QUICK}`));

    const base64 = (hex: string): string => toBase64(fromHex(hex));
    const { realm, platform, ...data } = verified.claims as Record<string, Record<string, unknown>>;
    expect(data).toEqual({
      report_data: expected.challenge,
      init_data: toHex(verified.initDataField ?? new Uint8Array()),
    });
    expect(realm?.["cca-realm-profile"]).toBe(expected.realmProfile);
    expect(realm?.["cca-realm-initial-measurement"]).toBe(base64(expected.rim));
    expect(realm?.["cca-realm-extensible-measurements"]).toHaveLength(4);
    expect(realm?.["cca-realm-extensible-measurements"]).toContain(base64(expected.rem0));
    expect(realm?.["cca-realm-challenge"]).toBe(base64(expected.challenge));
    expect(realm?.["cca-realm-hash-algo-id"]).toBe("sha-256");
    expect(platform).toMatchObject({
      "cca-platform-profile": expected.platformProfile,
      "cca-platform-instance-id": base64(ID),
      "cca-platform-implementation-id": "f0VMRgIBAQAAAAAAAAAAAAMAPgABAAAAUFgAAAAAAAA=",
      "cca-platform-config": base64(expected.config),
      "cca-platform-lifecycle": 0x3003,
      "cca-platform-lifecycle-state": "secured",
      "cca-platform-hash-algo-id": "sha-256",
    });
    const components = platform?.["cca-platform-sw-components"] as Record<string, string>[];
    expect(components.map((component) => component["measurement-type"])).toEqual(expected.components);
    expect(cca.inspect(tokenOf(file))).toEqual(verified.claims);
  });

  it.each([LEGACY, DRAFT])("%s, rewrapped as a CMW collection", async (file) => {
    const wrapped = rewrapped(tokenOf(file), "cmw");
    expect(detectTee(wrapped)).toBe("cca");
    const verified = await verify(wrapped);
    expect(verified.claims).toEqual((await verify(tokenOf(file))).claims);
    expect(verified.explanation[0]).toContain("a CMW collection");
    expect(rewrapped(wrapped, "legacy")).toEqual(tokenOf(file));
  });

  it.each([LEGACY, DRAFT, BUG])("%s round-trips, whole and claim set by claim set", (file) => {
    const token = parseCcaToken(tokenOf(file));
    expect(encodeCcaToken(token.form, token.platform.bytes, token.realm.bytes)).toEqual(tokenOf(file));
    const platform = parseCbor(encodePlatformClaims(token.platform.claims), "platform claims");
    expect(parsePlatformClaims(platform)).toEqual({ claims: token.platform.claims, unknown: [] });
    const realm = parseCbor(encodeRealmClaims(token.realm.claims), "realm claims");
    expect(parseRealmClaims(realm)).toEqual({ claims: token.realm.claims, unknown: [] });
    expect(cca.fromKbs(cca.toKbs({ evidence: tokenOf(file) })).evidence).toEqual(tokenOf(file));
    expect(cca.fromKbs(toBase64(tokenOf(file))).evidence).toEqual(tokenOf(file));
  });

  it("whose signatures hold, but whose binding does not: bug 33", async () => {
    const { platform, realm } = parseCcaToken(tokenOf(BUG));
    const cpak = anchors.keys?.[0]?.spki ?? new Uint8Array();
    const signers = [
      [platform.sign1, cpak],
      [realm.sign1, realmKeyOf(realm.claims)],
    ] as const;
    for (const [sign1, spki] of signers) {
      expect(await isSignedBy(sign1, await defaultCrypto.importPublicKey(spki))).toBe(true);
    }
    await expect(verify(tokenOf(BUG))).rejects.toMatchObject({
      code: "CCA_BINDING_MISMATCH",
      category: "not-authentic",
    });
  });
});

describe.skipIf(!hasFixtures)("who vouches for a real token", () => {
  it("the store that names its platform", async () => {
    expect((await verify(tokenOf(LEGACY), { anchors: await anchorsOf("ta-tfa.json") })).trust.simulated).toBe(
      true,
    );
  });

  it.each([
    ["a foreign key for another platform", "ta.json", "CPAK_MISSING", "endorsements"],
    ["a foreign key for any platform", "pkey.json", "INVALID_CCA_PLATFORM_SIGNATURE", "not-authentic"],
  ])("not %s", async (_who, file, code, category) => {
    for (const token of [LEGACY, DRAFT]) {
      const refused = verify(tokenOf(token), { anchors: await anchorsOf(file) });
      await expect(refused).rejects.toMatchObject({ code, category });
    }
  });

  it("not a key that came with the endorsements: the hint says what to do with it", async () => {
    const refused = verify(tokenOf(LEGACY), { anchors: NO_ENDORSEMENTS, endorsements: anchors });
    await expect(refused).rejects.toMatchObject({
      code: "CPAK_MISSING",
      hint: expect.stringContaining("hold a key for it"),
    });
    const alone = verifyCca(tokenOf(LEGACY), { now: NOW });
    await expect(alone).rejects.toMatchObject({ hint: expect.stringContaining("could be built in") });
  });

  it("not a key with an identifier that is unknown here", async () => {
    const [key] = anchors.keys ?? [];
    const restricted = { spki: key?.spki ?? new Uint8Array(), identifiers: { "serial-number": "01" } };
    const bag = { ...NO_ENDORSEMENTS, keys: [restricted] };
    expect(await refusal(tokenOf(LEGACY), { anchors: bag })).toBe("CPAK_MISSING");
  });

  it("its own key among others", async () => {
    const others = (await anchorsOf("pkey.json")).keys ?? [];
    const bag = { ...NO_ENDORSEMENTS, keys: [...others, ...(anchors.keys ?? [])] };
    expect((await verify(tokenOf(LEGACY), { anchors: bag })).trust.root).toContain(ID);
  });

  it("a key whose hardware the caller vouches for is not simulated", async () => {
    const keys = (anchors.keys ?? []).map((key) => ({ ...key, hardware: true }));
    const { trust } = await verify(tokenOf(LEGACY), { anchors: { ...NO_ENDORSEMENTS, keys } });
    expect(trust).toMatchObject({ simulated: false, root: expect.stringContaining("vouched for") });
  });
});

describe.skipIf(!hasFixtures)("real tokens that must be refused", () => {
  it.each([
    ["another challenge than expected", { reportData: fromHex("01") }, "REPORT_DATA_MISMATCH"],
    ["no way to check revocation", { requireRevocation: true }, "CRL_MISSING"],
    ["a time that is no date", { now: new Date("soon") }, "INVALID_TIME"],
  ])("%s", async (_what, options, code) => {
    expect(await refusal(tokenOf(LEGACY), options)).toBe(code);
  });

  it("not with the challenge that is expected", async () => {
    expect(await refusal(tokenOf(LEGACY), { reportData: fromHex("ab".repeat(64)) })).toBe("nothing");
  });

  it("the platform of one token with the realm of another", async () => {
    const [legacy, draft] = [parseCcaToken(tokenOf(LEGACY)), parseCcaToken(tokenOf(DRAFT))];
    const mixed = encodeCcaToken("legacy", legacy.platform.bytes, draft.realm.bytes);
    expect(await refusal(mixed)).toBe("CCA_BINDING_MISMATCH");
  });

  it("the halves exchanged", async () => {
    const { platform, realm } = parseCcaToken(tokenOf(DRAFT));
    expect(await refusal(encodeCcaToken("legacy", realm.bytes, platform.bytes))).toBe(
      "UNSUPPORTED_CCA_PROFILE",
    );
  });

  it.each([
    [LEGACY, "legacy"],
    [LEGACY, "cmw"],
    [DRAFT, "legacy"],
  ] as const)("%s in the %s envelope with any byte changed", async (file, form) => {
    const token = rewrapped(tokenOf(file), form);
    for (let at = 0; at < token.length; at += at < 32 ? 1 : STRIDE) {
      const copy = Uint8Array.from(token);
      copy[at] = (copy[at] ?? 0) ^ 0x01;
      expect([at, await refusal(copy)]).not.toEqual([at, "nothing"]);
    }
  });

  it("any length but its own", async () => {
    const token = tokenOf(DRAFT);
    for (let length = 0; length < token.length; length++) {
      expect(codeOf(() => parseCcaToken(token.subarray(0, length)))).not.toBe("nothing");
    }
    expect(await refusal(concat(token, Uint8Array.of(0)))).toBe("INVALID_CBOR");
  });
});

describe.skipIf(!hasFixtures)("real claim sets", () => {
  const claimsIn = async (file: string): Promise<CborValue> => parseCbor(await read(file), file);

  it("of a platform", async () => {
    const { claims, unknown } = parsePlatformClaims(await claimsIn("platform-claims.cbor"));
    expect(unknown).toEqual([]);
    expect(claims).toMatchObject({ lifecycle: 0x3000, verificationService: "https://cca_verifier.org" });
    expect(claims.softwareComponents).toHaveLength(2);
  });

  it.each([
    ["realm-claims.cbor", []],
    ["realm-claims+spurious-numeric-key.cbor", [1234567]],
    ["realm-claims+spurious-text-key.cbor", ["unknown-key"]],
  ])("%s", async (file, unknown) => {
    const { claims, unknown: found } = parseRealmClaims(await claimsIn(file));
    expect(found).toEqual(unknown);
    expect(toHex(claims.challenge)).toBe("ab".repeat(64));
  });

  it("of a realm without a challenge", async () => {
    const claims = await claimsIn("realm-claims-missing-challenge.cbor");
    expect(() => parseRealmClaims(claims)).toThrow(
      expect.objectContaining({
        code: "INVALID_CCA_TOKEN",
        message: expect.stringContaining("realm challenge"),
      }),
    );
  });
});

describe("what is no CCA token", () => {
  const tag = (number: number, members: readonly (readonly [number | string, CborValue])[]): Uint8Array =>
    encodeCbor(new CborTag(number, new Map(members)));
  const empty = new Uint8Array();

  it.each<[what: string, bytes: Uint8Array, code: string]>([
    ["nothing", empty, "INVALID_CBOR"],
    ["too much", new Uint8Array(64 * 1024 + 1), "INVALID_CCA_TOKEN"],
    ["no tag", encodeCbor(new Map()), "INVALID_CCA_TOKEN"],
    ["another tag", tag(400, []), "INVALID_CCA_TOKEN"],
    ["no map", encodeCbor(new CborTag(399, [])), "INVALID_CCA_TOKEN"],
    ["no platform token", tag(399, [[44241, empty]]), "INVALID_CCA_TOKEN"],
    ["no realm token", tag(399, [[44234, empty]]), "INVALID_CCA_TOKEN"],
    [
      "another member",
      tag(399, [
        [44234, empty],
        [44241, empty],
        ["x", 1],
      ]),
      "INVALID_CCA_TOKEN",
    ],
    [
      "a wrapped token in the legacy envelope",
      tag(399, [
        [44234, [263, empty]],
        [44241, [263, empty]],
      ]),
      "INVALID_CCA_TOKEN",
    ],
    [
      "a bare token in a CMW collection",
      tag(907, [
        [44234, empty],
        [44241, empty],
      ]),
      "INVALID_CCA_TOKEN",
    ],
    [
      "another content format in a CMW collection",
      tag(907, [
        [44234, [60, empty]],
        [44241, [263, empty]],
      ]),
      "INVALID_CCA_TOKEN",
    ],
    [
      "three parts in a CMW record",
      tag(907, [
        [44234, [263, empty, 4]],
        [44241, [263, empty, 4]],
      ]),
      "INVALID_CCA_TOKEN",
    ],
    [
      "tokens that are no COSE",
      tag(399, [
        [44234, encodeCbor(1)],
        [44241, encodeCbor(1)],
      ]),
      "INVALID_COSE",
    ],
  ])("%s", (_what, bytes, code) => {
    expect(codeOf(() => parseCcaToken(bytes))).toBe(code);
  });

  it.each([
    ["an object without a token", {}],
    ["null", null],
    ["numbers that are no bytes", { token: [256] }],
    ["fractions", { token: [0.5] }],
    ["text in the array", { token: ["1"] }],
    ["an array that is too long", { token: Array.from({ length: 64 * 1024 + 1 }, () => 0) }],
  ])("in JSON: %s", (_what, value) => {
    expect(codeOf(() => cca.fromKbs(value))).toBe("INVALID_ENVELOPE");
  });

  it("in JSON: what is no base64", () => {
    expect(codeOf(() => cca.fromKbs({ token: "%" }))).toBe("INVALID_BASE64");
    expect(cca.fromKbs({ token: "AQI=" }).evidence).toEqual(fromBase64("AQI="));
  });

  it("any bytes after either tag", () => {
    const leads = fc.constantFrom("d9018f", "d9038b");
    fc.assert(
      fc.property(leads, fc.uint8Array({ maxLength: 200 }), (lead, rest) => {
        const bytes = concat(fromHex(lead), rest);
        cca.detect(bytes);
        try {
          parseCcaToken(bytes);
          expect.unreachable("noise is no token");
        } catch (error) {
          expect(error).toBeInstanceOf(AdytonError);
        }
      }),
    );
  });
});
