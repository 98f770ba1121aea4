// SPDX-License-Identifier: Apache-2.0
// Every way to be refused a resource, a path, administration or a turn, with status, KBS error type and code.

import { createSign, generateKeyPairSync } from "node:crypto";
import { toBase64Url } from "@adyton/core/bytes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  authBody,
  createHarness,
  GOOD_VALUES,
  type Harness,
  referenceMessage,
  refusalOf,
  secretOf,
} from "../test/harness.ts";

const AUTH = "/kbs/v0/auth";
const SECRET = "/kbs/v0/resource/default/hello/secret";
const START = new Date("2026-03-01T12:00:00Z");

let harness: Harness;

beforeAll(async () => {
  harness = await createHarness({ rateLimit: false });
  await harness.setReferenceValues(GOOD_VALUES);
  await harness.admin("POST", SECRET, "open sesame");
});

afterAll(() => harness.close());

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
    "a/b/c?version=0",
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
    ["swid", referenceMessage({ a: 1 }, { type: "swid" }), "AttestationError", "REFERENCE_UNSIGNED"],
    ["provenance", referenceMessage({ a: 1 }, { type: "provenance" }), "RvpsError", "INVALID_PROVENANCE"],
    ["corim", referenceMessage({ a: 1 }, { type: "corim" }), "AttestationError", "INVALID_CBOR"],
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
