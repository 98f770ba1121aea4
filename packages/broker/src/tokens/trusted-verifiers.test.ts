// SPDX-License-Identifier: Apache-2.0
// Tokens of verifiers beside this one: which chains lead to their keys, where keys are fetched, and what they open.

import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import type { Certificate } from "@adyton/core/x509";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createHarness, type Harness, newTeePair, PAIR, refusalOf, secretOf } from "../../test/harness.ts";
import {
  authority,
  type Certified,
  certified,
  type TokenKey,
  tokenKey,
  tokenOf,
  x5cOf,
} from "../../test/token-pki.ts";
import { readAuditLog } from "../audit.ts";
import type { ResourcePolicy } from "../policy.ts";
import { type TrustedTokens, TrustedVerifiers } from "./trusted-verifiers.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const SECONDS = NOW.getTime() / 1000;
const SECRET = "/kbs/v0/resource/default/key/1";
const KEY_JWK: JsonObject = PAIR.jwk;

let root: Certified;
let stranger: Certified;
let upper: Certified;
let lower: Certified;
let key: TokenKey;
let other: TokenKey;
/** Of `key`, under the root itself and under two intermediates. */
let direct: Certificate;
let deep: Certificate;
beforeAll(async () => {
  root = await authority("root");
  stranger = await authority("stranger");
  upper = await authority("upper", root);
  lower = await authority("lower", upper);
  key = await tokenKey();
  other = await tokenKey();
  direct = await certified(key, root);
  deep = await certified(key, lower);
});

function earClaims(changes: JsonObject = {}, submod: JsonObject = {}): JsonObject {
  return {
    eat_profile: "tag:github.com,2024:confidential-containers/Trustee",
    iat: SECONDS,
    exp: SECONDS + 300,
    iss: "CoCo-Attestation-Service",
    "ear.verifier-id": { developer: "someone", build: "1" },
    submods: {
      cpu0: {
        "ear.status": "affirming",
        "ear.trustworthiness-vector": { hardware: 2 },
        "ear.veraison.annotated-evidence": { runtime_data_claims: { "tee-pubkey": KEY_JWK } },
        ...submod,
      },
    },
    ...changes,
  };
}

const verify = (trusted: TrustedTokens, token: string, now: Date = NOW) =>
  new TrustedVerifiers(trusted, () => now).verify(token, now);
const withChain = (chain: readonly Certificate[], jwk: JsonObject = {}): Promise<string> =>
  tokenOf(earClaims(), key, { jwk: { ...key.publicJwk, x5c: x5cOf(...chain), ...jwk } as JsonObject });

