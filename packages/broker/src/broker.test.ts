// SPDX-License-Identifier: Apache-2.0
// The flow of the protocol as it should go: challenge, attestation, release, and what the administrator keeps.

import { readdirSync, readFileSync } from "node:fs";
import { fromBase64, fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createHarness,
  GOOD_VALUES,
  type Harness,
  jsonOf,
  newTeePair,
  openedOf,
  PAIR,
  refusalOf,
  secretOf,
} from "../test/harness.ts";
import { verifyAuditLog } from "./audit/verify.ts";
import { readAuditLog } from "./audit.ts";

const SECRET = "/kbs/v0/resource/default/hello/secret";

let harness: Harness;

beforeEach(async () => {
  harness = await createHarness();
  await harness.setReferenceValues(GOOD_VALUES);
  await harness.admin("POST", SECRET, "open sesame");
});

afterEach(() => harness.close());

describe("a challenge", () => {
  it("holds 32 random bytes and opens a session of five minutes", async () => {
    const body = JSON.stringify({ version: "0.4.0", tee: "sample", "extra-params": "" });
    const answers = await Promise.all([1, 2].map(() => harness.call("POST", "/kbs/v0/auth", { body })));
    const bodies = await Promise.all(answers.map(jsonOf));
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    expect(fromBase64(String(bodies[0]?.nonce)).length).toBe(32);
    expect(bodies[0]?.nonce).not.toBe(bodies[1]?.nonce);
    expect(bodies[0]?.["extra-params"]).toBe("");
    expect(answers[0]?.headers.get("set-cookie")).toMatch(
      /^kbs-session-id=[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}; Expires=Sun, 01 Mar 2026 12:05:00 GMT; Path=\/kbs\/v0; HttpOnly; SameSite=Strict$/,
    );
  });
});

describe("an attestation", () => {
  it("gives a signed result that the published key verifies", async () => {
    const { token } = await harness.attested();
    const { keys } = (await jsonOf(await harness.call("GET", "/.well-known/jwks.json"))) as {
      keys: readonly [JsonObject];
    };
    expect(keys[0]).not.toHaveProperty("d");
    const { payload } = await jwtVerify(token, await importJWK({ ...keys[0] }, "ES256"), {
      currentDate: harness.clock.time,
    });
    expect(payload.eat_profile).toBe("tag:github.com,2024:confidential-containers/Trustee");
    expect(decodeProtectedHeader(token).jwk).toMatchObject({ x: keys[0].x, y: keys[0].y });
  });

  it("names status, key and explanation in the result", async () => {
    const { token } = await harness.attested();
    const submods = decodeJwt(token).submods as Record<string, JsonObject>;
    expect(Object.keys(submods)).toEqual(["cpu0"]);
    expect(submods.cpu0).toMatchObject({
      "ear.status": "affirming",
      "ear.veraison.annotated-evidence": { runtime_data_claims: { "tee-pubkey": PAIR.jwk } },
      "adyton.simulated": true,
    });
  });

  it("sent again gives the same result", async () => {
    const challenge = await harness.auth();
    const first = await jsonOf(await harness.attest(challenge));
    const again = await harness.call("POST", "/kbs/v0/attest", { headers: { cookie: challenge.cookie } });
    expect(await jsonOf(again)).toEqual(first);
  });

  it("sent twice at once gives one result", async () => {
    const challenge = await harness.auth();
    const [one, two] = await Promise.all([harness.attest(challenge), harness.attest(challenge)]);
    expect(await jsonOf(one)).toEqual(await jsonOf(two));
  });

  it("of a program that nobody vouched for gives a result that says so", async () => {
    const { token } = await harness.attested({ launchDigest: "cd".repeat(48) });
    const submods = decodeJwt(token).submods as Record<string, JsonObject>;
    expect(submods.cpu0?.["ear.status"]).toBe("warning");
  });

  it("binds init-data when the evidence does", async () => {
    const document = 'version = "0.1.0"\nalgorithm = "sha384"\n\n[data]\n"aa.toml" = ""\n';
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", fromUtf8(document)));
    const field = toHex(digest).padEnd(128, "0");
    await harness.setReferenceValues({ init_data: [field] });
    const initData = { format: "toml", body: document };
    const { token } = await harness.attested({ initData, initDataField: digest });
    const submods = decodeJwt(token).submods as Record<string, JsonObject>;
    expect(submods.cpu0).toMatchObject({ "ear.veraison.annotated-evidence": { init_data: field } });
    const challenge = await harness.auth();
    const other = { format: "toml", body: `${document}# changed\n` };
    const answer = await harness.attest(challenge, { initData: other, initDataField: digest });
    expect(await refusalOf(answer)).toMatchObject({ status: 401, code: "INIT_DATA_MISMATCH" });
  });
});

