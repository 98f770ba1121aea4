// SPDX-License-Identifier: Apache-2.0
// The broker on a real socket, asked by the real client.

import { connect } from "node:net";
import { type Client, createAdmin, createClient } from "@adyton/client";
import { toUtf8 } from "@adyton/core/bytes";
import { codeOfAsync } from "@adyton/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHarness, DIGEST, GOOD_VALUES, type Harness, vendor } from "../test/harness.ts";
import { createBroker } from "./broker.ts";
import { type ServedBroker, serveBroker } from "./serve.ts";

let harness: Harness;
let served: ServedBroker;

beforeAll(async () => {
  harness = await createHarness();
  // The client lives in real time: so does this broker.
  const roots = [(await vendor()).root];
  harness.broker = createBroker({ ...harness.state, roots, allowSimulated: true });
  served = await serveBroker(harness.broker, { port: 0 });
  await adminOf().setReferenceValues(GOOD_VALUES);
  await adminOf().putResource("default/hello/secret", "open sesame");
});

afterAll(async () => {
  await served.close();
  await harness.close();
});

const adminOf = () => createAdmin({ url: served.url, token: harness.state.adminToken });

function clientOf(launchDigest = DIGEST): Client {
  return createClient({
    url: served.url,
    wait: async () => {},
    attester: {
      tee: "sample",
      collect: async (reportData) => ({
        tee: "sample",
        evidence: await harness.machine.evidence({ launchDigest, reportData }),
      }),
    },
  });
}

/** What the server says to raw bytes until it closes the connection. */
function rawAnswer(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(served.port, "127.0.0.1", () => socket.end(request));
    socket.on("data", (data) => {
      answer += data.toString();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

describe("over HTTP", () => {
  it("an attested workload gets its secret", async () => {
    expect(toUtf8(await clientOf().getResource("default/hello/secret"))).toBe("open sesame");
  });

  it("a hundred workloads get it at once", async () => {
    const secrets = await Promise.all(
      Array.from({ length: 100 }, async () => toUtf8(await clientOf().getResource("hello/secret"))),
    );
    expect(new Set(secrets)).toEqual(new Set(["open sesame"]));
  });

  it("a changed workload gets the reason instead", async () => {
    const error: unknown = await clientOf("cd".repeat(48))
      .getResource("default/hello/secret")
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "RELEASE_REFUSED",
      category: "policy",
      detail: { status: 401, broker: { code: "POLICY_REFUSED", type: "PolicyDeny" } },
    });
    expect((error as Error).message).toContain("launch_digest");
  });

  it("the administrator keeps resources and reference values", async () => {
    const admin = adminOf();
    await admin.putResource("team/keys/a", Uint8Array.of(0, 1, 255));
    expect(await admin.listResources()).toEqual(["default/hello/secret", "team/keys/a"]);
    expect(await clientOf().getResource("team/keys/a")).toEqual(Uint8Array.of(0, 1, 255));
    await admin.deleteResource("team/keys/a");
    expect(await codeOfAsync(() => admin.deleteResource("team/keys/a"))).toBe("RESOURCE_MISSING");
    expect(await codeOfAsync(() => clientOf().getResource("team/keys/a"))).toBe("RESOURCE_MISSING");
    await admin.setReferenceValues({ "team:digest": ["aa", "bb"] });
    expect(await admin.listReferenceValues()).toMatchObject({ "team:digest": ["aa", "bb"], svn: ["1"] });
    await admin.deleteReferenceValue("team:digest");
    expect(await codeOfAsync(() => admin.deleteReferenceValue("team:digest"))).toBe("RESOURCE_MISSING");
    await admin.health();
  });

  it("a wrong administrator is refused", async () => {
    const admin = createAdmin({ url: served.url, token: "x".repeat(43) });
    expect(await codeOfAsync(() => admin.listResources())).toBe("ADMIN_REFUSED");
  });

  it("a path that climbs reaches nothing", async () => {
    for (const path of [
      "/kbs/v0/resource/../../etc/passwd",
      "/kbs/v0/resource/a/%2e%2e/b/c",
      "//kbs/v0/resources",
    ]) {
      const answer = await rawAnswer(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${harness.state.adminToken}\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer).not.toContain("default/hello/secret");
    }
  });

  it.each([
    ["no HTTP", "hello\r\n\r\n"],
    ["a header beyond the limit", `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(70_000)}\r\n\r\n`],
    ["a bad length", "POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"],
    [
      "a length and chunks",
      "POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
  ])("%s is refused", async (_what, request) => {
    expect(await rawAnswer(request)).toMatch(/^HTTP\/1\.1 4\d\d /);
    await adminOf().health();
  });
});

describe("serving", () => {
  it("tells its address", () => {
    expect(served.url).toBe(`http://127.0.0.1:${served.port}`);
  });

  it("refuses a port that is taken", async () => {
    expect(await codeOfAsync(() => serveBroker(harness.broker, { port: served.port }))).toBe("LISTEN_FAILED");
  });

  it.each(["0.0.0.0", "::", "192.0.2.1"])("refuses plain HTTP on %s", async (host) => {
    expect(await codeOfAsync(() => serveBroker(harness.broker, { host, port: 0 }))).toBe("INSECURE_ADDRESS");
  });

  it("ends open requests, then stops", async () => {
    const other = await createHarness();
    const here = await serveBroker(other.broker, { port: 0 });
    const put = createAdmin({ url: here.url, token: other.state.adminToken });
    await put.putResource("a/b/c", "x");
    await here.close();
    expect(await codeOfAsync(() => put.health())).toBe("BROKER_UNREACHABLE");
    await other.restart();
    expect(await (await other.admin("GET", "/kbs/v0/resources")).json()).toEqual(["a/b/c"]);
    await other.close();
  });
});
