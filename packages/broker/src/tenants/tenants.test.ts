// SPDX-License-Identifier: Apache-2.0
// Tenants: what one keeps, sets and signs is nothing to another.

import { createHash, randomBytes } from "node:crypto";
import { toBase64Url } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { isJsonObject } from "@adyton/core/json";
import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  attestBody,
  authBody,
  type CallOptions,
  createHarness,
  GOOD_VALUES,
  type Harness,
  jsonOf,
  referenceMessage,
  refusalOf,
  secretOf,
} from "../../test/harness.ts";
import type { ResourceBackend } from "../backends/types.ts";

const RESOURCE = "/kbs/v0/resource/default/hello/secret";
const A = "/tenants/alpha";
const B = "/tenants/beta";

let harness: Harness;

beforeEach(async () => {
  harness = await createHarness();
  for (const name of ["alpha", "beta"]) {
    const answer = await harness.admin("POST", "/v1/tenants", JSON.stringify({ name }));
    expect(answer.status).toBe(201);
  }
});
afterEach(() => harness.close());

interface Attested {
  readonly cookie: string;
  readonly token: string;
}

async function attested(base: string): Promise<Attested> {
  const opened = await harness.call("POST", `${base}/kbs/v0/auth`, { body: JSON.stringify(authBody()) });
  const cookie = opened.headers.get("set-cookie") ?? "";
  expect(cookie).toContain(`; Path=${base}/kbs/v0;`);
  const challenge = { nonce: String((await jsonOf(opened)).nonce), cookie: cookie.split(";")[0] ?? "" };
  const body = JSON.stringify(await attestBody(challenge, harness.machine, {}));
  const answer = await harness.call("POST", `${base}/kbs/v0/attest`, {
    body,
    headers: { cookie: challenge.cookie },
  });
  return { cookie: challenge.cookie, token: String((await jsonOf(answer)).token) };
}

async function fill(base: string, secret: string): Promise<void> {
  expect((await harness.admin("POST", `${base}${RESOURCE}`, secret)).status).toBe(200);
  const message = referenceMessage(GOOD_VALUES);
  expect((await harness.admin("POST", `${base}/kbs/v0/reference-value`, message)).status).toBe(200);
}

async function addAdmin(base: string, more: JsonObject): Promise<string> {
  const token = `adyton~op~${toBase64Url(randomBytes(32))}`;
  const sha256 = createHash("sha256").update(token).digest("hex");
  const body = JSON.stringify({ name: "op", credential: { kind: "token", sha256 }, ...more });
  expect((await harness.admin("POST", `${base}/v1/admins`, body)).status).toBe(201);
  return token;
}

const codeFrom = async (answer: Response): Promise<string> =>
  answer.status < 300 ? "ok" : (await refusalOf(answer)).code;
const as = (token: string, method: string, path: string, more: CallOptions = {}): Promise<Response> =>
  harness.call(method, path, { ...more, headers: { authorization: `Bearer ${token}` } });