describe("a release", () => {
  it("goes to the session's cookie", async () => {
    const { cookie } = await harness.attested();
    expect(await secretOf(await harness.call("GET", SECRET, { headers: { cookie } }))).toBe("open sesame");
  });

  it("goes to the token", async () => {
    const { token } = await harness.attested();
    const headers = { authorization: `Bearer ${token}` };
    const answer = await harness.call("GET", SECRET, { headers });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await secretOf(answer)).toBe("open sesame");
  });

  it("leaves the repository out when it is the default", async () => {
    const { cookie } = await harness.attested();
    const answer = await harness.call("GET", "/kbs/v0/resource/hello/secret", { headers: { cookie } });
    expect(await secretOf(answer)).toBe("open sesame");
  });

  it.each(["P-384", "P-521"])("is encrypted to a key on %s", async (curve) => {
    const pair = newTeePair(curve);
    const { cookie } = await harness.attested({ pair });
    const answer = await harness.call("GET", SECRET, { headers: { cookie } });
    expect(await secretOf(answer, pair.privateKey)).toBe("open sesame");
  });

  it("is encrypted to the attested key and to no other", async () => {
    const { cookie } = await harness.attested({ pair: newTeePair() });
    const answer = await harness.call("GET", SECRET, { headers: { cookie } });
    await expect(secretOf(answer)).rejects.toThrow();
  });

  it("is refused with the rule that failed and the next step", async () => {
    const { cookie } = await harness.attested({ launchDigest: "cd".repeat(48) });
    const refusal = await refusalOf(await harness.call("GET", SECRET, { headers: { cookie } }));
    expect(refusal).toMatchObject({ status: 401, type: "PolicyDeny", code: "POLICY_REFUSED" });
    expect(refusal.detail).toContain("The status of cpu0 is warning, expected affirming.");
    expect(refusal.detail).toContain("launch_digest");
    expect(refusal.detail).toContain(" Next: ");
    expect(refusal.detail).not.toContain("open sesame");
  });

  it("is refused to the software TEE outside development mode", async () => {
    await harness.restart({ allowSimulated: false });
    const { cookie } = await harness.attested();
    const refusal = await refusalOf(await harness.call("GET", SECRET, { headers: { cookie } }));
    expect(refusal).toMatchObject({ status: 401, type: "PolicyDeny" });
    expect(refusal.detail).toContain("simulated");
  });

  it("asks the resource policy that was given", async () => {
    const asked: unknown[] = [];
    await harness.restart({
      resourcePolicy: {
        id: "test",
        allow: ({ plugin, path, query }) => {
          asked.push({ plugin, path, query });
          return { allow: false, findings: [{ rule: "never", ok: false, message: "Never.", next: "Wait." }] };
        },
      },
    });
    const { cookie } = await harness.attested();
    const refusal = await refusalOf(await harness.call("GET", SECRET, { headers: { cookie } }));
    expect(refusal.detail).toBe("Cannot release default/hello/secret: refused by policy. Never. Next: Wait.");
    expect(asked).toEqual([{ plugin: "resource", path: ["default", "hello", "secret"], query: {} }]);
  });

  it.each([new TypeError("policy stack trace"), "stack"])(
    "does not happen when the policy throws %s",
    async (thrown) => {
      await harness.restart({
        resourcePolicy: {
          id: "broken",
          allow: () => {
            throw thrown;
          },
        },
      });
      const { cookie } = await harness.attested();
      const refusal = await refusalOf(await harness.call("GET", SECRET, { headers: { cookie } }));
      expect(refusal).toMatchObject({ status: 500, type: "Internal" });
      expect(refusal.detail).not.toContain("stack");
    },
  );

  it("works for a hundred clients at once", async () => {
    const secrets = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const pair = newTeePair();
        const { cookie } = await harness.attested({ pair });
        return secretOf(await harness.call("GET", SECRET, { headers: { cookie } }), pair.privateKey);
      }),
    );
    expect(new Set(secrets)).toEqual(new Set(["open sesame"]));
    expect((await verifyAuditLog(harness.state.store, harness.state.logKey))?.size).toBe(202);
  });
});

