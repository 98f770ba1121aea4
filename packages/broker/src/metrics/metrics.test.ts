// SPDX-License-Identifier: Apache-2.0
// What is counted, under which names, and that no client makes a label.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, GOOD_VALUES, type Harness } from "../../test/harness.ts";
import { serveMetrics } from "../serve-metrics.ts";
import { Bounded } from "./bounded.ts";
import { Metrics } from "./metrics.ts";

let harness: Harness;
let metrics: Metrics;
beforeEach(async () => {
  metrics = new Metrics({ version: "1.2.3", gitHash: "abc", labels: 3 });
  harness = await createHarness({ metrics });
  await harness.setReferenceValues(GOOD_VALUES);
});
afterEach(() => harness.close());

const textOf = async () => (await harness.admin("GET", "/metrics")).text();
/** The value of a series, by the start of its line. */
const valueOfSeries = (text: string, series: string): number =>
  Number(
    text
      .split("\n")
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1) ?? Number.NaN,
  );

describe("metrics", () => {
  it("count a flow under Trustee's names", async () => {
    await harness.admin("POST", "/kbs/v0/resource/a/b/c", "secret");
    const { token } = await harness.attested();
    const headers = { authorization: `Bearer ${token}` };
    expect((await harness.call("GET", "/kbs/v0/resource/a/b/c", { headers })).status).toBe(200);
    expect((await harness.call("GET", "/kbs/v0/resource/a/b/none", { headers })).status).toBe(401);
    const refused = await harness.attested({ launchDigest: "cd".repeat(48) });
    await harness.call("GET", "/kbs/v0/resource/a/b/c", {
      headers: { authorization: `Bearer ${refused.token}` },
    });
    await harness.attest(await harness.auth(), { nonce: "AAAA" });
    await harness.call("POST", "/kbs/v0/auth", { body: "{}" });
    await harness.admin("DELETE", "/kbs/v0/resource/a/b/c");
    const text = await textOf();
    const expected: Record<string, number> = {
      'kbs_build_info{version="1.2.3",git_hash="abc",build_date=""}': 1,
      kbs_auth_requests_total: 4,
      kbs_auth_successes_total: 3,
      kbs_auth_errors_total: 1,
      kbs_attestation_requests_total: 3,
      'kbs_attestation_successes_total{tee_type="sample"}': 2,
      'kbs_attestation_failures_total{tee_type="sample"}': 1,
      kbs_attestation_errors_total: 0,
      'kbs_resource_writes_total{resource_path="a/b/c"}': 1,
      'kbs_resource_reads_total{resource_path="a/b/c"}': 1,
      'kbs_resource_deletes_total{resource_path="a/b/c"}': 1,
      kbs_policy_evaluations_total: 3,
      kbs_policy_approvals_total: 2,
      kbs_policy_violations_total: 1,
      kbs_policy_errors_total: 0,
      adyton_sessions: 3,
      adyton_root_key_generations: 1,
      'kbs_http_requests_total{method="POST",path="/kbs/v0/auth",status="200",tenant="default"}': 3,
      'kbs_http_request_duration_seconds_count{method="POST",path="/kbs/v0/attest",status="200"}': 2,
      // The one that asks.
      kbs_http_active_connections: 1,
    };
    for (const [series, value] of Object.entries(expected))
      expect([series, valueOfSeries(text, series)]).toEqual([series, value]);
    for (const name of [
      "kbs_http_request_size_bytes",
      "kbs_http_response_size_bytes",
      "kbs_plugin_requests_total",
      "kbs_plugin_request_duration_seconds",
      "kbs_plugin_errors_total",
      "adyton_policy_changes_total",
      "adyton_store_duration_seconds",
      "adyton_audit_log_head_age_seconds",
      "adyton_endorsement_age_seconds",
    ])
      expect(text).toContain(`# TYPE ${name} `);
    expect(valueOfSeries(text, "adyton_audit_log_entries")).toBeGreaterThan(5);
    expect(text).toMatch(/adyton_root_key_uses_total\{operation="seal",generation="[0-9a-f]{16}"\} [1-9]/);
  });

  it("count a policy that cannot decide as an error", async () => {
    await harness.restart({
      metrics: new Metrics({ version: "1" }),
      resourcePolicy: { id: "bad", allow: () => Promise.reject(new Error("no")) },
    });
    const { token } = await harness.attested();
    const headers = { authorization: `Bearer ${token}` };
    expect((await harness.call("GET", "/kbs/v0/resource/a/b/c", { headers })).status).toBe(500);
    expect(valueOfSeries(await textOf(), "kbs_policy_errors_total")).toBe(1);
  });

  it("give no client a label of its own", async () => {
    for (let n = 0; n < 20; n++) {
      await harness.call("GET", `/kbs/v0/resource/x${n}/y/z`);
      await harness.call("GET", `/tenants/t${n}/kbs/v0/auth`);
      await harness.call("GET", `/random/${n}`);
      await harness.admin("POST", `/kbs/v0/resource/r${n}/b/c`, "s");
    }
    const text = await textOf();
    expect(
      new Set(text.match(/path="[^"]*"/g)?.filter((label) => label.startsWith('path="/'))).size,
    ).toBeLessThan(8);
    expect(new Set(text.match(/resource_path="[^"]*"/g)).size).toBe(4);
    expect(new Set(text.match(/tenant="[^"]*"/g)).size).toBeLessThanOrEqual(4);
    expect(valueOfSeries(text, 'kbs_resource_writes_total{resource_path="other"}')).toBe(17);
    expect(text).not.toContain("random");
  });

  it("are for administrators who may see the status", async () => {
    expect((await harness.call("GET", "/metrics")).status).toBe(401);
    expect((await harness.admin("GET", "/metrics")).headers.get("content-type")).toContain("text/plain");
  });

  it("are absent where nobody asked for them", async () => {
    const plain = await createHarness();
    expect((await plain.admin("GET", "/metrics")).status).toBe(404);
    await plain.close();
  });

  it("have a listener of their own", async () => {
    const { registry } = metrics;
    const served = await serveMetrics(
      { contentType: registry.contentType, metrics: () => registry.metrics() },
      "127.0.0.1:0",
    );
    const answer = await fetch(served.url);
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("kbs_build_info")]);
    expect((await fetch(served.url.replace("/metrics", "/"))).status).toBe(404);
    const port = new URL(served.url).port;
    await expect(
      serveMetrics({ contentType: "x", metrics: async () => "" }, `127.0.0.1:${port}`),
    ).rejects.toMatchObject({ code: "LISTEN_FAILED" });
    await served.close();
  });
});

it("Bounded keeps the first values and no long ones", () => {
  const labels = new Bounded(2);
  expect(["a", "b", "c", "a", "x".repeat(300)].map((value) => labels.label(value))).toEqual([
    "a",
    "b",
    "other",
    "a",
    "other",
  ]);
});
