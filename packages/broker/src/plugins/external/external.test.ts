// SPDX-License-Identifier: Apache-2.0
// External plugins, over gRPC, against a server that is really there: one of ours, and one of Google's library in Python.

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openedOf, refusalOf } from "../../../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../../../test/plugin-harness.ts";
import { type ExternalPlugin, externalPlugins } from "./external.ts";
import { KbsPlugin, type PluginRequest } from "./kbs-plugin_pb.ts";

const BASE = "/kbs/v0/external";
const PYTHON = "/usr/bin/python3";
const hasPython = spawnSync(PYTHON, ["-c", "import grpc, grpc_tools"]).status === 0;
if (!hasPython) console.warn("Python's gRPC was not found: an external plugin in Python is skipped.");

let harness: PluginHarness;
const start = async (plugins: readonly ExternalPlugin[]): Promise<void> => {
  harness = await createPluginHarness([externalPlugins(plugins)]);
};
afterEach(() => harness.close());

describe("an external plugin", () => {
  const seen: PluginRequest[] = [];
  let server: Http2Server;
  let url: string;

  beforeAll(async () => {
    const routes = ({ service }: ConnectRouter) =>
      service(KbsPlugin, {
        validateAuth: ({ path }) => ({ requiresAdminAuth: path[0] === "admin" }),
        needsEncryption: ({ path }) => ({ requiresPayloadEncryption: path[0] === "sealed" }),
        handle: (request) => {
          seen.push(request);
          if (request.path[1] === "refuse") return { statusCode: 418, body: fromUtf8("inner life") };
          if (request.path[1] === "fail") throw new ConnectError("inner life", Code.Internal);
          return { body: fromUtf8("answer"), statusCode: 201, contentType: "text/plain" };
        },
      });
    server = createServer(connectNodeAdapter({ routes }));
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
  });

  it("says who may ask and what is encrypted, and answers", async () => {
    await start([{ name: "mine", url }]);
    seen.length = 0;
    const plain = await harness.guest("POST", `${BASE}/mine/plain/x?a=b`, "body");
    expect([plain.status, plain.headers.get("content-type"), await plain.text()]).toEqual([
      201,
      "text/plain",
      "answer",
    ]);
    expect(seen[0]).toMatchObject({ method: "POST", path: ["plain", "x"], query: { a: "b" } });
    expect(toUtf8(await openedOf(await harness.guest("GET", `${BASE}/mine/sealed`)))).toBe("answer");
    expect((await harness.events())[0]).toMatchObject({
      type: "plugin.use",
      external: "mine",
      decision: "allow",
    });
    expect((await harness.admin("GET", `${BASE}/mine/admin`)).status).toBe(201);
    expect((await refusalOf(await harness.guest("GET", `${BASE}/mine/admin`))).code).toBe("ADMIN_REFUSED");
    expect((await refusalOf(await harness.call("GET", `${BASE}/mine/plain`))).code).toBe("TOKEN_MISSING");
  });

  it.each(["refuse", "fail"])("that answers with an error (%s) tells nothing of itself", async (what) => {
    await start([{ name: "mine", url }]);
    const answer = await harness.guest("GET", `${BASE}/mine/plain/${what}`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain("inner life");
    expect((await harness.events())[0]).toMatchObject({ decision: "deny", reason: "PLUGIN_FAILED" });
  });

  it("that is not there is unavailable; one that nobody named is no path", async () => {
    await start([{ name: "gone", url: "http://127.0.0.1:9", timeoutMilliseconds: 2000 }]);
    expect((await refusalOf(await harness.guest("GET", `${BASE}/gone/x`))).code).toBe("PLUGIN_FAILED");
    expect((await refusalOf(await harness.guest("GET", `${BASE}/other/x`))).code).toBe("INVALID_PATH");
    expect((await refusalOf(await harness.guest("GET", `${BASE}/gone`))).code).toBe("INVALID_PATH");
  });

  it("is never reached over plain HTTP beyond this machine", async () => {
    await start([]);
    expect(() => externalPlugins([{ name: "far", url: "http://plugin.test:1" }])).toThrow(
      expect.objectContaining({ code: "INSECURE_ADDRESS" }),
    );
  });
});

describe.skipIf(!hasPython)("an external plugin in Python", () => {
  let folder: string;
  let process: ChildProcess | undefined;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "adyton-external-"));
    const proto = join(import.meta.dirname, "../../../proto");
    execFileSync(PYTHON, [
      ...["-m", "grpc_tools.protoc", `-I${proto}`, `--python_out=${folder}`, `--grpc_python_out=${folder}`],
      join(proto, "kbs-plugin.proto"),
    ]);
  });
  afterAll(() => {
    process?.kill();
    rmSync(folder, { recursive: true });
  });

  it("answers like any other", async () => {
    const script = join(import.meta.dirname, "../../../test/external-plugin.py");
    const child = spawn(PYTHON, [script, folder], { stdio: ["ignore", "pipe", "inherit"] });
    process = child;
    const port = await new Promise<string>((resolve, reject) => {
      child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
      child.once("exit", () => reject(new Error("the plugin ended")));
    });
    await start([{ name: "python", url: `http://127.0.0.1:${port}` }]);
    const answer = await harness.guest("POST", `${BASE}/python/greet`, "world");
    expect(toUtf8(await openedOf(answer))).toBe("hello world at greet");
    expect((await refusalOf(await harness.guest("DELETE", `${BASE}/python/greet`))).code).toBe(
      "ADMIN_REFUSED",
    );
  });
});
