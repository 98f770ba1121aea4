// SPDX-License-Identifier: Apache-2.0
// What takes more than one administrator: kept, shown, approved by others, carried out once.

import { createHash, randomBytes } from "node:crypto";
import { toBase64Url } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject } from "@adyton/core/json";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createHarness,
  GOOD_VALUES,
  type Harness,
  jsonOf,
  referenceMessage,
  refusalOf,
  secretOf,
} from "../../test/harness.ts";
import type { Store } from "../store/types.ts";
import { adminPolicy } from "./options.ts";
import { needsApproval, Proposals } from "./proposals.ts";

const SECRET = "/kbs/v0/resource/default/hello/secret";
const CANARY = "the secret itself";

let harness: Harness;
let alice: string;
let bob: string;
let carol: string;

beforeEach(async () => {
  harness = await createHarness();
  [alice, bob, carol] = [
    await added("alice", ["owner"]),
    await added("bob", ["approver"]),
    await added("carol", ["operator", "approver"]),
  ] as [string, string, string];
  await four();
});
afterEach(() => harness.close());

const four = (more: JsonObject = {}): Promise<void> =>
  harness.restart({
    admin: {
      approvals: { actions: ["resource.*", "policy.set", "reference.write", "admin.manage"], ...more },
    },
  });

async function added(name: string, roles: readonly string[]): Promise<string> {
  const token = `adyton~${name}~${toBase64Url(randomBytes(32))}`;
  const sha256 = createHash("sha256").update(token).digest("hex");
  const body = JSON.stringify({ name, credential: { kind: "token", sha256 }, roles });
  expect((await harness.admin("POST", "/v1/admins", body)).status).toBe(201);
  return token;
}

const as = (token: string, method: string, path: string, body?: string): Promise<Response> =>
  harness.call(method, path, {
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body }),
  });
const codeFrom = async (answer: Response): Promise<string> =>
  answer.status === 200 ? "ok" : (await refusalOf(answer)).code;

interface Waiting {
  readonly id: string;
  readonly digest: string;
}

/** Sends a request that has to wait. */
async function proposed(token: string, method: string, path: string, body?: string): Promise<Waiting> {
  const answer = await as(token, method, path, body);
  expect(answer.status).toBe(202);
  const { proposal } = await jsonOf(answer);
  const { id, digest } = isJsonObject(proposal) ? proposal : {};
  return { id: String(id), digest: String(digest) };
}

const approve = (token: string, { id, digest }: Waiting): Promise<Response> =>
  as(token, "POST", `/v1/proposals/${id}/approve`, JSON.stringify({ digest }));
const events = async (): Promise<readonly JsonObject[]> =>
  (await harness.state.store.log(0, 100)).map(({ leaf }) => JSON.parse(leaf).event as JsonObject);

