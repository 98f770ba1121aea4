// SPDX-License-Identifier: Apache-2.0
// What the administrator learns of an attestation that its token does not say.

import { fromUtf8, toBase64Url } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, GOOD_VALUES, type Harness, jsonOf, refusalOf } from "../test/harness.ts";
import { verifyAuditLog } from "./audit/verify.ts";

const BASE = "/v1/explanations";
let harness: Harness;
beforeEach(async () => {
  harness = await createHarness();
});
afterEach(() => harness.close());

/** The token of an attestation. */
async function attested(): Promise<JsonObject> {
  const { token } = await harness.attested();
  return decodeJwt(token) as JsonObject;
}
const found = async (id: unknown): Promise<JsonObject> =>
  jsonOf(await harness.admin("GET", `${BASE}/${String(id)}`));

describe("explanations", () => {
  it("tell the administrator file, line and reference values, by the id in the token", async () => {
    const other = "5a".repeat(48);
    await harness.setReferenceValues({ ...GOOD_VALUES, launch_digest: other });
    const claims = await attested();
    expect(JSON.stringify(claims)).not.toMatch(/\.rego/);
    expect(JSON.stringify(claims)).not.toContain(other);
    const kept = await found(claims.jti);
    expect(kept).toMatchObject({ id: claims.jti, status: "warning", submods: { cpu0: { tee: "sample" } } });
    expect(JSON.stringify(kept)).toMatch(/"file":"adyton\/sample.rego","line":\d+/);
    expect(JSON.stringify(kept)).toContain(other);
  });

  it("are listed, the newest first", async () => {
    const first = await attested();
    await harness.setReferenceValues(GOOD_VALUES);
    const second = await attested();
    const { explanations } = await jsonOf(await harness.admin("GET", BASE));
    expect(explanations).toMatchObject([
      { id: second.jti, status: "affirming", tees: ["sample"] },
      { id: first.jti },
    ]);
    const one = await jsonOf(await harness.admin("GET", `${BASE}?limit=1`));
    expect(one.explanations).toMatchObject([{ id: second.jti }]);
  });

  it.each(["0-000000000000000000000000", "1-000000000000000000000000", "nothing", "slot%2F1"])(
    "%s is none",
    async (id) => {
      await attested();
      expect(await refusalOf(await harness.admin("GET", `${BASE}/${id}`))).toMatchObject({
        status: 404,
        code: "EXPLANATION_NOT_FOUND",
      });
    },
  );

  it("are refused to everybody else", async () => {
    const { jti } = await attested();
    for (const path of [BASE, `${BASE}/${String(jti)}`]) {
      expect(await refusalOf(await harness.call("GET", path))).toMatchObject({ code: "ADMIN_REFUSED" });
    }
  });

  it.each(["0", "201", "x", "-1"])("a limit of %s is refused", async (limit) => {
    expect(await refusalOf(await harness.admin("GET", `${BASE}?limit=${limit}`))).toMatchObject({
      code: "INVALID_REQUEST",
    });
  });

  it("are found by the session, as long as it lives and evidence of it was accepted", async () => {
    const find = (session: string) => harness.admin("POST", `${BASE}/session`, JSON.stringify({ session }));
    const idIn = (cookie: string) => cookie.replace("kbs-session-id=", "");
    const { cookie, token } = await harness.attested();
    expect(await jsonOf(await find(idIn(cookie)))).toMatchObject({ id: decodeJwt(token).jti });
    for (const session of [idIn((await harness.auth()).cookie), "0".repeat(32)])
      expect(await refusalOf(await find(session))).toMatchObject({ code: "EXPLANATION_NOT_FOUND" });
    expect(await refusalOf(await find("x"))).toMatchObject({ code: "INVALID_REQUEST" });
  });

  it("stay as many and as long as they are told to", async () => {
    await harness.restart({ explanations: { kept: 2, seconds: 60 } });
    const ids = [];
    for (let n = 0; n < 3; n++) ids.push((await attested()).jti);
    const listed = await jsonOf(await harness.admin("GET", BASE));
    expect(listed.explanations).toMatchObject([{ id: ids[2] }, { id: ids[1] }]);
    harness.clock.time = new Date(harness.clock.time.getTime() + 60_000);
    expect((await jsonOf(await harness.admin("GET", BASE))).explanations).toEqual([]);
  });

  it.each([{ kept: 0 }, { kept: 1.5 }, { kept: 100_001 }, { seconds: 0 }, { seconds: Number.NaN }])(
    "are not kept %j",
    async (explanations) => {
      await expect(harness.restart({ explanations })).rejects.toMatchObject({ code: "INVALID_REQUEST" });
      await harness.restart();
    },
  );
});

