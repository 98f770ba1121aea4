// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toBase64Url, toHex } from "@adyton/core/bytes";
import { type CurveName, defaultCrypto, type PrivateKey, type SignatureAlgorithm } from "@adyton/core/crypto";
import { issueCertificate } from "@adyton/core/issue";
import { toPem } from "@adyton/core/pem";
import { syncCrypto } from "@adyton/core/sync-crypto";
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { type Claims, macToken, publicJwk, publicPem, signingInput, signToken } from "../../test/tokens.ts";
import type { Value } from "../value.ts";
import { cryptoBuiltins } from "./index.ts";

const NOW = new Date("2026-01-15T00:00:00Z");
const SECONDS = NOW.getTime() / 1000;
const call = callerOf(cryptoBuiltins, { now: NOW });
const REFUSED: Value = [false, {}, {}];

const rsa = await defaultCrypto.generateKey({ name: "RSA", bits: 2048 });
const otherRsa = await defaultCrypto.generateKey({ name: "RSA", bits: 2048 });
const ec: Readonly<Record<CurveName, PrivateKey>> = {
  "P-256": await defaultCrypto.generateKey({ name: "EC", curve: "P-256" }),
  "P-384": await defaultCrypto.generateKey({ name: "EC", curve: "P-384" }),
  "P-521": await defaultCrypto.generateKey({ name: "EC", curve: "P-521" }),
};
const otherEc = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });

interface Row {
  readonly alg: string;
  readonly how: SignatureAlgorithm;
  readonly key: PrivateKey;
}
const SIGNED: readonly Row[] = [
  ...([256, 384, 512] as const).flatMap((bits): Row[] => {
    const hash = `SHA-${bits}` as const;
    return [
      { alg: `RS${bits}`, how: { name: "RSASSA-PKCS1-v1_5", hash }, key: rsa },
      { alg: `PS${bits}`, how: { name: "RSA-PSS", hash, saltLength: bits / 8 }, key: rsa },
      {
        alg: `ES${bits}`,
        how: { name: "ECDSA", hash },
        key: ec[bits === 512 ? "P-521" : (`P-${bits}` as const)],
      },
    ];
  }),
];
const CLAIMS: Claims = { iss: "issuer", sub: "workload", exp: SECONDS + 60, nbf: SECONDS - 60 };
const ES256: SignatureAlgorithm = { name: "ECDSA", hash: "SHA-256" };

function verify(alg: string, token: string, key: string): Value | undefined {
  return call(`io.jwt.verify_${alg.toLowerCase()}`, token, key);
}

async function certificateOf(key: PrivateKey): Promise<string> {
  const name = [["CN", "signer"]] as const;
  const template = { subject: name, spki: key.publicKey.spki, serial: "01", notBefore: NOW, notAfter: NOW };
  return toPem("CERTIFICATE", await issueCertificate(template, { name, key: otherEc }));
}

describe.each(SIGNED)("$alg", ({ alg, how, key }) => {
  it("is taken with a certificate, a public key, a JSON web key and a set of them", async () => {
    const token = await signToken({ alg, typ: "JWT" }, CLAIMS, key, how);
    const set = { keys: [publicJwk(otherEc), publicJwk(otherRsa), publicJwk(key, { alg })] };
    for (const text of [
      await certificateOf(key),
      publicPem(key),
      JSON.stringify(publicJwk(key)),
      JSON.stringify(set),
    ]) {
      expect(verify(alg, token, text)).toBe(true);
      expect(call("io.jwt.decode_verify", token, { cert: text })).toEqual([
        true,
        { alg, typ: "JWT" },
        CLAIMS,
      ]);
    }
  });

  it("is refused when anything was changed", async () => {
    const token = await signToken({ alg }, CLAIMS, key, how);
    const pem = publicPem(key);
    const [header = "", payload = "", signature = ""] = token.split(".");
    const changed = [
      `${signingInput({ alg }, { ...CLAIMS, iss: "other" })}.${signature}`,
      `${signingInput({ alg, kid: "1" }, CLAIMS)}.${signature}`,
      `${header}.${payload}.${toBase64Url(new Uint8Array(64))}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`,
    ];
    for (const text of changed) {
      expect(verify(alg, text, pem)).toBe(false);
      expect(call("io.jwt.decode_verify", text, { cert: pem })).toEqual(REFUSED);
    }
    expect(verify(alg, token, publicPem(key === rsa ? otherRsa : otherEc))).toBe(false);
    expect(verify(alg, token, publicPem(key === rsa ? otherEc : otherRsa))).toBe(false);
  });
});

