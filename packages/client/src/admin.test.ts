// SPDX-License-Identifier: Apache-2.0
import { fromBase64, toUtf8 } from "@adyton/core/bytes";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { type Admin, createAdmin } from "./admin.ts";

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
}

function adminOf(answer: () => Response): { admin: Admin; sent: Sent[] } {
  const sent: Sent[] = [];
  const admin = createAdmin({
    url: "http://127.0.0.1:8080",
    token: "T0KEN",
    fetch: async (url, init) => {
      sent.push({ url, init });
      return answer();
    },
  });
  return { admin, sent };
}

const ok = () => new Response(null, { status: 200 });

describe("the administrator", () => {
  it.each<[what: string, act: (admin: Admin) => Promise<unknown>, method: string, path: string]>([
    ["puts", (admin) => admin.putResource("a/b/c", "x"), "POST", "/kbs/v0/resource/a/b/c"],
    [
      "puts with a short name",
      (admin) => admin.putResource("b/c", "x"),
      "POST",
      "/kbs/v0/resource/default/b/c",
    ],
    ["deletes", (admin) => admin.deleteResource("a/b/c"), "DELETE", "/kbs/v0/resource/a/b/c"],
    ["sets values", (admin) => admin.setReferenceValues({ svn: ["1"] }), "POST", "/kbs/v0/reference-value"],
    ["deletes values", (admin) => admin.deleteReferenceValue("a/b"), "DELETE", "/kbs/v0/reference-value/a/b"],
  ])("%s", async (_what, act, method, path) => {
    const { admin, sent } = adminOf(ok);
    await act(admin);
    expect(sent.map(({ url, init }) => [init.method, url])).toEqual([
      [method, `http://127.0.0.1:8080${path}`],
    ]);
    expect(sent[0]?.init.headers).toMatchObject({ authorization: "Bearer T0KEN" });
  });

  it("sends secrets as they are", async () => {
    const { admin, sent } = adminOf(ok);
    await admin.putResource("a/b/c", Uint8Array.of(0, 255));
    expect(sent[0]?.init.body).toEqual(Uint8Array.of(0, 255));
  });

  it("sends reference values as a message of type sample", async () => {
    const { admin, sent } = adminOf(ok);
    await admin.setReferenceValues({ svn: ["1", "2"] });
    const message = JSON.parse(String(sent[0]?.init.body)) as { payload: string };
    expect(message).toMatchObject({ version: "0.1.0", type: "sample" });
    expect(JSON.parse(toUtf8(fromBase64(message.payload)))).toEqual({ svn: ["1", "2"] });
  });

  it("reads lists", async () => {
    expect(await adminOf(() => Response.json(["a/b/c"])).admin.listResources()).toEqual(["a/b/c"]);
    const values = { svn: ["1"] };
    expect(await adminOf(() => Response.json(values)).admin.listReferenceValues()).toEqual(values);
  });

  it("sets, gets and lists policies", async () => {
    const { admin, sent } = adminOf(ok);
    await admin.setPolicy("resource", "package policy\n");
    await admin.setPolicy("attestation_gpu", "package policy\n", "package policy_test\n");
    const policy = "cGFja2FnZSBwb2xpY3kK";
    expect(sent.map(({ url, init }) => [url, JSON.parse(String(init.body))])).toEqual([
      ["http://127.0.0.1:8080/kbs/v0/resource-policy", { policy }],
      [
        "http://127.0.0.1:8080/kbs/v0/attestation-policy",
        { type: "rego", policy_id: "default_gpu", policy, tests: "cGFja2FnZSBwb2xpY3lfdGVzdAo" },
      ],
    ]);
    const shown = adminOf(() => Response.json({ policy }));
    expect(await shown.admin.getPolicy("attestation")).toBe("package policy\n");
    expect(shown.sent[0]?.url).toBe("http://127.0.0.1:8080/kbs/v0/attestation-policy/default");
    const facts = { name: "resource", version: 2, sha384: "ab", set: "2026-03-01T12:00:00.000Z" };
    expect(await adminOf(() => Response.json([facts])).admin.listPolicies()).toEqual([facts]);
  });

  it("asks for health without showing its token", async () => {
    const { admin, sent } = adminOf(ok);
    await admin.health();
    expect(sent).toMatchObject([{ url: "http://127.0.0.1:8080/healthz" }]);
    expect(sent[0]?.init.headers).toBeUndefined();
  });

  it.each<[what: string, act: (admin: Admin) => Promise<unknown>, answer: Response, code: string]>([
    ["a list that is none", (admin) => admin.listResources(), Response.json({}), "INVALID_ANSWER"],
    ["policies that are no list", (admin) => admin.listPolicies(), Response.json({}), "INVALID_ANSWER"],
    [
      "a policy without its version",
      (admin) => admin.listPolicies(),
      Response.json([{ name: "resource" }]),
      "INVALID_ANSWER",
    ],
    [
      "a policy that is no text",
      (admin) => admin.getPolicy("resource"),
      Response.json({ policy: "+/" }),
      "INVALID_ANSWER",
    ],
    ["a list of something else", (admin) => admin.listResources(), Response.json([1]), "INVALID_ANSWER"],
    [
      "values that are no lists",
      (admin) => admin.listReferenceValues(),
      Response.json({ a: 1 }),
      "INVALID_ANSWER",
    ],
    [
      "a wrong token",
      (admin) => admin.listResources(),
      Response.json({ type: "x/AdminAuthAccess", detail: "no" }, { status: 401 }),
      "ADMIN_REFUSED",
    ],
    [
      "a missing resource",
      (admin) => admin.deleteResource("a/b/c"),
      Response.json(
        { type: "x/PluginInternalError", detail: "no" },
        { status: 401, headers: { "adyton-error": "RESOURCE_NOT_FOUND; category=misuse" } },
      ),
      "RESOURCE_MISSING",
    ],
    [
      "a broker without room",
      (admin) => admin.putResource("a/b/c", "x"),
      new Response("", { status: 503 }),
      "BROKER_UNAVAILABLE",
    ],
    ["a bad name", (admin) => admin.putResource("../b/c", "x"), ok(), "INVALID_RESOURCE_PATH"],
  ])("is told of %s", async (_what, act, answer, code) => {
    expect(await codeOfAsync(() => act(adminOf(() => answer).admin))).toBe(code);
  });

  it.each(["", "a/../b", "a//b", "a?b", "a b", "./a", "a%2f"])(
    "refuses %j as an id without asking",
    async (id) => {
      const { admin, sent } = adminOf(ok);
      expect(await codeOfAsync(() => admin.deleteReferenceValue(id))).toBe("INVALID_REFERENCE_ID");
      expect(sent).toEqual([]);
    },
  );

  it("does not show token and secrets to the network", () => {
    expect(codeOf(() => createAdmin({ url: "http://broker.example", token: "T" }))).toBe("INVALID_URL");
    for (const url of ["https://broker.example", "http://localhost:1", "http://[::1]:1"])
      expect(codeOf(() => createAdmin({ url, token: "T" }))).toBe("nothing");
    const options = { url: "http://broker.example", token: "T", allowPlainHttpBeyondLoopback: true };
    expect(codeOf(() => createAdmin(options))).toBe("nothing");
  });
});
