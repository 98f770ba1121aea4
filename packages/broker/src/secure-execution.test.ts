// SPDX-License-Identifier: Apache-2.0
// A TEE whose evidence answers a request of the verifier's: IBM Secure Execution, over HTTP, with the simulator's machines.

import { type ClientAttester, createClient } from "@adyton/client";
import { fromUtf8, toBase64, toBase64Url, toUtf8 } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import {
  canonicalJsonBytes,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from "@adyton/core/json";
import { reportDataOf, schemeOf } from "@adyton/evidence";
import { parseSeHeader, parseSeRequest, type SeHeaderTags } from "@adyton/evidence/se";
import { createIbmVendor, createSeHeader, type SeMachine } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authBody, createHarness, type Harness, jsonOf, PAIR, refusalOf, secretOf } from "../test/harness.ts";
import { type BrokerOptions, type ServedBroker, serveBroker } from "./index.ts";

const AT = new Date("2026-03-01T12:00:00Z");
const vendor = await createIbmVendor({ at: AT });
const [machine, other] = [await vendor.machine(), await vendor.machine()];
const [header, otherHeader] = [createSeHeader(), createSeHeader()];
const bag = await vendor.endorsements({
  certificates: [machine.document, other.document],
  headers: [header, otherHeader],
});
const revoked = await vendor.machine();
const crls = [
  await vendor.crl(vendor.root),
  await vendor.crl(vendor.intermediate),
  await vendor.crl(vendor.service, { revoked: [revoked.document] }),
];
const SE: Partial<BrokerOptions> = {
  roots: [vendor.root.certificate],
  endorsements: async () => bag,
  resourcePolicy: {
    id: "any-attested",
    allow: ({ claims }) => ({ allow: claims.submods.cpu0 !== undefined, findings: [] }),
  },
};

interface SeChallenge {
  readonly nonce: string;
  readonly params: JsonValue;
  readonly cookie: string;
}

/** What a client and its guest may do otherwise than they should. */
interface Change {
  readonly from?: SeMachine;
  /** The image that runs, where it is not the one that the request names. */
  readonly tags?: SeHeaderTags;
  /** Attested instead of the digest of nonce and key. */
  readonly userData?: Uint8Array;
  /** The request that is answered, where it is another session's. */
  readonly answered?: string;
  readonly nonce?: string;
}

