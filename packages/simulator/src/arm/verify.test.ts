// SPDX-License-Identifier: Apache-2.0
// The CCA verifier against the simulated platform: every profile, form, curve and hash; each check with what fails it.

import { fromHex, fromUtf8, toHex } from "@adyton/core/bytes";
import { encodeCbor } from "@adyton/core/cbor";
import { coseKeyOfPoint } from "@adyton/core/cose";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { detectTee, type VerifiedEvidence, type VerifyOptions, verifyEvidence } from "@adyton/evidence";
import { encodeCcaToken, parseCcaToken } from "@adyton/evidence/cca";
import { readEndorsement } from "@adyton/evidence/endorsements";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CcaTokenOptions, createCcaPlatform } from "./platform.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const platform = await createCcaPlatform();

async function verify(
  token: CcaTokenOptions | Uint8Array = {},
  options: Partial<VerifyOptions> = {},
): Promise<VerifiedEvidence> {
  const bytes = token instanceof Uint8Array ? token : await platform.token(token);
  return verifyEvidence(bytes, { now: AT, anchors: platform.anchors, ...options });
}

/** The code and category of a refusal, `["", ""]` where there is none. */
async function refusal(...request: Parameters<typeof verify>): Promise<readonly [string, string]> {
  try {
    await verify(...request);
    return ["", ""];
  } catch (error) {
    if (error instanceof AdytonError) return [error.code, error.category];
    throw error;
  }
}

const codes = (verified: VerifiedEvidence): string[] => verified.warnings.map((warning) => warning.code);
const realmOf = (verified: VerifiedEvidence): Record<string, unknown> =>
  verified.claims.realm as Record<string, unknown>;

describe("a healthy platform", () => {
  const GENERATIONS = ["legacy", "2023", "2024"] as const;
  const FORMS = ["legacy", "cmw"] as const;

  it.each(GENERATIONS.flatMap((generation) => FORMS.map((form) => [generation, form] as const)))(
    "of generation %s in the form %s",
    async (generation, form) => {
      const token = await platform.token({ generation, form });
      expect(detectTee(token)).toBe("cca");
      const verified = await verify(token);
      expect(verified).toMatchObject({ tee: "cca", debug: false, trust: { simulated: true } });
      expect(codes(verified)).toEqual(["REVOCATION_UNCHECKED"]);
      expect(realmOf(verified)["cca-realm-mec-policy"]).toBe(generation === "2024" ? "private" : undefined);
      const { platform: half, realm } = parseCcaToken(token);
      expect(encodeCcaToken(form, half.bytes, realm.bytes)).toEqual(token);
    },
  );

  it.each(["P-256", "P-384", "P-521"] as const)("with keys on %s", async (curve) => {
    const own = await createCcaPlatform({ curve });
    const token = await own.token({ realmCurve: curve });
    expect((await verify(token, { anchors: own.anchors })).tee).toBe("cca");
    const legacy = await own.token({ realmCurve: curve, generation: "legacy" });
    expect((await verify(legacy, { anchors: own.anchors })).tee).toBe("cca");
  });

  it.each(["sha-256", "sha-384", "sha-512"] as const)("bound by %s", async (bindingHash) => {
    expect((await verify({ bindingHash })).explanation.join()).toContain(bindingHash);
  });

  it.each([
    ["sha-256", 32],
    ["sha-384", 48],
    ["sha-512", 64],
  ] as const)("whose realm is measured with %s", async (hashAlgorithm, size) => {
    const initialMeasurement = new Uint8Array(size).fill(1);
    const extensibleMeasurements = Array.from({ length: 4 }, () => new Uint8Array(size));
    await verify({ realm: { hashAlgorithm, initialMeasurement, extensibleMeasurements } });
    const longer = { hashAlgorithm, initialMeasurement: new Uint8Array(size + 16), extensibleMeasurements };
    expect(await refusal({ realm: longer })).toEqual(["INVALID_CCA_TOKEN", "malformed"]);
  });

  it("whose trust-anchor store is read as a file", async () => {
    const bytes = fromUtf8(JSON.stringify(platform.trustAnchors));
    const anchors = readEndorsement({ name: "ta.json", bytes });
    expect(anchors.keys).toMatchObject([platform.key]);
    await verify({}, { anchors });
  });

  it("that binds report data and init-data", async () => {
    const token = await platform.token({ reportData: fromHex("aabb"), initData: fromHex("cc") });
    const verified = await verify(token, { reportData: fromHex("aabb") });
    expect(toHex(verified.reportData)).toBe(`aabb${"00".repeat(62)}`);
    expect(toHex(verified.initDataField ?? new Uint8Array())).toBe(`cc${"00".repeat(63)}`);
    expect(await refusal(token, { reportData: fromHex("aabc") })).toEqual([
      "REPORT_DATA_MISMATCH",
      "not-authentic",
    ]);
  });

  it.each([
    [0, "shared"],
    [1, "private"],
    ["shared", "shared"],
  ] as const)("with the MEC policy %s", async (value, policy) => {
    const verified = await verify({ generation: "2024", editRealm: (claims) => claims.set(44243, value) });
    expect(realmOf(verified)["cca-realm-mec-policy"]).toBe(policy);
  });

  it("with the claims of profile 2.0.0 that are not shown", async () => {
    const verified = await verify({
      generation: "2024",
      platform: { manufacturingConfig: fromHex("01"), peerSigners: fromHex("02") },
      editPlatform: (claims) => claims.set(2404, []).set(2405, []),
      editRealm: (claims) => claims.set(44244, 0).set(44257, new Uint8Array(32)),
    });
    expect(codes(verified)).toEqual(["REVOCATION_UNCHECKED"]);
    expect(verified.claims.platform).toMatchObject({
      "cca-platform-client-id": 1,
      "cca-platform-manufacturing-config": "AQ==",
      "cca-platform-peer-signers": "Ag==",
    });
  });

  it("with a profile of 2.0.0 in either spelling", async () => {
    await verify({ generation: "2024", platform: { profile: "tag:arm.com,2024:platform#2.0.0" } });
  });
});