describe("an action that takes more than one", () => {
  it("happens when another approved it, as it was asked for, and once", async () => {
    const waiting = await proposed(alice, "POST", SECRET, CANARY);
    expect(await harness.state.store.get("resource", "default/hello/secret")).toBeUndefined();
    const done = await jsonOf(await approve(bob, waiting));
    expect(done).toMatchObject({ state: "done", status: 200, by: "admin:alice", closedBy: "admin:bob" });
    expect(await codeFrom(await approve(carol, waiting))).toBe("PROPOSAL_CLOSED");
    await harness.restart({ admin: {} });
    await harness.setReferenceValues(GOOD_VALUES);
    const { cookie } = await harness.attested();
    expect(await secretOf(await harness.call("GET", SECRET, { headers: { cookie } }))).toBe(CANARY);
    expect((await events()).slice(3, 7).map(({ type, by }) => [type, by])).toEqual([
      ["proposal.create", "admin:alice"],
      ["proposal.approve", "admin:bob"],
      ["resource.put", "admin:alice"],
      ["proposal.done", "admin:bob"],
    ]);
  });

  it("is not approved by who proposed it, nor by who may not, nor for something else", async () => {
    const waiting = await proposed(carol, "POST", SECRET, CANARY);
    expect(await codeFrom(await approve(carol, waiting))).toBe("ADMIN_FORBIDDEN");
    const auditor = await tokenFor("dave", ["auditor"]);
    expect(await codeFrom(await approve(auditor, waiting))).toBe("ADMIN_FORBIDDEN");
    expect(await codeFrom(await approve("nobody", waiting))).toBe("ADMIN_REFUSED");
    expect(await codeFrom(await approve(bob, { ...waiting, digest: "0".repeat(64) }))).toBe(
      "ADMIN_FORBIDDEN",
    );
    expect(await codeFrom(await approve(bob, waiting))).toBe("ok");
  });

  it("takes as many as are asked for, each once", async () => {
    await four({ approvers: 2 });
    const waiting = await proposed(alice, "POST", SECRET, CANARY);
    expect(await jsonOf(await approve(bob, waiting))).toMatchObject({ state: "open" });
    expect(await codeFrom(await approve(bob, waiting))).toBe("ADMIN_FORBIDDEN");
    expect(await jsonOf(await approve(carol, waiting))).toMatchObject({ state: "done" });
  });

  it("is carried out once, however many approve at the same moment", async () => {
    const waiting = await proposed(alice, "POST", SECRET, CANARY);
    const codes = await Promise.all(
      [approve(bob, waiting), approve(carol, waiting)].map(async (a) => codeFrom(await a)),
    );
    expect(codes.filter((code) => code === "ok")).toHaveLength(1);
    expect(codes.filter((code) => ["STORE_CONFLICT", "PROPOSAL_CLOSED"].includes(code))).toHaveLength(1);
    expect((await events()).filter(({ type }) => type === "resource.put")).toHaveLength(1);
  });

  it("is void when its proposer may no longer, or is nobody any more", async () => {
    const waiting = await proposed(alice, "POST", SECRET, CANARY);
    const leaving = await proposed(alice, "DELETE", "/v1/admins/alice");
    expect(await jsonOf(await approve(bob, leaving))).toMatchObject({ state: "done" });
    const failed = await jsonOf(await approve(bob, waiting));
    expect(failed).toMatchObject({ state: "failed", status: 401, code: "ADMIN_REFUSED" });
    expect(await harness.state.store.get("resource", "default/hello/secret")).toBeUndefined();
  });

  it("that cannot be done says so, and what is in force stays", async () => {
    const policy = toBase64Url(new TextEncoder().encode("package policy\nallow if {"));
    const waiting = await proposed(alice, "POST", "/kbs/v0/resource-policy", JSON.stringify({ policy }));
    expect(await jsonOf(await approve(bob, waiting))).toMatchObject({
      state: "failed",
      code: "POLICY_INVALID",
    });
  });

  it("expires", async () => {
    const waiting = await proposed(alice, "POST", SECRET, CANARY);
    harness.clock.time = new Date(harness.clock.time.getTime() + 7 * 24 * 3_600_000);
    expect(await jsonOf(await as(bob, "GET", `/v1/proposals/${waiting.id}`))).toMatchObject({
      state: "expired",
    });
    expect(await codeFrom(await approve(bob, waiting))).toBe("PROPOSAL_CLOSED");
  });

  it("can be rejected, also by who proposed it", async () => {
    for (const who of [alice, bob]) {
      const { id } = await proposed(alice, "POST", SECRET, CANARY);
      expect(await jsonOf(await as(who, "POST", `/v1/proposals/${id}/reject`))).toMatchObject({
        state: "rejected",
      });
      expect(await codeFrom(await as(who, "POST", `/v1/proposals/${id}/reject`))).toBe("PROPOSAL_CLOSED");
    }
    const { id } = await proposed(alice, "POST", SECRET, CANARY);
    const auditor = await tokenFor("dave", ["auditor"]);
    expect(await codeFrom(await as(auditor, "POST", `/v1/proposals/${id}/reject`))).toBe("ADMIN_FORBIDDEN");
  });

  it("shows what is asked for, but no secret, and keeps it sealed", async () => {
    const secret = await proposed(alice, "POST", SECRET, CANARY);
    const plain = await proposed(
      alice,
      "POST",
      "/kbs/v0/reference-value",
      referenceMessage({ launch: ["1"] }),
    );
    const list = (await (await as(bob, "GET", "/v1/proposals")).json()) as JsonObject[];
    expect(list.map(({ action, path, bytes, state }) => [action, path, bytes, state])).toEqual(
      expect.arrayContaining([
        ["resource.put", SECRET, CANARY.length, "open"],
        ["reference.write", "/kbs/v0/reference-value", expect.any(Number), "open"],
      ]),
    );
    const shown = await Promise.all(
      [plain, secret].map(async ({ id }) => jsonOf(await as(bob, "GET", `/v1/proposals/${id}`))),
    );
    expect(shown.map(({ content }) => content)).toEqual([
      expect.objectContaining({ type: "sample" }),
      undefined,
    ]);
    list.push(...shown);
    expect(JSON.stringify(list)).not.toContain(CANARY);
    // Whoever reads the log cannot try guesses at the secret.
    expect(JSON.stringify(list)).not.toContain("salt");
    expect(JSON.stringify(list)).not.toContain("body");
    const sealed = await harness.state.store.get("proposal", secret.id);
    expect(new TextDecoder().decode(sealed)).not.toContain("resource.put");
    expect(JSON.stringify(await events())).not.toContain(CANARY);
  });

  it("waits in its own tenant, after a restart too", async () => {
    await harness.admin("POST", "/v1/tenants", JSON.stringify({ name: "alpha" }));
    const waiting = await proposed(alice, "POST", `/tenants/alpha${SECRET}`, CANARY);
    await four();
    expect(await codeFrom(await approve(bob, waiting))).toBe("PROPOSAL_NOT_FOUND");
    const path = `/tenants/alpha/v1/proposals/${waiting.id}/approve`;
    const answer = await as(bob, "POST", path, JSON.stringify({ digest: waiting.digest }));
    expect(await jsonOf(answer)).toMatchObject({ state: "done" });
    expect(await harness.state.store.get("alpha/resource", "default/hello/secret")).toBeDefined();
  });

  it.each(["0", "../x", "f".repeat(32)])("is not found as %s", async (id) => {
    const code = await codeFrom(await as(bob, "GET", `/v1/proposals/${id}`));
    expect(["PROPOSAL_NOT_FOUND", "INVALID_PATH"]).toContain(code);
  });
});

