// SPDX-License-Identifier: Apache-2.0
// Every way to be refused, with status, KBS error type and code.

import { createSign, generateKeyPairSync } from "node:crypto";
import { toBase64Url } from "@adyton/core/bytes";
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
  referenceMessage,
  refusalOf,
  secretOf,
  vendor,
} from "../test/harness.ts";

const AUTH = "/kbs/v0/auth";
const ATTEST = "/kbs/v0/attest";
const SECRET = "/kbs/v0/resource/default/hello/secret";
const START = new Date("2026-03-01T12:00:00Z");

let harness: Harness;

beforeAll(async () => {
  harness = await createHarness({ rateLimit: false });
  await harness.setReferenceValues(GOOD_VALUES);
  await harness.admin("POST", SECRET, "open sesame");
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
    ["a tee that nobody here verifies", JSON.stringify(authBody({ tee: "se" })), "UNSUPPORTED_TEE"],
    ["an unknown member", JSON.stringify(authBody({ more: 1 })), "INVALID_REQUEST"],
    ["unknown parameters", JSON.stringify(authBody({ "extra-params": { more: 1 } })), "INVALID_REQUEST"],
    [
      "hashes without SHA-384",
      JSON.stringify(authBody({ "extra-params": { "supported-hash-algorithms": ["sha256"] } })),
      "INVALID_REQUEST",
    ],
  ])("%s", async (_what, body, code) => {
    const refusal = await refusalOf(await harness.call("POST", AUTH, { body }));
    const type = code === "UNSUPPORTED_TEE" ? "AttestationError" : "SerdeError";
    expect(refusal).toMatchObject({ status: 401, type, code });
  });

  it.each(["0.1.1", "0.2.0", "0.4", "0.4.1", "1.0.0", ""])(
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
      "evidence of further devices",
      withBody((body) => ({ ...body, "tee-evidence": { ...evidenceOf(body), additional_evidence: "{}" } })),
      "SerdeError",
      "INVALID_REQUEST",
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

describe("a resource is refused", () => {
  it("to who is not attested", async () => {
    const challenge = await harness.auth();
    for (const headers of [
      {},
      { cookie: challenge.cookie },
      { cookie: `kbs-session-id=${"b".repeat(32)}` },
      { authorization: "Basic YTpi" },
      { authorization: "Bearer" },
    ]) {
      const answer = await harness.call("GET", SECRET, { headers });
      expect(await refusalOf(answer)).toMatchObject({
        status: 401,
        type: "TokenNotFound",
        code: "TOKEN_MISSING",
      });
    }
  });

  it("to tokens of another signer, changed, unsigned or malformed", async () => {
    const { token } = await harness.attested();
    const [header = "", payload = "", signature = ""] = token.split(".");
    const none = toBase64Url(new TextEncoder().encode('{"alg":"none"}'));
    const foreign = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const ownHeader = toBase64Url(
      new TextEncoder().encode(
        JSON.stringify({ alg: "ES256", jwk: foreign.publicKey.export({ format: "jwk" }) }),
      ),
    );
    const ownSignature = createSign("sha256")
      .update(`${ownHeader}.${payload}`)
      .sign({ key: foreign.privateKey, dsaEncoding: "ieee-p1363" }, "base64url");
    const forged = [
      `${ownHeader}.${payload}.${ownSignature}`,
      `${header}.${payload.slice(0, -4)}AAAA.${signature}`,
      `${header}.${payload}.${"A".repeat(signature.length)}`,
      `${none}.${payload}.`,
      "token",
      harness.state.adminToken,
    ];
    for (const one of forged) {
      const answer = await harness.call("GET", SECRET, { headers: { authorization: `Bearer ${one}` } });
      expect(await refusalOf(answer)).toMatchObject({
        status: 401,
        type: "TokenVerifierError",
        code: "TOKEN_REFUSED",
      });
    }
  });

  it("to a token that has expired, and to the session's", async () => {
    const { token, cookie } = await harness.attested();
    harness.clock.time = new Date(START.getTime() + 300_000);
    const byToken = await harness.call("GET", SECRET, { headers: { authorization: `Bearer ${token}` } });
    expect(await refusalOf(byToken)).toMatchObject({ status: 401, code: "TOKEN_REFUSED" });
    const bySession = await harness.call("GET", SECRET, { headers: { cookie } });
    expect(await refusalOf(bySession)).toMatchObject({ status: 401, code: "TOKEN_MISSING" });
    harness.clock.time = START;
  });

  it("by the token that came along, even beside a good session", async () => {
    const { cookie } = await harness.attested();
    const answer = await harness.call("GET", SECRET, { headers: { cookie, authorization: "Bearer x" } });
    expect(await refusalOf(answer)).toMatchObject({ status: 401, code: "TOKEN_REFUSED" });
  });

  it("without saying whether it exists when the policy refuses", async () => {
    const { cookie } = await harness.attested({ launchDigest: "cd".repeat(48) });
    const answers = ["/kbs/v0/resource/no/such/name", SECRET].map((path) =>
      harness.call("GET", path, { headers: { cookie } }),
    );
    const codes = (await Promise.all(answers.map(async (answer) => refusalOf(await answer)))).map(
      ({ code }) => code,
    );
    expect(codes).toEqual(["POLICY_REFUSED", "POLICY_REFUSED"]);
  });
});

describe("a path is refused", () => {
  const names = [
    "a",
    "a/b/c/d",
    "a//c",
    "/a/b",
    "a/b/",
    ".a/b/c",
    "a/.b/c",
    "a/b/.",
    "a/b/..c",
    "a/b/c%2f..",
    "a/b/%00",
    "a/b/c%20d",
    "a/b/c;d",
    "a/b/é",
    "a/b/c?version=1",
    `a/b/${"c".repeat(129)}`,
    "",
  ];
  it.each(names)("as a resource: %j", async (name) => {
    for (const method of ["POST", "DELETE", "GET"]) {
      const answer = await harness.admin(
        method,
        `/kbs/v0/resource/${name}`,
        method === "POST" ? "x" : undefined,
      );
      expect(await refusalOf(answer)).toMatchObject({
        status: 404,
        type: "InvalidRequestPath",
        code: "INVALID_PATH",
      });
    }
  });

  it("that climbs: it never reaches a resource", async () => {
    for (const name of ["../../../etc/passwd", "a/../../b/c", "%2e%2e/%2e%2e/x", "..%2f..%2fx"]) {
      const answer = await harness.admin("POST", `/kbs/v0/resource/${name}`, "x");
      expect(answer.status).toBe(404);
    }
    expect(await (await harness.admin("GET", "/kbs/v0/resources")).json()).toEqual(["default/hello/secret"]);
  });

  it.each<[method: string, path: string, type: string, code: string]>([
    ["GET", "/", "InvalidRequestPath", "INVALID_PATH"],
    ["GET", "/kbs/v0/auth", "InvalidRequestPath", "INVALID_PATH"],
    ["POST", "/kbs/v1/auth", "InvalidRequestPath", "INVALID_PATH"],
    ["POST", "/kbs/v0/resources", "InvalidRequestPath", "INVALID_PATH"],
    ["PUT", "/kbs/v0/resource/a/b/c", "InvalidRequestPath", "INVALID_PATH"],
    ["OPTIONS", "/kbs/v0/auth", "InvalidRequestPath", "INVALID_PATH"],
    ["GET", "/kbs/v0/nebula-ca/credential", "PluginNotFound", "UNKNOWN_PLUGIN"],
    ["GET", "/kbs/v0/pkcs11/wrap-key", "PluginNotFound", "UNKNOWN_PLUGIN"],
  ])("%s %s", async (method, path, type, code) => {
    const answer = await harness.admin(method, path);
    expect(await refusalOf(answer)).toMatchObject({ status: 404, type, code });
  });

  it("HEAD, which would release and throw away", async () => {
    const { cookie } = await harness.attested();
    const answer = await harness.call("HEAD", SECRET, { headers: { cookie } });
    expect(answer.status).toBe(404);
  });
});

describe("administration is refused", () => {
  const calls: readonly [method: string, path: string][] = [
    ["POST", SECRET],
    ["DELETE", SECRET],
    ["GET", "/kbs/v0/resources"],
    ["POST", "/kbs/v0/reference-value"],
    ["GET", "/kbs/v0/reference-value"],
    ["GET", "/kbs/v0/reference-value/svn"],
    ["DELETE", "/kbs/v0/reference-value/svn"],
  ];

  it.each(calls)(
    "%s %s without the token, with a wrong one, or with an attested one",
    async (method, path) => {
      const { token, cookie } = await harness.attested();
      const almost = harness.state.adminToken.slice(0, -1);
      for (const headers of [
        {},
        { cookie },
        { authorization: harness.state.adminToken },
        { authorization: `bearer ${almost}` },
        { authorization: `Bearer ${almost}` },
        { authorization: `Bearer ${almost}AA` },
        { authorization: `Bearer ${token}` },
      ]) {
        const answer = await harness.call(method, path, {
          headers,
          ...(method === "POST" ? { body: "x" } : {}),
        });
        expect(await refusalOf(answer)).toMatchObject({
          status: 401,
          type: "AdminAuthAccess",
          code: "ADMIN_REFUSED",
        });
      }
    },
  );

  it("and nothing was changed by it", async () => {
    const { cookie } = await harness.attested();
    expect(await secretOf(await harness.call("GET", SECRET, { headers: { cookie } }))).toBe("open sesame");
  });

  it.each<[what: string, body: string, type: string, code: string]>([
    ["no message", "{}", "SerdeError", "INVALID_REQUEST"],
    ["another version", referenceMessage({ a: 1 }, { version: "0.2.0" }), "SerdeError", "INVALID_REQUEST"],
    ["an unknown member", referenceMessage({ a: 1 }, { more: 1 }), "SerdeError", "INVALID_REQUEST"],
    ["an unknown type", referenceMessage({ a: 1 }, { type: "guess" }), "SerdeError", "INVALID_REQUEST"],
    ["swid", referenceMessage({ a: 1 }, { type: "swid" }), "RvpsError", "UNSUPPORTED_REFERENCE_VALUE"],
    ["corim", referenceMessage({ a: 1 }, { type: "corim" }), "RvpsError", "UNSUPPORTED_REFERENCE_VALUE"],
    ["a payload that is no base64", referenceMessage({}, { payload: "!" }), "SerdeError", "INVALID_REQUEST"],
    ["a payload that is no object", referenceMessage([1]), "SerdeError", "INVALID_REQUEST"],
    ["no values", referenceMessage({}), "SerdeError", "INVALID_REQUEST"],
    [
      "values that are objects",
      referenceMessage({ a: [{}] }),
      "AttestationError",
      "INVALID_REFERENCE_VALUES",
    ],
    ["an id that is a path", referenceMessage({ "../a": 1 }), "SerdeError", "INVALID_REQUEST"],
    ["an empty id", referenceMessage({ "": 1 }), "SerdeError", "INVALID_REQUEST"],
    ["an id with white space", referenceMessage({ "a b": 1 }), "SerdeError", "INVALID_REQUEST"],
  ])("for reference values: %s", async (_what, body, type, code) => {
    const answer = await harness.admin("POST", "/kbs/v0/reference-value", body);
    expect(await refusalOf(answer)).toMatchObject({ status: 401, type, code });
  });
});

describe("limits", () => {
  it("refuse bodies over the limit, said or streamed", async () => {
    const small = await createHarness({ maxBodyBytes: 1000 });
    expect((await small.admin("POST", SECRET, "x".repeat(1000))).status).toBe(200);
    const said = await small.admin("POST", SECRET, "x".repeat(1001));
    expect(await refusalOf(said)).toMatchObject({
      status: 413,
      type: "PayloadTooLarge",
      code: "REQUEST_TOO_LARGE",
    });
    let pulled = 0;
    const body = new ReadableStream({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(400));
      },
    });
    const streamed = await small.broker.fetch(
      new Request("http://broker.test/kbs/v0/auth", { method: "POST", body, duplex: "half" } as RequestInit),
    );
    expect(await refusalOf(streamed)).toMatchObject({ status: 413, code: "REQUEST_TOO_LARGE" });
    expect(pulled).toBeLessThan(10);
    await small.close();
  });

  it("refuse more requests than an address may send, and say when to come back", async () => {
    const slow = await createHarness({ rateLimit: { perSecond: 2, burst: 3 } });
    const ask = (address: string) => slow.call("GET", "/.well-known/jwks.json", { address });
    for (let i = 0; i < 3; i++) expect((await ask("192.0.2.1")).status).toBe(200);
    const refused = await ask("192.0.2.1");
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refusalOf(refused)).toMatchObject({
      status: 429,
      type: "TooManyRequests",
      code: "RATE_LIMITED",
    });
    expect((await ask("192.0.2.2")).status).toBe(200);
    slow.clock.time = new Date(slow.clock.time.getTime() + 500);
    expect((await ask("192.0.2.1")).status).toBe(200);
    expect((await ask("192.0.2.1")).status).toBe(429);
    await slow.close();
  });

  it("refuse more sessions than there is room for, until some expire", async () => {
    const full = await createHarness({ maxSessions: 2 });
    const body = JSON.stringify(authBody());
    const open = () => full.call("POST", AUTH, { body });
    expect([(await open()).status, (await open()).status]).toEqual([200, 200]);
    expect(await refusalOf(await open())).toMatchObject({
      status: 503,
      type: "Unavailable",
      code: "SESSIONS_FULL",
    });
    full.clock.time = new Date(full.clock.time.getTime() + 300_000);
    expect((await open()).status).toBe(200);
    await full.close();
  });
});
