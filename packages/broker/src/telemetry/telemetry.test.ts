// SPDX-License-Identifier: Apache-2.0
// Traces, request ids and log lines of a whole flow, and that nothing secret is in any of them.

import { randomUUID } from "node:crypto";
import { InMemorySpanExporter, type ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, GOOD_VALUES, type Harness, jsonOf, PAIR } from "../../test/harness.ts";
import { createLogger } from "../log.ts";
import { Metrics } from "../metrics/metrics.ts";
import { pluginPrefixes, routeOf } from "./routes.ts";
import { startTracing, type Tracing } from "./tracing.ts";

let harness: Harness;
let exporter: InMemorySpanExporter;
let tracing: Tracing;
let lines: string[];

beforeEach(async () => {
  exporter = new InMemorySpanExporter();
  tracing = startTracing({ to: exporter, version: "1" });
  lines = [];
  const logger = createLogger({ write: (line) => void lines.push(line), now: () => new Date(0) });
  harness = await createHarness({ logger, logRequests: true, metrics: new Metrics({ version: "1" }) });
  await harness.setReferenceValues(GOOD_VALUES);
});
afterEach(async () => {
  await tracing.stop();
  await harness.close();
});

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const spans = (): readonly ReadableSpan[] => exporter.getFinishedSpans();