describe("proposals", () => {
  const principal = { id: "admin:x", roles: [], grants: [] };
  const asked = (bytes: number) => ({
    action: "resource.put" as const,
    target: "a/b/c",
    principal,
    source: { kind: "owner" as const },
    request: new Request("http://broker.test/x", { method: "POST" }),
    body: new Uint8Array(bytes).fill(7),
  });
  const LIMITS = { open: 3, openBytes: 4_000, kept: 6, closed: 2 };
  const limited = (store: Store = harness.state.store) => new Proposals(store, harness.state.vault, LIMITS);
  const now = () => harness.clock.time;
  const propose = (proposals: Proposals, bytes = 10, lifetimeSeconds = 60) =>
    proposals.propose(asked(bytes), { actions: ["*"], lifetimeSeconds }, now());

  it("that wait have room for so many, and so many bytes together", async () => {
    const proposals = limited();
    expect(await codeOfAsync(() => propose(proposals, 5_000))).toBe("QUOTA_EXCEEDED");
    const [first] = [await propose(proposals, 1_500), await propose(proposals, 1_500)];
    expect(await codeOfAsync(() => propose(proposals, 1_500))).toBe("QUOTA_EXCEEDED");
    await propose(proposals);
    expect(await codeOfAsync(() => propose(proposals))).toBe("QUOTA_EXCEEDED");
    await proposals.reject(first.id, principal, now());
    expect(await codeOfAsync(() => propose(proposals, 1_500))).toBe("nothing");
  });

  it("whose time is over make room, also one that a crash left running", async () => {
    const proposals = limited();
    const { id, digest } = await propose(proposals);
    await proposals.approve(id, digest, { ...principal, id: "admin:y" }, now());
    await propose(proposals);
    await propose(proposals);
    expect(await codeOfAsync(() => propose(proposals))).toBe("QUOTA_EXCEEDED");
    harness.clock.time = new Date(now().getTime() + 60_000);
    expect(await codeOfAsync(() => propose(proposals))).toBe("nothing");
    expect(await harness.state.store.get("proposal-body", id)).toBeUndefined();
  });

  it("that were closed make room for others, and are not read before there is none left", async () => {
    const { store } = harness.state;
    let reads = 0;
    const entries = (space: string) => {
      reads += 1;
      return store.entries(space);
    };
    const proposals = limited({ ...boundTo(store), entries });
    for (let n = 0; n < 6; n++) await proposals.reject((await propose(proposals)).id, principal, now());
    expect(reads).toBe(0);
    const { id } = await propose(proposals);
    expect(reads).toBe(1);
    const kept = await store.keys("proposal");
    expect(kept).toHaveLength(LIMITS.closed + 1);
    expect(kept).toContain(id);
  });

  it("are carried out as they were approved, or not at all", async () => {
    const proposals = limited();
    const proposal = await propose(proposals);
    const { store, vault } = harness.state;
    const request = await proposals.requestOf(proposal);
    expect(new Uint8Array(await request.arrayBuffer())).toEqual(asked(10).body);
    const value = vault.seal("proposal-body", proposal.id, new Uint8Array(10));
    await store.write([{ kind: "put", space: "proposal-body", key: proposal.id, value }]);
    expect(await codeOfAsync(() => proposals.requestOf(proposal))).toBe("SECRET_CORRUPT");
    expect(await codeOfAsync(() => proposals.requestOf({ ...proposal, path: "/y" }))).toBe("SECRET_CORRUPT");
  });
});

describe("no approval", () => {
  it.each(["resource.list", "policy.read", "proposal.approve"] as const)(
    "is ever needed for %s",
    (action) => {
      expect(needsApproval({ actions: ["*"] }, action)).toBe(false);
      expect(needsApproval({ actions: ["*"] }, "resource.put")).toBe(true);
    },
  );

  it.each([{ approvers: 0 }, { approvers: 1.5 }, { approvers: 99 }, { lifetimeSeconds: 0 }])(
    "can be asked for as %j",
    (more) => {
      const approvals = { actions: ["*"], ...more };
      expect(codeOf(() => adminPolicy({ approvals }, "x".repeat(32), () => new Date()))).toBe(
        "STATE_INVALID",
      );
    },
  );
});

/** What a store does, for one that does a part of it otherwise. */
function boundTo(store: Store): Store {
  return {
    ephemeral: store.ephemeral,
    get: store.get.bind(store),
    spaces: store.spaces.bind(store),
    keys: store.keys.bind(store),
    entries: store.entries.bind(store),
    write: store.write.bind(store),
    log: store.log.bind(store),
    logHead: store.logHead.bind(store),
    logNodes: store.logNodes.bind(store),
    close: store.close.bind(store),
  };
}

/** Adds an administrator past the approvals. */
async function tokenFor(name: string, roles: readonly string[]): Promise<string> {
  await harness.restart({ admin: {} });
  const token = await added(name, roles);
  await four();
  return token;
}