describe("a decision in the audit log", () => {
  const SECRET = "/kbs/v0/resource/default/hello/secret";
  const last = async (): Promise<number> =>
    (await verifyAuditLog(harness.state.store, harness.state.logKey))?.size ?? 0;
  const told = async (seq: number): Promise<JsonObject> => found(`decisions/${seq}`);

  it("that refuses tells policy, condition, place and value, and brings the attestation's explanation", async () => {
    await harness.setReferenceValues({ ...GOOD_VALUES, launch_digest: "5a".repeat(48) });
    const { cookie, token } = await harness.attested();
    const attestation = await last();
    await harness.call("GET", SECRET, { headers: { cookie } });
    const { jti } = decodeJwt(token);
    expect(await told(attestation)).toMatchObject({
      text: expect.stringMatching(
        /attestation {2}sample\nThe evidence is authentic.*\nIt came to:\n {2}cpu0: warning\n/,
      ),
      explanation: { id: jti },
    });
    const { seq, event, text, explanation } = await told(attestation + 1);
    expect([seq, event]).toMatchObject([attestation + 1, { decision: "deny", attestation: jti }]);
    expect(explanation).toMatchObject({ id: jti, status: "warning" });
    expect(text).toMatch(/resource\.release {2}default\/hello\/secret\nRefused by policy affirming/);
    expect(text).toMatch(/✗ reference:launch_digest: .*\n {6}at adyton\/sample\.rego:\d+\n {6}found: abab/);
    expect(text).toMatch(/cpu0: warning, by policy adyton-default\n {4}.* vouched for by admin \(json\)/);
  });

  it("by a policy in Rego tells its line", async () => {
    const policy =
      'package policy\n\ndefault allow := false\n\nallow if data["resource-path"][0] == "payroll"\n';
    await harness.setReferenceValues(GOOD_VALUES);
    await harness.admin(
      "POST",
      "/kbs/v0/resource-policy",
      JSON.stringify({ policy: toBase64Url(fromUtf8(policy)) }),
    );
    const set = await told(await last());
    expect(set.text).toMatch(/policy\.set\nDone by admin: policy resource\.\n/);
    const { cookie } = await harness.attested();
    await harness.call("GET", SECRET, { headers: { cookie } });
    const { text } = await told(await last());
    expect(text).toMatch(/Refused by policy \S+ \(SHA-384 [0-9a-f]{16}…\)/);
    expect(text).toMatch(
      /✗ data\["resource-path"\]\[0\] == "payroll"\n {6}at resource\.rego:5\n {6}found: .* is .*default/,
    );
  });

  it("that allows, refuses evidence, or is an administrator's, is told as such", async () => {
    await harness.setReferenceValues(GOOD_VALUES);
    await harness.admin("POST", SECRET, "open sesame");
    expect((await told(await last())).text).toMatch(
      /resource\.put {2}default\/hello\/secret\nDone by admin\.\n/,
    );
    const { cookie } = await harness.attested();
    await harness.call("GET", SECRET, { headers: { cookie } });
    expect((await told(await last())).text).toMatch(
      /Allowed by policy .*\nWhat had been attested \(simulated\):/,
    );
    await harness.attest(await harness.auth(), { boundNonce: "AAAA" });
    const refused = await told(await last());
    expect(refused).toMatchObject({ explanation: null });
    expect(refused.text).toMatch(/The evidence was not accepted: REPORT_DATA_MISMATCH\./);
  });

  it.each(["0", "999", "x", "1e3", "-1"])("is not found as %s, and told to nobody else", async (seq) => {
    await attested();
    const answer = await refusalOf(await harness.admin("GET", `${BASE}/decisions/${seq}`));
    expect(["EXPLANATION_NOT_FOUND", "INVALID_REQUEST"]).toContain(answer.code);
    expect(await refusalOf(await harness.call("GET", `${BASE}/decisions/1`))).toMatchObject({
      code: "ADMIN_REFUSED",
    });
  });

  it("of another tenant, or of the house, is not shown to a tenant", async () => {
    await harness.admin("POST", "/v1/tenants", JSON.stringify({ name: "alpha" }));
    await harness.admin("POST", SECRET, "the house's");
    const seq = await last();
    await harness.admin("POST", `/tenants/alpha${SECRET}`, "alpha's");
    const inside = async (n: number): Promise<Response> =>
      harness.admin("GET", `/tenants/alpha${BASE}/decisions/${n}`);
    expect(await refusalOf(await inside(seq))).toMatchObject({ code: "EXPLANATION_NOT_FOUND" });
    expect(await jsonOf(await inside(await last()))).toMatchObject({ event: { tenant: "alpha" } });
  });
});
