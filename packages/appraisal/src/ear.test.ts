// SPDX-License-Identifier: Apache-2.0
import { fromBase64, fromBase64Url, fromUtf8, toBase64Url } from "@adyton/core/bytes";
import { defaultCrypto, spkiOfPoint } from "@adyton/core/crypto";
import { issueCertificate } from "@adyton/core/issue";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { type VerifiedEvidence, verifyEvidence } from "@adyton/evidence";
import { createSampleVendor } from "@adyton/simulator";
import fc from "fast-check";
import {
  CompactSign,
  calculateJwkThumbprint,
  decodeJwt,
  decodeProtectedHeader,
  EmbeddedJWK,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
} from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { type AttestationResult, appraise } from "./appraise.ts";
import { builtinPolicy, referenceValuesFrom } from "./builtin.ts";
import { signEar, verifyEar } from "./ear.ts";
import { EAR_PROFILE } from "./ear-claims.ts";
import { type EarSigningKey, generateEarKey, importEarKey } from "./ear-key.ts";
import type { AppraisalErrorCode } from "./errors.ts";

const NOW = new Date("2025-07-01T12:00:00.750Z");
const SECONDS = Math.floor(NOW.getTime() / 1000);
const EXPIRY = new Date("2025-07-02T00:00:00Z");
const at = (seconds: number): Date => new Date(seconds * 1000);
const code = (expected: AppraisalErrorCode): unknown => expect.objectContaining({ code: expected });

let jwk: JWK;
let key: EarSigningKey;
let evidence: VerifiedEvidence;
let result: AttestationResult;
let token: string;

beforeAll(async () => {
  const vendor = await createSampleVendor({ notAfter: EXPIRY });
  const machine = await vendor.machine();
  const bytes = await machine.evidence({ launchDigest: "e1".repeat(48), reportData: new Uint8Array(64) });
  evidence = await verifyEvidence(bytes, { now: NOW, roots: [vendor.root] });
  result = appraise(evidence, {
    policy: builtinPolicy({ allowSimulated: true }),
    referenceValues: referenceValuesFrom(evidence),
    now: NOW,
    runtimeData: { nonce: "bm9uY2U=", "tee-pubkey": { kty: "EC" } },
  });
  jwk = await generateEarKey();
  key = await importEarKey(jwk);
  token = await signEar(result, { key, now: NOW });
});

/** A token over any payload, signed with the trusted key. */
async function signed(payload: string | Uint8Array, header: JsonObject = {}): Promise<string> {
  const bytes = typeof payload === "string" ? fromUtf8(payload) : payload;
  return new CompactSign(bytes).setProtectedHeader({ alg: "ES256", ...header }).sign(key.privateKey);
}

const verify = (text: string, now = NOW) => verifyEar(text, { keys: [key.publicJwk], now });