async function release(token: string, headers: Record<string, string> = {}): Promise<Response> {
  return harness.call("GET", "/kbs/v0/resource/a/b/c", {
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
}

describe("traces", () => {
  it("show what a request was made of, as part of the client's trace", async () => {
    await harness.admin("POST", "/kbs/v0/resource/a/b/c", "secret");
    const { token } = await harness.attested();
    exporter.reset();
    await release(token, { traceparent: TRACEPARENT });
    const found = spans();
    expect(new Set(found.map((span) => span.spanContext().traceId))).toEqual(new Set([TRACE]));
    const byId = new Map(found.map((span) => [span.spanContext().spanId, span.name]));
    const parents = found.map(({ name, parentSpanContext }) => [
      name,
      byId.get(parentSpanContext?.spanId ?? ""),
    ]);
    expect(parents).toContainEqual(["GET /kbs/v0/resource/*", undefined]);
    expect(parents).toContainEqual(["release", "GET /kbs/v0/resource/*"]);
    expect(parents).toContainEqual(["policy", "release"]);
    expect(parents).toContainEqual(["store write", "release"]);
    const root = found.find(({ name }) => name === "GET /kbs/v0/resource/*");
    expect(root?.attributes).toMatchObject({ "http.response.status_code": 200, "adyton.tenant": "default" });
  });

  it("show verification and appraisal, and which code refused", async () => {
    exporter.reset();
    await harness.attested();
    expect(spans().map(({ name }) => name)).toEqual(
      expect.arrayContaining(["POST /kbs/v0/auth", "verify", "appraise"]),
    );
    exporter.reset();
    await harness.attest(await harness.auth(), { boundNonce: "AAAA" });
    const refused = spans().filter(({ attributes }) => attributes["error.type"] !== undefined);
    expect(refused.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["verify", "POST /kbs/v0/attest"]),
    );
  });

  it("begin anew where the client's header is none", async () => {
    exporter.reset();
    await harness.call("GET", "/healthz", { headers: { traceparent: "00-nonsense" } });
    expect(spans()[0]?.spanContext().traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  });
});

describe("request ids", () => {
  it("are the client's where they can be taken, and stand in each line", async () => {
    const id = randomUUID();
    const response = await harness.call("POST", "/kbs/v0/auth", {
      body: "{}",
      headers: { "x-request-id": id },
    });
    expect(response.headers.get("x-request-id")).toBe(id);
    const told = lines.map((line) => JSON.parse(line) as { event: string; facts: Record<string, string> });
    const mine = told.filter(({ facts }) => facts.requestId === id);
    expect(mine.map(({ event }) => event)).toEqual(["request refused", "request"]);
    expect(mine[1]).toMatchObject({
      level: "info",
      facts: { method: "POST", route: "/kbs/v0/auth", status: 401 },
    });
    expect(mine[1]?.facts.traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each(["a b", "x".repeat(65), "é", "<script>", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln".repeat(4)])(
    "are ours in place of %s",
    async (id) => {
      const response = await harness.call("GET", "/healthz", {
        headers: { "x-request-id": `${encodeURIComponent(id).slice(0, 200)}%` },
      });
      expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    },
  );
});

it("nothing secret stands in logs, metrics, traces or refusals of a whole flow", async () => {
  const canary = `canary-${randomUUID()}`;
  const refusals: string[] = [];
  const keep = async (answer: Promise<Response>): Promise<void> => {
    const response = await answer;
    if (response.status >= 400) refusals.push(JSON.stringify([...response.headers]), await response.text());
  };
  await keep(harness.admin("POST", "/kbs/v0/resource/a/b/c", canary));
  const challenge = await harness.auth();
  const { token } = await jsonOf(await harness.attest(challenge));
  const bearer = String(token);
  await keep(release(bearer));
  await keep(release(`${bearer}x`));
  await keep(release(canary));
  await keep(harness.call("GET", `/kbs/v0/resource/a/b/c?token=${canary}`));
  await keep(
    harness.call("POST", "/kbs/v0/resource/a/b/c", {
      body: canary,
      headers: { authorization: `Bearer ${canary}` },
    }),
  );
  await keep(
    harness.call("POST", "/kbs/v0/attest", { body: `{"${canary}`, headers: { cookie: challenge.cookie } }),
  );
  await keep(
    harness.call("POST", "/kbs/v0/auth", {
      body: JSON.stringify({ version: "0.4.0", tee: "sample", [canary]: 1 }),
    }),
  );
  await keep(harness.attest(await harness.auth(), { launchDigest: "cd".repeat(48) }));
  const metrics = await (await harness.admin("GET", "/metrics")).text();
  const traces = JSON.stringify(
    spans().map(({ attributes, events, name, status }) => ({ attributes, events, name, status })),
  );
  const session = challenge.cookie.split("=")[1] ?? "";
  const { d } = PAIR.privateKey.export({ format: "jwk" });
  expect(lines.length).toBeGreaterThan(5);
  for (const secret of [canary, bearer, harness.state.adminToken, session, String(d)]) {
    expect(secret.length).toBeGreaterThan(20);
    expect(lines.join("")).not.toContain(secret);
    expect(metrics).not.toContain(secret);
    expect(traces).not.toContain(secret);
    // What a client sent, it may be told of: not others' secrets.
    if (secret !== canary) expect(refusals.join("")).not.toContain(secret);
  }
});

describe("log lines", () => {
  const told = (format: "json" | "pretty", level: "info" | "error" = "info") => {
    const found: string[] = [];
    const logger = createLogger({
      format,
      level,
      now: () => new Date(0),
      write: (line) => void found.push(line),
    });
    return { logger, found };
  };

  it("are one JSON object each", () => {
    const { found, logger } = told("json");
    logger.warn("a thing", {
      level: "fake",
      n: 1,
      adminToken: "x",
      note: "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln\nnext",
    });
    expect(found.map((line) => JSON.parse(line))).toEqual([
      {
        level: "warn",
        time: "1970-01-01T00:00:00.000Z",
        event: "a thing",
        facts: { level: "fake", n: 1, adminToken: "[redacted]", note: "Bearer [redacted]\nnext" },
      },
    ]);
    expect(found[0]?.trimEnd()).not.toContain("\n");
  });

  it("for people cannot be forged or move a cursor", () => {
    const { found, logger } = told("pretty");
    logger.info("a\u001b[2J\nthing", { fact: "x\ny" });
    expect(found).toEqual(['1970-01-01T00:00:00.000Z info a\ufffd[2J\ufffdthing fact="x\\ny"\n']);
  });

  it("below the level are not written", () => {
    const { found, logger } = told("json", "error");
    logger.info("a");
    logger.warn("b");
    logger.error("c");
    expect(found).toHaveLength(1);
  });
});

it("a path is called by its pattern", () => {
  const plugins = pluginPrefixes([{ name: "transit", vaultPath: "/v1/transit" }]);
  expect(
    [
      "/kbs/v0/resource/a/b/c",
      "/tenants/alpha/kbs/v0/auth",
      "/kbs/v0/transit/encrypt/k",
      "/v1/transit/encrypt/k",
      "/kbs/v0/none/x",
      "/tenants/A/x",
    ].map((path) => routeOf(path, plugins)),
  ).toEqual([
    { tenant: "default", route: "/kbs/v0/resource/*" },
    { tenant: "alpha", route: "/kbs/v0/auth" },
    { tenant: "default", route: "/kbs/v0/transit/*", plugin: "transit" },
    { tenant: "default", route: "/v1/transit/*", plugin: "transit" },
    { tenant: "default", route: "other" },
    { tenant: "default", route: "other" },
  ]);
});
