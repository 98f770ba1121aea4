// SPDX-License-Identifier: Apache-2.0
// The life of a secret over HTTP: versions, deletion that can be undone, and what guests see of it.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Harness, jsonOf, refusalOf, secretOf } from "../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../test/plugin-harness.ts";

const SECRET = "/kbs/v0/resource/default/hello/secret";
const OWN = "/v1/resources/default/hello/secret";
let harness: PluginHarness;

beforeEach(async () => {
  harness = await createPluginHarness([]);
  await harness.admin("POST", SECRET, "one");
  await harness.admin("POST", SECRET, "two");
});
afterEach(() => harness.close());

const codeOf = async (answer: Promise<Response>): Promise<string> =>
  (await answer).headers.get("adyton-error")?.split(";")[0] ?? "";
const post = (path: string): ReturnType<Harness["admin"]> => harness.admin("POST", path);

describe("a secret", () => {
  it("is given in its newest version, or the one that is asked for, and the log says which", async () => {
    expect(await secretOf(await harness.guest("GET", SECRET))).toBe("two");
    expect((await harness.events())[0]).toMatchObject({ type: "resource.release", version: 2 });
    expect(await secretOf(await harness.guest("GET", `${SECRET}?version=1`))).toBe("one");
    expect((await harness.events())[0]).toMatchObject({ type: "resource.release", version: 1 });
    expect((await refusalOf(await harness.guest("GET", `${SECRET}?version=3`))).code).toBe(
      "RESOURCE_NOT_FOUND",
    );
    expect(await jsonOf(await harness.admin("GET", `${OWN}/versions`))).toMatchObject({
      name: "default/hello/secret",
      versions: [
        { version: 2, bytes: 3 },
        { version: 1, bytes: 3 },
      ],
    });
  });

  it("that is deleted keeps its name until it is restored or purged, and each step is logged", async () => {
    expect((await harness.admin("DELETE", SECRET)).status).toBe(200);
    expect((await refusalOf(await harness.guest("GET", SECRET))).code).toBe("RESOURCE_NOT_FOUND");
    expect((await refusalOf(await harness.guest("GET", `${SECRET}?version=1`))).code).toBe(
      "RESOURCE_NOT_FOUND",
    );
    expect(await codeOf(harness.admin("POST", SECRET, "three"))).toBe("RESOURCE_DELETED");
    expect((await post(`${OWN}/restore`)).status).toBe(200);
    expect(await secretOf(await harness.guest("GET", SECRET))).toBe("two");
    expect(await codeOf(post(`${OWN}/purge`))).toBe("RESOURCE_NOT_FOUND");
    await harness.admin("DELETE", SECRET);
    expect((await post(`${OWN}/purge`)).status).toBe(200);
    expect(await codeOf(post(`${OWN}/restore`))).toBe("RESOURCE_NOT_FOUND");
    expect((await harness.events()).map(({ type }) => type)).toEqual(
      expect.arrayContaining(["resource.delete", "resource.restore", "resource.purge"]),
    );
    expect((await harness.admin("POST", SECRET, "anew")).status).toBe(200);
    expect(await secretOf(await harness.guest("GET", SECRET))).toBe("anew");
  });

  it("that is deleted looks to guests like one that never was", async () => {
    await harness.admin("DELETE", SECRET);
    const never = "/kbs/v0/resource/default/hello/nothing";
    const [deleted, nothing] = [await harness.guest("GET", SECRET), await harness.guest("GET", never)];
    const mask = async (answer: Response) => (await answer.text()).replace(/hello\/\w+/g, "");
    expect([deleted.status, await mask(deleted)]).toEqual([nothing.status, await mask(nothing)]);
  });

  it("is listed by prefix", async () => {
    await harness.admin("POST", "/kbs/v0/resource/other/a/b", "x");
    const listed = async (query: string) => (await harness.admin("GET", `/kbs/v0/resources${query}`)).json();
    expect(await listed("?prefix=other/")).toEqual(["other/a/b"]);
    expect(await listed("")).toEqual(["default/hello/secret", "other/a/b"]);
    expect(await codeOf(harness.admin("GET", "/kbs/v0/resources?x=1"))).toBe("INVALID_PATH");
  });

  it.each([
    ["GET", `${OWN}/versions`],
    ["POST", `${OWN}/restore`],
    ["POST", `${OWN}/purge`],
  ])("has its history for administrators alone: %s %s", async (method, path) => {
    expect(await codeOf(harness.guest(method, path))).toBe("ADMIN_REFUSED");
    expect(await codeOf(harness.call(method, path))).toBe("ADMIN_REFUSED");
  });

  it.each([
    ["GET", "/v1/resources/a/b/c"],
    ["GET", "/v1/resources/a/versions"],
    ["POST", "/v1/resources/../c/restore"],
    ["POST", `${OWN}/other`],
  ])("has no path %s %s", async (method, path) => {
    expect(await codeOf(harness.admin(method, path))).toBe("INVALID_PATH");
  });
});