describe("findings", () => {
  it.each([
    [0x0000, "unknown"],
    [0x1001, "assembly_and_test"],
    [0x20ff, "cca_platform_rot_provisioning"],
    [0x4000, "non_cca_platform_debug"],
    [0x5000, "recoverable_cca_platform_debug"],
    [0x6000, "decommissioned"],
  ])("lifecycle %i is %s, and counts as debug", async (lifecycle, state) => {
    const verified = await verify({ platform: { lifecycle } });
    expect(verified.debug).toBe(true);
    expect(codes(verified)).toContain("PLATFORM_NOT_SECURED");
    expect(verified.claims.platform).toMatchObject({ "cca-platform-lifecycle-state": state });
  });

  it.each([0x3000, 0x30ff])("lifecycle %i is secured", async (lifecycle) => {
    const verified = await verify({ platform: { lifecycle } });
    expect([verified.debug, codes(verified)]).toEqual([false, ["REVOCATION_UNCHECKED"]]);
  });

  it("claims that are unknown here", async () => {
    const verified = await verify({
      editPlatform: (claims) => claims.set("spurious", 1),
      editRealm: (claims) => {
        for (let key = 70_000; key < 70_010; key++) claims.set(key, 1);
      },
    });
    const messages = verified.warnings
      .filter(({ code }) => code === "UNKNOWN_CLAIMS")
      .map(({ message }) => message);
    expect(messages).toHaveLength(2);
    expect(messages[0]).toContain(
      'platform token has claims that are unknown here and were not read: "spurious"',
    );
    expect(messages[1]).toContain("and 2 more");
  });

  it("header parameters that no signature covers", async () => {
    const { platform: half, realm } = parseCcaToken(await platform.token());
    const { protectedBytes, payload, signature } = half.sign1;
    const loose = encodeCbor([protectedBytes, new Map([[4, fromHex("01")]]), payload, signature]);
    const verified = await verify(encodeCcaToken("cmw", loose, realm.bytes));
    expect(codes(verified)).toEqual(["REVOCATION_UNCHECKED", "UNSIGNED_HEADER"]);
  });
});

