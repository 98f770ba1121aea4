// SPDX-License-Identifier: Apache-2.0
// Trustee's attestation service by REST: what relying parties send, what they get, and that its tokens open no secret.

import { createHash } from "node:crypto";
import { fromUtf8, toBase64Url } from "@adyton/core/bytes";
import { canonicalJson, type JsonObject, type JsonValue } from "@adyton/core/json";
import { schemeOf } from "@adyton/evidence";
import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createHarness,
  DIGEST,
  GOOD_VALUES,
  type Harness,
  jsonOf,
  PAIR,
  refusalOf,
} from "../../test/harness.ts";
import { readAuditLog } from "../audit.ts";

const STRUCTURED: JsonObject = { nonce: "bm9uY2U=", "tee-pubkey": PAIR.jwk };
const INIT_DATA = 'version = "0.1.0"\nalgorithm = "sha256"\n\n[data]\n"a.toml" = "x"\n';
const b64 = (value: string | Uint8Array): string =>
  toBase64Url(typeof value === "string" ? fromUtf8(value) : value);

let harness: Harness;
beforeEach(async () => {
  harness = await createHarness();
  await harness.setReferenceValues(GOOD_VALUES);
});
afterEach(() => harness.close());

const post = (path: string, body: JsonValue): Promise<Response> =>
  harness.call("POST", path, { body: JSON.stringify(body) });

function padded(bytes: Uint8Array): Uint8Array {
  const field = new Uint8Array(64);
  field.set(bytes.subarray(0, 64));
  return field;
}

function hashed(data: JsonObject, hash = "sha384"): Uint8Array {
  return createHash(hash).update(canonicalJson(data)).digest();
}

/** One request for evidence that binds `reportData`. */
async function requestFor(
  reportData: Uint8Array,
  more: JsonObject = {},
  bindsInitData = more.init_data !== undefined,
): Promise<JsonObject> {
  const evidence = await harness.machine.evidence({
    launchDigest: DIGEST,
    reportData: padded(reportData),
    ...(bindsInitData ? { initData: padded(createHash("sha256").update(INIT_DATA).digest()) } : {}),
  });
  const text = b64(JSON.stringify(schemeOf("sample").toKbs({ evidence })));
  return { tee: "sample", evidence: text, ...more };
}

const evaluate = (...requests: readonly JsonObject[]): Promise<Response> =>
  post("/attestation", { verification_requests: requests, policy_ids: ["default"] });

async function submodOf(answer: Response): Promise<JsonObject> {
  expect(answer.status).toBe(200);
  return decodeJwt<{ submods: Record<string, JsonObject> }>(await answer.text()).submods.cpu0 ?? {};
}

