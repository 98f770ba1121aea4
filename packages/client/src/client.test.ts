// SPDX-License-Identifier: Apache-2.0
// The client against a broker that is played: every answer it may get. Against the real broker: packages/broker.

import { fromBase64, fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import type { Envelope } from "@adyton/evidence";
import { createSampleVendor } from "@adyton/simulator";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { FlattenedEncrypt, importJWK } from "jose";
import { beforeEach, describe, expect, it } from "vitest";
import { type Client, type ClientOptions, createClient } from "./client.ts";
import { ClientError } from "./errors.ts";

const TYPE = "https://github.com/confidential-containers/kbs/errors/";
const NOW = new Date("2026-03-01T12:00:00Z");
const machine = createSampleVendor().then((vendor) => vendor.machine());

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: JsonObject;
}

/** A broker that answers as told. */
class PlayedBroker {
  readonly sent: Sent[] = [];
  readonly waits: number[] = [];
  collected = 0;
  now = NOW;
  secret = "open sesame";
  lifetimeSeconds = 300;
  /** Answers to give first, by path; then the usual ones. */
  readonly scripted: Record<string, (() => Response | Promise<Response>)[]> = {};
  #key: JsonObject = {};

  client(options: Partial<ClientOptions> = {}): Client {
    return createClient({
      url: "http://broker.test/",
      fetch: (url, init) => this.#answer(url, init),
      attester: { tee: "sample", collect: (reportData) => this.#collect(reportData) },
      wait: async (milliseconds) => void this.waits.push(milliseconds),
      now: () => this.now,
      ...options,
    });
  }

  paths(): string[] {
    return this.sent.map(({ path }) => path.replace("/kbs/v0/", ""));
  }

  script(path: string, ...answers: (() => Response | Promise<Response>)[]): void {
    this.scripted[`/kbs/v0/${path}`] = answers;
  }

  async #collect(reportData: Uint8Array): Promise<Envelope> {
    this.collected += 1;
    const evidence = await (await machine).evidence({ launchDigest: "ab".repeat(48), reportData });
    return { tee: "sample", evidence };
  }

  async #answer(url: string, init: RequestInit): Promise<Response> {
    const { method, headers, body } = new Request(url, init);
    const text = body === null ? "" : await new Response(body).text();
    const path = new URL(url).pathname;
    this.sent.push({ method, path, headers, body: text === "" ? {} : (JSON.parse(text) as JsonObject) });
    const scripted = this.scripted[path]?.shift();
    if (scripted !== undefined) return scripted();
    if (path === "/kbs/v0/auth") {
      const nonce = toBase64(new Uint8Array(32).fill(this.sent.length));
      return Response.json(
        { nonce, "extra-params": "" },
        { headers: { "set-cookie": "kbs-session-id=abc; HttpOnly" } },
      );
    }
    if (path === "/kbs/v0/attest") {
      const { "runtime-data": data } = JSON.parse(text) as { "runtime-data": { "tee-pubkey": JsonObject } };
      this.#key = data["tee-pubkey"];
      return Response.json({ token: this.token() });
    }
    return Response.json(await this.jwe());
  }

  token(): string {
    const part = (value: JsonObject) => toBase64(fromUtf8(JSON.stringify(value))).replace(/=+$/, "");
    const exp = this.now.getTime() / 1000 + this.lifetimeSeconds;
    return `${part({ alg: "ES256" })}.${part({ exp, n: this.sent.length })}.AAAA`;
  }

  async jwe(key: JsonObject = this.#key): Promise<JsonObject> {
    const jwe = await new FlattenedEncrypt(fromUtf8(this.secret))
      .setProtectedHeader({ alg: "ECDH-ES+A256KW", enc: "A256GCM" })
      .encrypt(await importJWK({ ...key }, "ECDH-ES+A256KW"));
    return { ...jwe } as JsonObject;
  }
}

const refusal =
  (status: number, variant: string, headers: Record<string, string> = {}, detail = "because") =>
  (): Response =>
    Response.json({ type: TYPE + variant, detail }, { status, headers });

let broker: PlayedBroker;

beforeEach(() => {
  broker = new PlayedBroker();
});

