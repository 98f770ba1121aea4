// SPDX-License-Identifier: Apache-2.0
// Every route that reads a body, with bodies that cannot be: each is refused with a code, nothing is kept of it, and
// nothing of it stands in a log. A route that is not in the table fails the test.

import { fromUtf8, toBase64, toBase64Url } from "@adyton/core/bytes";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  attestBody,
  authBody,
  createHarness,
  GOOD_VALUES,
  type Harness,
  referenceMessage,
} from "../../test/harness.ts";
import { readAuditLog } from "../audit.ts";
import { provisionerPlugin, transitPlugin, wrapPlugin } from "../plugins/index.ts";
import { type Addressed, Rooms } from "../tenants/rooms.ts";

const CANARY = "c4nary-of-a-secret";
const PLUGINS = [transitPlugin({ vaultPaths: true }), wrapPlugin(), provisionerPlugin()];
const POLICY = toBase64Url(fromUtf8("package policy\n\ndefault allow := false\n"));
const SHA256 = "ab".repeat(32);
const ID = "0123456789abcdef0123456789abcdef";

interface Row {
  /** As the router knows it. */
  readonly route: string;
  readonly path: string;
  /** A body that this route takes: each of its members is put wrong. */
  readonly body: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  /** Members that may be any number. */
  readonly numbers?: readonly string[];
  /** Members that nobody foresaw are passed over, as Vault and Trustee do. */
  readonly open?: true;
  /** No body is a request, too. */
  readonly optional?: true;
}

const ROWS: readonly Row[] = [
  { route: "POST /kbs/v0/auth", path: "/kbs/v0/auth", body: authBody() },
  { route: "POST /kbs/v0/attest", path: "/kbs/v0/attest", body: {} },
  {
    route: "POST /attestation",
    path: "/attestation",
    body: {
      verification_requests: [
        { tee: "sample", evidence: toBase64Url(fromUtf8("{}")), runtime_data: { raw: "" } },
      ],
      policy_ids: ["default"],
    },
  },
  { route: "POST /v1/explanations/session", path: "/v1/explanations/session", body: { session: ID } },
  { route: "POST /challenge", path: "/challenge", body: { tee: "tdx", tee_params: "" } },
  { route: "POST /policy", path: "/policy", body: { policy_id: "default", type: "rego", policy: POLICY } },
  {
    route: "POST /v1/token-keys/rotate",
    path: "/v1/token-keys/rotate",
    body: { algorithm: "ES256" },
    optional: true,
  },
  {
    route: "POST /kbs/v0/reference-value",
    path: "/kbs/v0/reference-value",
    body: JSON.parse(referenceMessage({ svn: 1 })),
  },
  { route: "POST /kbs/v0/resource-policy", path: "/kbs/v0/resource-policy", body: { policy: POLICY } },
  {
    route: "POST /kbs/v0/attestation-policy",
    path: "/kbs/v0/attestation-policy",
    body: { policy_id: "default", type: "rego", policy: POLICY },
  },
  {
    route: "PUT /v1/resource-policies/*",
    path: "/v1/resource-policies/a/**",
    body: { policy: "package policy\n\ndefault allow := false\n" },
  },
  {
    route: "POST /v1/policies/:name/activate",
    path: "/v1/policies/resource/activate",
    body: { version: 1 },
  },
  {
    route: "POST /v1/references",
    path: "/v1/references",
    body: { type: "sample", payload: toBase64(fromUtf8('{"svn":1}')), group: "g", replace: true },
  },
  {
    route: "POST /v1/references/revoke",
    path: "/v1/references/revoke",
    body: { id: "svn", value: "1", reason: "r" },
    numbers: ["value"],
  },
  {
    route: "POST /v1/references/unrevoke",
    path: "/v1/references/unrevoke",
    body: { id: "svn", value: "1" },
    numbers: ["value"],
  },
  {
    route: "POST /v1/references/expire",
    path: "/v1/references/expire",
    body: { id: "svn", value: "1", expires: "2026-04-01T00:00:00Z" },
    numbers: ["value"],
  },
  { route: "POST /v1/reference-groups/*", path: "/v1/reference-groups/g", body: { enabled: true } },
  {
    route: "POST /v1/admins",
    path: "/v1/admins",
    body: {
      name: "ci",
      credential: { kind: "token", sha256: SHA256 },
      roles: ["auditor"],
      grants: [{ actions: ["resource.put"], targets: ["a/**"] }],
      tenants: ["alpha"],
      expires: "2026-04-01T00:00:00Z",
    },
  },
  {
    route: "POST /v1/proposals/:id/approve",
    path: `/v1/proposals/${ID}/approve`,
    body: { digest: SHA256 },
  },
  { route: "POST /v1/tenants", path: "/v1/tenants", body: { name: "beta", quota: { maxResources: 1 } } },
  { route: "PUT /v1/tenants/:name", path: "/v1/tenants/alpha", body: { state: "active", quota: {} } },
  { route: "POST /v1/audit/witnesses", path: "/v1/audit/witnesses", body: {} },
  { route: "POST /v1/audit/witness", path: "/v1/audit/witness", body: {} },
  {
    route: "POST /management/v1/policy/:scheme",
    path: "/management/v1/policy/ARM_CCA",
    body: {},
    headers: { "content-type": "application/vnd.veraison.policy.opa" },
  },
  {
    route: "POST /challenge-response/v1/session/:id",
    path: "/challenge-response/v1/session/",
    body: {},
    headers: { "content-type": "application/vnd.adyton.evidence.sample+json" },
  },
  {
    route: "* /kbs/v0/transit/*",
    path: "/kbs/v0/transit/encrypt/disk",
    body: { plaintext: toBase64(fromUtf8("x")), associated_data: "eA==" },
    open: true,
  },
  {
    route: "* /v1/transit/*",
    path: "/v1/transit/rewrap/disk",
    body: { ciphertext: "vault:v1:AAAA" },
    open: true,
  },
  {
    route: "* /kbs/v0/provisioner/*",
    path: "/kbs/v0/provisioner/provision",
    body: { vm_name: "vm", namespace: "n" },
    open: true,
  },
];
/** What these get is a secret of any bytes, or nothing that they look at. */
const ANY_BODY: readonly string[] = [
  "POST /kbs/v0/resource/*",
  "POST /v1/resources/*",
  "POST /v1/root-key/retire",
  "POST /v1/root-key/rotate",
  "POST /v1/proposals/:id/reject",
  "POST /management/v1/policy/:scheme/:uuid/activate",
  "POST /management/v1/policies/:scheme/deactivate",
  "POST /challenge-response/v1/newSession",
  "* /kbs/v0/wrap/*",
];