describe("a token", () => {
  it("has the claims and names of Trustee's profile", () => {
    const appraisal = result.appraisals.cpu0;
    expect(decodeJwt(token)).toEqual({
      eat_profile: "tag:github.com,2024:confidential-containers/Trustee",
      iat: SECONDS,
      exp: SECONDS + 300,
      iss: "Adyton",
      "ear.verifier-id": { developer: "Adyton", build: "@adyton/appraisal 0.1.0" },
      "adyton.simulated": true,
      submods: {
        cpu0: {
          "ear.status": "affirming",
          "ear.trustworthiness-vector": {
            "instance-identity": 0,
            configuration: 2,
            executables: 3,
            "file-system": 0,
            hardware: 2,
            "runtime-opaque": 0,
            "storage-opaque": 0,
            "sourced-data": 0,
          },
          "ear.appraisal-policy-id": "adyton-default",
          "ear.veraison.annotated-evidence": {
            sample: evidence.claims,
            report_data: "00".repeat(64),
            runtime_data_claims: { nonce: "bm9uY2U=", "tee-pubkey": { kty: "EC" } },
          },
          "ear.trustee.identifiers": { validated: { launch_digest: "e1".repeat(48) } },
          "adyton.simulated": true,
          "adyton.explanation": appraisal?.explanation.map(
            ({ file: _, line: __, expected: ___, ...told }) => told,
          ),
        },
      },
    });
  });

  it("tells guests neither the policy's lines nor the reference values", async () => {
    const secret = "5e".repeat(48);
    const refused = appraise(evidence, {
      policy: builtinPolicy({ allowSimulated: true }),
      referenceValues: { ...referenceValuesFrom(evidence), launch_digest: [secret] },
      now: NOW,
    });
    expect(JSON.stringify(refused.appraisals)).toContain(secret);
    const claims = decodeJwt(await signEar(refused, { key, now: NOW }));
    expect(JSON.stringify(claims)).toContain("reference:launch_digest");
    expect(JSON.stringify(claims)).not.toContain(secret);
    expect(JSON.stringify(claims)).not.toMatch(/\.rego|"line"/);
  });

  it("carries its public key in the header, and no more of it", async () => {
    const header = decodeProtectedHeader(token);
    const { kty, crv, x, y, d } = jwk;
    expect(header).toEqual({
      alg: "ES256",
      typ: "JWT",
      kid: await calculateJwkThumbprint(jwk),
      jwk: { kty, crv, x, y, alg: "ES256" },
    });
    expect(d).toBeTypeOf("string");
    expect(JSON.stringify(header)).not.toContain(d);
    expect(JSON.stringify(key.publicJwk)).not.toContain(d);
    expect(key.privateKey.extractable).toBe(false);
  });

  it("verifies with jose, under the JWK and under the key in its header", async () => {
    const options = { issuer: "Adyton", currentDate: NOW, algorithms: ["ES256"], typ: "JWT" };
    const { payload } = await jwtVerify(token, await importJWK(key.publicJwk, "ES256"), options);
    expect(payload.eat_profile).toBe(EAR_PROFILE);
    await expect(jwtVerify(token, EmbeddedJWK, options)).resolves.toMatchObject({ payload });
  });

  it("comes back from verifyEar as it was", async () => {
    const claims = await verify(token);
    expect(claims).toEqual(decodeJwt(token));
    expect(claims.submods.cpu0?.["ear.status"]).toBe("affirming");
  });

  it("verifies under any of several keys, whatever key ids they claim", async () => {
    const others = await Promise.all([generateEarKey(), generateEarKey()]);
    const keys = [...others.map((other) => ({ ...other, kid: key.publicJwk.kid ?? "" })), key.publicJwk];
    await expect(verifyEar(token, { keys, now: NOW })).resolves.toMatchObject({ iat: SECONDS });
  });

  it("says who issued it and for how long", async () => {
    const verifierId = { developer: "Example", build: "broker 1.2" };
    const made = await signEar(result, { key, now: NOW, issuer: "me", verifierId, lifetimeSeconds: 60 });
    const claims = await verifyEar(made, { keys: [jwk], now: NOW, issuer: "me" });
    expect(claims).toMatchObject({ iss: "me", exp: SECONDS + 60, "ear.verifier-id": verifierId });
  });

  it("does not outlive the endorsements", async () => {
    const claims = decodeJwt(await signEar(result, { key, now: NOW, lifetimeSeconds: 86_400 }));
    expect(claims.exp).toBe(EXPIRY.getTime() / 1000);
    await expect(signEar(result, { key, now: EXPIRY })).rejects.toEqual(code("EVIDENCE_STALE"));
  });

  it.each([0, -1, 1.5, 86_401, Number.NaN])("has no lifetime of %d seconds", async (lifetimeSeconds) => {
    await expect(signEar(result, { key, now: NOW, lifetimeSeconds })).rejects.toEqual(
      code("INVALID_APPRAISAL_INPUT"),
    );
  });

  it("is made of results of appraise alone, at a time", async () => {
    await expect(signEar({ ...result }, { key, now: NOW })).rejects.toEqual(code("NOT_APPRAISED"));
    await expect(signEar(result, { key, now: at(Number.NaN) })).rejects.toEqual(
      code("INVALID_APPRAISAL_INPUT"),
    );
  });
});

