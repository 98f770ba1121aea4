// SPDX-License-Identifier: Apache-2.0
// Who may administer: tokens of their own, JWTs, client certificates, roles and grants, access by address.

import { createHash, randomBytes } from "node:crypto";
import { toBase64Url } from "@adyton/core/bytes";
import type { JsonValue } from "@adyton/core/json";
import { codeOf } from "@adyton/testing";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createHarness, type Harness, refusalOf, vendor } from "../../test/harness.ts";
import { compileAcl } from "./acl.ts";
import { ruleFor } from "./certificate.ts";
import { type JwtIssuer, JwtIssuers } from "./jwt.ts";
import { type Action, coversGrant, isGrant, may } from "./principal.ts";
import { BUILTIN_ROLES, rolesWith } from "./roles.ts";

const SECRET = "/kbs/v0/resource/team-a/hello/secret";
const ISSUER = "https://id.test";
const AUDIENCE = "adyton";

let harness: Harness;
let key: CryptoKey;
let issuer: JwtIssuer;

beforeAll(async () => {
  const pair = await generateKeyPair("ES256");
  key = pair.privateKey;
  issuer = {
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "1", alg: "ES256" }] },
  };
});
beforeEach(async () => {
  harness = await createHarness({ admin: { issuers: [issuer] } });
});
afterEach(() => harness.close());

/** A token of a stored administrator, and what is stored of it. */
function newToken(name: string): { token: string; sha256: string } {
  const token = `adyton~${name}~${toBase64Url(randomBytes(32))}`;
  return { token, sha256: createHash("sha256").update(token).digest("hex") };
}

async function addAdmin(more: Readonly<Record<string, JsonValue>>, name = "alice"): Promise<string> {
  const { token, sha256 } = newToken(name);
  const body = JSON.stringify({ name, credential: { kind: "token", sha256 }, ...more });
  const answer = await harness.admin("POST", "/v1/admins", body);
  expect(answer.status).toBe(201);
  return token;
}

function as(token: string, method: string, path: string, body?: string): Promise<Response> {
  return harness.call(method, path, {
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body }),
  });
}

function jwt(
  claims: JWTPayload,
  header: { alg?: string; key?: CryptoKey | Uint8Array } = {},
): Promise<string> {
  const now = harness.clock.time.getTime() / 1000;
  return new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: "bob", exp: now + 60, role: "auditor", ...claims })
    .setProtectedHeader({ alg: header.alg ?? "ES256", kid: "1" })
    .sign(header.key ?? key);
}

async function codeFrom(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  return response.status < 300 ? "ok" : (await refusalOf(response)).code;
}

describe("a grant", () => {
  const releaser = { grants: [{ actions: ["resource.put", "policy.*"], targets: ["team-a/**", "one"] }] };
  it.each<[Action, string | undefined, boolean]>([
    ["resource.put", "team-a/x/y", true],
    ["resource.put", "team-b/x/y", false],
    ["resource.put", undefined, false],
    ["resource.delete", "team-a/x/y", false],
    ["policy.set", "one", true],
    ["policy.set.more", "one", true],
    ["policyx.set", "one", false],
  ])("allows %s on %s: %s", (action, target, allowed) => {
    expect(may(releaser, action, target)).toBe(allowed);
  });

  it("on everything is needed for what names no target", () => {
    expect(may({ grants: BUILTIN_ROLES.owner ?? [] }, "key.manage")).toBe(true);
    expect(may({ grants: [{ actions: ["*"], targets: ["*"] }] }, "key.manage")).toBe(false);
  });

  it.each([
    [["*"], ["**"], true],
    [["resource.put"], ["a/*"], true],
    [["resource.*"], ["**"], true],
    [["resource"], ["**"], false],
    [["*.put"], ["**"], false],
    [["resource.put"], ["**/a"], false],
    [["Resource.put"], ["**"], false],
  ])("of %j on %j can be read: %s", (actions, targets, readable) => {
    expect(isGrant({ actions, targets })).toBe(readable);
  });

  it.each([
    ["resource.put", "team-a/**", true],
    ["resource.put", "**", false],
    ["resource.*", "team-a/**", false],
    ["*", "one", false],
    ["policy.set", "one", true],
  ])("of %s on %s is part of another: %s", (action, target, part) => {
    expect(coversGrant(releaser.grants, { actions: [action], targets: [target] })).toBe(part);
  });

  it.each([
    [undefined, undefined, true],
    [undefined, ["a"], true],
    [["a", "b"], ["a"], true],
    [["a"], ["a", "b"], false],
    [["a"], undefined, false],
  ])("in %j is passed on in %j: %s", (held, asked, part) => {
    const grant = { actions: ["*"], targets: ["**"] };
    const own = held === undefined ? grant : { ...grant, tenants: held };
    expect(coversGrant([own], grant, asked)).toBe(part);
  });

  it("that cannot be read stops the start", () => {
    expect(codeOf(() => rolesWith({ x: [{ actions: ["what"], targets: ["**"] }] }))).toBe("STATE_INVALID");
  });
});

