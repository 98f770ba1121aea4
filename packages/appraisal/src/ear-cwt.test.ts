// SPDX-License-Identifier: Apache-2.0
import { toHex } from "@adyton/core/bytes";
import {
  type CborKey,
  type CborMap,
  CborTag,
  type CborValue,
  encodeCbor,
  isCborMap,
  parseCbor,
} from "@adyton/core/cbor";
import { encodeSign1, parseSign1, protectedHeader, signedBytes } from "@adyton/core/cose";
import type { JsonObject } from "@adyton/core/json";
import { verifyEvidence } from "@adyton/evidence";
import { createSampleVendor } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type AttestationResult, appraise } from "./appraise.ts";
import { builtinPolicy, referenceValuesFrom } from "./builtin.ts";
import { type SignEarOptions, signEar, signEarCwt, verifyEar } from "./ear.ts";
import { EAR_ALGORITHMS, type EarSigningKey, generateEarKey, importEarKey } from "./ear-key.ts";
import { AppraisalError } from "./errors.ts";
import { TRUST_CLAIMS } from "./trust.ts";

const NOW = new Date("2025-07-01T12:00:00Z");
const NONCE = Uint8Array.from({ length: 32 }, (_, i) => i);

let key: EarSigningKey;
let other: EarSigningKey;
let result: AttestationResult;
let token: Uint8Array;

beforeAll(async () => {
  const vendor = await createSampleVendor();
  const machine = await vendor.machine();
  const bytes = await machine.evidence({ launchDigest: "e1".repeat(48), reportData: new Uint8Array(64) });
  const evidence = await verifyEvidence(bytes, { now: NOW, roots: [vendor.root] });
  result = appraise(evidence, {
    policy: builtinPolicy({ allowSimulated: true }),
    referenceValues: referenceValuesFrom(evidence),
    now: NOW,
  });
  key = await importEarKey(await generateEarKey());
  other = await importEarKey(await generateEarKey());
  token = await signEarCwt(result, { key, now: NOW });
});

const verify = (bytes: Uint8Array, keys = [key.publicJwk]) => verifyEar(bytes, { keys, now: NOW });
const payloadOf = (bytes: Uint8Array): CborMap => {
  const payload = parseCbor(parseSign1(bytes, "token").payload, "claims");
  if (!isCborMap(payload)) throw new TypeError("no map");
  return payload;
};

/** A token over any claims, signed with the trusted key. */
async function signed(claims: CborValue): Promise<Uint8Array> {
  const payload = encodeCbor(claims);
  const header = protectedHeader({ name: "ECDSA", hash: "SHA-256" });
  const how = { name: "ECDSA", hash: "SHA-256" };
  const signature = await crypto.subtle.sign(how, key.privateKey, signedBytes(header, payload));
  return encodeSign1(header, payload, new Uint8Array(signature));
}