describe("EdDSA", () => {
  // RFC 8037 appendix A.4 and A.2.
  const token =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
  const jwk = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`;
  it("takes the token of RFC 8037", () => {
    expect(verify("EdDSA", token, jwk)).toBe(true);
    expect(verify("EdDSA", token.replace("RXhh", "RXhi"), jwk)).toBe(false);
    expect(verify("EdDSA", token, jwk.replace("11qY", "11qZ"))).toBe(false);
  });
});

describe.each([256, 384, 512] as const)("HS%i", (bits) => {
  const alg = `HS${bits}`;
  it("takes the secret it was made with, and no other", async () => {
    const token = await macToken({ alg }, CLAIMS, fromUtf8("secret"), `SHA-${bits}`);
    expect(verify(alg, token, "secret")).toBe(true);
    expect(verify(alg, token, "Secret")).toBe(false);
    expect(verify(alg, `${token.slice(0, -2)}AA`, "secret")).toBe(false);
    // The same bytes, written otherwise.
    const [, stem = "", last = ""] = /^(.*)(.)$/.exec(token) ?? [];
    const other = String.fromCharCode(last.charCodeAt(0) + 1);
    if (bits !== 384) expect(verify(alg, stem + other, "secret")).toBe(false);
    expect(verify(alg, `${token}==`, "secret")).toBe(false);
    expect(call("io.jwt.decode_verify", token, { secret: "secret" })).toEqual([true, { alg }, CLAIMS]);
    expect(call("io.jwt.decode_verify", token, { secret: "other" })).toEqual(REFUSED);
    const jwks = JSON.stringify({ keys: [{ kty: "oct", k: toBase64Url(fromUtf8("secret")) }] });
    expect(call("io.jwt.decode_verify", token, { cert: jwks })).toEqual([true, { alg }, CLAIMS]);
  });
});

describe("algorithms that do not fit the key", () => {
  it("a MAC made with the text of a public key is no signature", async () => {
    const pem = publicPem(rsa);
    const token = await macToken({ alg: "HS256" }, CLAIMS, fromUtf8(pem), "SHA-256");
    expect(call("io.jwt.decode_verify", token, { cert: pem })).toEqual(REFUSED);
    expect(verify("RS256", token, pem)).toBe(false);
  });
  it("none is never taken", () => {
    for (const alg of ["none", "None", "", "HS255"]) {
      expect(
        call("io.jwt.decode_verify", `${signingInput({ alg }, CLAIMS)}.`, { cert: publicPem(rsa) }),
      ).toEqual(REFUSED);
    }
    expect(call("io.jwt.decode_verify", `${signingInput({}, CLAIMS)}.`, { secret: "s" })).toEqual(REFUSED);
  });
  it("an ES256 token on another curve than P-256 is refused (RFC 7518 section 3.4)", async () => {
    const token = await signToken({ alg: "ES256" }, CLAIMS, ec["P-384"], ES256);
    expect(verify("ES256", token, publicPem(ec["P-384"]))).toBe(false);
    expect(call("io.jwt.decode_verify", token, { cert: publicPem(ec["P-384"]) })).toEqual(REFUSED);
  });
  it("a PS256 token with another salt than 32 bytes is refused (RFC 7518 section 3.5)", async () => {
    const token = await signToken({ alg: "PS256" }, CLAIMS, rsa, {
      name: "RSA-PSS",
      hash: "SHA-256",
      saltLength: 20,
    });
    expect(verify("PS256", token, publicPem(rsa))).toBe(false);
  });
  it("the wanted algorithm is the only one", async () => {
    const token = await signToken({ alg: "ES256" }, CLAIMS, ec["P-256"], ES256);
    const cert = publicPem(ec["P-256"]);
    expect(call("io.jwt.decode_verify", token, { cert, alg: "ES256" })).toEqual([
      true,
      { alg: "ES256" },
      CLAIMS,
    ]);
    expect(call("io.jwt.decode_verify", token, { cert, alg: "ES384" })).toEqual(REFUSED);
  });
});

describe("keys of a set", () => {
  const token = signToken({ alg: "ES256", kid: "b" }, CLAIMS, ec["P-256"], ES256);
  it.each([
    {
      title: "the one that the header names",
      keys: [publicJwk(otherEc, { kid: "a" }), publicJwk(ec["P-256"], { kid: "b" })],
      expected: true,
    },
    {
      title: "no other when one is named",
      keys: [publicJwk(ec["P-256"], { kid: "a" }), publicJwk(otherEc, { kid: "b" })],
      expected: false,
    },
    { title: "any when none is named", keys: [publicJwk(otherEc), publicJwk(ec["P-256"])], expected: true },
    {
      title: "none for another algorithm",
      keys: [publicJwk(ec["P-256"], { alg: "ES384" })],
      expected: false,
    },
    {
      title: "none for an unknown algorithm",
      keys: [publicJwk(ec["P-256"], { alg: "RSA-OAEP" })],
      expected: false,
    },
    { title: "none of an empty set", keys: [], expected: false },
    {
      title: "a key off its curve does not spoil the others",
      keys: [{ ...publicJwk(otherEc), x: toBase64Url(new Uint8Array(32).fill(1)) }, publicJwk(ec["P-256"])],
      expected: true,
    },
  ])("$title", async ({ keys, expected }) => {
    expect(verify("ES256", await token, JSON.stringify({ keys }))).toBe(expected);
  });
  it.each([
    ["neither PEM nor JSON", "nope"],
    ["no key", "{}"],
    ["an unknown kind", '{"kty":"XYZ"}'],
    ["an unknown curve", '{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}'],
    ["a missing member", '{"kty":"RSA","e":"AQAB"}'],
    ["no base64url", '{"kty":"RSA","n":"+/+/","e":"AQAB"}'],
    ["a member that is no string", '{"kty":"RSA","n":1,"e":"AQAB"}'],
    ["keys that are no list", '{"keys":{}}'],
    ["an RSA private key", toPem("RSA PRIVATE KEY", new Uint8Array(8))],
    ["a certificate that is none", toPem("CERTIFICATE", new Uint8Array(8))],
    ["more than one PEM block", publicPem(rsa) + publicPem(rsa)],
    ["text behind the PEM block", `${publicPem(rsa)}x`],
  ])("%s is a failure", async (_title, text) => {
    expect(failureOf(() => call("io.jwt.verify_rs256", "e30.e30.AA", text))).toMatchObject({
      kind: "builtin",
    });
  });
});

describe("claims", () => {
  const secret = fromUtf8("secret");
  it.each([
    { title: "in time", claims: { exp: SECONDS + 1, nbf: SECONDS }, ok: true },
    { title: "the second of its expiry", claims: { exp: SECONDS }, ok: false },
    { title: "expired", claims: { exp: SECONDS - 1 }, ok: false },
    { title: "not yet valid", claims: { nbf: SECONDS + 1 }, ok: false },
    { title: "a time of one's own", claims: { exp: 3000 }, options: { time: 2_999_999_999_999 }, ok: true },
    {
      title: "a time of one's own, too late",
      claims: { exp: 3000 },
      options: { time: 3_000_000_000_000 },
      ok: false,
    },
    { title: "the issuer", claims: { iss: "i" }, options: { iss: "i" }, ok: true },
    { title: "another issuer", claims: { iss: "i" }, options: { iss: "j" }, ok: false },
    { title: "no issuer", claims: {}, options: { iss: "i" }, ok: false },
    { title: "an issuer that is no string", claims: { iss: 1 }, options: { iss: "1" }, ok: false },
    { title: "the audience", claims: { aud: "a" }, options: { aud: "a" }, ok: true },
    { title: "one of the audience", claims: { aud: ["b", "a"] }, options: { aud: "a" }, ok: true },
    { title: "another audience", claims: { aud: ["b"] }, options: { aud: "a" }, ok: false },
    { title: "an audience nobody asked for", claims: { aud: "a" }, ok: false },
    { title: "no audience", claims: {}, options: { aud: "a" }, ok: false },
    { title: "an audience that is no string", claims: { aud: 1 }, options: { aud: "1" }, ok: false },
  ])("$title", async ({ claims, options = {}, ok }) => {
    const token = await macToken({ alg: "HS256" }, claims, secret, "SHA-256");
    const expected = ok ? [true, { alg: "HS256" }, claims] : REFUSED;
    expect(call("io.jwt.decode_verify", token, { secret: "secret", ...options } as Value)).toEqual(expected);
  });

  it.each([
    { title: "expiry that is no number", claims: { exp: "1" }, options: { secret: "secret" } },
    { title: "begin that is no number", claims: { nbf: "1" }, options: { secret: "secret" } },
    { title: "an unknown constraint", claims: {}, options: { secret: "secret", issuer: "i" } },
    { title: "no key", claims: {}, options: {} },
    { title: "an empty secret", claims: {}, options: { secret: "" } },
    { title: "two keys", claims: {}, options: { secret: "secret", cert: '{"keys":[]}' } },
    { title: "a time that is no number", claims: {}, options: { secret: "secret", time: "now" } },
    { title: "a time before 1970", claims: {}, options: { secret: "secret", time: -1 } },
    { title: "an issuer constraint that is no string", claims: {}, options: { secret: "secret", iss: 1 } },
    { title: "a payload that is no object", claims: "[]", options: { secret: "secret" } },
    { title: "a payload that is no JSON", claims: "{", options: { secret: "secret" } },
  ])("$title is a failure", async ({ claims, options }) => {
    const token = await macToken({ alg: "HS256" }, claims, secret, "SHA-256");
    expect(failureOf(() => call("io.jwt.decode_verify", token, options as Value))).toMatchObject({
      kind: "builtin",
    });
  });
});

describe("headers", () => {
  const secret = fromUtf8("secret");
  it.each([
    { title: "a critical parameter that is unknown", header: { crit: ["exp"], exp: 1 }, refused: true },
    { title: "a critical parameter that is known", header: { crit: ["kid"], kid: "k" }, refused: false },
  ])("$title", async ({ header, refused }) => {
    const token = await macToken({ alg: "HS256", ...header }, {}, secret, "SHA-256");
    const verdict = call("io.jwt.decode_verify", token, { secret: "secret" });
    expect(verdict).toEqual(refused ? REFUSED : [true, { alg: "HS256", ...header }, {}]);
  });
  it.each([
    { crit: [] },
    { crit: "kid" },
    { crit: [1] },
    { kid: 1 },
    { cty: true },
    { typ: [] },
    { alg: 1 },
    { enc: "x" },
  ])("%j is a failure", async (header) => {
    const token = await macToken({ alg: "HS256", ...header }, {}, secret, "SHA-256");
    expect(failureOf(() => call("io.jwt.decode_verify", token, { secret: "secret" }))).toMatchObject({
      kind: "builtin",
    });
  });
  it("a token within a token is verified, too", async () => {
    const inner = await macToken({ alg: "HS256" }, { a: 1 }, secret, "SHA-256");
    const wrong = await macToken({ alg: "HS256" }, { a: 1 }, fromUtf8("other"), "SHA-256");
    const wrap = (token: string): Promise<string> =>
      macToken({ alg: "HS512", cty: "jwt" }, token, secret, "SHA-512");
    expect(call("io.jwt.decode_verify", await wrap(await wrap(inner)), { secret: "secret" })).toEqual([
      true,
      { alg: "HS256" },
      { a: 1 },
    ]);
    expect(call("io.jwt.decode_verify", await wrap(wrong), { secret: "secret" })).toEqual(REFUSED);
  });
});

describe("io.jwt.decode", () => {
  it("shows header, payload and signature, unverified", () => {
    const token = `${signingInput({ alg: "X" }, `{"n":12345678901234567890,"a":1,"a":2}`)}.3q2-7w==`;
    expect(call("io.jwt.decode", token)).toEqual([
      { alg: "X" },
      { n: 12345678901234567890n, a: 2 },
      "deadbeef",
    ]);
  });
  it("shows the inner token of nested ones, in quotes or not", () => {
    const inner = `${signingInput({ alg: "X" }, { a: 1 })}.`;
    for (const payload of [inner, `"${inner}"`]) {
      expect(call("io.jwt.decode", `${signingInput({ cty: "JWT" }, payload)}.AA`)).toEqual([
        { alg: "X" },
        { a: 1 },
        "",
      ]);
    }
  });
  it.each([
    "",
    "a",
    "a.b",
    "a.b.c.d",
    "!.e30.AA",
    "e30.!.AA",
    "e30.e30.!",
    "W10.e30.AA",
    "e30.W10.AA",
    "e30.e30.A",
  ])("%j is a failure", (text) => {
    expect(failureOf(() => call("io.jwt.decode", text))).toMatchObject({ kind: "builtin" });
  });
});

describe("signing", () => {
  const oct = { kty: "oct", k: toBase64Url(fromUtf8("secret")) };
  it.each(["HS256", "HS384", "HS512"])("%s", (alg) => {
    const token = call("io.jwt.encode_sign", { typ: "JWT", alg }, { b: [1], a: "<" }, oct) as string;
    expect(call("io.jwt.decode_verify", token, { secret: "secret" })).toEqual([
      true,
      { alg, typ: "JWT" },
      { a: "<", b: [1] },
    ]);
  });

  it("RFC 7515 appendix A.1, header and payload as they stand there", () => {
    const jwk = `{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}`;
    const header = `{"typ":"JWT",\r\n "alg":"HS256"}`;
    const payload = `{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}`;
    expect(call("io.jwt.encode_sign_raw", header, payload, jwk)).toBe(
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    );
  });

  it("RFC 8037 appendix A.4, Ed25519", () => {
    const jwk = `{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`;
    expect(
      call("io.jwt.encode_sign_raw", `{"alg":"EdDSA","typ":"x"}`, "Example of Ed25519 signing", jwk),
    ).toMatch(/^eyJhbGciOiJFZERTQSIsInR5cCI6IngifQ\.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc\./);
    const token = call("io.jwt.encode_sign_raw", `{"alg":"EdDSA"}`, "{}", jwk) as string;
    expect(verify("EdDSA", token, jwk)).toBe(true);
  });

  it("ES256 with RFC 7515 appendix A.3's key", () => {
    const jwk = {
      kty: "EC",
      crv: "P-256",
      x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
      d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
    };
    const token = call("io.jwt.encode_sign", { alg: "ES256" }, { a: 1 }, jwk) as string;
    expect(verify("ES256", token, JSON.stringify(jwk))).toBe(true);
  });

  it("RSA signs in Node, and is refused elsewhere", async () => {
    const pem = toPem("PRIVATE KEY", await rsa.export());
    const jwk = call("crypto.x509.parse_rsa_private_key", pem) as Value;
    const sign = (): Value | undefined => call("io.jwt.encode_sign", { alg: "RS256" }, { a: 1 }, jwk);
    if (syncCrypto.name === "node") expect(verify("RS256", sign() as string, publicPem(rsa))).toBe(true);
    else expect(failureOf(sign)).toMatchObject({ kind: "builtin" });
  });

  it.each([
    { title: "no algorithm", header: {}, key: oct },
    { title: "an unknown algorithm", header: { alg: "none" }, key: oct },
    { title: "a secret for a signature", header: { alg: "ES256" }, key: oct },
    { title: "an empty set", header: { alg: "HS256" }, key: { keys: [] } },
    { title: "a public key", header: { alg: "ES256" }, key: publicJwk(ec["P-256"]) },
    { title: "a key of an unknown kind", header: { alg: "ES256" }, key: { kty: "XYZ" } },
    {
      title: "a key on an unknown curve",
      header: { alg: "ES256" },
      key: { kty: "EC", crv: "P-192", d: "AA" },
    },
    {
      title: "another curve than the algorithm's",
      header: { alg: "ES384" },
      key: { kty: "EC", crv: "P-256", d: "AQ" },
    },
    { title: "a signing key for a MAC", header: { alg: "HS256" }, key: { kty: "EC", crv: "P-256", d: "AQ" } },
    { title: "a scalar of zero", header: { alg: "ES256" }, key: { kty: "EC", crv: "P-256", d: "AA" } },
  ])("$title is a failure", ({ header, key }) => {
    expect(failureOf(() => call("io.jwt.encode_sign", header as Value, {}, key as Value))).toMatchObject({
      kind: "builtin",
    });
  });
  it("a JWT's payload is JSON", () => {
    const jwk = JSON.stringify(oct);
    for (const header of [`{"alg":"HS256"}`, `{"alg":"HS256","typ":"JWT"}`]) {
      expect(failureOf(() => call("io.jwt.encode_sign_raw", header, "text", jwk))).toMatchObject({
        kind: "builtin",
      });
    }
    const token = call("io.jwt.encode_sign_raw", `{"alg":"HS256","typ":"text"}`, "text", jwk) as string;
    expect(verify("HS256", token, "secret")).toBe(true);
  });
});

it("no secret and no key stands in a message", () => {
  const secret = toHex(fromUtf8("very secret"));
  const attempts = [
    () => call("io.jwt.encode_sign", { alg: "HS256" }, {}, { kty: "oct", k: `${secret}!` }),
    () => call("io.jwt.encode_sign", { alg: "ES256" }, {}, { kty: "EC", crv: "P-256", d: `${secret}!` }),
    () => call("crypto.x509.parse_rsa_private_key", toPem("PRIVATE KEY", fromUtf8(secret))),
    () => call("crypto.parse_private_keys", toPem("EC PRIVATE KEY", fromUtf8(secret))),
  ];
  for (const attempt of attempts) expect(failureOf(attempt).message).not.toContain(secret);
});
