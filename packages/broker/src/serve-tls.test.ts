// SPDX-License-Identifier: Apache-2.0
// HTTPS: both versions of HTTP on one port, certificates that change, clients that bring their own.

import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { codeOfAsync } from "@adyton/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createHarness, type Harness } from "../test/harness.ts";
import { createBroker } from "./broker.ts";
import type { LogFacts } from "./log.ts";
import { type ServedBroker, type ServeOptions, serveBroker } from "./serve.ts";
import { hasHybridGroup, type TlsOptions } from "./serve-tls.ts";

const folder = mkdtempSync(join(tmpdir(), "adyton-tls-"));
const at = (name: string): string => join(folder, name);
const openssl = (...argv: string[]): void => void execFileSync("openssl", argv, { stdio: "ignore" });
const hasOpenssl = (() => {
  try {
    openssl("version");
    return true;
  } catch {
    return false;
  }
})();

/** A self-signed certificate, or one of `issuer`. */
function certificate(name: string, subject: string, issuer?: string): void {
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    at(`${name}.key`),
  ];
  const from = issuer === undefined ? [] : ["-CA", at(`${issuer}.crt`), "-CAkey", at(`${issuer}.key`)];
  openssl(
    ...["req", "-x509", ...key, "-subj", subject, "-days", "2", "-out", at(`${name}.crt`), ...from],
    ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
  );
}

let harness: Harness;
let served: ServedBroker | undefined;
const logged: { event: string; facts: LogFacts | undefined }[] = [];
const log = (event: string, facts?: LogFacts): void => void logged.push({ event, facts });
const logger = { info: log, warn: log, error: log };

beforeAll(async () => {
  harness = await createHarness();
  if (!hasOpenssl) return;
  certificate("ca", "/CN=clients");
  certificate("one", "/CN=one");
  certificate("two", "/CN=two");
  certificate("alice", "/CN=alice", "ca");
  certificate("mallory", "/CN=alice");
});
afterEach(async () => {
  await served?.close();
  served = undefined;
});
afterAll(async () => {
  await harness.close();
  rmSync(folder, { recursive: true });
});

async function serve(tls: Partial<TlsOptions> = {}, more: Partial<ServeOptions> = {}): Promise<ServedBroker> {
  const fingerprint = createHash("sha256")
    .update(new X509Certificate(readFileSync(at("mallory.crt"))).raw)
    .digest("hex");
  const { close: _, ...broker } = createBroker({
    ...harness.state,
    admin: {
      certificates: [
        { name: "alice", subject: "CN=alice", roles: ["auditor"] },
        { name: "pinned", sha256: fingerprint, roles: ["auditor"] },
      ],
    },
  });
  served = await serveBroker(
    { ...broker, close: async () => {} },
    {
      port: 0,
      logger,
      tls: { certificate: at("one.crt"), key: at("one.key"), reloadSeconds: 0, ...tls },
      ...more,
    },
  );
  return served;
}

function get(path: string, options: ConnectionOptions = {}): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const url = `${served?.url}${path}`;
    const request = httpsRequest(url, { rejectUnauthorized: false, agent: false, ...options }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += String(chunk);
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", reject);
    request.end();
  });
}

function get2(session: ClientHttp2Session, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path });
    let status = 0;
    let text = "";
    stream.on("response", (headers) => {
      status = Number(headers[":status"]);
    });
    stream.on("data", (chunk) => {
      text += String(chunk);
    });
    stream.on("end", () => resolve({ status, text }));
    stream.on("error", reject);
    stream.end();
  });
}

/** What a handshake comes to. */
function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { port: served?.port ?? 0, host: "127.0.0.1", rejectUnauthorized: false, ...options },
      () => resolve(socket),
    );
    socket.on("error", reject);
  });
}