describe("a key in a token's header", () => {
  const cases: readonly [
    what: string,
    chain: () => Certificate[],
    trusted: () => Certified[],
    ok: boolean,
  ][] = [
    ["under a trusted root", () => [direct], () => [root], true],
    ["with a trusted root in its chain", () => [direct, root.certificate], () => [root], true],
    ["under another root than is trusted", () => [direct], () => [stranger], false],
    ["under a root that only its chain has", () => [direct, root.certificate], () => [stranger], false],
    ["with intermediates in order", () => [deep, lower.certificate, upper.certificate], () => [root], true],
    [
      "with intermediates in any order, and strangers among the trusted",
      () => [deep, upper.certificate, lower.certificate],
      () => [stranger, root],
      true,
    ],
    [
      "with some intermediates in its chain and the others among the trusted",
      () => [deep, lower.certificate],
      () => [upper, root],
      true,
    ],
    ["with a gap in its chain", () => [deep, upper.certificate], () => [root], false],
    [
      "under an intermediate that is trusted without its root",
      () => [deep, lower.certificate],
      () => [upper],
      false,
    ],
  ];
  it.each(cases)("%s", async (_what, chain, trusted, ok) => {
    const certificates = trusted().map(({ certificate }) => certificate);
    const verified = verify({ certificates }, await withChain(chain()));
    if (ok) expect(await verified).toMatchObject({ iss: "CoCo-Attestation-Service" });
    else expect(await codeOfAsync(() => verified)).toBe("TOKEN_REFUSED");
  });

  it.each<[what: string, token: () => Promise<string>]>([
    ["has a certificate of that very key", () => withChain([direct], { ...other.publicJwk } as JsonObject)],
    ["has a certificate at all", () => tokenOf(earClaims(), key, { jwk: key.publicJwk as JsonObject })],
    [
      "has its certificates inside the key, not beside it",
      () => tokenOf(earClaims(), key, { jwk: key.publicJwk as JsonObject, x5c: x5cOf(direct) }),
    ],
    [
      "signed the token",
      () => tokenOf(earClaims(), other, { jwk: { ...key.publicJwk, x5c: x5cOf(direct) } as JsonObject }),
    ],
    ["has a list of certificates", () => withChain([direct], { x5c: "AAAA" })],
    ["has certificates in the list", () => withChain([direct], { x5c: ["AAAA"] })],
    ["has few certificates", () => withChain(Array.from({ length: 9 }, () => direct))],
    ["has one certificate at least", () => withChain([])],
  ])("%s", async (_rule, token) => {
    expect(await codeOfAsync(async () => verify({ certificates: [root.certificate] }, await token()))).toBe(
      "TOKEN_REFUSED",
    );
  });

  it("has a certificate that holds now", async () => {
    const old = await certified(key, root, new Date("2026-02-01T00:00:00Z"));
    const check = async () => verify({ certificates: [root.certificate] }, await withChain([old]));
    expect(await codeOfAsync(check)).toBe("TOKEN_REFUSED");
  });
});

describe("a trusted token", () => {
  const signed = (claims: JsonObject, header: JsonObject = {}) =>
    tokenOf(claims, key, { kid: "k1", ...header });
  const keySets = () => [{ keys: [{ ...key.publicJwk, kid: "k1" }] }];

  it.each<[rule: string, claims: JsonObject]>([
    ["has not expired", earClaims({ exp: SECONDS })],
    ["is valid already", earClaims({ nbf: SECONDS + 60 })],
    ["names its end", earClaims({ exp: null })],
    ["has appraisals as EAR has them", earClaims({ submods: { cpu0: { "ear.status": "splendid" } } })],
    ["is of a known profile when it has appraisals", earClaims({ eat_profile: "tag:example,2020:x" })],
    [
      "has no status better than its claims",
      earClaims({}, { "ear.trustworthiness-vector": { hardware: 97 } }),
    ],
  ])("%s", async (_rule, claims) => {
    expect(await codeOfAsync(async () => verify({ keySets: keySets() }, await signed(claims)))).toBe(
      "TOKEN_REFUSED",
    );
  });

  it("is signed, by a key that is known, and no text of another kind", async () => {
    const check = (token: string) => codeOfAsync(() => verify({ keySets: keySets() }, token));
    expect(await check(await tokenOf(earClaims(), other, { kid: "k1" }))).toBe("TOKEN_REFUSED");
    expect(await check(await signed(earClaims(), { kid: "k2" }))).toBe("TOKEN_REFUSED");
    expect(await check("a.b.c")).toBe("TOKEN_REFUSED");
    const [head, body] = (await signed(earClaims())).split(".");
    const none = Buffer.from('{"alg":"none","kid":"k1"}').toString("base64url");
    expect(await check(`${none}.${body}.`)).toBe("TOKEN_REFUSED");
    expect(await check(`${head}.${body}.`)).toBe("TOKEN_REFUSED");
  });

  it("of another form than EAR has no appraisals, and counts as simulated", async () => {
    const token = await signed({ exp: SECONDS + 9, tdx: { tdx_mrtd: "00" } });
    expect(await verify({ keySets: keySets() }, token)).toMatchObject({
      submods: {},
      "adyton.simulated": true,
      "adyton.verifier": "kid k1",
    });
  });

  it("cannot say itself who verified it", async () => {
    const token = await signed(earClaims({ "adyton.verifier": "kid other" }));
    expect((await verify({ keySets: keySets() }, token))["adyton.verifier"]).toBe("kid k1");
  });
});

