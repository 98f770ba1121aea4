// SPDX-License-Identifier: Apache-2.0
// Every route of a tenant, asked by its neighbour: nothing is done, nothing shown. A route that is not in the table fails.

import { createHash, randomBytes } from "node:crypto";
import { fromUtf8, toBase64, toBase64Url } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  attestBody,
  authBody,
  createHarness,
  GOOD_VALUES,
  type Harness,
  jsonOf,
  referenceMessage,
} from "../../test/harness.ts";
import { caPlugin, nebulaPlugin, provisionerPlugin, transitPlugin, wrapPlugin } from "../plugins/index.ts";
import { type Addressed, Rooms } from "./rooms.ts";

const A = "/tenants/alpha";
const B = "/tenants/beta";
const CANARY = "canary4711of-alpha";
const ID = "0123456789abcdef0123456789abcdef";
const UUID = "01234567-89ab-4def-8123-456789abcdef";

interface Row {
  /** As the router knows it. */
  readonly route: string;
  readonly path: string;
  readonly body?: (word: string) => string;
  /** Who may ask. Default `admin`. */
  readonly who?: "public" | "attested";
  /** Its owner's answer holds what the owner put there. */
  readonly shows?: true;
}

const json = (make: (word: string) => JsonObject) => (word: string) => JSON.stringify(make(word));
const rego = (word: string) => `package policy\n\nallow if input.x == "${word}"\n`;
const regoBody = json((word) => ({ policy: toBase64Url(fromUtf8(rego(word))) }));
const attestationBody = json((word) => ({
  policy_id: "default",
  policy: toBase64Url(fromUtf8(`package policy\n\n# ${word}\ntrust_claims := {}\n`)),
}));
const document = (word: string) =>
  toBase64(fromUtf8(JSON.stringify({ [`of_${word.replaceAll("-", "_")}`]: [word] })));
const get = (path: string, more: Partial<Row> = {}): Row => ({ route: `GET ${path}`, path, ...more });
const post = (path: string, body?: Row["body"], more: Partial<Row> = {}): Row => ({
  route: `POST ${path}`,
  path,
  ...(body === undefined ? {} : { body }),
  ...more,
});
/** All four methods of a plugin; those that are not named are refused to everybody. */
const plugin = (
  base: string,
  paths: Readonly<Record<string, readonly [path: string, body?: Row["body"]]>>,
): Row[] =>
  ["GET", "POST", "PUT", "DELETE"].map((method) => {
    const [path, body] = paths[method] ?? ["nothing"];
    return { route: `${method} ${base}/*`, path: `${base}/${path}`, ...(body === undefined ? {} : { body }) };
  });
const transit = (base: string): Row[] =>
  plugin(base, {
    GET: ["keys"],
    POST: ["keys/orders"],
    PUT: ["keys/orders/rotate"],
    DELETE: ["keys/orders"],
  });

