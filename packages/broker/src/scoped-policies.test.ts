// SPDX-License-Identifier: Apache-2.0
// Resource policies for some names, and what a guest learns of those it may not have.

import { createHash, randomBytes } from "node:crypto";
import { toBase64Url } from "@adyton/core/bytes";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, GOOD_VALUES, type Harness, refusalOf, secretOf } from "../test/harness.ts";

const SCOPED = "/v1/resource-policies";
const ALLOW = "package policy\n\nallow if true\n";
const REFUSE = "package policy\n\nallow if false\n";

let harness: Harness;
let cookie: string;

beforeEach(async () => {
  harness = await createHarness();
  await harness.setReferenceValues(GOOD_VALUES);
  for (const name of ["team-a/disk/key", "team-a/tls/key", "team-b/disk/key"])
    await harness.admin("POST", `/kbs/v0/resource/${name}`, name);
  ({ cookie } = await harness.attested());
});
afterEach(() => harness.close());

const get = (name: string, headers: Readonly<Record<string, string>> = { cookie }): Promise<Response> =>
  harness.call("GET", `/kbs/v0/resource/${name}`, { headers });
const set = (path: string, policy: string, more: JsonObject = {}): Promise<Response> =>
  harness.admin("PUT", `${SCOPED}/${path}`, JSON.stringify({ policy, ...more }));
const codeFrom = async (answer: Response | Promise<Response>): Promise<string> => {
  const response = await answer;
  return response.status < 300 ? "ok" : (await refusalOf(response)).code;
};
const released = async (): Promise<readonly string[]> => {
  const names = [];
  for (const name of ["team-a/disk/key", "team-a/tls/key", "team-b/disk/key"])
    if ((await codeFrom(get(name))) === "ok") names.push(name);
  return names;
};
const events = async (): Promise<readonly JsonObject[]> =>
  (await harness.state.store.log(0, 200)).map(({ leaf }) => JSON.parse(leaf).event as JsonObject);

describe("the policy of a pattern", () => {
  it("is one of a thousand at most", async () => {
    const rows = Array.from({ length: 1000 }, (_, n) => ({
      kind: "put" as const,
      space: "policy",
      key: `current/resource:x${n}`,
      value: new Uint8Array(1),
    }));
    await harness.state.store.write(rows);
    expect(await codeFrom(set("team-a/**", ALLOW))).toBe("QUOTA_EXCEEDED");
    await harness.state.store.write([{ kind: "delete", space: "policy", key: "current/resource:x7" }]);
    expect(await codeFrom(set("team-a/**", ALLOW))).toBe("ok");
  });

  it("decides for the names that fit it, the most specific one first, and from then on", async () => {
    expect(await released()).toHaveLength(3);
    await set("**", REFUSE);
    expect(await released()).toEqual([]);
    await set("team-a/**", ALLOW);
    expect(await released()).toEqual(["team-a/disk/key", "team-a/tls/key"]);
    await set("team-a/disk/*", REFUSE);
    expect(await released()).toEqual(["team-a/tls/key"]);
    await set("team-a/disk/key", ALLOW);
    await set("team-*/**", ALLOW);
    expect(await released()).toHaveLength(3);
    await harness.restart();
    ({ cookie } = await harness.attested());
    expect(await released()).toHaveLength(3);
    for (const path of ["team-a/**", "team-*/**", "team-a/disk/key"])
      expect((await harness.admin("DELETE", `${SCOPED}/${path}`)).status).toBe(204);
    expect(await released()).toEqual([]);
  });

  it("is the classic one for **, and is named in the log by its pattern and version", async () => {
    await set("**", ALLOW);
    const classic = (await (await harness.admin("GET", "/kbs/v0/resource-policy")).json()) as JsonObject;
    expect(classic.policy).toBe(toBase64Url(new TextEncoder().encode(ALLOW)));
    await set("team-a/**", ALLOW);
    await get("team-a/disk/key");
    const log = await events();
    expect(log.at(-1)).toMatchObject({ type: "resource.release", policy: "resource:team-a/**@1" });
    expect(log.find(({ policy }) => policy === "resource:team-a/**")).toMatchObject({
      type: "policy.set",
      by: "admin",
      version: 1,
    });
  });

  it("is shown, listed by specificity, and counts its versions on after being taken away", async () => {
    for (const path of ["**", "team-a/**", "team-a/disk/*"]) await set(path, ALLOW);
    const list = (await (await harness.admin("GET", SCOPED)).json()) as readonly JsonObject[];
    expect(list.map(({ path, version }) => [path, version])).toEqual([
      ["team-a/disk/*", 1],
      ["team-a/**", 1],
      ["**", 1],
    ]);
    expect(await (await harness.admin("GET", `${SCOPED}/team-a%2F%2A%2A`)).json()).toMatchObject({
      path: "team-a/**",
      policy: ALLOW,
    });
    await harness.admin("DELETE", `${SCOPED}/team-a/**`);
    expect(await codeFrom(harness.admin("GET", `${SCOPED}/team-a/**`))).toBe("POLICY_NOT_FOUND");
    expect(await codeFrom(harness.admin("DELETE", `${SCOPED}/team-a/**`))).toBe("POLICY_NOT_FOUND");
    expect(await (await set("team-a/**", REFUSE)).json()).toMatchObject({ version: 2 });
  });

  it("is tested before it is set, and the old one stays when it fails", async () => {
    const tests = "package policy_test\n\nimport data.policy\n\ntest_allows if policy.allow\n";
    expect(await codeFrom(set("team-a/**", ALLOW, { tests }))).toBe("ok");
    expect(await codeFrom(set("team-a/**", REFUSE, { tests }))).toBe("POLICY_TESTS_FAILED");
    expect(await codeFrom(set("team-a/**", "package policy\nallow if {"))).toBe("POLICY_INVALID");
    expect(await released()).toContain("team-a/disk/key");
  });

  it.each(["a//b", "**/a", "a*b/c", "a b", "%E4", "%ZZ", "a/**?x=1", "/"])("is none of %s", async (path) => {
    expect(["INVALID_REQUEST", "INVALID_PATH"]).toContain(await codeFrom(set(path, ALLOW)));
  });

  it("is set by whoever may for all that it stands for", async () => {
    const token = `adyton~op~${toBase64Url(randomBytes(32))}`;
    const sha256 = createHash("sha256").update(token).digest("hex");
    const grants: JsonValue = [{ actions: ["policy.set"], targets: ["resource:team-a/*"] }];
    const body = { name: "op", credential: { kind: "token", sha256 }, grants };
    await harness.admin("POST", "/v1/admins", JSON.stringify(body));
    const trySet = (path: string) =>
      codeFrom(
        harness.call("PUT", `${SCOPED}/${path}`, {
          body: JSON.stringify({ policy: ALLOW }),
          headers: { authorization: `Bearer ${token}` },
        }),
      );
    expect(await trySet("team-a/one")).toBe("ok");
    for (const path of ["team-a/**", "team-b/one", "**", "*/one", "team-a/one/two"])
      expect(await trySet(path)).toBe("ADMIN_FORBIDDEN");
  });

  it("cannot be set where the program gave its own, nor taken away for **", async () => {
    await set("**", ALLOW);
    expect(await codeFrom(harness.admin("DELETE", `${SCOPED}/**`))).toBe("INVALID_REQUEST");
    await harness.restart({ resourcePolicy: { id: "own", allow: () => ({ allow: false, findings: [] }) } });
    expect(await codeFrom(set("team-a/**", ALLOW))).toBe("POLICY_FIXED");
  });
});