describe("a tenant", () => {
  it("releases its own secrets to whom it attested, by cookie and by token", async () => {
    await fill("", "the house's");
    await fill(A, "alpha's");
    await fill(B, "beta's");
    for (const [base, secret] of [
      ["", "the house's"],
      [A, "alpha's"],
      [B, "beta's"],
    ] as const) {
      const { cookie, token } = await attested(base);
      expect(await secretOf(await harness.call("GET", base + RESOURCE, { headers: { cookie } }))).toBe(
        secret,
      );
      expect(await secretOf(await as(token, "GET", base + RESOURCE))).toBe(secret);
    }
  });

  it("takes no token and no session of another", async () => {
    for (const base of ["", A, B]) await fill(base, base);
    for (const [from, to] of [
      [A, B],
      [A, ""],
      ["", A],
    ] as const) {
      const { cookie, token } = await attested(from);
      expect(await codeFrom(await as(token, "GET", to + RESOURCE))).toBe("TOKEN_REFUSED");
      const answer = await harness.call("GET", to + RESOURCE, { headers: { cookie } });
      expect(await codeFrom(answer)).toBe("TOKEN_MISSING");
    }
  });

  it("signs with a key of its own, which it publishes", async () => {
    const keys = await Promise.all(
      ["", A, B].map(async (base) => {
        const { keys: list } = await jsonOf(await harness.call("GET", `${base}/.well-known/jwks.json`));
        const [first] = list as readonly JsonObject[];
        expect(first).not.toHaveProperty("d");
        return first?.x;
      }),
    );
    expect(new Set(keys).size).toBe(3);
  });

  it("judges by its own reference values and policies", async () => {
    await fill(A, "alpha's");
    const statusAt = async (base: string): Promise<unknown> => {
      const { submods } = decodeJwt((await attested(base)).token);
      return (isJsonObject(submods) && isJsonObject(submods.cpu0) ? submods.cpu0 : {})["ear.status"];
    };
    expect([await statusAt(A), await statusAt(B)]).toEqual(["affirming", "contraindicated"]);
    const policy = toBase64Url(new TextEncoder().encode("package policy\n\nallow if false\n"));
    await harness.admin("POST", `${A}/kbs/v0/resource-policy`, JSON.stringify({ policy }));
    expect(await codeFrom(await as((await attested(A)).token, "GET", A + RESOURCE))).toBe("POLICY_REFUSED");
    expect(await codeFrom(await harness.admin("GET", `${B}/kbs/v0/resource-policy`))).toBe(
      "POLICY_NOT_FOUND",
    );
    expect(await codeFrom(await harness.admin("GET", "/kbs/v0/resource-policy"))).toBe("POLICY_NOT_FOUND");
  });

  it("has administrators who are nobody elsewhere", async () => {
    const own = await addAdmin(A, { roles: ["owner"] });
    const house = await addAdmin("", { roles: ["owner"] });
    const limited = await addAdmin(B, { roles: ["owner"] });
    for (const [token, expected] of [
      [own, ["ok", "ADMIN_REFUSED", "ADMIN_REFUSED"]],
      [house, ["ok", "ok", "ok"]],
      [limited, ["ADMIN_REFUSED", "ok", "ADMIN_REFUSED"]],
    ] as const) {
      const found = [];
      for (const base of [A, B, ""]) found.push(await codeFrom(await as(token, "GET", `${base}/v1/admins`)));
      expect(found).toEqual(expected);
    }
    // A tenant's owner makes no tenants, not even by its own address.
    expect(await codeFrom(await as(own, "GET", `${A}/v1/tenants`))).toBe("INVALID_PATH");
    expect(await codeFrom(await as(own, "GET", `${A}/v1/root-key`))).not.toBe("ok");
  });

  it("may be one of those that a house's administrator is one of", async () => {
    const token = await addAdmin("", { roles: ["auditor"], tenants: ["beta"] });
    const found = [];
    for (const base of [A, B, ""]) found.push(await codeFrom(await as(token, "GET", `${base}/v1/admins`)));
    expect(found).toEqual(["ADMIN_REFUSED", "ok", "ADMIN_REFUSED"]);
  });

  it("keeps its back end while its room comes and goes, until the broker closes", async () => {
    const calls: string[] = [];
    const none = async (): Promise<never> => {
      throw new Error("nobody asks");
    };
    const tenantBackend = (tenant: string): ResourceBackend => {
      calls.push(`open ${tenant}`);
      const list = async () => [tenant];
      const close = async () => void calls.push(`close ${tenant}`);
      return {
        kind: "own",
        transactional: false,
        get: none,
        put: none,
        delete: none,
        versions: none,
        list,
        close,
      };
    };
    await harness.restart({ tenantBackend });
    for (const maxResources of [1, 2]) {
      expect(await (await harness.admin("GET", `${A}/kbs/v0/resources`)).json()).toEqual(["alpha"]);
      const body = JSON.stringify({ quota: { maxResources } });
      expect((await harness.admin("PUT", "/v1/tenants/alpha", body)).status).toBe(200);
    }
    expect(calls).toEqual(["open alpha"]);
    await harness.restart();
    expect(calls).toEqual(["open alpha", "close alpha"]);
  });

  it("is nobody's to give away who is an administrator elsewhere", async () => {
    const token = await addAdmin("", { roles: ["owner"], tenants: ["default", "alpha"] });
    const credential = { kind: "token", sha256: "ab".repeat(32) };
    const found = [];
    for (const [n, tenants] of [undefined, ["beta"], ["default", "beta"], ["alpha"]].entries()) {
      const body = JSON.stringify({ name: `new${n}`, credential, roles: ["auditor"], tenants });
      found.push(await codeFrom(await as(token, "POST", "/v1/admins", { body })));
    }
    expect(found).toEqual(["ADMIN_FORBIDDEN", "ADMIN_FORBIDDEN", "ADMIN_FORBIDDEN", "ok"]);
    const own = JSON.stringify({ name: "own", credential, roles: ["owner"] });
    expect(await codeFrom(await as(token, "POST", `${A}/v1/admins`, { body: own }))).toBe("ok");
  });

  it("whose rows were moved from another opens nothing", async () => {
    await fill(A, "alpha's");
    await fill(B, "beta's");
    const { store } = harness.state;
    const key = "default/hello/secret";
    const value = (await store.get("alpha/resource", key)) ?? new Uint8Array();
    await store.write([{ kind: "put", space: "beta/resource", key, value }]);
    expect(await codeFrom(await as((await attested(B)).token, "GET", B + RESOURCE))).toBe("SECRET_CORRUPT");
  });

  it("stands in the log with its name", async () => {
    await fill(A, "alpha's");
    await as((await attested(A)).token, "GET", A + RESOURCE);
    const events = (await harness.state.store.log(0, 100)).map(({ leaf }) => JSON.parse(leaf).event);
    expect(events.filter(({ tenant }) => tenant === "alpha").map(({ type }) => type)).toEqual([
      "tenant.create",
      "resource.put",
      "reference-value.register",
      "attestation",
      "resource.release",
    ]);
  });
});

