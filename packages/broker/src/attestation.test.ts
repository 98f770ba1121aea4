// SPDX-License-Identifier: Apache-2.0
// Every way for a challenge or an attestation to be refused, with status, KBS error type and code.

import { generateKeyPairSync } from "node:crypto";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { schemeOf } from "@adyton/evidence";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type AttestChanges,
  attestBody,
  authBody,
  createHarness,
  GOOD_VALUES,
  type Harness,
  newTeePair,
  PAIR,
  refusalOf,
  vendor,
} from "../test/harness.ts";

const AUTH = "/kbs/v0/auth";
const ATTEST = "/kbs/v0/attest";
const START = new Date("2026-03-01T12:00:00Z");

let harness: Harness;

beforeAll(async () => {
  harness = await createHarness({ rateLimit: false });
  await harness.setReferenceValues(GOOD_VALUES);
});

afterAll(() => harness.close());

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("auth refuses", () => {
  it.each<[what: string, body: string, code: string]>([
    ["no body", "", "INVALID_REQUEST"],
    ["no JSON", "{", "INVALID_REQUEST"],
    ["no object", "[]", "INVALID_REQUEST"],
    ["a duplicate member", '{"version":"0.4.0","version":"0.4.0","tee":"sample"}', "INVALID_REQUEST"],
    ["deep nesting", `{"version":"0.4.0","tee":"sample","extra-params":${nested(100)}}`, "INVALID_REQUEST"],
    ["no version", '{"tee":"sample"}', "INVALID_REQUEST"],
    ["a version that is no text", JSON.stringify(authBody({ version: 4 })), "INVALID_REQUEST"],
    ["no tee", '{"version":"0.4.0"}', "INVALID_REQUEST"],
    ["an unknown tee", JSON.stringify(authBody({ tee: "abacus" })), "INVALID_REQUEST"],
    ["a prototype's name as tee", JSON.stringify(authBody({ tee: "__proto__" })), "INVALID_REQUEST"],
    ["an unknown member", JSON.stringify(authBody({ more: 1 })), "INVALID_REQUEST"],
    ["unknown parameters", JSON.stringify(authBody({ "extra-params": { more: 1 } })), "INVALID_REQUEST"],
    [
      "hashes without SHA-384",
      JSON.stringify(authBody({ "extra-params": { "supported-hash-algorithms": ["sha256"] } })),
      "INVALID_REQUEST",
    ],
  ])("%s", async (_what, body, code) => {
    const refusal = await refusalOf(await harness.call("POST", AUTH, { body }));
    expect(refusal).toMatchObject({ status: 401, type: "SerdeError", code });
  });

  it.each(["0.1.1", "0.2", "0.3.x", "0.4", "0.4.1", "0.5.0", "1.0.0", ""])(
    "protocol version %j in the words clients know",
    async (version) => {
      const body = JSON.stringify({ ...authBody({ version }), "unknown-to-0.4.0": true });
      const refusal = await refusalOf(await harness.call("POST", AUTH, { body }));
      expect(refusal).toEqual({
        status: 401,
        type: "AttestationError",
        code: "PROTOCOL_VERSION",
        detail: `KBS Client Protocol Version Mismatch: expect =0.4.0 while the request is ${version}`,
      });
    },
  );

  it("a body that is no UTF-8", async () => {
    const refusal = await refusalOf(await harness.call("POST", AUTH, { body: Uint8Array.of(0xff, 0xfe) }));
    expect(refusal).toMatchObject({ status: 401, type: "SerdeError", code: "INVALID_REQUEST" });
  });
});