describe("a stored administrator", () => {
  it("may do what their grants say, and nothing else", async () => {
    const token = await addAdmin({
      grants: [{ actions: ["resource.put", "resource.list"], targets: ["team-a/**"] }],
    });
    await harness.admin("POST", "/kbs/v0/resource/team-b/hello/secret", "x");
    expect((await as(token, "POST", SECRET, "x")).status).toBe(200);
    expect(await (await as(token, "GET", "/kbs/v0/resources")).json()).toEqual(["team-a/hello/secret"]);
    for (const [method, path] of [
      ["DELETE", SECRET],
      ["POST", "/kbs/v0/resource/team-b/hello/secret"],
      ["GET", "/kbs/v0/reference-value"],
      ["POST", "/kbs/v0/resource-policy"],
      ["GET", "/v1/admins"],
      ["POST", "/v1/admins"],
      ["GET", "/v1/tenants"],
      ["GET", "/v1/proposals"],
    ] as const) {
      const answer = await as(token, method, path, method === "POST" ? "x" : undefined);
      expect(await refusalOf(answer)).toMatchObject({ code: "ADMIN_FORBIDDEN" });
    }
  });

  it("says who they are, and is listed without their token's digest", async () => {
    const token = await addAdmin({ roles: ["auditor"] });
    expect(await (await as(token, "GET", "/v1/whoami")).json()).toMatchObject({
      id: "admin:alice",
      roles: ["auditor"],
      tenant: null,
    });
    const text = await (await as(token, "GET", "/v1/admins")).text();
    expect(text).toContain('"alice"');
    expect(text).not.toContain("sha256");
  });

  it("is nobody after being deleted, after their time, with another token, or under another name", async () => {
    const token = await addAdmin({ roles: ["auditor"], expires: "2026-03-01T13:00:00Z" });
    await addAdmin({ roles: ["auditor"] }, "carol");
    const list = (who: string) => codeFrom(as(who, "GET", "/v1/admins"));
    expect(await list(token)).toBe("ok");
    for (const other of [token.slice(0, -1), `${token.slice(0, -1)}~`, token.replace("alice", "carol")])
      expect(await list(other)).toBe("ADMIN_REFUSED");
    harness.clock.time = new Date("2026-03-01T13:00:00Z");
    expect(await list(token)).toBe("ADMIN_REFUSED");
    const again = await addAdmin({ roles: ["auditor"] }, "dave");
    expect(await list(again)).toBe("ok");
    expect((await harness.admin("DELETE", "/v1/admins/dave")).status).toBe(204);
    expect(await list(again)).toBe("ADMIN_REFUSED");
    expect(await codeFrom(harness.admin("DELETE", "/v1/admins/dave"))).toBe("ADMIN_NOT_FOUND");
  });

  it("grants nobody more than they may do", async () => {
    const token = await addAdmin({
      grants: [
        { actions: ["admin.manage"], targets: ["**"] },
        { actions: ["resource.*"], targets: ["team-a/**"] },
      ],
    });
    const add = (more: Readonly<Record<string, JsonValue>>) => {
      const body = { name: "eve", credential: { kind: "token", sha256: newToken("eve").sha256 }, ...more };
      return codeFrom(as(token, "POST", "/v1/admins", JSON.stringify(body)));
    };
    expect(await add({ roles: ["owner"] })).toBe("ADMIN_FORBIDDEN");
    expect(await add({ grants: [{ actions: ["resource.put"], targets: ["**"] }] })).toBe("ADMIN_FORBIDDEN");
    expect(await add({ roles: ["nobody"] })).toBe("INVALID_REQUEST");
    expect(await add({})).toBe("INVALID_REQUEST");
    expect(await add({ grants: [{ actions: ["resource.put"], targets: ["team-a/x/*"] }] })).toBe("ok");
    expect(await add({ grants: [{ actions: ["resource.put"], targets: ["team-a/x/*"] }] })).toBe(
      "ADMIN_EXISTS",
    );
  });

  it("whose row was tampered with is nobody", async () => {
    const token = await addAdmin({ roles: ["auditor"] });
    await addAdmin({ roles: ["owner"] }, "root");
    const { store } = harness.state;
    const value = (await store.get("admin", "root")) ?? new Uint8Array();
    await store.write([{ kind: "put", space: "admin", key: "alice", value }]);
    expect(await codeFrom(as(token, "GET", "/v1/admins"))).toBe("SECRET_CORRUPT");
  });

  it("is refused with an entry in the audit log, and strangers with one for many", async () => {
    const token = await addAdmin({ roles: ["auditor"] });
    await as(token, "POST", SECRET, "x");
    for (let i = 0; i < 5; i++) await as("wrong", "POST", SECRET, "x");
    harness.clock.time = new Date(harness.clock.time.getTime() + 1000);
    await as("wrong", "POST", SECRET, "x");
    const entries = (await harness.state.store.log(0, 100)).map(({ leaf }) => JSON.parse(leaf).event);
    expect(entries.filter(({ type }) => type === "admin.refuse")).toEqual([
      { type: "admin.refuse", by: "admin:alice", action: "resource.put", target: "team-a/hello/secret" },
      { type: "admin.refuse", action: "resource.put", attempts: 1 },
      { type: "admin.refuse", action: "resource.put", attempts: 5 },
    ]);
  });
});