/** In this order: what is put first shows in what is asked after. */
const ROWS: readonly Row[] = [
  get("/healthz", { who: "public" }),
  get("/.well-known/jwks.json", { who: "public" }),
  post("/v1/token-keys/rotate"),
  get("/v1/token-keys"),
  post("/kbs/v0/auth", () => JSON.stringify(authBody()), { who: "public" }),
  post("/kbs/v0/attest", () => "{}", { who: "public" }),
  post("/attestation", () => "{}", { who: "public" }),
  post(
    "/challenge",
    json(() => ({ tee: "tdx", tee_params: "" })),
    { who: "public" },
  ),
  post("/kbs/v0/resource/*", (word) => word, { path: "/kbs/v0/resource/a/b/c" }),
  get("/kbs/v0/resource/*", { path: "/kbs/v0/resource/a/b/c", who: "attested" }),
  get("/kbs/v0/resources"),
  get("/v1/resources/*", { path: "/v1/resources/a/b/c/versions" }),
  post("/v1/resources/*", undefined, { path: "/v1/resources/a/b/c/restore" }),
  post("/kbs/v0/reference-value", (word) => referenceMessage({ of_us: [word] })),
  get("/kbs/v0/reference-value", { shows: true }),
  get("/kbs/v0/reference-value/*", { path: "/kbs/v0/reference-value/of_us", shows: true }),
  post(
    "/v1/references",
    json((word) => ({ type: "sample", payload: document(word), group: "v1" })),
  ),
  get("/v1/references", { shows: true }),
  get("/v1/references/*", { path: "/v1/references/of_us", shows: true }),
  post(
    "/v1/references/revoke",
    json((word) => ({ id: "gone", value: word })),
  ),
  post(
    "/v1/references/unrevoke",
    json(() => ({ id: "of_us", value: "x" })),
  ),
  post(
    "/v1/references/expire",
    json(() => ({ id: "of_us", value: "x", expires: "2026-04-01T00:00:00Z" })),
  ),
  get("/v1/reference-groups"),
  post(
    "/v1/reference-groups/*",
    json(() => ({ enabled: false })),
    { path: "/v1/reference-groups/v1" },
  ),
  post("/kbs/v0/resource-policy", regoBody),
  get("/kbs/v0/resource-policy"),
  post("/kbs/v0/attestation-policy", attestationBody),
  get("/kbs/v0/attestation-policy/*", { path: "/kbs/v0/attestation-policy/default" }),
  post("/policy", attestationBody),
  get("/policy"),
  get("/policy/*", { path: "/policy/default" }),
  get("/kbs/v0/policies"),
  {
    route: "PUT /v1/resource-policies/*",
    path: "/v1/resource-policies/a/**",
    body: json((word) => ({ policy: rego(word) })),
  },
  get("/v1/resource-policies"),
  get("/v1/resource-policies/*", { path: "/v1/resource-policies/a/**", shows: true }),
  get("/v1/policies/:name/versions", { path: "/v1/policies/resource/versions", shows: true }),
  post(
    "/v1/policies/:name/activate",
    json(() => ({ version: 1 })),
    { path: "/v1/policies/resource/activate" },
  ),
  get("/v1/audit/entries"),
  get("/v1/audit/key", { who: "public" }),
  // There is one log: its head and its proofs are for everybody, its entries are not.
  get("/v1/audit/checkpoint", { who: "public" }),
  get("/v1/audit/proof/inclusion", { path: "/v1/audit/proof/inclusion?seq=1", who: "public" }),
  get("/v1/audit/proof/consistency", { path: "/v1/audit/proof/consistency?from=1&to=2", who: "public" }),
  get("/v1/explanations"),
  get("/v1/explanations/:id", { path: `/v1/explanations/${ID}` }),
  post(
    "/v1/explanations/session",
    json(() => ({ session: ID })),
  ),
  get("/v1/explanations/decisions/:seq", { path: "/v1/explanations/decisions/1" }),
  get("/v1/whoami"),
  post(
    "/v1/admins",
    json((word) => ({
      name: `x-${word}`,
      credential: { kind: "token", sha256: "ab".repeat(32) },
      roles: ["auditor"],
    })),
  ),
  get("/v1/admins", { shows: true }),
  get("/v1/roles"),
  get("/v1/proposals"),
  get("/v1/proposals/:id", { path: `/v1/proposals/${ID}` }),
  post(
    "/v1/proposals/:id/approve",
    json(() => ({ digest: "00" })),
    { path: `/v1/proposals/${ID}/approve` },
  ),
  post("/v1/proposals/:id/reject", undefined, { path: `/v1/proposals/${ID}/reject` }),
  ...transit("/kbs/v0/transit"),
  ...transit("/v1/transit"),
  ...plugin("/kbs/v0/wrap", { GET: ["keys"], PUT: ["disks"], POST: ["disks/wrap", (word) => word] }),
  ...plugin("/kbs/v0/provisioner", {
    GET: ["default/x/root"],
    POST: ["provision", json((word) => ({ vm_name: word }))],
    DELETE: [`provision/${UUID}`],
  }),
  ...plugin("/kbs/v0/ca", { POST: ["issue/a", (word) => word] }),
  ...plugin("/kbs/v0/nebula-ca", { GET: ["credential?name=a&ip=10.0.0.1/8"] }),
  post("/challenge-response/v1/newSession", undefined, {
    path: "/challenge-response/v1/newSession?nonceSize=32",
    who: "public",
  }),
  ...["GET", "POST", "DELETE"].map(
    (method): Row => ({
      route: `${method} /challenge-response/v1/session/:id`,
      path: `/challenge-response/v1/session/${UUID}`,
      who: "public",
    }),
  ),
  get("/.well-known/veraison/verification", { who: "public" }),
  get("/.well-known/veraison/management", { who: "public" }),
  post("/management/v1/policy/:scheme", rego, { path: "/management/v1/policy/SAMPLE" }),
  post("/management/v1/policy/:scheme/:uuid/activate", undefined, {
    path: `/management/v1/policy/SAMPLE/${UUID}/activate`,
  }),
  get("/management/v1/policy/:scheme", { path: "/management/v1/policy/SAMPLE" }),
  get("/management/v1/policy/:scheme/:uuid", { path: `/management/v1/policy/SAMPLE/${UUID}` }),
  get("/management/v1/policies/:scheme", { path: "/management/v1/policies/SAMPLE" }),
  post("/management/v1/policies/:scheme/deactivate", undefined, {
    path: "/management/v1/policies/SAMPLE/deactivate",
  }),
  ...["/kbs/v0/reference-value/of_us", "/v1/references/of_us", "/v1/reference-groups/v1"].map(removal),
  ...["/v1/resource-policies/a/**", "/v1/admins/x-plain", "/kbs/v0/resource/a/b/c"].map(removal),
];