describe("getResource", () => {
  it("attests, asks with the token, and opens the answer", async () => {
    const secret = await broker.client().getResource("default/hello/secret");
    expect(toUtf8(secret)).toBe("open sesame");
    expect(broker.paths()).toEqual(["auth", "attest", "resource/default/hello/secret"]);
    const [auth, attest, resource] = broker.sent;
    expect(auth?.body).toEqual({
      version: "0.4.0",
      tee: "sample",
      "extra-params": { "supported-hash-algorithms": ["sha256", "sha384", "sha512"] },
    });
    expect(attest?.headers.get("cookie")).toBe("kbs-session-id=abc");
    expect(attest?.body).toMatchObject({
      "init-data": null,
      "runtime-data": {
        nonce: toBase64(new Uint8Array(32).fill(1)),
        "tee-pubkey": { kty: "EC", crv: "P-256", alg: "ECDH-ES+A256KW" },
      },
      "tee-evidence": { additional_evidence: "" },
    });
    expect(resource?.headers.get("authorization")).toMatch(/^Bearer ey/);
  });

  it("binds nonce and key in the evidence", async () => {
    await broker.client().getToken();
    const body = broker.sent[1]?.body ?? {};
    const { primary_evidence } = body["tee-evidence"] as {
      primary_evidence: { claims: { report_data: string } };
    };
    const { nonce, "tee-pubkey": key } = body["runtime-data"] as { nonce: string; "tee-pubkey": JsonObject };
    const { alg, crv, kty, x, y } = key;
    const canonical = JSON.stringify({
      "additional-evidence": "",
      nonce,
      "tee-pubkey": { alg, crv, kty, x, y },
    });
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", fromUtf8(canonical)));
    expect(fromBase64(primary_evidence.claims.report_data).subarray(0, 48)).toEqual(digest);
  });

  it.each([
    ["kbs:///a/b/c", "a/b/c"],
    ["b/c", "default/b/c"],
    ["a_1/b-2/c.json", "a_1/b-2/c.json"],
  ])("takes %s as %s", async (name, path) => {
    await broker.client().getResource(name);
    expect(broker.paths().at(-1)).toBe(`resource/${path}`);
  });

  it.each([
    "",
    "a",
    "a/b/c/d",
    "a//c",
    "../b/c",
    "a/b/c?x",
    "a/b/%2e",
    "kbs://host/a/b/c",
    "a/b/c d",
    "a/.b/c",
  ])("refuses %j without asking", async (name) => {
    expect(await codeOfAsync(() => broker.client().getResource(name))).toBe("INVALID_RESOURCE_PATH");
    expect(broker.sent).toEqual([]);
  });

  it("uses a token again until it expires", async () => {
    const client = broker.client();
    await client.getResource("a/b/c");
    await client.getResource("a/b/d");
    expect(broker.collected).toBe(1);
    broker.now = new Date(NOW.getTime() + 291_000);
    await client.getResource("a/b/c");
    expect(broker.collected).toBe(2);
  });

  it("attests once for many calls at the same time", async () => {
    const client = broker.client();
    await Promise.all(["a/b/c", "a/b/d", "a/b/e"].map((name) => client.getResource(name)));
    expect(broker.collected).toBe(1);
  });

  it("attests anew when an older token is refused", async () => {
    const client = broker.client();
    await client.getToken();
    broker.script("resource/a/b/c", refusal(401, "TokenVerifierError"));
    expect(toUtf8(await client.getResource("a/b/c"))).toBe("open sesame");
    expect(broker.collected).toBe(2);
  });

  it("asks policy once more with a new token, not again and again", async () => {
    const client = broker.client();
    await client.getToken();
    const no = refusal(401, "PolicyDeny", {}, "launch_digest is none of the reference values");
    broker.script("resource/a/b/c", no, no, no);
    const error = await client.getResource("a/b/c").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "RELEASE_REFUSED", category: "policy" });
    expect((error as ClientError).message).toContain("launch_digest is none of the reference values");
    expect(broker.collected).toBe(2);
  });

  it("gives up after three tries", async () => {
    const no = refusal(401, "TokenVerifierError");
    broker.script("resource/a/b/c", no, no, no, no);
    expect(await codeOfAsync(() => broker.client().getResource("a/b/c"))).toBe("TOKEN_REFUSED");
    expect(broker.collected).toBe(3);
  });

  it("does not open what was changed on its way or is for another key", async () => {
    const other = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, [
      "deriveBits",
    ]);
    const otherKey = (await crypto.subtle.exportKey("jwk", other.publicKey)) as JsonObject;
    const changed = async (change: (jwe: JsonObject) => JsonObject) =>
      Response.json(change(await broker.jwe()));
    broker.script(
      "resource/a/b/c",
      () => changed((jwe) => ({ ...jwe, tag: "AAAAAAAAAAAAAAAAAAAAAA" })),
      () => changed((jwe) => ({ ...jwe, ciphertext: "AAAA" })),
      () => changed((jwe) => ({ ...jwe, protected: "e30" })),
      async () =>
        Response.json(
          await broker.jwe({ kty: "EC", crv: "P-256", x: otherKey.x ?? "", y: otherKey.y ?? "" }),
        ),
    );
    const client = broker.client();
    for (let i = 0; i < 4; i++)
      expect(await codeOfAsync(() => client.getResource("a/b/c"))).toBe("UNDECIPHERABLE");
  });

  it.each<[what: string, answer: Response]>([
    ["no JSON", new Response("<html>")],
    ["no object", Response.json([])],
    ["no JWE", Response.json({ protected: "e30" })],
    ["no text", Response.json({ protected: 1 })],
    ["no UTF-8", new Response(Uint8Array.of(0xff))],
    ["too much", new Response(new Uint8Array(8 * 1024 * 1024 + 1))],
  ])("refuses an answer that is %s", async (_what, answer) => {
    broker.script("resource/a/b/c", () => answer);
    expect(await codeOfAsync(() => broker.client().getResource("a/b/c"))).toBe("INVALID_ANSWER");
  });
});

