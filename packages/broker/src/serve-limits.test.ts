// SPDX-License-Identifier: Apache-2.0
// Clients that want too much: of bytes, of time, of connections. Raw sockets, and limits short enough for a test.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHarness, type Harness } from "../test/harness.ts";
import { createBroker } from "./broker.ts";
import { type ServedBroker, serveBroker } from "./serve.ts";

const SHORT = {
  headerSeconds: 0.15,
  requestSeconds: 0.3,
  idleSeconds: 0.15,
  headerBytes: 8192,
  connections: 40,
};
const folder = mkdtempSync(join(tmpdir(), "adyton-limits-"));
const hasOpenssl = (() => {
  try {
    execFileSync("openssl", ["version"]);
    return true;
  } catch {
    return false;
  }
})();

let harness: Harness;
let plain: ServedBroker;
let secure: ServedBroker | undefined;

beforeAll(async () => {
  harness = await createHarness();
  const { close: _, ...rest } = createBroker({
    ...harness.state,
    maxBodyBytes: 4096,
    maxSessions: 20_000,
    rateLimit: false,
  });
  const broker = { ...rest, close: async () => {} };
  plain = await serveBroker(broker, { port: 0, limits: SHORT });
  if (!hasOpenssl) return;
  const [certificate, key] = [join(folder, "c.pem"), join(folder, "k.pem")];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-subj",
      "/CN=x",
      "-keyout",
      key,
      "-out",
      certificate,
    ],
    { stdio: "ignore" },
  );
  secure = await serveBroker(broker, { port: 0, limits: SHORT, tls: { certificate, key } });
});
afterAll(async () => {
  await plain.close();
  await secure?.close();
  await harness.close();
  rmSync(folder, { recursive: true });
});

type Dial = () => Socket;
const dialPlain: Dial = () => connect(plain.port, "127.0.0.1");
const dialTls: Dial = () =>
  connectTls({
    port: secure?.port ?? 0,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
  });

/** Everything the server says until it ends the connection. Dripped bytes follow each other while it lets them. */
function saysUntilClosed(dial: Dial, first: string, drip?: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = dial();
    let said = "";
    let timer: NodeJS.Timeout | undefined;
    socket.on("data", (data) => {
      said += data.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearInterval(timer);
      resolve(said);
    });
    if (first !== "") socket.write(first);
    if (drip !== undefined) timer = setInterval(() => socket.writable && socket.write(drip), 20);
  });
}

const alive = async (): Promise<number> => (await fetch(`${plain.url}/healthz`)).status;

describe.each([
  ["plain", dialPlain, true],
  ["TLS", dialTls, hasOpenssl],
] as const)("over %s", (_name, dial, available) => {
  it.skipIf(!available)("who says nothing is let go", async () => {
    expect(await saysUntilClosed(dial, "")).not.toContain(" 200 ");
  });

  it.skipIf(!available)("headers that drip are cut off", async () => {
    expect(await saysUntilClosed(dial, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", "a")).toMatch(
      /^(HTTP\/1\.1 408 |$)/,
    );
  });

  it.skipIf(!available)("a body that drips is cut off", async () => {
    const head = "POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n";
    expect(await saysUntilClosed(dial, head, "a")).not.toContain(" 200 ");
  });

  it.skipIf(!available)("an unused connection ends after a while", async () => {
    expect(await saysUntilClosed(dial, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });

  it.skipIf(!available)("headers beyond the limit are refused", async () => {
    const big = `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(9000)}\r\n\r\n`;
    expect(await saysUntilClosed(dial, big)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it.skipIf(!available)("bodies beyond the limit are refused, told or not", async () => {
    const told = `POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5000\r\n\r\n${"a".repeat(5000)}`;
    expect(await saysUntilClosed(dial, told)).toMatch(/^HTTP\/1\.1 413 /);
    const chunk = `1000\r\n${"a".repeat(4096)}\r\n`;
    const chunked = `POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`;
    expect(await saysUntilClosed(dial, chunked)).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe.skipIf(!hasOpenssl)("over HTTP/2", () => {
  const session = () => connectHttp2(secure?.url ?? "", { rejectUnauthorized: false });

  it("a session without requests ends, whatever it pings", async () => {
    const client = session();
    client.on("error", () => {});
    const pings = setInterval(() => !client.destroyed && client.ping(() => {}), 20);
    await new Promise((resolve) => client.once("close", resolve));
    clearInterval(pings);
  });

  it("a request that never ends is cut off", async () => {
    const client = session();
    client.on("error", () => {});
    const stream = client.request({ ":path": "/kbs/v0/auth", ":method": "POST" });
    const drip = setInterval(() => stream.writable && stream.write("a"), 20);
    stream.on("error", () => {});
    await new Promise((resolve) => stream.once("close", resolve));
    clearInterval(drip);
    expect(stream.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
    client.destroy();
  });

  it("a silent handshake is let go", async () => {
    await saysUntilClosed(() => connect(secure?.port ?? 0, "127.0.0.1"), "");
  });
});

describe("many", () => {
  it("connections are closed as they come beyond the limit, and others are answered", async () => {
    const sockets = Array.from({ length: 60 }, () => connect(plain.port, "127.0.0.1"));
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.on("error", () => {}).once("close", resolve))),
    );
    expect(await alive()).toBe(200);
  });

  it("half-open connections stop nobody", async () => {
    const held = Array.from({ length: 20 }, () =>
      connect({ port: plain.port, host: "127.0.0.1", allowHalfOpen: true }),
    );
    for (const socket of held) {
      socket.on("error", () => {});
      socket.end("POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
    }
    expect(await alive()).toBe(200);
    for (const socket of held) socket.destroy();
  });

  it("10,000 idle sessions leave the broker quick", async () => {
    const body = JSON.stringify({ version: "0.4.0", tee: "sample", "extra-params": "" });
    const { broker } = harness;
    const open = () =>
      broker.fetch(new Request("http://b/kbs/v0/auth", { method: "POST", body }), {
        remoteAddress: `10.0.${seen >> 8}.${seen++ & 255}`,
      });
    let seen = 0;
    for (let n = 0; n < 20; n++) {
      const answers = await Promise.all(Array.from({ length: 500 }, open));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    }
    // One that comes then finds its session among them.
    expect((await harness.attest(await harness.auth())).status).toBe(200);
  }, 30_000);
});

it("requests in flight end before the server does, and readiness goes first", async () => {
  const order: string[] = [];
  let answer: (response: Response) => void = () => {};
  const entered = new Promise<void>((began) => {
    void serveBroker(
      {
        fetch: () => {
          began();
          return new Promise((resolve) => {
            answer = resolve;
          });
        },
        retire: () => void order.push("retired"),
        close: async () => void order.push("closed"),
      },
      { port: 0 },
    ).then(async (served) => {
      server = served;
      pending = fetch(`${served.url}/x`).then((response) => response.text());
    });
  });
  let server: ServedBroker | undefined;
  let pending: Promise<string> | undefined;
  await entered;
  const closing = server?.close();
  expect(order).toEqual(["retired"]);
  await expect(fetch(`${server?.url}/y`)).rejects.toThrow();
  answer(new Response("whole"));
  expect(await pending).toBe("whole");
  await closing;
  expect(order).toEqual(["retired", "closed"]);
});