function removal(path: string): Row {
  const [root = ""] = /^\/(?:v1|kbs\/v0)\/[a-z-]+/.exec(path) ?? [];
  return { route: `DELETE ${root}/*`, path };
}

let harness: Harness;
let tokens: Readonly<Record<string, string>>;
let guests: Readonly<Record<string, string>>;

beforeAll(async () => {
  const plugins = [
    transitPlugin({ vaultPaths: true }),
    wrapPlugin(),
    provisionerPlugin(),
    caPlugin({ trustDomain: "example.org" }),
    nebulaPlugin(),
  ];
  harness = await createHarness({ plugins, rateLimit: false });
  const [owners, workloads]: Record<string, string>[] = [{}, {}];
  for (const base of [A, B]) {
    const name = base.slice("/tenants/".length);
    expect((await harness.admin("POST", "/v1/tenants", JSON.stringify({ name }))).status).toBe(201);
    const token = `adyton~owner~${toBase64Url(randomBytes(32))}`;
    const sha256 = createHash("sha256").update(token).digest("hex");
    const admin = { name: "owner", credential: { kind: "token", sha256 }, roles: ["owner"] };
    expect((await harness.admin("POST", `${base}/v1/admins`, JSON.stringify(admin))).status).toBe(201);
    await harness.admin("POST", `${base}/kbs/v0/reference-value`, referenceMessage(GOOD_VALUES));
    if (owners !== undefined) owners[base] = token;
    if (workloads !== undefined) workloads[base] = await attestedIn(base);
  }
  tokens = owners ?? {};
  guests = workloads ?? {};
});
afterAll(() => harness.close());