describe("POST attestation", () => {
  it.each<[string, () => Promise<JsonObject>, JsonValue | undefined]>([
    [
      "structured runtime data",
      () => requestFor(hashed(STRUCTURED), { runtime_data: { structured: STRUCTURED } }),
      STRUCTURED,
    ],
    [
      "another hash",
      () =>
        requestFor(hashed(STRUCTURED, "sha256"), {
          runtime_data: { structured: STRUCTURED },
          runtime_data_hash_algorithm: "sha256",
        }),
      STRUCTURED,
    ],
    [
      "members in any order",
      () =>
        requestFor(hashed(STRUCTURED), {
          runtime_data: { structured: { "tee-pubkey": PAIR.jwk, nonce: "bm9uY2U=" } },
        }),
      STRUCTURED,
    ],
    ["raw runtime data", () => requestFor(fromUtf8("raw"), { runtime_data: { raw: b64("raw") } }), undefined],
    ["no runtime data", () => requestFor(fromUtf8("whatever"), { runtime_data: null }), undefined],
  ])("takes %s", async (_what, request, shown) => {
    const submod = await submodOf(await evaluate(await request()));
    expect(submod["ear.status"]).toBe("affirming");
    const evidence = submod["ear.veraison.annotated-evidence"] as JsonObject;
    expect(evidence.runtime_data_claims).toEqual(shown);
  });

  it.each([true, false])("takes init-data as a document or digest (%s)", async (document) => {
    const init_data: JsonObject = document
      ? { init_data_toml: INIT_DATA }
      : { init_data_digest: b64(createHash("sha256").update(INIT_DATA).digest()) };
    const submod = await submodOf(await evaluate(await requestFor(fromUtf8("x"), { init_data })));
    const evidence = submod["ear.veraison.annotated-evidence"] as JsonObject;
    expect(evidence.init_data_claims).toEqual(document ? { "a.toml": "x" } : undefined);
  });

  it("makes one token of several, each with what it binds", async () => {
    const other = { nonce: "b3RoZXI=" };
    const answer = await evaluate(
      await requestFor(hashed(STRUCTURED), { runtime_data: { structured: STRUCTURED } }),
      await requestFor(hashed(other), { runtime_data: { structured: other } }),
    );
    const { submods } = decodeJwt<{ submods: Record<string, JsonObject> }>(await answer.text());
    expect(Object.keys(submods)).toEqual(["cpu0", "cpu1"]);
    expect(submods.cpu1?.["ear.veraison.annotated-evidence"]).toMatchObject({ runtime_data_claims: other });
  });

  it.each<[string, (good: JsonObject) => JsonValue, number, string]>([
    ["no request", () => ({ verification_requests: [] }), 400, "INVALID_REQUEST"],
    [
      "33 requests",
      (good) => ({ verification_requests: Array.from({ length: 33 }, () => good) }),
      400,
      "INVALID_REQUEST",
    ],
    [
      "another policy",
      (good) => ({ verification_requests: [good], policy_ids: ["mine"] }),
      404,
      "POLICY_NOT_FOUND",
    ],
    ["an unknown member", (good) => ({ verification_requests: [good], more: 1 }), 400, "INVALID_REQUEST"],
    ["an unknown TEE", (good) => [{ ...good, tee: "abacus" }], 400, "INVALID_REQUEST"],
    ["evidence that is no JSON", (good) => [{ ...good, evidence: b64("{") }], 400, "INVALID_REQUEST"],
    ["evidence with padding", (good) => [{ ...good, evidence: "e30=" }], 400, "INVALID_REQUEST"],
    ["an unknown hash", (good) => [{ ...good, runtime_data_hash_algorithm: "md5" }], 400, "INVALID_REQUEST"],
    [
      "both kinds of runtime data",
      (good) => [{ ...good, runtime_data: { raw: "", structured: {} } }],
      400,
      "INVALID_REQUEST",
    ],
    [
      "other runtime data than the evidence binds",
      (good) => [{ ...good, runtime_data: { structured: { nonce: "x" } } }],
      403,
      "REPORT_DATA_MISMATCH",
    ],
    [
      "raw data longer than the field",
      (good) => [{ ...good, runtime_data: { raw: b64(new Uint8Array(65)) } }],
      403,
      "REPORT_DATA_MISMATCH",
    ],
    [
      "another init-data document",
      (good) => [{ ...good, init_data: { init_data_toml: `${INIT_DATA}# more` } }],
      403,
      "INIT_DATA_MISMATCH",
    ],
    [
      "another init-data digest",
      (good) => [{ ...good, init_data: { init_data_digest: b64(new Uint8Array(32)) } }],
      403,
      "INIT_DATA_MISMATCH",
    ],
    [
      "an empty digest",
      (good) => [{ ...good, init_data: { init_data_digest: "" } }],
      403,
      "INIT_DATA_MISMATCH",
    ],
    [
      "two documents",
      (good) => {
        const one = { ...good, init_data: { init_data_toml: INIT_DATA } };
        return [one, one];
      },
      400,
      "INVALID_REQUEST",
    ],
  ])("refuses %s", async (_what, change, status, code) => {
    const more = { runtime_data: { structured: STRUCTURED } };
    const good = await requestFor(hashed(STRUCTURED), more, true);
    const changed = change(good);
    const answer = await post(
      "/attestation",
      Array.isArray(changed) ? { verification_requests: changed as JsonValue } : changed,
    );
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await refusalOf(answer)).toMatchObject({ status, code });
  });

  it("logs its verdict, and what it says opens no secret", async () => {
    await harness.admin("POST", "/kbs/v0/resource/default/key/1", "open sesame");
    const request = await requestFor(hashed(STRUCTURED), { runtime_data: { structured: STRUCTURED } });
    const token = await (await evaluate(request)).text();
    expect(decodeJwt(token).iss).toBe("Adyton Attestation Service");
    const asked = await harness.call("GET", "/kbs/v0/resource/default/key/1", {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await refusalOf(asked)).toMatchObject({ status: 401, code: "TOKEN_REFUSED" });
    const events = (await readAuditLog(harness.state.store)).map(({ event }) => event);
    expect(events.findLast(({ type }) => type === "attestation")).toMatchObject({
      api: "as",
      verdict: "appraised",
    });
  });
});

describe("policies of the service", () => {
  const POLICY = 'package policy\n\ntrust_claims := {"hardware": 2}\n';

  it("are set, listed and shown, by administrators", async () => {
    const body = JSON.stringify({ policy_id: "default_cpu", policy: b64(POLICY) });
    expect((await harness.call("POST", "/policy", { body })).status).toBe(401);
    expect((await harness.call("GET", "/policy")).status).toBe(401);
    expect(await (await harness.admin("GET", "/policy")).json()).toEqual([]);
    expect((await harness.admin("POST", "/policy", body)).status).toBe(200);
    expect(await (await harness.admin("GET", "/policy")).json()).toEqual([{ "policy-id": "default_cpu" }]);
    expect(await (await harness.admin("GET", "/policy/default_cpu")).text()).toBe(POLICY);
    for (const id of ["default", "mine"])
      expect(await refusalOf(await harness.admin("GET", `/policy/${id}`))).toMatchObject({
        status: 404,
        code: "POLICY_NOT_FOUND",
      });
  });
});

describe("POST challenge", () => {
  it("is empty for TEEs that need none", async () => {
    expect(await (await post("/challenge", { tee: "tdx", tee_params: "" })).text()).toBe("");
    expect(await refusalOf(await post("/challenge", { tee: "abacus" }))).toMatchObject({ status: 400 });
  });
});

describe("pages of other origins", () => {
  const ORIGIN = "https://console.example";
  const preflight = { origin: ORIGIN, "access-control-request-method": "POST" };

  it("are let in where the owner lists them", async () => {
    await harness.restart({ corsOrigins: [ORIGIN] });
    const asked = await harness.call("OPTIONS", "/attestation", { headers: preflight });
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, ORIGIN]);
    const answer = await harness.call("GET", "/.well-known/jwks.json", { headers: { origin: ORIGIN } });
    expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    const refused = await harness.call("GET", "/policy", { headers: { origin: ORIGIN } });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, ORIGIN]);
    const other = { ...preflight, origin: "https://other.example" };
    const stranger = await harness.call("OPTIONS", "/attestation", { headers: other });
    expect([stranger.status, stranger.headers.get("access-control-allow-origin")]).toEqual([404, null]);
  });

  it("are not by default", async () => {
    const asked = await harness.call("OPTIONS", "/attestation", { headers: preflight });
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([404, null]);
    const answer = await harness.call("GET", "/.well-known/jwks.json", { headers: { origin: ORIGIN } });
    expect(await jsonOf(answer)).toMatchObject({ keys: [{}] });
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });
});