describe("nothing of one tenant shows in another", () => {
  const CANARY = "canary-4711";
  const reads = [
    "/kbs/v0/resources",
    "/v1/resources",
    "/kbs/v0/reference-value",
    "/kbs/v0/reference-value/launch_digest",
    "/kbs/v0/policies",
    "/kbs/v0/resource-policy",
    "/kbs/v0/attestation-policy/default",
    "/v1/admins",
    "/v1/proposals",
    "/v1/roles",
    "/v1/whoami",
    "/v1/audit/entries",
    "/v1/explanations",
    "/v1/reference-values",
    `/kbs/v0/resource/${CANARY}/a/b`,
    `/v1/resources/${CANARY}/a/b`,
  ];

  it.each([
    ["the house", ""],
    ["a neighbour", B],
  ])("not in %s, to its owner on any path", async (_who, base) => {
    await harness.admin("POST", `${A}/kbs/v0/resource/${CANARY}/a/b`, CANARY);
    await harness.admin(
      "POST",
      `${A}/kbs/v0/reference-value`,
      referenceMessage({ [CANARY.replace("-", "_")]: CANARY }),
    );
    const policy = toBase64Url(
      new TextEncoder().encode(`package policy\n\nallow if input.x == "${CANARY}"\n`),
    );
    await harness.admin("POST", `${A}/kbs/v0/resource-policy`, JSON.stringify({ policy }));
    const grants = [{ actions: ["resource.put"], targets: [CANARY] }];
    await addAdmin(A, { grants });
    for (const path of reads) {
      if (base === "" && path.startsWith("/v1/audit")) continue;
      const headers = { authorization: `Bearer ${harness.state.adminToken}` };
      const answer = await harness.call("GET", base + path, { headers });
      const text = await answer.text();
      // Errors repeat the path that was asked for.
      if (!path.includes(CANARY)) {
        expect(text).not.toContain(CANARY);
        expect(text).not.toContain(toBase64Url(new TextEncoder().encode(CANARY)).slice(0, 12));
      } else expect(answer.status).toBeGreaterThanOrEqual(400);
    }
  });
});

describe("a quota", () => {
  const put = (i: number, body: string) =>
    harness.admin("POST", `${A}/kbs/v0/resource/default/many/${i}`, body);
  const limit = async (quota: JsonObject): Promise<void> => {
    const answer = await harness.admin("PUT", "/v1/tenants/alpha", JSON.stringify({ quota }));
    expect(answer.status).toBe(200);
  };

  it("of secrets counts them, lets some be deleted, and however many write at once", async () => {
    await limit({ maxResources: 3 });
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => put(i, "x")));
    const codes = await Promise.all(answers.map(codeFrom));
    expect(codes.filter((code) => code === "ok")).toHaveLength(3);
    expect(codes.filter((code) => code === "QUOTA_EXCEEDED")).toHaveLength(5);
    const shown = await jsonOf(await harness.admin("GET", "/v1/tenants/alpha"));
    expect(shown.usage).toMatchObject({ resources: 3 });
    expect(await harness.state.store.keys("alpha/resource")).toHaveLength(3);
    expect((await harness.admin("POST", "/kbs/v0/resource/default/many/9", "x")).status).toBe(200);
  });

  it("of bytes counts what is stored", async () => {
    await limit({ maxBytes: 2_000 });
    expect(await codeFrom(await put(1, "x".repeat(1_000)))).toBe("ok");
    expect(await codeFrom(await put(2, "x".repeat(1_000)))).toBe("QUOTA_EXCEEDED");
    expect(await codeFrom(await put(3, "x".repeat(100)))).toBe("ok");
  });

  it("of sessions and of requests is the tenant's alone", async () => {
    await limit({ maxSessions: 1, requestsPerSecond: 3 });
    const auth = (base: string) =>
      harness.call("POST", `${base}/kbs/v0/auth`, { body: JSON.stringify(authBody()) });
    const codes = [];
    for (let i = 0; i < 4; i++) codes.push(await codeFrom(await auth(A)));
    expect(codes).toEqual(["ok", "SESSIONS_FULL", "SESSIONS_FULL", "RATE_LIMITED"]);
    expect(await codeFrom(await auth(B))).toBe("ok");
    harness.clock.time = new Date(harness.clock.time.getTime() + 1_000);
    expect(await codeFrom(await auth(A))).toBe("SESSIONS_FULL");
  });
});