async function attestedIn(base: string): Promise<string> {
  const opened = await harness.call("POST", `${base}/kbs/v0/auth`, { body: JSON.stringify(authBody()) });
  const cookie = (opened.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const challenge = { nonce: String((await jsonOf(opened)).nonce), cookie };
  const body = JSON.stringify(await attestBody(challenge, harness.machine, {}));
  const answer = await harness.call("POST", `${base}/kbs/v0/attest`, { body, headers: { cookie } });
  return String((await jsonOf(answer)).token);
}

function ask({ route, path, body }: Row, base: string, token: string | undefined, word: string) {
  const made = body?.(word);
  const type = path.startsWith("/management/") ? "application/vnd.veraison.policy.opa" : "application/json";
  return harness.call(route.split(" ")[0] ?? "", base + path, {
    headers: { authorization: `Bearer ${token}`, accept: "*/*", "content-type": type },
    ...(made === undefined ? {} : { body: made }),
  });
}

/** What a tenant keeps, by space and key. */
async function keptBy(tenant: string): Promise<ReadonlyMap<string, string>> {
  const { store } = harness.state;
  const found = new Map<string, string>();
  for (const space of (await store.spaces()).filter((each) => each.startsWith(`${tenant}/`)))
    for (const [key, value] of await store.entries(space)) found.set(`${space}/${key}`, toBase64(value));
  return found;
}

/** Whether an answer holds it, as it is or in base64 however it lies there. */
function holdsCanary(text: string): boolean {
  const unpacked = [...text.matchAll(/[A-Za-z0-9+/_-]{16,}/g)].map(([run]) =>
    Buffer.from(run, "base64url").toString("latin1"),
  );
  return [text, ...unpacked].some((each) => /canary4711of.alpha/.test(each));
}

describe("a tenant", () => {
  it("has a row in the table for each of its routes", async () => {
    const find = vi.spyOn(Rooms.prototype, "find");
    await harness.call("GET", `${B}/v1/whoami`);
    const addressed = await find.mock.results[0]?.value;
    find.mockRestore();
    const { app } = addressed as Addressed;
    const routes = app.routes
      .filter(({ path }) => path !== "/*")
      .map(({ method, path }) => `${method} ${path}`);
    expect([...new Set(ROWS.map(({ route }) => route))].toSorted()).toEqual([...new Set(routes)].toSorted());
  });

  it("keeps its own from a neighbour who asks and writes everywhere", async () => {
    const shown: string[] = [];
    for (const row of ROWS) {
      // It keeps what it has.
      if (row.route.startsWith("DELETE")) continue;
      const text = await (await ask(row, A, tokens[A], CANARY)).text();
      if (row.shows === true && !holdsCanary(text)) shown.push(`${row.route} does not show its owner's`);
    }
    const before = await keptBy("alpha");
    expect(shown).toEqual([]);
    expect(before.size).toBeGreaterThan(10);
    const faults: string[] = [];
    for (const row of ROWS) {
      const { route, who } = row;
      // A neighbour's credentials mean nothing here, neither an administrator's nor a workload's.
      for (const token of [tokens[B], guests[B]]) {
        const answer = await ask(row, A, token, "plain");
        if (who !== "public" && ![400, 401, 403, 404].includes(answer.status))
          faults.push(`${route} of alpha answers beta's ${answer.status}`);
        if (holdsCanary(await answer.text())) faults.push(`${route} of alpha shows it to beta`);
      }
      // And what it may do at home stays there.
      for (const token of [tokens[B], guests[B]]) {
        const own = await ask(row, B, token, "plain");
        if (own.status >= 500) faults.push(`${route} of beta answers ${own.status}`);
        if (holdsCanary(await own.text())) faults.push(`${route} of beta shows alpha's`);
      }
    }
    for (let seq = 1; seq <= 60; seq++) {
      const path = `/v1/explanations/decisions/${seq}`;
      const told = await ask({ route: "GET", path }, B, tokens[B], "plain");
      if (holdsCanary(await told.text())) faults.push(`${path} of beta shows alpha's`);
    }
    expect(faults).toEqual([]);
    const after = await keptBy("alpha");
    expect([...after].filter(([key, value]) => before.get(key) !== value)).toEqual([]);
    expect([...before.keys()].filter((key) => !after.has(key))).toEqual([]);
  });

  it("lets an administrator of another do nothing: refused as one", async () => {
    const faults: string[] = [];
    for (const row of ROWS.filter(({ path, who }) => who === undefined && path.startsWith("/v1/"))) {
      const { status } = await ask(row, A, tokens[B], "plain");
      if (status !== 401 && status !== 403) faults.push(`${row.route}: ${status}`);
    }
    expect(faults).toEqual([]);
  });
});