describe("what must be refused: signatures and binding", () => {
  it("no key, another platform's key, a key for another model", async () => {
    const missing = ["CPAK_MISSING", "endorsements"];
    const other = await createCcaPlatform();
    expect(await refusal({}, { anchors: { ...platform.anchors, keys: [] } })).toEqual(missing);
    expect(await refusal({}, { anchors: other.anchors })).toEqual(missing);
    const identifiers = { ...platform.key.identifiers, "implementation-id": "00".repeat(32) };
    const misnamed = { ...platform.anchors, keys: [{ ...platform.key, identifiers }] };
    expect(await refusal({}, { anchors: misnamed })).toEqual(missing);
  });

  it("a platform token by another key", async () => {
    const other = await createCcaPlatform();
    const expected = ["INVALID_CCA_PLATFORM_SIGNATURE", "not-authentic"];
    expect(await refusal({ platformKey: other.cpak })).toEqual(expected);
  });

  it("a platform token whose hash is not the one of its key's curve", async () => {
    const platformAlgorithm = { name: "ECDSA", hash: "SHA-256" } as const;
    expect(await refusal({ platformAlgorithm })).toEqual(["INVALID_CCA_PLATFORM_SIGNATURE", "not-authentic"]);
  });

  it("a realm token by another key", async () => {
    const realmKey = await defaultCrypto.generateKey({ name: "EC", curve: "P-384" });
    expect(await refusal({ realmKey })).toEqual(["INVALID_CCA_REALM_SIGNATURE", "not-authentic"]);
  });

  it("a realm key that the platform does not vouch for", async () => {
    const expected = ["CCA_BINDING_MISMATCH", "not-authentic"];
    expect(await refusal({ platform: { challenge: new Uint8Array(32) } })).toEqual(expected);
    expect(await refusal({ editRealm: (claims) => claims.set(44240, "sha-384") })).toEqual(expected);
    const [one, two] = [parseCcaToken(await platform.token()), parseCcaToken(await platform.token())];
    expect(await refusal(encodeCcaToken("cmw", one.platform.bytes, two.realm.bytes))).toEqual(expected);
  });

  it("another algorithm than ECDSA", async () => {
    const token = parseCcaToken(await platform.token());
    const { payload, signature } = token.platform.sign1;
    const header = encodeCbor(new Map([[1, -8]]));
    const half = encodeCbor([header, new Map(), payload, signature]);
    expect(await refusal(encodeCcaToken("cmw", half, token.realm.bytes))).toEqual([
      "INVALID_CCA_TOKEN",
      "malformed",
    ]);
  });
});