describe("a CWT", () => {
  it("has the labels of draft-ietf-rats-ear", () => {
    const claims = payloadOf(token);
    expect([...claims.keys()].sort()).toEqual([-71_000, 1, 1004, 265, 266, 4, 6]);
    expect(claims.get(265)).toBe("tag:github.com,2024:confidential-containers/Trustee");
    expect(claims.get(1004)).toEqual(
      new Map<CborKey, CborValue>([
        [0, "Adyton"],
        [1, "@adyton/appraisal 0.1.0"],
      ]),
    );
    const submods = claims.get(266) as CborMap;
    const cpu0 = submods.get("cpu0") as CborMap;
    expect(cpu0.get(1000)).toBe(2);
    expect(cpu0.get(1001)).toEqual(new Map([0, 2, 3, 0, 2, 0, 0, 0].map((value, label) => [label, value])));
    expect([...cpu0.keys()].every((label) => typeof label === "number")).toBe(true);
  });

  it("holds the claims of the JWT", async () => {
    const options: SignEarOptions = { key, now: NOW, nonce: NONCE, rawEvidence: NONCE, profile: "veraison" };
    const cwt = await verifyEar(await signEarCwt(result, options), {
      keys: [key.publicJwk],
      now: NOW,
      nonce: NONCE,
    });
    const jwt = await verifyEar(await signEar(result, options), {
      keys: [key.publicJwk],
      now: NOW,
      nonce: NONCE,
    });
    expect(cwt).toEqual(jwt);
    expect(cwt).toMatchObject({ eat_profile: "tag:github.com,2023:veraison/ear", iss: "Adyton" });
  });

  it.each(EAR_ALGORITHMS)("is signed and verified with %s", async (algorithm) => {
    const pair = await importEarKey(await generateEarKey(algorithm));
    for (const made of [
      await signEarCwt(result, { key: pair, now: NOW }),
      await signEar(result, { key: pair, now: NOW }),
    ]) {
      const claims = await verifyEar(made, { keys: [key.publicJwk, pair.publicJwk], now: NOW });
      expect(claims.submods.cpu0?.["ear.status"]).toBe("affirming");
      expect(await codeOfAsync(() => verifyEar(made, { keys: [key.publicJwk], now: NOW }))).toBe(
        "EAR_SIGNATURE",
      );
    }
  });

  it("is refused under another key, and with any byte changed", async () => {
    expect(await codeOfAsync(() => verify(token, [other.publicJwk]))).toBe("EAR_SIGNATURE");
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = Uint8Array.from(token, (byte, i) => (i === at ? byte ^ mask : byte));
        expect(await codeOfAsync(() => verify(changed))).toMatch(/^(?:EAR_SIGNATURE|INVALID_EAR)$/);
      }),
      { numRuns: 200 },
    );
  });

  it("is read in bounds: whatever comes gives a typed error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const caught = await verify(bytes).catch((error: unknown) => error);
        expect(caught).toBeInstanceOf(AppraisalError);
      }),
    );
    expect(await codeOfAsync(() => verify(token.subarray(0, -1)))).toBe("INVALID_EAR");
  });

  const swap = (change: (claims: Map<CborKey, CborValue>) => void) => async (): Promise<Uint8Array> => {
    const claims = new Map(payloadOf(token));
    change(claims);
    return signed(claims);
  };
  const inCpu0 = (change: (cpu0: Map<CborKey, CborValue>) => void) =>
    swap((claims) => {
      const cpu0 = new Map((claims.get(266) as CborMap).get("cpu0") as CborMap);
      change(cpu0);
      claims.set(266, new Map([["cpu0", cpu0]]));
    });
  it.each<[what: string, make: () => Promise<Uint8Array>]>([
    ["claims that are no map", () => signed([1, 2])],
    ["an unknown label", swap((claims) => claims.set(99, 1))],
    ["a claim under its name", swap((claims) => claims.set("iss", "someone"))],
    ["no submodules", swap((claims) => claims.delete(266))],
    ["submodules under numbers", swap((claims) => claims.set(266, new Map([[1, new Map()]])))],
    ["another profile", swap((claims) => claims.set(265, "tag:example,2020:x"))],
    ["an expiry that is text", swap((claims) => claims.set(4, "soon"))],
    ["a nonce that is text", swap((claims) => claims.set(10, "AAAAAAAAAAA"))],
    ["a nonce that is too short", swap((claims) => claims.set(10, new Uint8Array(7)))],
    ["a tag", swap((claims) => claims.set("more", new CborTag(1, 1)))],
    ["a status that is no tier", inCpu0((cpu0) => cpu0.set(1000, 3))],
    ["a status better than the vector", inCpu0((cpu0) => cpu0.set(1001, new Map([[4, 97]])))],
    ["a trust claim that is none", inCpu0((cpu0) => cpu0.set(1001, new Map([[8, 2]])))],
  ])("is refused with %s", async (_what, make) => {
    const made = await make();
    expect(await codeOfAsync(() => verify(made))).toBe("INVALID_EAR");
  });

  it("keeps what others add under text keys, whatever its name", async () => {
    const made = await swap((claims) => claims.set("__proto__", new Map([["polluted", true]])))();
    const claims = await verify(made);
    expect(Object.getOwnPropertyNames(claims)).toContain("__proto__");
    expect("polluted" in claims).toBe(false);
  });

  it("is not made of fractions", async () => {
    const [name, appraisal] = Object.entries(result.appraisals)[0] ?? [];
    if (name === undefined || appraisal === undefined) throw new TypeError("no appraisal");
    const vendor = await createSampleVendor();
    const bytes = await (await vendor.machine()).evidence({
      launchDigest: "e1".repeat(48),
      reportData: new Uint8Array(64),
    });
    const evidence = await verifyEvidence(bytes, { now: NOW, roots: [vendor.root] });
    const fraction = appraise(evidence, {
      policy: {
        id: "f",
        evaluate: () => ({ trustworthiness: {}, findings: [], extensions: { share: 0.5 } as JsonObject }),
      },
      referenceValues: {},
      now: NOW,
    });
    expect(await codeOfAsync(() => signEarCwt(fraction, { key, now: NOW }))).toBe("INVALID_APPRAISAL_INPUT");
  });
});

describe("nonces and names", () => {
  it("insists on the nonce that it is told", async () => {
    const made = await signEarCwt(result, { key, now: NOW, nonce: NONCE });
    const check = (bytes: Uint8Array, nonce: Uint8Array) =>
      verifyEar(bytes, { keys: [key.publicJwk], now: NOW, nonce });
    await expect(check(made, NONCE)).resolves.toMatchObject({ eat_nonce: expect.any(String) });
    expect(await codeOfAsync(() => check(made, NONCE.subarray(1)))).toBe("EAR_NONCE");
    expect(await codeOfAsync(() => check(token, NONCE))).toBe("EAR_NONCE");
  });

  it.each([0, 7, 65])("signs no nonce of %i bytes", async (size) => {
    const nonce = new Uint8Array(size);
    expect(await codeOfAsync(() => signEar(result, { key, now: NOW, nonce }))).toBe(
      "INVALID_APPRAISAL_INPUT",
    );
  });

  it("names submodules as their reader expects, each its own way", async () => {
    const made = await signEar(result, {
      key,
      now: NOW,
      submods: (name, { tee }) => [{ name: `${tee}-${name}`, claims: TRUST_CLAIMS }],
    });
    expect(Object.keys((await verifyEar(made, { keys: [key.publicJwk], now: NOW })).submods)).toEqual([
      "sample-cpu0",
    ]);
  });

  it("is smaller than the JWT", async () => {
    expect(token.length).toBeLessThan((await signEar(result, { key, now: NOW })).length);
    expect(toHex(token.subarray(0, 1))).toBe("d2");
  });
});