describe("times and issuer", () => {
  it.each<[string, number, number, AppraisalErrorCode | undefined]>([
    ["the second of issue", SECONDS, 0, undefined],
    ["before issue", SECONDS - 1, 0, "EAR_NOT_YET_VALID"],
    ["before issue, within tolerance", SECONDS - 1, 1, undefined],
    ["the last second", SECONDS + 299, 0, undefined],
    ["expiry", SECONDS + 300, 0, "EAR_EXPIRED"],
    ["expiry, within tolerance", SECONDS + 300, 1, undefined],
    ["past tolerance", SECONDS + 301, 1, "EAR_EXPIRED"],
  ])("%s", async (_name, seconds, toleranceSeconds, expected) => {
    const verified = verifyEar(token, { keys: [jwk], now: at(seconds), toleranceSeconds });
    if (expected === undefined) await expect(verified).resolves.toMatchObject({ iat: SECONDS });
    else await expect(verified).rejects.toEqual(code(expected));
  });

  it("insists on the issuer when one is named", async () => {
    await expect(verifyEar(token, { keys: [jwk], now: NOW, issuer: "Adyton" })).resolves.toBeDefined();
    await expect(verifyEar(token, { keys: [jwk], now: NOW, issuer: "other" })).rejects.toEqual(
      code("EAR_ISSUER"),
    );
  });
});