describe("attestation", () => {
  it.each<[what: string, path: string, answer: Response]>([
    ["a challenge without a nonce", "auth", Response.json({})],
    ["a nonce that is no base64", "auth", Response.json({ nonce: "!" })],
    ["a short nonce", "auth", Response.json({ nonce: "AAAA" })],
    ["a long nonce", "auth", Response.json({ nonce: "A".repeat(4096) })],
    ["a result without a token", "attest", Response.json({})],
    ["a token that is no JWT", "attest", Response.json({ token: "x" })],
  ])("refuses %s", async (_what, path, answer) => {
    broker.script(path, () => answer);
    expect(await codeOfAsync(() => broker.client().getToken())).toBe("INVALID_ANSWER");
  });

  it("tries five times, a second apart, while the broker cannot answer", async () => {
    const down = () => Promise.reject(new TypeError("fetch failed"));
    broker.script(
      "auth",
      down,
      refusal(503, "Unavailable"),
      () => new Response("bad gateway", { status: 502 }),
      down,
    );
    await broker.client().getToken();
    expect(broker.waits).toEqual([1000, 1000, 1000, 1000]);
  });

  it("gives up after the fifth", async () => {
    const down = () => Promise.reject(new TypeError("fetch failed"));
    broker.script("auth", down, down, down, down, down, down);
    const error = await broker
      .client()
      .getToken()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "BROKER_UNREACHABLE", category: "unavailable" });
    expect(broker.sent.length).toBe(5);
  });

  it("waits as long as the broker asks, within reason", async () => {
    broker.script(
      "auth",
      refusal(429, "TooManyRequests", { "retry-after": "7" }),
      refusal(429, "TooManyRequests", { "retry-after": "100000" }),
      refusal(429, "TooManyRequests", { "retry-after": "soon" }),
    );
    await broker.client().getToken();
    expect(broker.waits).toEqual([7000, 30_000, 1000]);
  });

  it("makes a new key for each token", async () => {
    const client = broker.client();
    const first = await client.getToken();
    expect(await client.getToken()).toBe(first);
    const second = await client.getToken({ fresh: true });
    expect(second.keyPair.publicJwk.x).not.toBe(first.keyPair.publicJwk.x);
    expect(second.keyPair.privateKey.extractable).toBe(false);
  });

  it("passes on what the attester throws", async () => {
    const client = broker.client({
      attester: { tee: "sample", collect: () => Promise.reject(new RangeError("no device")) },
    });
    await expect(client.getToken()).rejects.toThrow("no device");
  });

  it("sends init-data that came with the evidence", async () => {
    const evidence = await (await machine).evidence({
      launchDigest: "ab".repeat(48),
      reportData: new Uint8Array(64),
    });
    const initData = fromUtf8('algorithm = "sha384"\n');
    const client = broker.client({
      attester: { tee: "sample", collect: async () => ({ tee: "sample", evidence, initData }) },
    });
    await client.getToken();
    expect(broker.sent[1]?.body["init-data"]).toEqual({ format: "toml", body: 'algorithm = "sha384"\n' });
  });
});