describe("a JWT", () => {
  it("gives the roles that it names", async () => {
    expect(await (await as(await jwt({}), "GET", "/v1/whoami")).json()).toMatchObject({
      id: "jwt:https://id.test#bob",
      roles: ["auditor"],
    });
    expect(await codeFrom(as(await jwt({}), "GET", "/v1/admins"))).toBe("ok");
    expect(await codeFrom(as(await jwt({}), "POST", SECRET, "x"))).toBe("ADMIN_FORBIDDEN");
    expect(await codeFrom(as(await jwt({ role: ["nobody", 7] }), "GET", "/v1/admins"))).toBe(
      "ADMIN_FORBIDDEN",
    );
  });

  it.each<[what: string, claims: JWTPayload]>([
    ["another issuer", { iss: "https://other.test" }],
    ["no issuer", { iss: "" }],
    ["another audience", { aud: "somebody" }],
    ["an end that is over", { exp: 1 }],
    ["a beginning that is to come", { nbf: 4_000_000_000 }],
    ["an empty subject", { sub: "" }],
  ])("with %s is nobody's", async (_what, claims) => {
    expect(await codeFrom(as(await jwt(claims), "GET", "/v1/admins"))).toBe("ADMIN_REFUSED");
  });

  it("that another key signed, or a shared one, or none, or that has no end, is nobody's", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    const good = await jwt({});
    const endless = await new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: "bob", role: "owner" })
      .setProtectedHeader({ alg: "ES256", kid: "1" })
      .sign(key);
    const unsigned = `${toBase64Url(new TextEncoder().encode('{"alg":"none"}'))}.${good.split(".")[1]}.`;
    for (const token of [
      await jwt({}, { key: privateKey }),
      await jwt({}, { alg: "HS256", key: new Uint8Array(32) }),
      unsigned,
      endless,
      `${good.slice(0, -4)}AAAA`,
      (await harness.attested()).token,
    ])
      expect(await codeFrom(as(token, "GET", "/v1/admins"))).toBe("ADMIN_REFUSED");
  });

  it("adds to its roles what is stored for its subject", async () => {
    const body = {
      name: "bob",
      credential: { kind: "jwt", issuer: ISSUER, subject: "bob" },
      grants: [{ actions: ["resource.put"], targets: ["team-a/**"] }],
    };
    await harness.admin("POST", "/v1/admins", JSON.stringify(body));
    expect(await codeFrom(as(await jwt({}), "POST", SECRET, "x"))).toBe("ok");
    expect(await codeFrom(as(await jwt({ sub: "bobby" }), "POST", SECRET, "x"))).toBe("ADMIN_FORBIDDEN");
  });

  it("names roles where it is told, under names of its own", async () => {
    const mapped: JwtIssuer = { ...issuer, roleClaim: "realm.roles", roles: { admins: ["owner"] } };
    await harness.restart({ admin: { issuers: [mapped] } });
    const owner = await jwt({ realm: { roles: ["staff", "admins"] } });
    expect(await codeFrom(as(owner, "POST", SECRET, "x"))).toBe("ok");
    for (const claims of [{ realm: { roles: ["owner"] } }, { realm: "admins" }, { role: "admins" }])
      expect(await codeFrom(as(await jwt(claims), "POST", SECRET, "x"))).toBe("ADMIN_FORBIDDEN");
  });

  it("is worth what addresses say, where those are set", async () => {
    const acl = [{ role: "team", allowedEndpoints: "^/kbs/v0/resource/team-a/.*$" }];
    await harness.restart({ admin: { issuers: [issuer], acl } });
    const token = await jwt({ role: "team" });
    expect(await codeFrom(as(token, "POST", SECRET, "x"))).toBe("ok");
    expect(await codeFrom(as(token, "POST", "/kbs/v0/resource/team-b/a/b", "x"))).toBe("ADMIN_FORBIDDEN");
    expect(await codeFrom(as(token, "POST", "/kbs/v0/resource/team-a/../team-b/a/b", "x"))).toBe(
      "ADMIN_FORBIDDEN",
    );
    expect(await codeFrom(as(await jwt({ role: "owner" }), "POST", SECRET, "x"))).toBe("ADMIN_FORBIDDEN");
  });

  it.each(["/kbs/.*", "^/kbs/.*", "^/kbs/(.*$", "^a\\$", "^a)|(b$"])(
    "has no access by the address %s",
    (allowedEndpoints) => {
      expect(codeOf(() => compileAcl([{ role: "a", allowedEndpoints }]))).toBe("STATE_INVALID");
    },
  );
});