describe("signatures", () => {
  it("of another key are refused, although the header carries it", async () => {
    const other = await importEarKey(await generateEarKey());
    const foreign = await signEar(result, { key: other, now: NOW });
    await expect(verify(foreign)).rejects.toEqual(
      expect.objectContaining({ code: "EAR_SIGNATURE", category: "not-authentic" }),
    );
  });

  it("are over every byte of header and payload", async () => {
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...digits), async (index, digit) => {
        fc.pre(token[index] !== digit);
        const changed = token.slice(0, index) + digit + token.slice(index + 1);
        await expect(verify(changed)).rejects.toEqual(
          expect.objectContaining({ code: expect.stringMatching(/^(?:INVALID_EAR|EAR_SIGNATURE)$/) }),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("have one spelling: unused bits are zero", async () => {
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = digits.indexOf(token.at(-1) ?? "");
    for (let bits = 1; bits < 16; bits++) {
      const changed = token.slice(0, -1) + digits[last | bits];
      await expect(verify(changed)).rejects.toEqual(code("INVALID_EAR"));
    }
  });

  it("of other algorithms are refused", async () => {
    const claims = decodeJwt(token);
    const none = `${toBase64Url(fromUtf8('{"alg":"none"}'))}.${token.split(".")[1]}.`;
    const hmac = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256" })
      .sign(fromUtf8("k".repeat(32)));
    await expect(verify(hmac)).rejects.toEqual(code("EAR_SIGNATURE"));
    await expect(verify(none)).rejects.toEqual(code("EAR_SIGNATURE"));
  });

  it("with critical header members are refused", async () => {
    await expect(verify(await signed("{}", { crit: ["b64"], b64: true }))).rejects.toEqual(
      code("INVALID_EAR"),
    );
    await expect(verify(await signed("{}", { exp: 1 }))).rejects.toEqual(code("INVALID_EAR"));
  });

  it.each(["", ".", "..", "a.b.c", "no token", "e30.e30", "e30.e30.e30", "e30.e30.e30.e30.e30"])(
    "%j is no token",
    async (text) => {
      await expect(verify(text)).rejects.toEqual(
        expect.objectContaining({ code: "INVALID_EAR", category: "malformed" }),
      );
    },
  );

  it("a token beyond all measure is not read", async () => {
    await expect(verify("e".repeat(8 * 1024 * 1024 + 1))).rejects.toEqual(code("INVALID_EAR"));
  });
});

describe("claims", () => {
  const good = (): JsonObject => decodeJwt(token) as JsonObject;
  const submod = (change: JsonObject): JsonObject => ({
    ...good(),
    submods: { cpu0: { ...((good().submods as JsonObject).cpu0 as JsonObject), ...change } },
  });
  const without = (name: string): JsonObject => {
    const { [name]: _, ...others } = good();
    return others;
  };

  it.each<[string, () => JsonValue]>([
    ["a list", () => []],
    ["no profile", () => without("eat_profile")],
    ["another profile", () => ({ ...good(), eat_profile: "tag:github.com,2022:veraison/ear" })],
    ["no iat", () => without("iat")],
    ["a broken iat", () => ({ ...good(), iat: SECONDS + 0.5 })],
    ["an exp that is no number", () => ({ ...good(), exp: "soon" })],
    ["an exp in words", () => ({ ...good(), exp: "never" })],
    ["an iss that is no text", () => ({ ...good(), iss: 1 })],
    ["no verifier", () => without("ear.verifier-id")],
    ["a verifier without build", () => ({ ...good(), "ear.verifier-id": { developer: "me" } })],
    ["simulated in words", () => ({ ...good(), "adyton.simulated": "no" })],
    ["no submods", () => without("submods")],
    ["empty submods", () => ({ ...good(), submods: {} })],
    [
      "too many submods",
      () => ({ ...good(), submods: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, {}])) }),
    ],
    ["a submod that is no object", () => ({ ...good(), submods: { cpu0: "affirming" } })],
    ["no status", () => ({ ...good(), submods: { cpu0: { "ear.trustworthiness-vector": {} } } })],
    ["an unknown status", () => submod({ "ear.status": "fine" })],
    ["a status better than the vector", () => submod({ "ear.trustworthiness-vector": { hardware: 97 } })],
    ["a vector that is no object", () => submod({ "ear.trustworthiness-vector": 2 })],
    ["an unknown trust claim", () => submod({ "ear.trustworthiness-vector": { software: 2 } })],
    ["a trust value out of range", () => submod({ "ear.trustworthiness-vector": { hardware: 130 } })],
    [
      "a bad trust value in a bad submod",
      () => submod({ "ear.status": "contraindicated", "ear.trustworthiness-vector": { hardware: "97" } }),
    ],
    ["a policy id that is no text", () => submod({ "ear.appraisal-policy-id": 1 })],
    ["evidence that is no object", () => submod({ "ear.veraison.annotated-evidence": "x" })],
    ["a submod simulated in words", () => submod({ "adyton.simulated": "no" })],
    ["an explanation that is no list", () => submod({ "adyton.explanation": {} })],
    ["a finding without a rule", () => submod({ "adyton.explanation": [{ ok: true, message: "" }] })],
    [
      "a finding whose next is no text",
      () => submod({ "adyton.explanation": [{ rule: "", ok: true, message: "", next: 1 }] }),
    ],
  ])("%s is refused", async (_name, claims) => {
    await expect(verify(await signed(JSON.stringify(claims())))).rejects.toEqual(code("INVALID_EAR"));
  });

  it("without an end is refused, unless its age is bounded", async () => {
    const endless = await signed(JSON.stringify(without("exp")));
    const check = (maxAgeSeconds: number, now = NOW) =>
      verifyEar(endless, { keys: [key.publicJwk], now, maxAgeSeconds });
    await expect(verify(endless)).rejects.toEqual(code("EAR_EXPIRED"));
    await expect(check(10)).resolves.not.toHaveProperty("exp");
    await expect(check(10, at(SECONDS + 10))).rejects.toEqual(code("EAR_EXPIRED"));
    await expect(check(-1)).rejects.toEqual(code("INVALID_APPRAISAL_INPUT"));
    await expect(
      verifyEar(token, { keys: [key.publicJwk], now: at(SECONDS + 20), maxAgeSeconds: 20 }),
    ).rejects.toEqual(code("EAR_EXPIRED"));
  });

  it.each<[string, string | Uint8Array]>([
    ["no JSON", "claims"],
    ["no UTF-8", Uint8Array.of(0xff, 0xfe)],
    ["a key twice", '{"iat":1,"iat":2}'],
  ])("%s is refused", async (_name, payload) => {
    await expect(verify(await signed(payload))).rejects.toEqual(code("INVALID_EAR"));
  });

  it("a status may be worse than the vector, and extensions are kept", async () => {
    const claims = {
      ...submod({ "ear.status": "warning", "my.extension": [1] }),
      eat_nonce: "bm9uY2Vub25jZQ==",
    };
    const verified = await verify(await signed(JSON.stringify(claims)));
    expect(verified.eat_nonce).toBe("bm9uY2Vub25jZQ==");
    expect(verified.submods.cpu0).toMatchObject({ "ear.status": "warning", "my.extension": [1] });
  });

  it("of another verifier need none of ours", async () => {
    const trustee = {
      eat_profile: EAR_PROFILE,
      iat: SECONDS,
      exp: SECONDS + 1,
      "ear.verifier-id": {
        developer: "https://confidentialcontainers.org",
        build: "attestation-service 0.1.0",
      },
      submods: { cpu0: { "ear.status": "contraindicated", "ear.trustworthiness-vector": { hardware: 97 } } },
    };
    await expect(verify(await signed(JSON.stringify(trustee)))).resolves.toEqual(trustee);
  });
});