describe("what must be refused: claims", () => {
  const remove = (key: number) => (claims: Map<number | string, unknown>) => void claims.delete(key);
  const PLATFORM = [265, 10, 2396, 256, 2401, 2395, 2399, 2402];
  const REALM = [10, 44235, 44236, 44237, 44238, 44239, 44240];

  it.each(PLATFORM.map((key) => [key]))("a platform token without claim %i", async (key) => {
    expect(await refusal({ editPlatform: remove(key) })).toEqual(["INVALID_CCA_TOKEN", "malformed"]);
  });

  it.each(REALM.map((key) => [key]))("a realm token without claim %i", async (key) => {
    expect(await refusal({ editRealm: remove(key) })).toEqual(["INVALID_CCA_TOKEN", "malformed"]);
  });

  it.each<[what: string, key: number, value: Parameters<typeof encodeCbor>[0]]>([
    ["a challenge of no digest's size", 10, new Uint8Array(31)],
    ["an implementation id of 31 bytes", 2396, new Uint8Array(31)],
    ["an instance id of 32 bytes", 256, new Uint8Array(32)],
    ["an instance id of another type", 256, new Uint8Array(33)],
    ["an empty configuration", 2401, new Uint8Array(0)],
    ["a lifecycle beyond the table", 2395, 0x7000],
    ["a negative lifecycle", 2395, -1],
    ["no software component", 2399, []],
    ["too many software components", 2399, Array.from({ length: 65 }, () => new Map())],
    ["a software component that is no map", 2399, [1]],
    ["a software component without a measurement", 2399, [new Map([[5, new Uint8Array(32)]])]],
    ["a software component without a signer", 2399, [new Map([[2, new Uint8Array(32)]])]],
    ["an unknown hash algorithm", 2402, "sha-224"],
    ["a hash algorithm named like a member of every object", 2402, "constructor"],
    ["a verification service that is no text", 2400, 1],
    ["a client id that is no integer", 2394, "1"],
  ])("%s", async (_what, key, value) => {
    const editPlatform: CcaTokenOptions["editPlatform"] = (claims) => void claims.set(key, value);
    expect(await refusal({ editPlatform })).toEqual(["INVALID_CCA_TOKEN", "malformed"]);
  });

  it.each<[what: string, key: number, value: Parameters<typeof encodeCbor>[0], code: string]>([
    ["a challenge of 63 bytes", 10, new Uint8Array(63), "INVALID_CCA_TOKEN"],
    ["a personalization value of 65 bytes", 44235, new Uint8Array(65), "INVALID_CCA_TOKEN"],
    ["three extensible measurements", 44239, [1, 2, 3].map(() => new Uint8Array(32)), "INVALID_CCA_TOKEN"],
    ["an unknown hash algorithm", 44236, "sha-1", "INVALID_CCA_TOKEN"],
    ["an unknown hash of the key", 44240, "md5", "INVALID_CCA_TOKEN"],
    ["a MEC policy beyond the table", 44243, 2, "INVALID_CCA_TOKEN"],
    ["an instance id of another type", 256, new Uint8Array(33), "INVALID_CCA_TOKEN"],
  ])("a realm token with %s", async (_what, key, value, code) => {
    const editRealm: CcaTokenOptions["editRealm"] = (claims) => void claims.set(key, value);
    expect((await refusal({ editRealm }))[0]).toBe(code);
  });

  it("a realm token of 2.0.0 without a MEC policy", async () => {
    expect(await refusal({ generation: "2024", editRealm: remove(44243) })).toEqual([
      "INVALID_CCA_TOKEN",
      "malformed",
    ]);
  });

  it.each<[what: string, publicKey: Uint8Array, code: string]>([
    ["a point under a profile that has COSE keys", new Uint8Array(97).fill(4), "INVALID_CBOR"],
    ["a COSE_Key that is no map", encodeCbor([1]), "INVALID_CCA_TOKEN"],
    ["a COSE_Key of another curve", encodeCbor(new Map([[1, 2]])), "INVALID_KEY"],
    ["a COSE_Key off the curve", encodeCbor(coseKeyOfPoint("P-384", new Uint8Array(96))), "INVALID_KEY"],
  ])("a realm key that is %s", async (_what, publicKey, code) => {
    expect((await refusal({ realm: { publicKey } }))[0]).toBe(code);
  });

  it("a legacy realm key that is a point of no curve", async () => {
    const publicKey = new Uint8Array(96).fill(4);
    expect((await refusal({ generation: "legacy", realm: { publicKey } }))[0]).toBe("INVALID_CCA_TOKEN");
  });

  it.each([
    ["platform", { editPlatform: (claims) => void claims.set(265, "tag:arm.com,2030:cca_platform#9.0.0") }],
    ["realm", { editRealm: (claims) => void claims.set(265, "tag:arm.com,2030:realm#9.0.0") }],
  ] satisfies [string, CcaTokenOptions][])(
    "a %s profile from the future, with the newest known named",
    async (_part, change) => {
      await expect(verify(change)).rejects.toMatchObject({
        code: "UNSUPPORTED_CCA_PROFILE",
        category: "malformed",
        message: expect.stringMatching(/tag:arm\.com,2024:[^ ]*#2\.0\.0, the newest known$/),
      });
    },
  );

  it("any bytes as either claim set, with typed errors only", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 120 }), fc.boolean(), async (payload, first) => {
        const { platform: half, realm } = parseCcaToken(await platform.token());
        const part = first ? half : realm;
        const loose = encodeCbor([part.sign1.protectedBytes, new Map(), payload, part.sign1.signature]);
        const token = first
          ? encodeCcaToken("cmw", loose, realm.bytes)
          : encodeCcaToken("cmw", half.bytes, loose);
        expect((await refusal(token))[0]).not.toBe("");
      }),
      { numRuns: 50 },
    );
  });
});