describe("attest refuses", () => {
  const withBody = (edit: (body: Record<string, JsonValue>) => JsonValue): AttestChanges => ({ edit });
  const evidenceOf = (body: Record<string, JsonValue>): JsonObject => body["tee-evidence"] as JsonObject;
  const runtimeOf = (body: Record<string, JsonValue>): JsonObject => body["runtime-data"] as JsonObject;
  const otherPair = newTeePair();

  it.each<[what: string, changes: AttestChanges, type: string, code: string]>([
    ["an empty object", withBody(() => ({})), "SerdeError", "INVALID_REQUEST"],
    ["an unknown member", withBody((body) => ({ ...body, more: 1 })), "SerdeError", "INVALID_REQUEST"],
    [
      "an unknown member of the evidence",
      withBody((body) => ({ ...body, "tee-evidence": { ...evidenceOf(body), more: 1 } })),
      "SerdeError",
      "INVALID_REQUEST",
    ],
    [
      "no evidence",
      withBody((body) => ({ ...body, "tee-evidence": { additional_evidence: "" } })),
      "SerdeError",
      "INVALID_REQUEST",
    ],
    [
      "evidence of further devices that the evidence does not bind",
      withBody((body) => ({ ...body, "tee-evidence": { ...evidenceOf(body), additional_evidence: "{}" } })),
      "AttestationError",
      "REPORT_DATA_MISMATCH",
    ],
    [
      "evidence of further devices that is no map",
      withBody((body) => ({ ...body, "tee-evidence": { ...evidenceOf(body), additional_evidence: "[]" } })),
      "AttestationError",
      "INVALID_COMPOSITE",
    ],
    [
      "a key that is no object",
      withBody((body) => ({ ...body, "runtime-data": { ...runtimeOf(body), "tee-pubkey": "key" } })),
      "SerdeError",
      "INVALID_REQUEST",
    ],
    [
      "init-data in another format",
      { initData: { format: "json", body: "{}" } },
      "SerdeError",
      "INVALID_REQUEST",
    ],
    [
      "init-data without an algorithm",
      { initData: { format: "toml", body: "" } },
      "SerdeError",
      "INVALID_REQUEST",
    ],
    [
      "init-data that the evidence does not bind",
      { initData: { format: "toml", body: 'algorithm = "sha256"' } },
      "AttestationError",
      "INIT_DATA_MISMATCH",
    ],
    ["another nonce", { nonce: "AAAA" }, "AttestationError", "NONCE_MISMATCH"],
    ["evidence bound to another nonce", { boundNonce: "AAAA" }, "AttestationError", "REPORT_DATA_MISMATCH"],
    [
      "evidence bound to another key",
      { boundKey: otherPair.jwk },
      "AttestationError",
      "REPORT_DATA_MISMATCH",
    ],
    [
      "a key that differs from the bound one in one member",
      { boundKey: PAIR.jwk, pair: { ...PAIR, jwk: { ...PAIR.jwk, kid: "1" } } },
      "AttestationError",
      "REPORT_DATA_MISMATCH",
    ],
    [
      "a key for RSA1_5",
      {
        pair: {
          ...PAIR,
          jwk: {
            ...(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({
              format: "jwk",
            }) as JsonObject),
            alg: "RSA1_5",
          },
        },
      },
      "JweError",
      "UNSUPPORTED_TEE_KEY",
    ],
    [
      "a private key",
      { pair: { ...PAIR, jwk: PAIR.privateKey.export({ format: "jwk" }) as JsonObject } },
      "JweError",
      "UNSUPPORTED_TEE_KEY",
    ],
    ["evidence that is none", { primary: "none" }, "AttestationError", "INVALID_SAMPLE_EVIDENCE"],
    [
      "unsigned evidence",
      { primary: { svn: "1", report_data: "AAAA", init_data: null } },
      "AttestationError",
      "SAMPLE_UNSIGNED",
    ],
  ])("%s", async (_what, changes, type, code) => {
    const answer = await harness.attest(await harness.auth(), changes);
    expect(await refusalOf(answer)).toMatchObject({ status: 401, type, code });
  });

  it("a request without the session's cookie", async () => {
    for (const cookie of [
      "",
      "other=1",
      "kbs-session-id=",
      "kbs-session-id=../x",
      `kbs-session-id=${"A".repeat(32)}`,
    ]) {
      const answer = await harness.call("POST", ATTEST, { body: "{}", headers: { cookie } });
      expect(await refusalOf(answer)).toMatchObject({
        status: 401,
        type: "AttestationError",
        code: "SESSION_MISSING",
      });
    }
  });

  it("an unknown session, before reading its body", async () => {
    const headers = { cookie: `kbs-session-id=${"a".repeat(32)}` };
    const answer = await harness.call("POST", ATTEST, { body: "{", headers });
    expect(await refusalOf(answer)).toMatchObject({
      status: 401,
      type: "AttestationError",
      code: "SESSION_UNKNOWN",
    });
  });

  it("evidence for another session's nonce", async () => {
    const [first, second] = [await harness.auth(), await harness.auth()];
    const answer = await harness.attest({ nonce: first.nonce, cookie: second.cookie });
    expect(await refusalOf(answer)).toMatchObject({ status: 401, code: "NONCE_MISMATCH" });
  });

  it("evidence that was recorded from an earlier session", async () => {
    const recorded = await harness.auth();
    const body = (await attestBody(recorded, harness.machine, {})) as JsonObject;
    expect((await harness.attest(recorded)).status).toBe(200);
    const fresh = await harness.auth();
    const replayed = {
      ...body,
      "runtime-data": { ...(body["runtime-data"] as JsonObject), nonce: fresh.nonce },
    };
    for (const [sent, code] of [
      [body, "NONCE_MISMATCH"],
      [replayed, "REPORT_DATA_MISMATCH"],
    ] as const) {
      const headers = { cookie: fresh.cookie };
      const answer = await harness.call("POST", ATTEST, { body: JSON.stringify(sent), headers });
      expect(await refusalOf(answer)).toMatchObject({ status: 401, type: "AttestationError", code });
    }
  });

  it("evidence of another TEE than the challenge was for", async () => {
    const challenge = await harness.auth(authBody({ tee: "tdx" }));
    const refusal = await refusalOf(await harness.attest(challenge));
    expect(refusal).toMatchObject({ status: 401, type: "AttestationError" });
    expect(refusal.code).not.toBe("");
  });

  it("evidence under a root that nobody named", async () => {
    const machine = await (await vendor(1)).machine();
    const answer = await harness.attest(await harness.auth(), { machine });
    expect(await refusalOf(answer)).toMatchObject({ status: 401, type: "AttestationError" });
  });

  it("evidence with any byte changed", async () => {
    const challenge = await harness.auth();
    const body = (await attestBody(challenge, harness.machine, {})) as JsonObject;
    const { primary_evidence } = body["tee-evidence"] as JsonObject;
    const { evidence } = schemeOf("sample").fromKbs(primary_evidence as JsonValue);
    const property = fc.asyncProperty(
      fc.nat(evidence.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, flip) => {
        const mutant = Uint8Array.from(evidence);
        mutant[at] = (mutant[at] ?? 0) ^ flip;
        const text = new TextDecoder().decode(mutant);
        const raw = JSON.stringify({
          ...body,
          "tee-evidence": { primary_evidence: "@", additional_evidence: "" },
        });
        const sent = raw.replace('"@"', () => text);
        const answer = await harness.call("POST", ATTEST, {
          body: sent,
          headers: { cookie: challenge.cookie },
        });
        expect(answer.status).toBe(401);
      },
    );
    await fc.assert(property, { numRuns: 60 });
    expect((await harness.attest(challenge)).status).toBe(200);
  });

  it("random bytes", async () => {
    const challenge = await harness.auth();
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (body) => {
      const answer = await harness.call("POST", ATTEST, { body, headers: { cookie: challenge.cookie } });
      expect(await refusalOf(answer)).toMatchObject({ status: 401, type: "SerdeError" });
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it("an answer after five minutes", async () => {
    const challenge = await harness.auth();
    harness.clock.time = new Date(START.getTime() + 299_999);
    const inTime = await harness.auth();
    expect((await harness.attest(challenge)).status).toBe(200);
    harness.clock.time = new Date(START.getTime() + 300_000);
    const answer = await harness.attest(challenge);
    expect(await refusalOf(answer)).toMatchObject({ status: 401, code: "SESSION_UNKNOWN" });
    expect((await harness.attest(inTime)).status).toBe(200);
    harness.clock.time = START;
  });
});
