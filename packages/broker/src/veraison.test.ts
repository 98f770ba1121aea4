// SPDX-License-Identifier: Apache-2.0
// Veraison's challenge-response API as its clients speak it.

import { verifyEar } from "@adyton/appraisal";
import { fromBase64Url, fromUtf8, toBase64Url } from "@adyton/core/bytes";
import { encodeCbor } from "@adyton/core/cbor";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { schemeOf } from "@adyton/evidence";
import { type Endorsements, readEndorsement } from "@adyton/evidence/endorsements";
import { REPORT_SIZE } from "@adyton/evidence/snp";
import { type AmdPlatform, createAmdVendor, createCcaPlatform, createIntelVendor } from "@adyton/simulator";
import { decodeJwt, type JWK } from "jose";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createHarness, DIGEST, GOOD_VALUES, type Harness, jsonOf, vendor } from "../test/harness.ts";
import { transitPlugin } from "./plugins/index.ts";

const NEW = "/challenge-response/v1/newSession";
const SAMPLE = "application/vnd.adyton.evidence.sample+json";
const CCA = 'application/eat-collection; profile="http://arm.com/CCA-SSD/1.0.0"';
const TSM = "application/vnd.veraison.tsm-report";
const AT = new Date("2026-03-01T12:00:00Z");

let harness: Harness;
let amd: AmdPlatform;
let cca: Awaited<ReturnType<typeof createCcaPlatform>>;
let bag: Endorsements;
let tdxBag: Endorsements;
let tdQuote: (reportData: Uint8Array) => Promise<Uint8Array>;

beforeAll(async () => {
  const maker = await createAmdVendor({ at: AT, rsaBits: 2048 });
  amd = await maker.platform();
  bag = maker.endorsements();
  cca = await createCcaPlatform();
  const intel = await createIntelVendor({ at: AT });
  const platform = await intel.platform();
  tdQuote = (reportData) => platform.quote({ tee: "tdx", reportData });
  tdxBag = await intel.endorsements(platform, "tdx");
  const bytes = fromUtf8(JSON.stringify(cca.trustAnchors));
  harness = await createHarness({
    roots: [(await vendor()).root, maker.ark.certificate, intel.root.certificate],
    anchors: readEndorsement({ name: "platforms.json", bytes }),
    endorsements: async () => bag,
    maxSessions: 500,
  });
  await harness.setReferenceValues(GOOD_VALUES);
}, 60_000);

afterAll(() => harness.close());

interface Opened {
  readonly path: string;
  readonly nonce: Uint8Array;
  readonly body: JsonObject;
}

async function opened(query = ""): Promise<Opened> {
  const response = await harness.call("POST", NEW + query);
  expect(response.status).toBe(201);
  const path = new URL(response.headers.get("location") ?? "", `http://x${NEW}`).pathname;
  const body = await jsonOf(response);
  return { path, nonce: fromBase64Url(String(body.nonce)), body };
}

const send = (path: string, type: string, body: string | Uint8Array): Promise<Response> =>
  harness.call("POST", path, { body, headers: { "content-type": type } });

async function sample(reportData: Uint8Array, launchDigest = DIGEST): Promise<string> {
  const evidence = await harness.machine.evidence({ launchDigest, reportData: padded(reportData) });
  return JSON.stringify(schemeOf("sample").toKbs({ evidence }));
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(64);
  whole.set(bytes);
  return whole;
}

async function problemOf(response: Response): Promise<JsonObject> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = await jsonOf(response);
  expect(body).toMatchObject({ type: "about:blank", status: response.status, title: expect.any(String) });
  return { status: response.status, code: response.headers.get("adyton-error")?.split(";")[0] ?? "" };
}