/** Where requests go: a broker's `fetch`, or a socket. */
type Send = (path: string, init: RequestInit) => Promise<Response>;
const post = (send: Send, path: string, body: JsonValue, cookie?: string): Promise<Response> =>
  send(`/kbs/v0/${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    ...(cookie === undefined ? {} : { headers: { cookie } }),
  });

async function ask(send: Send): Promise<SeChallenge> {
  const response = await post(send, "auth", authBody({ tee: "se" }));
  if (response.status !== 200) throw new Error(`no challenge: ${await response.text()}`);
  const { nonce, "extra-params": params = null } = await jsonOf(response);
  return { nonce: String(nonce), params, cookie: response.headers.get("set-cookie")?.split(";")[0] ?? "" };
}

/** As guest-components answer: the digest of nonce and key is what the guest attests. */
async function answer(send: Send, challenge: SeChallenge, change: Change = {}): Promise<Response> {
  const { nonce = challenge.nonce, answered = challenge.nonce, from = machine, tags } = change;
  const digest = await reportDataOf(
    { nonce, teePubkey: PAIR.jwk, additionalEvidence: "" },
    defaultCrypto,
    "SHA-512",
  );
  const evidence = await from.respond(parseJson(answered), {
    userData: change.userData ?? digest,
    ...(tags === undefined ? {} : { measuredTags: tags }),
  });
  const body = {
    "runtime-data": { nonce, "tee-pubkey": PAIR.jwk },
    "tee-evidence": { primary_evidence: schemeOf("se").toKbs({ evidence }), additional_evidence: "" },
  };
  return post(send, "attest", body, challenge.cookie);
}

function requestIn(nonce: string): JsonObject {
  const request = parseJson(nonce);
  if (!isJsonObject(request)) throw new TypeError("the nonce is no request");
  return request;
}

const submodulesOf = async (response: Response): Promise<Record<string, JsonObject>> => {
  const { token } = await jsonOf(response);
  return decodeJwt<{ submods: Record<string, JsonObject> }>(String(token)).submods;
};

describe("over a socket", () => {
  let harness: Harness;
  let served: ServedBroker;
  const send: Send = (path, init) => fetch(served.url + path, init);
  beforeAll(async () => {
    harness = await createHarness(SE);
    served = await serveBroker({ ...harness.broker, close: async () => undefined }, { port: 0 });
  });
  afterAll(async () => {
    await served.close();
    await harness.close();
  });

  it("asks with a request for every machine, bound with SHA-512, and releases to the key in the answer", async () => {
    await harness.admin("POST", "/kbs/v0/resource/se/key/1", "open sesame");
    const challenge = await ask(send);
    expect(challenge.params).toEqual({ "selected-hash-algorithm": "sha512" });
    const request = requestIn(challenge.nonce);
    expect(Object.keys(request).sort()).toEqual([
      "additional_size",
      "encr_measurement_key",
      "encr_request_nonce",
      "image_hdr_tags",
      "measurement_size",
      "request_blob",
    ]);
    const { slots } = parseSeRequest(Buffer.from(String(request.request_blob), "base64"));
    expect(slots.map(({ phkh }) => toBase64(phkh)).sort()).toEqual(
      [machine, other].map(({ phkh }) => toBase64(phkh)).sort(),
    );
    const attested = await answer(send, challenge);
    expect(attested.status).toBe(200);
    expect(Object.keys(await submodulesOf(attested))).toEqual(["cpu0"]);
    const released = await send("/kbs/v0/resource/se/key/1", { headers: { cookie: challenge.cookie } });
    expect(await secretOf(released)).toBe("open sesame");
  });
});

describe("the client", () => {
  let harness: Harness;
  const fetchIt = (url: string, init: RequestInit) => harness.broker.fetch(new Request(url, init));
  beforeAll(async () => {
    harness = await createHarness(SE);
    await harness.admin("POST", "/kbs/v0/resource/se/key/1", "open sesame");
  });
  afterAll(() => harness.close());

  const clientWith = (attester: Omit<ClientAttester, "tee" | "collect">) =>
    createClient({
      url: "http://broker.test",
      fetch: fetchIt,
      now: () => harness.clock.time,
      attester: {
        tee: "se",
        collect: () => Promise.reject(new Error("not without a request")),
        ...attester,
      },
    });

  it("lets the machine answer the broker's request, and gets its secret", async () => {
    const client = clientWith({
      answer: async (request, userData) => ({
        tee: "se",
        evidence: await machine.respond(request, { userData }),
      }),
    });
    expect(toUtf8(await client.getResource("se/key/1"))).toBe("open sesame");
  });

  it("is refused with an answer over other data", async () => {
    const client = clientWith({
      answer: async (request) => ({
        tee: "se",
        evidence: await machine.respond(request, { userData: new Uint8Array(64) }),
      }),
    });
    expect(await codeOfAsync(() => client.getResource("se/key/1"))).toBe("ATTESTATION_REFUSED");
  });

  it("says when its attester answers none", async () => {
    expect(await codeOfAsync(() => clientWith({}).getToken())).toBe("CHALLENGE_UNANSWERABLE");
  });
});

describe("requests and answers", () => {
  let harness: Harness;
  const send: Send = (path, init) => harness.broker.fetch(new Request(`http://broker.test${path}`, init));
  beforeAll(async () => {
    harness = await createHarness(SE);
  });
  afterAll(() => harness.close());

  it.each<[what: string, change: Change]>([
    ["another of the machines", { from: other }],
    ["another image whose header is at hand", { tags: parseSeHeader(otherHeader) }],
  ])("accepts %s", async (_what, change) => {
    expect((await answer(send, await ask(send), change)).status).toBe(200);
  });

  it.each<[what: string, change: (challenge: SeChallenge) => Promise<Change>, code: string]>([
    [
      "an image that nobody knows",
      async () => ({ tags: parseSeHeader(createSeHeader()) }),
      "INVALID_SE_MEASUREMENT",
    ],
    [
      "an answer that binds another key or nonce",
      async () => ({ userData: new Uint8Array(64) }),
      "REPORT_DATA_MISMATCH",
    ],
    [
      "an answer to another session's request",
      async () => ({ answered: (await ask(send)).nonce }),
      "SE_REQUEST_MISMATCH",
    ],
    [
      "another session's request as nonce",
      async () => ({ nonce: (await ask(send)).nonce }),
      "NONCE_MISMATCH",
    ],
  ])("refuses %s", async (_what, change, code) => {
    const challenge = await ask(send);
    const refused = await answer(send, challenge, await change(challenge));
    expect(await refusalOf(refused)).toMatchObject({ status: 401, type: "AttestationError", code });
  });

  it("makes every request anew", async () => {
    const requests = [await ask(send), await ask(send)].map(({ nonce }) => requestIn(nonce));
    for (const name of ["request_blob", "encr_measurement_key", "encr_request_nonce"])
      expect(requests[0]?.[name]).not.toBe(requests[1]?.[name]);
  });

  it("refuses a client that cannot bind with SHA-512", async () => {
    const params = { "supported-hash-algorithms": ["sha256", "sha384"] };
    const refused = await post(send, "auth", authBody({ tee: "se", "extra-params": params }));
    expect(await refusalOf(refused)).toMatchObject({ code: "INVALID_REQUEST", detail: /sha512/ });
  });

  it("gives other TEEs a random nonce, as ever", async () => {
    const { nonce, "extra-params": params } = await jsonOf(
      await post(send, "auth", authBody({ tee: "snp" })),
    );
    expect(String(nonce)).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    expect(params).toBe("");
  });
});

