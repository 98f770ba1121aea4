// SPDX-License-Identifier: Apache-2.0
// `adyton diagnose` with everything in order, and with one thing after the other out of it.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureProgram } from "@adyton/attester";
import { silentLogger } from "@adyton/broker";
import type { JsonObject } from "@adyton/core/json";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";
import { thisProgram } from "./local-tee.ts";
import { type Services, startServices } from "./start.ts";

const NAME = "default/hello/secret";
let folder: string;
let services: Services;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adyton-diagnose-"));
  const dir = join(folder, "state");
  services = await startServices({ dir, port: 0, dev: true, now: () => new Date(), logger: silentLogger });
  await services.admin.putResource(NAME, "open sesame");
});

beforeEach(async () => {
  await services.admin.setReferenceValues({ launch_digest: [await measureProgram(thisProgram())] });
});

afterAll(async () => {
  await services.close();
  await rm(folder, { recursive: true, force: true });
});

async function diagnosed(words: readonly string[], url: string = services.url, dir: string = services.dir) {
  const io = createBufferIo({ cwd: folder, env: { ADYTON_DIR: dir, ADYTON_URL: url } });
  const exit = await run(["diagnose", ...words], io);
  return { exit, ...io.output() };
}

/** What was found of each step, by name. */
async function stepsOf(...given: Parameters<typeof diagnosed>): Promise<{ exit: number; steps: JsonObject }> {
  const [words, ...rest] = given;
  const { exit, stdout } = await diagnosed([...words, "--json"], ...rest);
  const { steps } = JSON.parse(stdout) as { steps: { step: string; ok: boolean | null }[] };
  return { exit, steps: Object.fromEntries(steps.map(({ step, ok }) => [step, ok])) };
}

/** Something else at the services' address. */
async function withServer<T>(listener: RequestListener, act: (url: string) => Promise<T>): Promise<T> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const BEFORE = { attester: true, network: true, clock: true, protocol: true };
const NOT_TRIED = { evidence: null, endorsements: null, policy: null, secret: null };

describe("adyton diagnose", () => {
  it("passes every step for a guest that may have its secret", async () => {
    const { exit, stdout, stderr } = await diagnosed([NAME]);
    expect([exit, stdout.match(/^✓/gm)?.length]).toEqual([0, 8]);
    expect(stdout).toMatch(/✓ secret +default\/hello\/secret is released: 11 bytes, not shown/);
    expect(stdout + stderr).not.toContain("open sesame");
    const { steps } = await stepsOf([]);
    expect(steps).toEqual({ ...BEFORE, evidence: true, endorsements: true, policy: true, secret: null });
  });

  it("names what policy does not know, and what to do", async () => {
    await services.admin.setReferenceValues({ launch_digest: ["00".repeat(48)] });
    const { exit, stdout, stderr } = await diagnosed([NAME]);
    expect([exit, stderr]).toEqual([5, expect.stringContaining("Mend first: policy")]);
    expect(stdout).toMatch(/✗ policy +cpu0 is warning.*\n +next: .*launch digest/);
    expect(stdout).toMatch(/✗ secret +Cannot/);
  });

  it("says that no TEE attests here, and looks at the way all the same", async () => {
    const { exit, steps } = await stepsOf(["--tee", "tdx"]);
    expect(exit).toBe(6);
    expect(steps).toEqual({ ...BEFORE, attester: false, protocol: null, ...NOT_TRIED });
  });

  it("says that nobody answers", async () => {
    const closed = await withServer(
      () => {},
      async (url) => url,
    );
    const { exit, steps } = await stepsOf([], closed);
    expect(exit).toBe(6);
    expect(steps).toEqual({ attester: true, network: false, clock: null, protocol: null, ...NOT_TRIED });
  });

  it("says that somebody else answers", async () => {
    const page: RequestListener = (_request, response) => response.end("<html>");
    const { exit, steps } = await withServer(page, (url) => stepsOf([], url));
    expect(exit).toBe(1);
    expect(steps).toEqual({ ...BEFORE, protocol: false, ...NOT_TRIED });
  });

  it("says that the services speak another version, in their words", async () => {
    const old: RequestListener = (request, response) => {
      if (request.url === "/healthz") return void response.end("ok");
      response.writeHead(401, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ type: "x", detail: "KBS Client Protocol Version Mismatch: expect =0.1.1" }),
      );
    };
    const { exit, stdout } = await withServer(old, (url) => diagnosed([], url));
    expect(exit).toBe(1);
    expect(stdout).toMatch(/✗ protocol .*status 401: KBS Client Protocol Version Mismatch: expect =0\.1\.1/);
  });

  it("says that the clocks differ", async () => {
    const late: RequestListener = (_request, response) => {
      response.setHeader("date", "Thu, 01 Jan 2032 00:00:00 GMT");
      response.end("ok");
    };
    const { exit, stdout } = await withServer(late, (url) => diagnosed([], url));
    expect(exit).toBe(6);
    expect(stdout).toMatch(/✗ clock +differs from the services' by \d+ s\n +next: find out which/);
  });

  it("says that endorsements are missing", async () => {
    const dir = join(folder, "other");
    const other = await startServices({
      dir,
      port: 0,
      dev: true,
      now: () => new Date(),
      logger: silentLogger,
    });
    try {
      // A software TEE whose root the first services never heard of.
      const { exit, steps } = await stepsOf([], services.url, dir);
      expect(exit).toBe(4);
      expect(steps).toEqual({ ...BEFORE, ...NOT_TRIED, endorsements: false });
    } finally {
      await other.close();
    }
  });

  it("says that the services do not accept the evidence", async () => {
    const strict: RequestListener = (request, response) => {
      if (request.url === "/healthz") return void response.end("ok");
      if (request.url?.endsWith("/auth")) {
        response.setHeader("set-cookie", `kbs-session-id=${"a".repeat(32)}`);
        return void response.end(JSON.stringify({ nonce: `${"A".repeat(43)}=`, "extra-params": "" }));
      }
      response.writeHead(401, { "adyton-error": "REPORT_DATA_MISMATCH; category=not-authentic" });
      const type = "https://github.com/confidential-containers/kbs/errors/AttestationError";
      response.end(JSON.stringify({ type, detail: "Cannot accept it: it binds something else" }));
    };
    const { exit, steps } = await withServer(strict, (url) => stepsOf([], url));
    expect(exit).toBe(3);
    expect(steps).toEqual({ ...BEFORE, ...NOT_TRIED, evidence: false });
  });
});