describe.skipIf(!hasOpenssl)("TLS", () => {
  it("serves HTTP/1.1 and HTTP/2 on one port", async () => {
    await serve();
    expect(served?.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await get("/healthz")).toEqual({ status: 200, text: "ok" });
    const session = connectHttp2(served?.url ?? "", { rejectUnauthorized: false });
    const answers = await Promise.all(Array.from({ length: 20 }, () => get2(session, "/readyz")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await get2(session, "/none")).status).toBe(404);
    session.close();
  });

  it("may be served beyond loopback", async () => {
    await serve({}, { host: "0.0.0.0" });
    expect(served?.url).toMatch(/^https:\/\/127\.0\.0\.1:/);
    expect((await get("/healthz")).status).toBe(200);
  });

  it.each([
    ["modern", "TLSv1.2", false],
    ["modern", "TLSv1.3", true],
    ["intermediate", "TLSv1.2", true],
    ["intermediate", "TLSv1.1", false],
  ] as const)("%s and %s: %s", async (profile, version, works) => {
    await serve({ profile });
    const result = handshake({ minVersion: version, maxVersion: version });
    if (!works) await expect(result).rejects.toThrow();
    else {
      const socket = await result;
      expect(socket.getProtocol()).toBe(version);
      socket.destroy();
    }
  });

  it.skipIf(!hasHybridGroup())("agrees on a hybrid key where OpenSSL has it", async () => {
    await serve();
    const socket = await handshake({ ecdhCurve: "X25519MLKEM768" });
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: expect.stringMatching(/MLKEM/i) });
    socket.destroy();
  });

  it("takes a new certificate, and keeps the old one while the new pair does not fit", async () => {
    cpSync(at("one.crt"), at("live.crt"));
    cpSync(at("one.key"), at("live.key"));
    const { reload } = await serve({ certificate: at("live.crt"), key: at("live.key") });
    const subject = async (): Promise<string> => {
      const socket = await handshake({});
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return String(CN);
    };
    const session = connectHttp2(served?.url ?? "", { rejectUnauthorized: false });
    expect([await reload(), await subject()]).toEqual([false, "one"]);
    cpSync(at("two.crt"), at("live.crt"));
    expect([await reload(), await reload(), await subject()]).toEqual([false, false, "one"]);
    expect(logged.filter(({ event }) => event === "certificate not reloaded")).toHaveLength(1);
    cpSync(at("two.key"), at("live.key"));
    expect([await reload(), await subject()]).toEqual([true, "two"]);
    // Who was there stays.
    expect((await get2(session, "/healthz")).status).toBe(200);
    session.close();
    writeFileSync(at("live.key"), "no PEM");
    expect([await reload(), await subject()]).toEqual([false, "two"]);
    expect(JSON.stringify(logged)).not.toContain("PRIVATE");
  });

  it.each([
    ["files that are not there", { certificate: "/none.crt" }],
    ["a key of another certificate", { key: "two.key" }],
    ["authorities that are not there", { clientCa: "/none.crt" }],
  ])("refuses %s", async (_what, tls) => {
    const options = Object.fromEntries(
      Object.entries(tls).map(([name, file]) => [name, file.startsWith("/") ? file : at(file)]),
    );
    expect(await codeOfAsync(() => serve(options))).toBe("TLS_INVALID");
  });

  describe("client certificates", () => {
    const alice = () => ({ cert: readFileSync(at("alice.crt")), key: readFileSync(at("alice.key")) });
    const mallory = () => ({ cert: readFileSync(at("mallory.crt")), key: readFileSync(at("mallory.key")) });
    const whoami = async (options: ConnectionOptions) => {
      const { status, text } = await get("/v1/whoami", options);
      return status === 200 ? (JSON.parse(text) as { id: string }).id : status;
    };

    it("administer where they are asked for, by their rules", async () => {
      await serve({ clientCertificates: "optional", clientCa: at("ca.crt") });
      expect(await whoami({})).not.toBe("cert:alice");
      expect(await whoami(alice())).toBe("cert:alice");
      // Says that it is Alice; nobody vouches for that, but its fingerprint is known.
      expect(await whoami(mallory())).toBe("cert:pinned");
      const session = connectHttp2(served?.url ?? "", { rejectUnauthorized: false, ...alice() });
      expect(JSON.parse((await get2(session, "/v1/whoami")).text)).toMatchObject({ id: "cert:alice" });
      session.close();
    });

    it("vouched for by nobody count as unchecked where no authority is named", async () => {
      await serve({ clientCertificates: "optional" });
      expect(await whoami(alice())).toBe(401);
    });

    it("are required where that is said", async () => {
      await serve({ clientCertificates: "required", clientCa: at("ca.crt") });
      await expect(get("/healthz")).rejects.toThrow();
      await expect(get("/healthz", mallory())).rejects.toThrow();
      expect((await get("/healthz", alice())).status).toBe(200);
    });

    it("are not asked for otherwise", async () => {
      await serve();
      expect(await whoami(alice())).toBe(401);
    });
  });
});