describe("sets of keys", () => {
  let server: Server;
  let url: string;
  let keys: readonly JsonObject[];
  let asked: string[];
  beforeAll(async () => {
    server = createServer((request, answer) => {
      asked.push(request.url ?? "");
      const body = request.url?.endsWith("openid-configuration")
        ? { issuer: url, jwks_uri: `${url}/keys` }
        : { keys };
      answer.end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it("are fetched when first needed, kept, and fetched again for a key that is new", async () => {
    for (const [set, expected] of [
      [{ url: `${url}/keys` }, ["/keys", "/keys"]],
      [{ issuer: url }, ["/.well-known/openid-configuration", "/keys"]],
    ] as const) {
      asked = [];
      keys = [{ ...key.publicJwk, kid: "k1" } as JsonObject];
      let now = NOW;
      const trusted = new TrustedVerifiers({ keySets: [set] }, () => now);
      const token = await tokenOf(earClaims({ iss: url }), key, { kid: "k1" });
      const later = await tokenOf(earClaims({ iss: url }), other, { kid: "k2" });
      await trusted.verify(token, now);
      await trusted.verify(token, now);
      expect(asked).toEqual(expected.slice(0, "url" in set ? 1 : 2));
      keys = [...keys, { ...other.publicJwk, kid: "k2" } as JsonObject];
      expect(await codeOfAsync(() => trusted.verify(later, now))).toBe("TOKEN_REFUSED");
      now = new Date(NOW.getTime() + 61_000);
      expect(await trusted.verify(later, now)).toMatchObject({ iss: url });
    }
  });

  it("of an issuer verify that issuer's tokens alone", async () => {
    asked = [];
    keys = [{ ...key.publicJwk, kid: "k1" } as JsonObject];
    const token = await tokenOf(earClaims({ iss: "someone" }), key, { kid: "k1" });
    expect(await codeOfAsync(() => verify({ keySets: [{ issuer: url }] }, token))).toBe("TOKEN_REFUSED");
  });

  it("come over TLS, and pointers are pointers", () => {
    const made = (trusted: TrustedTokens) => codeOf(() => new TrustedVerifiers(trusted, () => NOW));
    expect(made({ keySets: [{ url: "http://keys.example/jwks" }] })).toBe("STATE_INVALID");
    expect(made({ keySets: [{ issuer: "http://keys.example" }] })).toBe("STATE_INVALID");
    expect(made({ teeKeyPaths: ["tee-pubkey"] })).toBe("STATE_INVALID");
  });

  it("that cannot be fetched are no refusal", async () => {
    const set = { url: "https://127.0.0.1:1/keys" };
    const token = await tokenOf(earClaims(), key, { kid: "k1" });
    expect(await codeOfAsync(() => verify({ keySets: [set] }, token))).toBe("BACKEND_FAILED");
  });
});

describe("at the broker", () => {
  let harness: Harness;
  afterEach(() => harness.close());
  const start = async (trustedTokens?: TrustedTokens, resourcePolicy?: ResourcePolicy): Promise<void> => {
    harness = await createHarness({
      ...(trustedTokens === undefined ? {} : { trustedTokens }),
      ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
    });
    await harness.admin("POST", SECRET, "open sesame");
  };
  const ask = (token: string): Promise<Response> =>
    harness.call("GET", SECRET, { headers: { authorization: `Bearer ${token}` } });
  const everybody: ResourcePolicy = { id: "everybody", allow: () => ({ allow: true, findings: [] }) };

  it("a trusted verifier's token opens a secret, and the log says whose it was", async () => {
    await start({ certificates: [root.certificate] });
    expect(await secretOf(await ask(await withChain([direct])))).toBe("open sesame");
    const release = (await readAuditLog(harness.state.store)).findLast(
      ({ event }) => event.type === "resource.release",
    );
    expect(release?.event).toMatchObject({ decision: "allow", verifier: "x5c CN=attestation tokens" });
  });

  it("nobody's tokens but ours do where nobody is trusted, and not a tenant's secrets", async () => {
    await start();
    expect(await refusalOf(await ask(await withChain([direct])))).toMatchObject({ code: "TOKEN_REFUSED" });
    await harness.close();
    await start({ certificates: [root.certificate] });
    await harness.admin("POST", "/v1/tenants", '{"name":"acme"}');
    await harness.admin("POST", `/tenants/acme${SECRET}`, "theirs");
    const answer = await harness.call("GET", `/tenants/acme${SECRET}`, {
      headers: { authorization: `Bearer ${await withChain([direct])}` },
    });
    expect(await refusalOf(answer)).toMatchObject({ code: "TOKEN_REFUSED" });
  });

  it("by default its appraisals have to be affirming, and there have to be some", async () => {
    await start({ keySets: [{ keys: [{ ...key.publicJwk, kid: "k1" }] }] });
    for (const claims of [
      earClaims({}, { "ear.status": "warning" }),
      { exp: SECONDS + 9, "tee-pubkey": KEY_JWK },
    ])
      expect(await refusalOf(await ask(await tokenOf(claims, key, { kid: "k1" })))).toMatchObject({
        code: "POLICY_REFUSED",
      });
  });

  it("tells the policy who verified", async () => {
    const seen: JsonValue[] = [];
    await start(
      { certificates: [root.certificate] },
      {
        id: "look",
        allow: ({ claims }) => {
          seen.push(claims["adyton.verifier"] as JsonValue);
          return { allow: true, findings: [] };
        },
      },
    );
    await ask(await withChain([direct]));
    const { token } = await harness.attested();
    await ask(token);
    expect(seen).toEqual(["x5c CN=attestation tokens", undefined]);
  });

  const wrong = newTeePair().jwk;
  it.each<[where: string, claims: JsonObject]>([
    ["Intel Trust Authority", { tdx: { attester_runtime_data: { "tee-pubkey": KEY_JWK } } }],
    ["Intel Trust Authority for Azure", { tdx: { attester_user_data: { "tee-pubkey": KEY_JWK } } }],
    ["Trustee's old token", { customized_claims: { runtime_data: { "tee-pubkey": KEY_JWK } } }],
    ["EAR", earClaims()],
    ["the token itself", { "tee-pubkey": KEY_JWK }],
    ["a place of one's own, before all others", { own: { "a/b": KEY_JWK }, "tee-pubkey": wrong }],
    [
      "the first of several",
      { tdx: { attester_runtime_data: { "tee-pubkey": KEY_JWK } }, "tee-pubkey": wrong },
    ],
  ])("finds the attested key where %s has it", async (_where, claims) => {
    const keySets = [{ keys: [{ ...key.publicJwk, kid: "k1" }] }];
    await start({ keySets, teeKeyPaths: ["/own/a~1b"] }, everybody);
    const token = await tokenOf({ exp: SECONDS + 9, ...claims }, key, { kid: "k1" });
    expect(await secretOf(await ask(token))).toBe("open sesame");
  });

  it("releases nothing to a token without a key", async () => {
    await start({ keySets: [{ keys: [{ ...key.publicJwk, kid: "k1" }] }] }, everybody);
    const token = await tokenOf({ exp: SECONDS + 9 }, key, { kid: "k1" });
    expect(await refusalOf(await ask(token))).toMatchObject({ code: "TOKEN_REFUSED" });
  });

  it("reads a file of keys anew for each token", async () => {
    await start();
    const file = join(harness.folder, "keys.json");
    const trusted = new TrustedVerifiers({ keySets: [{ file }] }, () => NOW);
    const token = await tokenOf(earClaims(), key, { kid: "k1" });
    expect(await codeOfAsync(() => trusted.verify(token, NOW))).toBe("STATE_INVALID");
    writeFileSync(file, JSON.stringify({ keys: [] }));
    expect(await codeOfAsync(() => trusted.verify(token, NOW))).toBe("TOKEN_REFUSED");
    writeFileSync(file, JSON.stringify({ keys: [{ ...key.publicJwk, kid: "k1" }] }));
    expect(await trusted.verify(token, NOW)).toMatchObject({ exp: SECONDS + 300 });
  });
});