describe("the administrator", () => {
  it("lists, replaces and deletes resources", async () => {
    await harness.admin("POST", "/kbs/v0/resource/team/keys/a", "1");
    expect(await (await harness.admin("GET", "/kbs/v0/resources")).json()).toEqual([
      "default/hello/secret",
      "team/keys/a",
    ]);
    await harness.admin("POST", SECRET, "changed");
    const { cookie } = await harness.attested();
    expect(await secretOf(await harness.call("GET", SECRET, { headers: { cookie } }))).toBe("changed");
    expect((await harness.admin("DELETE", SECRET)).status).toBe(200);
    expect(await refusalOf(await harness.call("GET", SECRET, { headers: { cookie } }))).toMatchObject({
      status: 401,
      type: "PluginInternalError",
      code: "RESOURCE_NOT_FOUND",
    });
    expect(await refusalOf(await harness.admin("DELETE", SECRET))).toMatchObject({
      code: "RESOURCE_NOT_FOUND",
    });
  });

  it("stores any bytes", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await harness.admin("POST", SECRET, bytes);
    const { cookie } = await harness.attested();
    const answer = await harness.call("GET", SECRET, { headers: { cookie } });
    expect(new Uint8Array(await openedOf(answer))).toEqual(bytes);
  });

  it("registers, shows and withdraws reference values", async () => {
    await harness.setReferenceValues({ launch_digest: "aa", svn: ["2", "3"] });
    const all = await jsonOf(await harness.admin("GET", "/kbs/v0/reference-value"));
    expect(all).toMatchObject({ launch_digest: ["aa"], svn: ["2", "3"], major_version: [1] });
    const one = await harness.admin("GET", "/kbs/v0/reference-value/svn");
    expect(await one.json()).toEqual(["2", "3"]);
    expect((await harness.admin("DELETE", "/kbs/v0/reference-value/svn")).status).toBe(200);
    for (const method of ["GET", "DELETE"]) {
      const refusal = await refusalOf(await harness.admin(method, "/kbs/v0/reference-value/svn"));
      expect(refusal).toMatchObject({ status: 401, type: "RvpsError", code: "REFERENCE_VALUE_NOT_FOUND" });
    }
  });

  it("has reference values that hold for twelve months", async () => {
    harness.clock.time = new Date("2027-03-01T12:00:01Z");
    expect(await jsonOf(await harness.admin("GET", "/kbs/v0/reference-value"))).toEqual({});
  });

  it("finds everything again after a restart, and old tokens still hold", async () => {
    const { token, cookie } = await harness.attested();
    await harness.restart();
    const headers = { authorization: `Bearer ${token}` };
    expect(await secretOf(await harness.call("GET", SECRET, { headers }))).toBe("open sesame");
    const old = await harness.call("GET", SECRET, { headers: { cookie } });
    expect(await refusalOf(old)).toMatchObject({ status: 401, type: "TokenNotFound" });
  });
});

describe("the record", () => {
  it("holds every decision and its reason, and no secret", async () => {
    const good = await harness.attested();
    await harness.call("GET", SECRET, { headers: { cookie: good.cookie } });
    const bad = await harness.attested({ launchDigest: "cd".repeat(48) });
    await harness.call("GET", SECRET, { headers: { cookie: bad.cookie } });
    await harness.call("GET", "/kbs/v0/resource/a/b/c", { headers: { cookie: good.cookie } });
    const events = (await readAuditLog(harness.state.store)).map(({ event }) => event);
    expect(events.map(({ type, decision = null }) => [type, decision])).toEqual([
      ["reference-value.register", null],
      ["resource.put", null],
      ["attestation", null],
      ["resource.release", "allow"],
      ["attestation", null],
      ["resource.release", "deny"],
      ["resource.release", "deny"],
    ]);
    expect(events[5]).toMatchObject({
      resource: "default/hello/secret",
      policy: "affirming-or-simulated",
      reason: ["status", expect.stringContaining("launch_digest")],
    });
    expect(events[6]).toMatchObject({ resource: "a/b/c", reason: "no such resource" });
    expect(await verifyAuditLog(harness.state.store, harness.state.logKey)).toMatchObject({ size: 7 });
    const all = JSON.stringify([events, harness.logged]);
    for (const secret of [
      "open sesame",
      good.token,
      good.cookie.split("=")[1] ?? "",
      harness.state.adminToken,
    ])
      expect(all).not.toContain(secret);
  });

  it("keeps no plaintext on disk", async () => {
    await harness.broker.close();
    const state = `${harness.folder}/state`;
    const bytes = readdirSync(state).map((name) => readFileSync(`${state}/${name}`));
    expect(bytes.some((file) => file.includes("open sesame"))).toBe(false);
    expect(bytes.some((file) => file.includes("hello/secret"))).toBe(true);
  });
});

it("shows that it is alive without counting it", async () => {
  await harness.restart({ rateLimit: { perSecond: 1, burst: 1 } });
  const answers = await Promise.all([1, 2, 3].map(() => harness.call("GET", "/healthz")));
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
  expect(toUtf8(new Uint8Array((await answers[0]?.arrayBuffer()) ?? []))).toBe("ok");
});