describe("a guest", () => {
  /** Status, headers and body of an answer, with the name taken out. */
  const seen = async (name: string, headers?: Readonly<Record<string, string>>): Promise<unknown> => {
    const answer = await get(name, { ...headers, "x-request-id": "the-same" });
    return {
      status: answer.status,
      headers: [...answer.headers].filter(([header]) => !header.startsWith("adyton-log")),
      body: (await answer.text()).replaceAll(name.split("?")[0] ?? name, "NAME"),
    };
  };

  it.each([
    ["may not have it", () => ({ cookie })],
    ["is not attested", () => ({})],
    ["brings another token", () => ({ authorization: "Bearer a.b.c" })],
    ["brings another cookie", () => ({ cookie: `kbs-session-id=${"0".repeat(32)}` })],
  ])("that %s does not learn whether it exists", async (_why, headers) => {
    await set("team-a/**", REFUSE);
    await harness.admin("POST", "/kbs/v0/resource/team-a/gone/key", "x");
    await harness.admin("DELETE", "/kbs/v0/resource/team-a/gone/key");
    const there = await seen("team-a/disk/key", headers());
    for (const name of [
      "team-a/none/key",
      "team-a/gone/key",
      "team-a/disk/key?version=1",
      "team-a/none/key?version=9",
    ])
      expect(await seen(name, headers())).toEqual(there);
  });

  it("that is refused had nobody look for the secret", async () => {
    await set("team-a/**", REFUSE);
    // The first decision after a change reads the policies, later ones whether they have changed.
    expect(await codeFrom(get("team-a/any/key"))).toBe("POLICY_REFUSED");
    const { store } = harness.state;
    const asked: string[] = [];
    const { get: real } = store;
    store.get = (space, key) => {
      asked.push(space);
      return real.call(store, space, key);
    };
    const looked: string[][] = [];
    for (const name of ["team-a/disk/key", "team-a/none/key"]) {
      asked.length = 0;
      expect(await codeFrom(get(name))).toBe("POLICY_REFUSED");
      looked.push([...asked]);
    }
    store.get = real;
    expect(looked[0]).toContain("policy");
    expect(looked[0]).toEqual(looked[1]);
    expect(looked.flat().filter((space) => space.startsWith("resource"))).toEqual([]);
  });

  it("that may have it gets it", async () => {
    await set("team-a/**", ALLOW);
    expect(await secretOf(await get("team-a/disk/key"))).toBe("team-a/disk/key");
    expect(await codeFrom(get("team-a/none/key"))).toBe("RESOURCE_NOT_FOUND");
  });
});
