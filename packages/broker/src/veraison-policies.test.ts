// SPDX-License-Identifier: Apache-2.0
// Veraison's management API, and what its policies do to results.

import { fromBase64Url } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { schemeOf } from "@adyton/evidence";
import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, DIGEST, GOOD_VALUES, type Harness, jsonOf, refusalOf } from "../test/harness.ts";
import { readAuditLog } from "./audit.ts";

const API = "/management/v1";
const NO_UUID = "00000000-0000-4000-8000-000000000000";
const RULES = "application/vnd.veraison.policy.opa";
const WARN = 'package policy\n\nexecutables := UNSAFE_RT if {\n\tevidence.svn == "1"\n}\n';
const FINE = 'package policy\n\nexecutables := APPROVED_RT if {\n\tevidence.svn == "1"\n}\n';

let harness: Harness;
let token: string;
beforeEach(async () => {
  harness = await createHarness();
  await harness.setReferenceValues(GOOD_VALUES);
  token = harness.state.adminToken;
});
afterEach(() => harness.close());

const send = (method: string, path: string, body?: string, type = RULES): Promise<Response> =>
  harness.call(method, API + path, {
    ...(body === undefined ? {} : { body }),
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": type }) },
  });

async function created(rules: string, name?: string): Promise<JsonObject> {
  const response = await send("POST", `/policy/SAMPLE${name === undefined ? "" : `?name=${name}`}`, rules);
  expect(response.status).toBe(201);
  expect(response.headers.get("content-type")).toBe("application/vnd.veraison.policy+json");
  return jsonOf(response);
}

/** The submodule of a result for known, good evidence. */
async function submod(): Promise<JsonObject> {
  const opened = await harness.call("POST", "/challenge-response/v1/newSession");
  const path = new URL(opened.headers.get("location") ?? "", "http://x/challenge-response/v1/newSession")
    .pathname;
  const reportData = new Uint8Array(64);
  reportData.set(fromBase64Url(String((await jsonOf(opened)).nonce)));
  const evidence = await harness.machine.evidence({ launchDigest: DIGEST, reportData });
  const answer = await harness.call("POST", path, {
    body: JSON.stringify(schemeOf("sample").toKbs({ evidence })),
    headers: { "content-type": "application/vnd.adyton.evidence.sample+json" },
  });
  expect(answer.status).toBe(200);
  const claims = decodeJwt(String((await jsonOf(answer)).result));
  return (claims.submods as Record<string, JsonObject>).SAMPLE ?? {};
}

describe("Veraison's policies", () => {
  it("are created, activated, shown, listed and deactivated", async () => {
    const first = await created(WARN);
    expect(first).toMatchObject({ name: "default", type: "opa", rules: WARN, active: false });
    expect(first.uuid).toMatch(/^[0-9a-f-]{36}$/);
    expect(Date.parse(String(first.ctime))).toBe(harness.clock.time.getTime());
    const second = await created(FINE, "strict");
    expect((await send("GET", "/policy/SAMPLE")).status).toBe(404);
    expect((await send("POST", `/policy/SAMPLE/${second.uuid}/activate`)).status).toBe(200);
    const active = { ...second, active: true };
    expect(await jsonOf(await send("GET", "/policy/SAMPLE"))).toEqual(active);
    expect(await jsonOf(await send("GET", `/policy/SAMPLE/${first.uuid}`))).toEqual(first);
    const list = async (query = "") => (await send("GET", `/policies/SAMPLE${query}`)).json();
    expect(await list()).toHaveLength(2);
    expect(await list("?name=strict")).toEqual([active]);
    expect(await list("?name=none")).toEqual([]);
    expect((await send("POST", `/policy/SAMPLE/${first.uuid}/activate`)).status).toBe(200);
    expect(await list("?name=strict")).toEqual([second]);
    expect((await send("POST", "/policies/SAMPLE/deactivate")).status).toBe(200);
    expect((await send("GET", "/policy/SAMPLE")).status).toBe(404);
    const types = (await readAuditLog(harness.state.store)).map(({ event }) => event.type);
    expect(types.filter((type) => String(type).startsWith("veraison-policy"))).toEqual([
      "veraison-policy.created",
      "veraison-policy.created",
      "veraison-policy.activated",
      "veraison-policy.activated",
      "veraison-policy.deactivated",
    ]);
  });

  it("refine what the broker's own policy found, from the moment they are active", async () => {
    const { uuid } = await created(WARN);
    expect(await submod()).toMatchObject({ "ear.status": "affirming" });
    await send("POST", `/policy/SAMPLE/${uuid}/activate`);
    expect(await submod()).toMatchObject({
      "ear.status": "warning",
      "ear.appraisal-policy-id": `policy:SAMPLE/${uuid}`,
      "ear.trustworthiness-vector": { executables: 32, hardware: 2, configuration: 2 },
    });
    await harness.restart();
    expect(await submod()).toMatchObject({ "ear.status": "warning" });
    const { uuid: better } = await created(FINE);
    await send("POST", `/policy/SAMPLE/${better}/activate`);
    expect(await submod()).toMatchObject({ "ear.trustworthiness-vector": { executables: 2 } });
    await send("POST", "/policies/SAMPLE/deactivate");
    expect(await submod()).toMatchObject({ "ear.trustworthiness-vector": { executables: 3 } });
  });

  it.each<[string, () => Promise<Response>, number, string]>([
    [
      "a policy that does not compile",
      () => send("POST", "/policy/SAMPLE", "package policy\nx := "),
      400,
      "POLICY_INVALID",
    ],
    [
      "a policy that says nothing",
      () => send("POST", "/policy/SAMPLE", "package other\nx := 1"),
      400,
      "POLICY_INVALID",
    ],
    ["another type", () => send("POST", "/policy/SAMPLE", WARN, "text/plain"), 400, "INVALID_REQUEST"],
    ["another scheme", () => send("POST", "/policy/ABACUS", WARN), 400, "INVALID_REQUEST"],
    ["a name that is none", () => send("POST", "/policy/SAMPLE?name=%0a", WARN), 400, "INVALID_REQUEST"],
    ["a UUID that is none", () => send("GET", "/policy/SAMPLE/00000000"), 400, "INVALID_REQUEST"],
    ["an unknown policy", () => send("GET", `/policy/SAMPLE/${NO_UUID}`), 404, "POLICY_NOT_FOUND"],
    [
      "to activate an unknown one",
      () => send("POST", `/policy/SAMPLE/${NO_UUID}/activate`),
      404,
      "POLICY_NOT_FOUND",
    ],
    [
      "whoever is no administrator",
      () => harness.call("GET", `${API}/policies/SAMPLE`),
      401,
      "ADMIN_REFUSED",
    ],
  ])("refuse %s", async (_name, ask, status, code) => {
    const response = await ask();
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await refusalOf(response)).toMatchObject({ status, code });
  });

  it("are found by discovery", async () => {
    const response = await harness.call("GET", "/.well-known/veraison/management");
    expect(await jsonOf(response)).toMatchObject({
      "media-types": [RULES],
      "attestation-schemes": expect.arrayContaining(["ARM_CCA", "SEVSNP", "SAMPLE"]),
      "api-endpoints": { createPolicy: "/management/v1/policy/:scheme" },
    });
  });
});
