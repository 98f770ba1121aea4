// SPDX-License-Identifier: Apache-2.0
// The client's side of tenants, administrators, approvals and scoped policies, against the broker.

import { type Admin, ClientError, createAdmin, newAdminToken } from "@adyton/client";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createHarness, type Harness } from "../../test/harness.ts";

let harness: Harness;
let owner: Admin;

beforeEach(async () => {
  harness = await createHarness({ admin: { approvals: { actions: ["resource.delete", "policy.set"] } } });
  owner = adminAs(harness.state.adminToken);
});
afterEach(() => harness.close());

function adminAs(token: string, base = ""): Admin {
  return createAdmin({
    url: `https://broker.test${base}`,
    token,
    fetch: (url, init) => harness.broker.fetch(new Request(url, init)),
  });
}

async function refusal(call: Promise<unknown>): Promise<ClientError> {
  const error = await call.then(
    () => new Error("nothing was refused"),
    (cause: unknown) => cause,
  );
  if (error instanceof ClientError) return error;
  throw error;
}

it("makes, changes and deletes tenants, and acts in them", async () => {
  expect(await owner.tenants.create("alpha", { maxResources: 5 })).toMatchObject({
    name: "alpha",
    state: "active",
    quota: { maxResources: 5 },
    usage: { resources: 0, bytes: 0 },
  });
  await adminAs(harness.state.adminToken, "/tenants/alpha").putResource("a/b/c", "x");
  expect((await owner.tenants.get("alpha")).usage.resources).toBe(1);
  expect(await owner.listResources()).toEqual([]);
  expect(await owner.tenants.change("alpha", { state: "disabled" })).toMatchObject({ state: "disabled" });
  await owner.tenants.delete("alpha");
  expect((await owner.tenants.list()).map(({ name, state }) => [name, state])).toEqual([
    ["alpha", "deleted"],
  ]);
  expect((await refusal(owner.tenants.create("alpha"))).detail.broker).toMatchObject({
    code: "TENANT_EXISTS",
  });
  for (const name of ["", "..", "a/b"])
    expect(await refusal(owner.tenants.get(name))).toMatchObject({ code: "INVALID_NAME" });
});

it("adds administrators by tokens that the broker never saw, and takes them away", async () => {
  const { token, sha256 } = await newAdminToken("ci");
  const grants = [{ actions: ["resource.put"], targets: ["team-a/**"] }];
  await owner.admins.create("ci", { kind: "token", sha256 }, { grants });
  const ci = adminAs(token);
  expect(await ci.admins.whoami()).toEqual({ id: "admin:ci", roles: [] });
  await ci.putResource("team-a/b/c", "x");
  expect(await refusal(ci.putResource("team-b/b/c", "x"))).toMatchObject({
    code: "ADMIN_REFUSED",
    category: "policy",
  });
  expect(await refusal(ci.admins.list())).toMatchObject({ code: "ADMIN_REFUSED", category: "policy" });
  expect(await owner.admins.list()).toMatchObject([{ name: "ci", credential: "token", grants }]);
  await owner.admins.delete("ci");
  expect(await refusal(ci.admins.whoami())).toMatchObject({
    code: "ADMIN_REFUSED",
    category: "not-authentic",
  });
});

it("is told what waits for others, and approves what others proposed", async () => {
  const { token, sha256 } = await newAdminToken("second");
  await owner.admins.create("second", { kind: "token", sha256 }, { roles: ["approver"] });
  const second = adminAs(token);
  await owner.putResource("a/b/c", "x");
  const waiting = await refusal(owner.deleteResource("a/b/c"));
  expect(waiting).toMatchObject({ code: "APPROVAL_NEEDED", category: "policy" });
  expect(await owner.listResources()).toEqual(["a/b/c"]);
  const [proposal] = await second.proposals.list();
  expect(waiting.detail.proposal).toMatchObject({ id: proposal?.id, digest: proposal?.digest });
  const { id = "", digest = "" } = proposal ?? {};
  expect(await refusal(owner.proposals.approve(id, digest))).toMatchObject({ code: "ADMIN_REFUSED" });
  expect(await second.proposals.approve(id, digest)).toMatchObject({
    state: "done",
    approvals: ["admin:second"],
  });
  expect(await owner.listResources()).toEqual([]);
  await refusal(owner.resourcePolicies.set("a/**", "package policy\nallow := true\n"));
  const [next] = (await second.proposals.list()).filter(({ state }) => state === "open");
  expect(await second.proposals.get(next?.id ?? "")).toMatchObject({
    content: { policy: "package policy\nallow := true\n" },
  });
  expect(await second.proposals.reject(next?.id ?? "")).toMatchObject({ state: "rejected" });
});

it("sets resource policies for patterns", async () => {
  await harness.restart({ admin: {} });
  const text = "package policy\n\nallow if true\n";
  expect(await owner.resourcePolicies.set("team-a/**", text)).toMatchObject({
    path: "team-a/**",
    version: 1,
  });
  expect(await owner.resourcePolicies.get("team-a/**")).toBe(text);
  expect((await owner.resourcePolicies.list()).map(({ path }) => path)).toEqual(["team-a/**"]);
  await owner.resourcePolicies.delete("team-a/**");
  expect(await owner.resourcePolicies.list()).toEqual([]);
});