describe("what requests are made of", () => {
  const certificates = [machine.document, revoked.document];

  it.each<[what: string, options: Partial<BrokerOptions>, code: string]>([
    [
      "no header of an image",
      { endorsements: () => vendor.endorsements({ certificates }) },
      "SE_HEADER_MISSING",
    ],
    [
      "no host-key document",
      { endorsements: () => vendor.endorsements({ headers: [header] }) },
      "SE_HOST_KEY_MISSING",
    ],
    [
      "no endorsements",
      { endorsements: async () => ({ certificates: [], crls: [], documents: [] }) },
      "SE_HEADER_MISSING",
    ],
    ["a root that nobody named", { roots: [] }, "NO_TRUST_ANCHOR"],
    [
      "no key but a revoked one",
      {
        endorsements: () =>
          vendor.endorsements({ certificates: [revoked.document], headers: [header], crls }),
      },
      "CERTIFICATE_REVOKED",
    ],
  ])("refuses a challenge with %s", async (_what, options, code) => {
    const harness = await createHarness({ ...SE, ...options });
    try {
      const send: Send = (path, init) => harness.broker.fetch(new Request(`http://broker.test${path}`, init));
      expect(await refusalOf(await post(send, "auth", authBody({ tee: "se" })))).toMatchObject({
        status: 401,
        code,
      });
    } finally {
      await harness.close();
    }
  });

  it("leaves out a machine whose key is revoked, and says so in the log", async () => {
    const endorsements = await vendor.endorsements({ certificates, headers: [header], crls });
    const harness = await createHarness({ ...SE, endorsements: async () => endorsements });
    try {
      const send: Send = (path, init) => harness.broker.fetch(new Request(`http://broker.test${path}`, init));
      const challenge = await ask(send);
      const { slots } = parseSeRequest(
        Buffer.from(String(requestIn(challenge.nonce).request_blob), "base64"),
      );
      expect(slots).toHaveLength(1);
      expect(harness.logged).toContainEqual(
        expect.objectContaining({
          level: "warn",
          facts: expect.objectContaining({ code: "HOST_KEY_LEFT_OUT" }),
        }),
      );
      expect((await answer(send, challenge)).status).toBe(200);
      await expect(answer(send, await ask(send), { from: revoked })).rejects.toHaveProperty(
        "code",
        "SE_HOST_KEY_MISMATCH",
      );
    } finally {
      await harness.close();
    }
  });

  it("stops asking for a machine once its document has expired", async () => {
    const harness = await createHarness(SE);
    try {
      const send: Send = (path, init) => harness.broker.fetch(new Request(`http://broker.test${path}`, init));
      await ask(send);
      harness.clock.time = new Date(AT.getTime() + 40 * 24 * 60 * 60 * 1000);
      expect(await refusalOf(await post(send, "auth", authBody({ tee: "se" })))).toMatchObject({
        code: "CRL_EXPIRED",
      });
    } finally {
      await harness.close();
    }
  });
});

describe("by the attestation service", () => {
  it("asks with a request, and takes the answer to a challenge of its own, by who shares its store alone", async () => {
    const [harness, other] = [await createHarness(SE), await createHarness(SE)];
    try {
      const asked = await harness.call("POST", "/challenge", { body: '{"tee":"se","tee_params":"{}"}' });
      const nonce = await asked.text();
      const data = { nonce, "tee-pubkey": PAIR.jwk };
      const userData = await defaultCrypto.digest("SHA-512", canonicalJsonBytes(data));
      const evidence = await machine.respond(parseJson(nonce), { userData });
      const request = {
        tee: "se",
        evidence: toBase64Url(fromUtf8(JSON.stringify(schemeOf("se").toKbs({ evidence })))),
        runtime_data: { structured: data },
      };
      const body = JSON.stringify({ verification_requests: [request], policy_ids: [] });
      const answer = await harness.call("POST", "/attestation", { body });
      expect(answer.status, await answer.clone().text()).toBe(200);
      const { submods } = decodeJwt<{ submods: Record<string, JsonObject> }>(await answer.text());
      expect(submods.cpu0?.["ear.veraison.annotated-evidence"]).toHaveProperty("se");
      expect((await other.call("POST", "/attestation", { body })).status).toBe(403);
      harness.clock.time = new Date(AT.getTime() + 301_000);
      expect((await harness.call("POST", "/attestation", { body })).status).toBe(403);
    } finally {
      await harness.close();
      await other.close();
    }
  });
});