let harness: Harness;
let attest: JsonObject;
let cookie: string;
let veraison: string;

beforeAll(async () => {
  harness = await createHarness({ plugins: PLUGINS, rateLimit: false });
  await harness.setReferenceValues(GOOD_VALUES);
  await harness.admin("POST", "/v1/tenants", JSON.stringify({ name: "alpha" }));
  await harness.admin("POST", "/kbs/v0/transit/keys/disk", "{}");
  const challenge = await harness.auth();
  ({ cookie } = challenge);
  attest = (await attestBody(challenge, harness.machine, {})) as JsonObject;
  const opened = await harness.call("POST", "/challenge-response/v1/newSession");
  veraison = String(opened.headers.get("location")).replace(/^session\//, "");
});

afterAll(() => harness.close());

/** Texts and bytes that are no body of any of these routes. */
function garbage(): readonly (readonly [what: string, body: string | Uint8Array])[] {
  const deep = "[".repeat(5_000) + "]".repeat(5_000);
  return [
    ["nothing", ""],
    ["white space", "  \n"],
    ["a text", CANARY],
    ["a text in JSON", JSON.stringify(CANARY)],
    ["half of an object", `{"${CANARY}":"${CANARY}`],
    ["a list", JSON.stringify([CANARY])],
    ["null", "null"],
    ["a number", "1e999"],
    ["an unknown member", JSON.stringify({ unforeseen: CANARY })],
    ["a member twice", `{"policy":"${CANARY}","policy":"${CANARY}"}`],
    ["a prototype", `{"__proto__":{"id":"${CANARY}"},"constructor":"${CANARY}"}`],
    ["deep nesting", `{"policy":${deep}}`],
    ["no UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d)],
    ["zero bytes", new Uint8Array(64)],
    ["a byte order mark", `\uFEFF{"policy":"${CANARY}"}`],
  ];
}

/** The body with each of its members, also those of objects within, put wrong. */
function* wrong(
  row: Row,
  body: JsonObject,
  path: string = "",
): Generator<readonly [what: string, body: JsonObject]> {
  const bad: readonly JsonValue[] = [{ unforeseen: CANARY }, [[CANARY]], 1.5e300];
  for (const [name, value] of Object.entries(body)) {
    const at = `${path}${name}`;
    for (const other of bad) {
      if (typeof other === "number" && row.numbers?.includes(at)) continue;
      const kind = Array.isArray(other) ? "a list" : typeof other === "object" ? "an object" : "a number";
      yield [`${kind} as ${at}`, { ...body, [name]: other }];
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      for (const [what, inner] of wrong(row, value as JsonObject, `${at}.`))
        yield [what, { ...body, [name]: inner }];
  }
  if (row.open !== true)
    yield [`an unknown member${path && ` of ${path.slice(0, -1)}`}`, { ...body, unforeseen: CANARY }];
}

/** Everything that is kept for good, but for the log; and how many values expire. */
async function kept(): Promise<readonly string[]> {
  const { store } = harness.state;
  const found = [String(await store.ephemeral.count("session", harness.clock.now()))];
  for (const space of await store.spaces())
    for (const [key, value] of await store.entries(space)) found.push(`${space}/${key}=${toBase64(value)}`);
  return found;
}

describe("the table", () => {
  it("holds every route that reads a body", async () => {
    const find = vi.spyOn(Rooms.prototype, "find");
    await harness.call("GET", "/healthz");
    const addressed = await find.mock.results[0]?.value;
    find.mockRestore();
    const { app } = addressed as Addressed;
    const routes = app.routes
      .filter(({ method, path }) => ["POST", "PUT"].includes(method) && path !== "/*")
      .map(({ method, path }) =>
        PLUGINS.some(({ name }) => path.endsWith(`/${name}/*`)) ? `* ${path}` : `${method} ${path}`,
      );
    const known = [...ROWS.map(({ route }) => route), ...ANY_BODY];
    expect([...new Set(routes)].toSorted()).toEqual(known.toSorted());
  });
});

describe("bodies", () => {
  it.each(ROWS)("that cannot be, each refused with a code and nothing kept: $route", async (row) => {
    const method = row.route.startsWith("PUT") ? "PUT" : "POST";
    const admin = { authorization: `Bearer ${harness.state.adminToken}` };
    const headers = { ...(row.path.endsWith("/attest") ? { cookie } : admin), ...row.headers };
    const path = row.path.endsWith("/session/") ? `${row.path}${veraison}` : row.path;
    const body = row.path.endsWith("/attest") ? attest : row.body;
    const before = await kept();
    const size = (await readAuditLog(harness.state.store)).length;
    harness.logged.length = 0;
    const faults: string[] = [];
    const bodies = [
      ...garbage(),
      ...[...wrong(row, body)].map(([what, made]) => [what, JSON.stringify(made)] as const),
    ];
    for (const [what, sent] of bodies) {
      if (row.optional === true && sent === "") continue;
      const answer = await harness.call(method, path, { body: sent, headers });
      const code = answer.headers.get("adyton-error");
      const text = await answer.text();
      if (answer.status < 400 || answer.status > 499 || !/^[A-Z0-9_]+; category=[a-z-]+$/.test(code ?? ""))
        faults.push(`${what}: ${answer.status} ${code} ${text.slice(0, 200)}`);
    }
    expect(faults).toEqual([]);
    expect(await kept()).toEqual(before);
    const log = (await readAuditLog(harness.state.store)).slice(size);
    const told = [...harness.logged, ...log].map((entry) => JSON.stringify(entry));
    expect(told.filter((entry) => entry.includes(CANARY))).toEqual([]);
  });
});