describe("a session", () => {
  it.each([
    ["", 32],
    ["?nonceSize=8", 8],
    ["?nonceSize=64", 64],
    [`?nonce=${toBase64Url(new Uint8Array(48).fill(7))}`, 48],
  ])("opened with %j has a nonce of %i bytes", async (query, size) => {
    const response = await harness.call("POST", NEW + query);
    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toBe(
      "application/vnd.veraison.challenge-response-session+json",
    );
    expect(response.headers.get("location")).toMatch(/^session\/[0-9a-f-]{36}$/);
    const body = await jsonOf(response);
    expect(body).toMatchObject({ status: "waiting", accept: expect.arrayContaining([CCA, SAMPLE]) });
    expect(fromBase64Url(String(body.nonce)).length).toBe(size);
    expect(Date.parse(String(body.expiry)) - harness.clock.time.getTime()).toBe(150_000);
  });

  it.each([
    "?nonceSize=7",
    "?nonceSize=65",
    "?nonceSize=x",
    "?nonceSize=",
    "?nonce=",
    `?nonce=${toBase64Url(new Uint8Array(7))}`,
    `?nonce=${toBase64Url(new Uint8Array(65))}`,
    "?nonce=!!!!",
    "?nonceSize=32&nonce=AAAAAAAAAAA",
    "?nonceSize=32&nonceSize=32",
    "?size=32",
  ])("is not opened with %j", async (query) => {
    const problem = await problemOf(await harness.call("POST", NEW + query));
    expect(problem).toEqual({ status: 400, code: "INVALID_REQUEST" });
  });

  it("is shown, and gone after DELETE and after its time", async () => {
    const [one, two] = [await opened(), await opened()];
    expect(await jsonOf(await harness.call("GET", one.path))).toEqual(one.body);
    expect((await harness.call("DELETE", one.path)).status).toBe(204);
    const unknown = { status: 404, code: "SESSION_UNKNOWN" };
    for (const method of ["GET", "DELETE"])
      expect(await problemOf(await harness.call(method, one.path))).toEqual(unknown);
    expect(await problemOf(await send(one.path, SAMPLE, "{}"))).toEqual(unknown);
    harness.clock.time = new Date(harness.clock.time.getTime() + 150_000);
    expect(await problemOf(await harness.call("GET", two.path))).toEqual(unknown);
  });

  it("takes one answer, also of many at once", async () => {
    const { path, nonce } = await opened();
    const body = await sample(nonce);
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(path, SAMPLE, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    expect(await problemOf(await send(path, SAMPLE, body))).toEqual({
      status: 409,
      code: "SESSION_ANSWERED",
    });
    expect(await jsonOf(await harness.call("GET", path))).toMatchObject({ status: "complete" });
  });

  it("is one of a bounded number", async () => {
    const full = await createHarness({ maxSessions: 1 });
    try {
      expect((await full.call("POST", NEW)).status).toBe(201);
      expect(await problemOf(await full.call("POST", NEW))).toEqual({ status: 503, code: "SESSIONS_FULL" });
      full.clock.time = new Date(full.clock.time.getTime() + 150_000);
      expect((await full.call("POST", NEW)).status).toBe(201);
    } finally {
      await full.close();
    }
  });
});

describe("evidence", () => {
  async function resultOf(answer: Response, nonce: Uint8Array) {
    expect(answer.status).toBe(200);
    const { status, result } = await jsonOf(answer);
    expect(status).toBe("complete");
    const discovery = await jsonOf(await harness.call("GET", "/.well-known/veraison/verification"));
    const keys = [discovery["ear-verification-key"] as JWK];
    return verifyEar(String(result), { keys, now: harness.clock.time, nonce, maxAgeSeconds: 60 });
  }

  it("gives a result in Veraison's profile that the published key verifies", async () => {
    const { path, nonce } = await opened("?nonceSize=64");
    const claims = await resultOf(await send(path, SAMPLE, await sample(nonce)), nonce);
    expect(claims.eat_profile).toBe("tag:github.com,2023:veraison/ear");
    expect(claims.submods).toMatchObject({ SAMPLE: { "ear.status": "affirming" } });
  });

  it("that is not good gives a result that says so", async () => {
    const { path, nonce } = await opened();
    const answer = await send(path, SAMPLE, await sample(nonce, "cd".repeat(48)));
    const claims = await resultOf(answer, nonce);
    expect(claims.submods.SAMPLE?.["ear.status"]).toBe("warning");
  });

  it("of Arm CCA comes as a collection", async () => {
    const { path, nonce } = await opened("?nonceSize=64");
    const claims = await resultOf(await send(path, CCA, await cca.token({ reportData: nonce })), nonce);
    // As Veraison says it: the platform and the realm, each with what is about it.
    expect(Object.keys(claims.submods)).toEqual(["CCA_SSD_PLATFORM", "CCA_REALM"]);
    const { CCA_SSD_PLATFORM: platform, CCA_REALM: realm } = claims.submods;
    expect(platform?.["ear.trustworthiness-vector"]).toMatchObject({ hardware: 97, executables: 0 });
    expect(realm?.["ear.trustworthiness-vector"]).toMatchObject({ hardware: 0, executables: 33 });
    expect([platform?.["ear.status"], realm?.["ear.status"]]).toEqual(["contraindicated", "warning"]);
    const shown = (part: typeof realm) =>
      Object.keys((part?.["ear.veraison.annotated-evidence"]?.cca ?? {}) as object);
    expect([shown(platform), shown(realm)]).toEqual([["platform"], ["realm"]]);
  });

  it.each(["json", "cbor"])("of Intel TDX comes as a TSM report in %s", async (form) => {
    const before = bag;
    onTestFinished(() => {
      bag = before;
    });
    bag = tdxBag;
    const { path, nonce } = await opened();
    const report = { provider: "tdx_guest", outblob: await tdQuote(padded(nonce)) };
    const body =
      form === "cbor"
        ? encodeCbor(new Map<string, string | Uint8Array>(Object.entries(report)))
        : JSON.stringify({ ...report, outblob: toBase64Url(report.outblob) });
    const claims = await resultOf(await send(path, `${TSM}+${form}`, body), nonce);
    expect(Object.keys(claims.submods)).toEqual(["TDX"]);
    const { tdx } = (claims.submods.TDX?.["ear.veraison.annotated-evidence"] ?? {}) as { tdx?: JsonObject };
    expect(tdx).toMatchObject({ tcb_status: "UpToDate" });
    const other = await opened();
    const replayed = await send(other.path, `${TSM}+${form}`, body);
    expect((await problemOf(replayed)).status).toBe(403);
  });

  it.each(["json", "cbor"])("of AMD comes as a TSM report in %s, with its certificates", async (form) => {
    const { path, nonce } = await opened("?nonceSize=64");
    const extended = await amd.extendedReport({ reportData: nonce });
    const outblob = extended.subarray(0, REPORT_SIZE);
    const auxblob = extended.subarray(REPORT_SIZE);
    const provider = "sev_guest";
    const body =
      form === "json"
        ? JSON.stringify({ provider, outblob: toBase64Url(outblob), auxblob: toBase64Url(auxblob) })
        : encodeCbor(
            new Map<string, string | Uint8Array>([
              ["provider", provider],
              ["outblob", outblob],
              ["auxblob", auxblob],
            ]),
          );
    const claims = await resultOf(await send(path, `${TSM}+${form}`, body), nonce);
    expect(Object.keys(claims.submods)).toEqual(["SEVSNP"]);
  });

  it.each(["+json", "+cbor", " json", " cbor"])("comes in a wrapper, too (cmw%s)", async (form) => {
    const { path, nonce } = await opened();
    const value = fromUtf8(await sample(nonce));
    const body = form.endsWith("json")
      ? JSON.stringify([SAMPLE, toBase64Url(value), 4])
      : encodeCbor([SAMPLE, value, 4]);
    const type = form.startsWith("+") ? `application/vnd.veraison.cmw${form}` : "application/cmw";
    const claims = await resultOf(await send(path, type, body), nonce);
    expect(Object.keys(claims.submods)).toEqual(["SAMPLE"]);
  });

  it("that answers another challenge is refused, and the session has failed", async () => {
    const { path, nonce } = await opened();
    const answer = await send(path, SAMPLE, await sample(nonce.map((byte) => byte ^ 1)));
    expect(await problemOf(answer)).toEqual({ status: 403, code: "REPORT_DATA_MISMATCH" });
    expect(await jsonOf(await harness.call("GET", path))).toMatchObject({ status: "failed" });
    expect(await problemOf(await send(path, SAMPLE, await sample(nonce)))).toMatchObject({ status: 409 });
  });

  it("of an unknown type is refused with the types that are taken, and may be sent again", async () => {
    const { path, nonce } = await opened();
    for (const type of ["application/psa-attestation-token", "text/plain", `${TSM}+xml`]) {
      const answer = await send(path, type, "x");
      expect(answer.headers.get("accept")).toContain(CCA);
      expect(await problemOf(answer)).toEqual({ status: 415, code: "UNSUPPORTED_MEDIA_TYPE" });
    }
    expect((await send(path, SAMPLE, await sample(nonce))).status).toBe(200);
  });

  const wrapped = (record: JsonValue): string => JSON.stringify(record);
  it.each<[what: string, type: string, body: string | Uint8Array, status: number]>([
    ["no JSON", SAMPLE, "{", 400],
    ["no UTF-8", SAMPLE, Uint8Array.of(0xff), 400],
    ["a list", SAMPLE, "[]", 400],
    ["no CBOR", CCA, Uint8Array.of(0xff), 400],
    ["nothing", CCA, new Uint8Array(), 400],
    ["a report of no provider", `${TSM}+json`, JSON.stringify({ outblob: "AA" }), 400],
    ["a report of another provider", `${TSM}+json`, JSON.stringify({ provider: "x", outblob: "AA" }), 400],
    ["a report without report", `${TSM}+json`, JSON.stringify({ provider: "sev_guest" }), 400],
    ["a short report", `${TSM}+json`, JSON.stringify({ provider: "sev_guest", outblob: "AAAA" }), 400],
    ["a blob that is none", `${TSM}+json`, JSON.stringify({ provider: "sev_guest", outblob: 1 }), 400],
    ["a report that is no map", `${TSM}+cbor`, encodeCbor([1]), 400],
    [
      "a blob of text",
      `${TSM}+cbor`,
      encodeCbor(
        new Map([
          ["provider", "tdx_guest"],
          ["outblob", "x"],
        ]),
      ),
      400,
    ],
    ["a wrapper that is no record", "application/vnd.veraison.cmw+json", wrapped({ a: 1 }), 400],
    ["a wrapper of one", "application/vnd.veraison.cmw+json", wrapped([SAMPLE]), 400],
    ["a wrapper without type", "application/vnd.veraison.cmw+json", wrapped([1, "AA"]), 400],
    ["a wrapper of a number", "application/vnd.veraison.cmw+json", wrapped([SAMPLE, 1]), 400],
    ["a wrapper in a wrapper", "application/cmw", wrapped(["application/cmw", "AA"]), 400],
    ["an empty wrapper", "application/cmw", "", 400],
    ["more than allowed", SAMPLE, new Uint8Array(2 * 1024 * 1024 + 1), 413],
  ])("that is %s is refused", async (_what, type, body, status) => {
    const { path } = await opened();
    expect((await problemOf(await send(path, type, body))).status).toBe(status);
  });

  it("releases no secret", async () => {
    await harness.admin("POST", "/kbs/v0/resource/default/hello/secret", "open sesame");
    const { path, nonce } = await opened();
    const { result } = await jsonOf(await send(path, SAMPLE, await sample(nonce)));
    const answer = await harness.call("GET", "/kbs/v0/resource/default/hello/secret", {
      headers: { authorization: `Bearer ${String(result)}` },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("adyton-error")).toMatch(/^TOKEN_REFUSED/);
  });

  it("opens no plugin, whoever chose its nonce and whatever the policy says", async () => {
    await harness.restart({ plugins: [transitPlugin()] });
    expect((await harness.admin("POST", "/kbs/v0/transit/keys/orders")).status).toBe(200);
    const policy = toBase64Url(fromUtf8("package policy\n\nallow := true\n"));
    await harness.admin("POST", "/kbs/v0/resource-policy", JSON.stringify({ policy }));
    const { path, nonce } = await opened();
    const { result } = await jsonOf(await send(path, SAMPLE, await sample(nonce)));
    const answer = await harness.call("POST", "/kbs/v0/transit/encrypt/orders", {
      headers: { authorization: `Bearer ${String(result)}` },
      body: JSON.stringify({ plaintext: "AAAA" }),
    });
    expect(answer.status).toBe(401);
    const { token } = await harness.attested();
    const own = await harness.call("POST", "/kbs/v0/transit/encrypt/orders", {
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ plaintext: "AAAA" }),
    });
    expect(own.status).toBe(200);
    await harness.restart();
  });

  it("is judged by the policy that the administrator set", async () => {
    const policy = 'package policy\n\ntrust_claims := {"hardware": 97}\n';
    await harness.admin(
      "POST",
      "/kbs/v0/attestation-policy",
      JSON.stringify({ policy_id: "default", policy: toBase64Url(fromUtf8(policy)) }),
    );
    const { path, nonce } = await opened();
    const { result } = await jsonOf(await send(path, SAMPLE, await sample(nonce)));
    const { submods } = decodeJwt(String(result)) as { submods: Record<string, JsonObject> };
    expect(submods.SAMPLE).toMatchObject({
      "ear.status": "contraindicated",
      "ear.appraisal-policy-id": expect.stringMatching(/^attestation@1 sha384:/),
    });
  });
});

describe("discovery", () => {
  it("names key, types, schemes and endpoint", async () => {
    const response = await harness.call("GET", "/.well-known/veraison/verification");
    expect(response.headers.get("content-type")).toBe("application/vnd.veraison.discovery+json");
    const body = await jsonOf(response);
    expect(body).toMatchObject({
      "ear-verification-key": { kty: "EC", crv: "P-256" },
      "media-types": expect.arrayContaining([CCA, `${TSM}+cbor`]),
      "attestation-schemes": expect.arrayContaining(["ARM_CCA", "SEVSNP", "TDX"]),
      "service-state": "READY",
      "api-endpoints": { newChallengeResponseSession: NEW },
    });
    expect(body["ear-verification-key"]).not.toHaveProperty("d");
  });

  it("does not name what is not here", async () => {
    for (const path of ["/.well-known/veraison/provisioning", "/challenge-response/v2/newSession"])
      expect((await problemOf(await harness.call("GET", path))).status).toBe(404);
  });
});