describe("keys", () => {
  it("travel with their chain inside the jwk", async () => {
    const spki = spkiOfPoint(
      "P-256",
      Uint8Array.from([...fromBase64Url(jwk.x ?? ""), ...fromBase64Url(jwk.y ?? "")]),
    );
    const issuer = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
    const template = {
      subject: [["CN", "Verifier"]] as const,
      serial: "01",
      notBefore: at(SECONDS - 60),
      notAfter: at(SECONDS + 60),
    };
    const name = [["CN", "Verifier CA"]] as const;
    const certificate = await issueCertificate({ ...template, spki }, { name, key: issuer });
    const chained = await importEarKey(jwk, [certificate]);
    const header = decodeProtectedHeader(await signEar(result, { key: chained, now: NOW }));
    expect(header.x5c).toBeUndefined();
    expect(header.jwk?.x5c?.map((text) => [...fromBase64(text)])).toEqual([[...certificate]]);
    const foreign = await issueCertificate(
      { ...template, spki: issuer.publicKey.spki },
      { name, key: issuer },
    );
    await expect(importEarKey(jwk, [foreign])).rejects.toEqual(code("INVALID_EAR_KEY"));
    await expect(importEarKey(jwk, [Uint8Array.of(0x30, 0)])).rejects.toEqual(code("INVALID_EAR_KEY"));
    await expect(
      importEarKey(
        jwk,
        Array.from({ length: 9 }, () => certificate),
      ),
    ).rejects.toEqual(code("INVALID_EAR_KEY"));
  });

  it.each<[string, () => JWK]>([
    ["RSA", () => ({ kty: "RSA", n: "AQAB", e: "AQAB" })],
    ["another curve", () => ({ ...jwk, crv: "P-384" })],
    ["no point", () => ({ kty: "EC", crv: "P-256", d: jwk.d ?? "" })],
    ["no private part", () => ({ kty: "EC", crv: "P-256", x: jwk.x ?? "", y: jwk.y ?? "" })],
    ["a point off the curve", () => ({ ...jwk, x: jwk.y ?? "" })],
    ["a private part of another size", () => ({ ...jwk, d: "AQAB" })],
  ])("%s cannot sign", async (_name, broken) => {
    await expect(importEarKey(broken())).rejects.toEqual(
      expect.objectContaining({ code: "INVALID_EAR_KEY", category: "misuse" }),
    );
  });

  it.each<[string, () => readonly JWK[]]>([
    ["none", () => []],
    ["too many", () => Array.from({ length: 65 }, () => jwk)],
    ["a secret", () => [{ kty: "oct", k: "c2VjcmV0" }]],
    ["a point off the curve", () => [{ ...jwk, x: jwk.y ?? "" }]],
  ])("%s cannot verify", async (_name, keys) => {
    await expect(verifyEar(token, { keys: keys(), now: NOW })).rejects.toEqual(code("INVALID_EAR_KEY"));
  });

  it.each([-1, Number.NaN])("a tolerance of %d is refused", async (toleranceSeconds) => {
    await expect(verifyEar(token, { keys: [jwk], now: NOW, toleranceSeconds })).rejects.toEqual(
      code("INVALID_APPRAISAL_INPUT"),
    );
  });

  it("a time that is none is refused", async () => {
    await expect(verify(token, at(Number.NaN))).rejects.toEqual(code("INVALID_APPRAISAL_INPUT"));
  });
});