describe("a refusal", () => {
  const ours = (code: string, category: string) => ({ "adyton-error": `${code}; category=${category}` });

  it.each<[status: number, type: string, headers: Record<string, string>, code: string, category: string]>([
    [401, "AttestationError", {}, "ATTESTATION_REFUSED", "not-authentic"],
    [
      401,
      "AttestationError",
      ours("TCB_INFO_MISSING", "endorsements"),
      "ATTESTATION_REFUSED",
      "endorsements",
    ],
    [401, "AttestationError", ours("PROTOCOL_VERSION", "misuse"), "PROTOCOL_REFUSED", "misuse"],
    [401, "AttestationError", { "adyton-error": "nonsense" }, "ATTESTATION_REFUSED", "not-authentic"],
    [401, "AttestationError", ours("X", "nonsense"), "ATTESTATION_REFUSED", "not-authentic"],
    [401, "JweError", {}, "ATTESTATION_REFUSED", "malformed"],
    [401, "SerdeError", {}, "REQUEST_REFUSED", "misuse"],
    [404, "PluginNotFound", {}, "RESOURCE_MISSING", "misuse"],
    [404, "InvalidRequestPath", {}, "RESOURCE_MISSING", "misuse"],
    [401, "toString", {}, "REQUEST_REFUSED", "misuse"],
    [302, "", {}, "REQUEST_REFUSED", "misuse"],
  ])("%i %s %j is %s (%s)", async (status, type, headers, code, category) => {
    broker.script("attest", refusal(status, type, headers));
    const error = await broker
      .client()
      .getToken()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ code, category, detail: { status } });
    expect((error as ClientError).message).toContain("because");
  });

  it("of a resource that is not there is told apart", async () => {
    broker.script(
      "resource/a/b/c",
      refusal(401, "PluginInternalError", ours("RESOURCE_NOT_FOUND", "misuse")),
    );
    expect(await codeOfAsync(() => broker.client().getResource("a/b/c"))).toBe("RESOURCE_MISSING");
    expect(broker.collected).toBe(1);
  });

  it("that is a page of some proxy is still typed", async () => {
    broker.script("attest", () => new Response("<html>", { status: 403 }));
    expect(await codeOfAsync(() => broker.client().getToken())).toBe("REQUEST_REFUSED");
  });
});

it.each(["", "broker", "ftp://broker", "http://user@broker/", "http://broker/?x=1", "javascript:alert(1)"])(
  "refuses %j as the broker's URL",
  (url) => {
    expect(codeOf(() => createClient({ url }))).toBe("INVALID_URL");
  },
);

it("never follows a redirect", async () => {
  const inits: RequestInit[] = [];
  const client = createClient({
    url: "https://broker.test/base/",
    attester: { tee: "sample", collect: () => Promise.reject(new RangeError("not reached")) },
    wait: async () => {},
    fetch: async (url, init) => {
      inits.push(init);
      expect(url).toBe("https://broker.test/base/kbs/v0/auth");
      throw new TypeError("redirected");
    },
  });
  expect(await codeOfAsync(() => client.getToken())).toBe("BROKER_UNREACHABLE");
  expect(inits[0]?.redirect).toBe("error");
});