describe("the life of a tenant", () => {
  it("can be interrupted", async () => {
    await fill(A, "alpha's");
    const { token } = await attested(A);
    await harness.admin("PUT", "/v1/tenants/alpha", JSON.stringify({ state: "disabled" }));
    expect(await codeFrom(await as(token, "GET", A + RESOURCE))).toBe("TENANT_UNKNOWN");
    await harness.admin("PUT", "/v1/tenants/alpha", JSON.stringify({ state: "active" }));
    expect(await secretOf(await as(token, "GET", A + RESOURCE))).toBe("alpha's");
  });

  it("ends with everything it kept, and its name is not given again", async () => {
    await fill(A, "alpha's");
    await fill(B, "beta's");
    const { token } = await attested(A);
    expect((await harness.admin("DELETE", "/v1/tenants/alpha")).status).toBe(204);
    expect(await codeFrom(await as(token, "GET", A + RESOURCE))).toBe("TENANT_UNKNOWN");
    const spaces = await harness.state.store.spaces();
    expect(spaces.filter((space) => space.startsWith("alpha/"))).toEqual([]);
    const again = await harness.admin("POST", "/v1/tenants", JSON.stringify({ name: "alpha" }));
    expect(await codeFrom(again)).toBe("TENANT_EXISTS");
    const change = await harness.admin("PUT", "/v1/tenants/alpha", JSON.stringify({ state: "active" }));
    expect(await codeFrom(change)).toBe("TENANT_UNKNOWN");
    expect(await secretOf(await as((await attested(B)).token, "GET", B + RESOURCE))).toBe("beta's");
    const listed = (await (await harness.admin("GET", "/v1/tenants")).json()) as readonly JsonObject[];
    expect(listed.map(({ name, state }) => [name, state])).toEqual([
      ["alpha", "deleted"],
      ["beta", "active"],
    ]);
    expect(JSON.stringify(listed)).not.toContain('"d"');
  });

  it("is there after a restart", async () => {
    await fill(A, "alpha's");
    const { token } = await attested(A);
    await harness.restart();
    expect(await secretOf(await as(token, "GET", A + RESOURCE))).toBe("alpha's");
  });

  it.each(["", "Alpha", "a/b", "default", "-a", "a".repeat(41), "a.b", "ä"])(
    "does not begin under the name %j",
    async (name) => {
      const answer = await harness.admin("POST", "/v1/tenants", JSON.stringify({ name }));
      expect(await codeFrom(answer)).toBe("INVALID_REQUEST");
    },
  );

  it.each(["/tenants/gamma/kbs/v0/auth", "/tenants/Alpha/kbs/v0/auth", "/tenants/%61lpha/kbs/v0/auth"])(
    "is none at %s",
    async (path) => {
      const answer = await harness.call("POST", path, { body: JSON.stringify(authBody()) });
      expect(await codeFrom(answer)).toBe("TENANT_UNKNOWN");
    },
  );

  it.each([
    ["POST", "/v1/tenants", { name: "x", more: 1 }],
    ["POST", "/v1/tenants", { name: "x", quota: { maxBytes: -1 } }],
    ["PUT", "/v1/tenants/alpha", { state: "deleted" }],
    ["PUT", "/v1/tenants/alpha", { quota: { what: 1 } }],
  ])("%s %s with %j is refused", async (method, path, body) => {
    expect(await codeFrom(await harness.admin(method, path, JSON.stringify(body)))).toBe("INVALID_REQUEST");
  });
});