it("an address fits from its beginning to its end, on each side of a bar", () => {
  const acl = compileAcl([{ role: "a", allowedEndpoints: "^/team-a/.*|/public$" }]);
  const fits = ["/team-a/x", "/public", "/team-b/public", "/team-b/team-a/x"].map((path) =>
    acl.allows(["a"], path),
  );
  expect(fits).toEqual([true, true, false, false]);
});

describe("an issuer's keys", () => {
  const now = () => harness.clock.time;
  const fetched: string[] = [];
  let answers: Record<string, unknown> = {};
  const fetchKeys = async (url: string): Promise<Response> => {
    fetched.push(url);
    const answer = answers[url];
    if (answer === undefined) throw new TypeError("no such host");
    return typeof answer === "string" ? new Response(answer) : Response.json(answer);
  };
  const discovering = (): JwtIssuers => new JwtIssuers([{ ...issuer, keys: "discovery" }], now, fetchKeys);
  const configuration = `${ISSUER}/.well-known/openid-configuration`;
  const identified = async (issuers: JwtIssuers): Promise<string> =>
    issuers.identify(await jwt({}), now()).then(
      ({ subject }) => subject,
      (error: { code: string }) => error.code,
    );

  beforeEach(() => {
    fetched.length = 0;
    answers = {
      [configuration]: { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` },
      [`${ISSUER}/keys`]: issuer.keys,
    };
  });

  it("are discovered, and kept for a while", async () => {
    const issuers = discovering();
    expect([await identified(issuers), await identified(issuers)]).toEqual(["bob", "bob"]);
    expect(fetched).toEqual([configuration, `${ISSUER}/keys`]);
    harness.clock.time = new Date(harness.clock.time.getTime() + 600_000);
    answers = {};
    // The old ones do while new ones cannot be had.
    expect(await identified(issuers)).toBe("bob");
    expect(fetched).toHaveLength(3);
  });

  it("that were changed are fetched for a token that needs them, not more often than each half minute", async () => {
    answers[`${ISSUER}/keys`] = { keys: [] };
    const issuers = discovering();
    expect(await identified(issuers)).toBe("ADMIN_REFUSED");
    answers[`${ISSUER}/keys`] = issuer.keys;
    expect(await identified(issuers)).toBe("ADMIN_REFUSED");
    harness.clock.time = new Date(harness.clock.time.getTime() + 30_000);
    expect(await identified(issuers)).toBe("bob");
    expect(fetched).toHaveLength(4);
  });

  it.each<[what: string, address: string, answer: unknown]>([
    ["nobody answers", configuration, undefined],
    [
      "the configuration is another issuer's",
      configuration,
      { issuer: "https://x", jwks_uri: `${ISSUER}/keys` },
    ],
    ["the configuration names no keys", configuration, { issuer: ISSUER }],
    ["the answer is no JSON", configuration, "<html>"],
    ["the answer is none", configuration, ""],
    ["the answer is huge", configuration, `"${"x".repeat(300_000)}"`],
    ["the key set is none", `${ISSUER}/keys`, { keys: 7 }],
  ])("let nobody in when %s", async (_what, address, answer) => {
    answers[address] = answer;
    expect(await identified(discovering())).toBe("BACKEND_FAILED");
  });

  it("are not fetched without encryption", async () => {
    const url = { url: "http://id.test/keys" };
    expect(codeOf(() => new JwtIssuers([{ ...issuer, keys: url }], now, fetchKeys))).toBe("STATE_INVALID");
    answers[configuration] = { issuer: ISSUER, jwks_uri: "http://id.test/keys" };
    expect(await identified(discovering())).toBe("STATE_INVALID");
  });
});

describe("a client certificate", () => {
  const send = async (der: Uint8Array, trusted: boolean, headers: Record<string, string> = {}) =>
    codeFrom(
      harness.broker.fetch(new Request(`http://broker.test/v1/admins`, { headers }), {
        peerCertificate: { der, trusted },
      }),
    );

  it("is whose rule it fits; what a CA has to vouch for, only with its word", async () => {
    const { root } = await vendor();
    const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    const roles = ["auditor"];
    const rules = {
      sha256: { name: "a", sha256: hash(root.der), roles },
      spki: { name: "a", spkiSha256: hash(root.spki), roles },
      subject: { name: "a", subject: root.subject.text, roles },
      both: { name: "a", sha256: hash(root.der), subject: "CN=other", roles },
      empty: { name: "a", roles },
    };
    const results: Record<string, readonly string[]> = {};
    for (const [name, rule] of Object.entries(rules)) {
      await harness.restart({ admin: { certificates: [rule] } });
      results[name] = [await send(root.der, false), await send(root.der, true)];
    }
    expect(results).toEqual({
      sha256: ["ok", "ok"],
      spki: ["ok", "ok"],
      subject: ["ADMIN_REFUSED", "ok"],
      both: ["ADMIN_REFUSED", "ADMIN_REFUSED"],
      empty: ["ADMIN_REFUSED", "ADMIN_REFUSED"],
    });
  });

  it("may be stored by its key, counts in its time, and not beside a token", async () => {
    const { root } = await vendor();
    const spkiSha256 = createHash("sha256").update(root.spki).digest("hex");
    const body = { name: "ci", credential: { kind: "certificate", spkiSha256 }, roles: ["auditor"] };
    expect((await harness.admin("POST", "/v1/admins", JSON.stringify(body))).status).toBe(201);
    expect(await send(root.der, false)).toBe("ok");
    expect(await send(root.der, false, { authorization: "Bearer x" })).toBe("ADMIN_REFUSED");
    expect(await send(new Uint8Array(9), true)).toBe("ADMIN_REFUSED");
    harness.clock.time = new Date(root.notAfter.getTime() + 1000);
    expect(await send(root.der, true)).toBe("ADMIN_REFUSED");
  });

  it("is known by its names", () => {
    const peer = { sha256: "", spkiSha256: "", subject: "", sans: ["spiffe://a/b"] };
    const rule = { name: "a", san: "spiffe://a/b", roles: [] };
    expect(ruleFor([rule], { ...peer, trusted: true })).toBe(rule);
    expect(ruleFor([rule], { ...peer, trusted: false })).toBeUndefined();
    expect(ruleFor([{ ...rule, san: "spiffe://a" }], { ...peer, trusted: true })).toBeUndefined();
  });
});

it("the owner's token can be switched off", async () => {
  await harness.restart({ admin: { ownerToken: false } });
  expect(await codeFrom(harness.admin("GET", "/v1/admins"))).toBe("ADMIN_REFUSED");
});
