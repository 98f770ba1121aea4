// SPDX-License-Identifier: Apache-2.0
// What the broker does for every plugin: who may ask, what is logged, how the answer is sealed.

import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { afterEach, describe, expect, it } from "vitest";
import { openedOf, refusalOf } from "../../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../../test/plugin-harness.ts";
import { BrokerError } from "../errors.ts";
import type { Plugin, PluginAccess, PluginRequest } from "./types.ts";

let harness: PluginHarness;
afterEach(() => harness.close());

const seen: PluginRequest[] = [];
/** Answers what it was asked; the first part of the path says who may. */
const echo: Plugin = {
  name: "echo",
  access: ({ path }) => path[0] as PluginAccess,
  encrypts: ({ path }) => path[1] === "sealed",
  handle: async (request) => {
    seen.push({ ...request, body: new Uint8Array(request.body) });
    if (request.path[1] === "fail") throw new BrokerError("KEY_NOT_FOUND", "misuse", "Cannot find it");
    if (request.path[1] === "crash") throw new Error("inner life");
    return { body: fromUtf8("answer"), contentType: "text/plain", audit: { noted: "this" } };
  },
};

const start = async (options = {}): Promise<PluginHarness> => {
  seen.length = 0;
  harness = await createPluginHarness([echo], options);
  return harness;
};

describe("a plugin", () => {
  it("is told method, path, query and body", async () => {
    await start();
    await harness.admin("PUT", "/kbs/v0/echo/admin/a%20b?x=1&y=", "body");
    expect(seen[0]).toMatchObject({
      method: "PUT",
      path: ["admin", "a b"],
      principal: { id: expect.any(String) },
    });
    expect([...(seen[0]?.query ?? [])]).toEqual([
      ["x", "1"],
      ["y", ""],
    ]);
    expect(toUtf8(seen[0]?.body ?? new Uint8Array(0))).toBe("body");
  });

  it.each<[PluginAccess, string, "ADMIN_REFUSED" | "TOKEN_MISSING"]>([
    ["admin", "nobody", "ADMIN_REFUSED"],
    ["attested", "nobody", "TOKEN_MISSING"],
    ["attested-or-admin", "nobody", "ADMIN_REFUSED"],
  ])("for %s refuses %s", async (access, _who, code) => {
    await start();
    expect(await refusalOf(await harness.call("GET", `/kbs/v0/echo/${access}`))).toMatchObject({
      status: 401,
      code,
    });
    expect(seen).toEqual([]);
  });

  it("refuses the administrator where only the attested may ask, and the other way round", async () => {
    await start();
    expect((await refusalOf(await harness.admin("GET", "/kbs/v0/echo/attested"))).code).toBe("TOKEN_REFUSED");
    expect((await refusalOf(await harness.guest("GET", "/kbs/v0/echo/admin"))).code).toBe("ADMIN_REFUSED");
    expect(seen).toEqual([]);
  });

  it("lets in both where both may, and everybody where it says so", async () => {
    await start();
    for (const answer of [
      await harness.admin("GET", "/kbs/v0/echo/attested-or-admin"),
      await harness.guest("GET", "/kbs/v0/echo/attested-or-admin"),
      await harness.call("GET", "/kbs/v0/echo/public"),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect(await answer.text()).toBe("answer");
    }
    expect(seen.map(({ claims, principal }) => [claims !== undefined, principal !== undefined])).toEqual([
      [false, true],
      [true, false],
      [false, false],
    ]);
  });

  it("answers the attested encrypted to their key where it says so, the administrator never", async () => {
    await start();
    const sealed = await harness.guest("GET", "/kbs/v0/echo/attested-or-admin/sealed");
    expect(toUtf8(await openedOf(sealed))).toBe("answer");
    expect(await (await harness.admin("GET", "/kbs/v0/echo/attested-or-admin/sealed")).text()).toBe("answer");
  });

  it("is asked only what the resource policy allows, which sees plugin, path and query", async () => {
    const asked: unknown[] = [];
    await start({
      resourcePolicy: {
        id: "test",
        allow: ({ plugin, path, query }: { plugin: string; path: readonly string[]; query: object }) => {
          asked.push({ plugin, path, query });
          return { allow: false, findings: [{ rule: "never", ok: false, message: "Never." }] };
        },
      },
    });
    const refusal = await refusalOf(await harness.guest("GET", "/kbs/v0/echo/attested/x?q=1"));
    expect(refusal).toMatchObject({ status: 401, code: "POLICY_REFUSED" });
    expect(asked).toEqual([{ plugin: "echo", path: ["attested", "x"], query: { q: "1" } }]);
    expect(seen).toEqual([]);
    expect((await harness.events())[0]).toMatchObject({
      type: "plugin.use",
      plugin: "echo",
      decision: "deny",
    });
  });

  it("has every use in the audit log before the answer", async () => {
    await start();
    await harness.guest("GET", "/kbs/v0/echo/attested/sealed");
    expect((await harness.events())[0]).toMatchObject({
      type: "plugin.use",
      plugin: "echo",
      path: "attested/sealed",
      decision: "allow",
      noted: "this",
      key: expect.any(String),
    });
    await harness.admin("POST", "/kbs/v0/echo/admin/x", "secret body");
    expect((await harness.events())[0]).toMatchObject({
      type: "plugin.admin",
      method: "POST",
      noted: "this",
    });
    await harness.guest("GET", "/kbs/v0/echo/attested/fail");
    expect((await harness.events())[0]).toMatchObject({ decision: "deny", reason: "KEY_NOT_FOUND" });
    expect(JSON.stringify(await harness.events())).not.toContain("secret body");
  });

  it("that fails tells nothing of itself", async () => {
    await start();
    const answer = await harness.guest("GET", "/kbs/v0/echo/attested/crash");
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("inner life");
    expect((await harness.events())[0]).toMatchObject({ decision: "deny", reason: "failed" });
  });

  it.each([
    ["/kbs/v0/echo/public/", "INVALID_PATH"],
    ["/kbs/v0/echo/public/%2e%2e", "INVALID_PATH"],
    ["/kbs/v0/echo/public/a%2fb", "INVALID_PATH"],
    ["/kbs/v0/echo/public/%00", "INVALID_PATH"],
    ["/kbs/v0/%65cho/public/a", "UNKNOWN_PLUGIN"],
    ["/kbs/v0/echo/public/%ff", "INVALID_PATH"],
    [`/kbs/v0/echo/public/${"x".repeat(513)}`, "INVALID_PATH"],
    [`/kbs/v0/echo/public${"/x".repeat(40)}`, "INVALID_REQUEST"],
    ["/kbs/v0/echo/public?a=1&a=2", "INVALID_REQUEST"],
    ["/kbs/v0/other/x", "UNKNOWN_PLUGIN"],
  ])("is not asked for %s", async (path, code) => {
    await start();
    expect((await refusalOf(await harness.call("GET", path))).code).toBe(code);
    expect(seen).toEqual([]);
  });

  it.each(["resource", "auth", "Echo", "a/b", ""])("cannot be called %j", async (name) => {
    await start();
    await expect(harness.restart({ plugins: [{ ...echo, name }] })).rejects.toMatchObject({
      code: "INVALID_PATH",
    });
    await harness.restart();
  });

  it("cannot be there twice", async () => {
    await start();
    await expect(harness.restart({ plugins: [echo, echo] })).rejects.toMatchObject({ code: "INVALID_PATH" });
    await harness.restart();
  });
});
