// SPDX-License-Identifier: Apache-2.0
// What the broker counts and measures, in a registry of its own: Trustee's names, so that its dashboards work unchanged,
// and ours beside them.

import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { AuditEvent } from "../audit/writer.ts";
import { Bounded } from "./bounded.ts";

export interface MetricsOptions {
  readonly version: string;
  /** Of the source, when it is known. */
  readonly gitHash?: string;
  readonly buildDate?: string;
  /** Distinct values of `resource_path` and of `tenant`; the rest is counted as `other`. Default 200. */
  readonly labels?: number;
}

/** One request, once it is answered. */
export interface AnsweredRequest {
  readonly method: string;
  /** A pattern, never a name that a client chose. */
  readonly route: string;
  readonly status: number;
  readonly tenant: string;
  readonly seconds: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** When it was a plugin's. */
  readonly plugin?: string;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
const BYTES = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];
const DEFAULT_LABELS = 200;
const AUTH = "/kbs/v0/auth";
const ATTEST = "/kbs/v0/attest";

/** Methods never throw: counting stops nothing. */
export class Metrics {
  readonly registry: Registry = new Registry();
  readonly #paths: Bounded;
  readonly #tenants: Bounded;
  readonly #http: ReturnType<typeof httpMetrics>;
  readonly #kbs: ReturnType<typeof kbsMetrics>;
  readonly #own: ReturnType<typeof ownMetrics>;

  constructor({ buildDate = "", gitHash = "", labels = DEFAULT_LABELS, version }: MetricsOptions) {
    this.#paths = new Bounded(labels);
    this.#tenants = new Bounded(labels);
    this.#http = httpMetrics(this.registry);
    this.#kbs = kbsMetrics(this.registry);
    this.#own = ownMetrics(this.registry);
    new Gauge({
      name: "kbs_build_info",
      help: "Always 1; the labels say what runs",
      labelNames: ["version", "git_hash", "build_date"],
      aggregator: "first",
      registers: [this.registry],
    }).set({ version, git_hash: gitHash, build_date: buildDate }, 1);
  }

  /** In a process of several: the parent reads from here what it tells together (`clusterMetrics`). */
  shareWithParent(): void {
    AggregatorRegistry.setRegistries(this.registry);
    new AggregatorRegistry();
  }

  /** A gauge that is asked when somebody reads the metrics; undefined leaves what it was. */
  watch(name: string, help: string, read: () => Promise<number | undefined>): void {
    new Gauge({
      name,
      help,
      // Of several processes each sees the same state.
      aggregator: "max",
      registers: [this.registry],
      async collect() {
        try {
          const value = await read();
          if (value !== undefined) this.set(value);
        } catch {
          // What cannot be read now keeps its last value; /readyz says that something is wrong.
        }
      },
    });
  }

  /** Call what it answers once the request is answered. */
  begin(): () => void {
    this.#http.active.inc();
    return () => this.#http.active.dec();
  }

  answered({
    method,
    plugin,
    requestBytes,
    responseBytes,
    route,
    seconds,
    status,
    tenant,
  }: AnsweredRequest): void {
    const labels = { method, path: route, status: String(status) };
    this.#http.requests.inc({ ...labels, tenant: this.#tenants.label(tenant) });
    this.#http.seconds.observe(labels, seconds);
    this.#http.requestBytes.observe({ method, path: route }, requestBytes);
    this.#http.responseBytes.observe({ method, path: route }, responseBytes);
    if (route === AUTH) {
      this.#kbs.authRequests.inc();
      (status < 400 ? this.#kbs.authSuccesses : this.#kbs.authErrors).inc();
    }
    if (route === ATTEST) {
      this.#kbs.attestationRequests.inc();
      if (status >= 500) this.#kbs.attestationErrors.inc();
    }
    if (plugin === undefined) return;
    this.#kbs.pluginRequests.inc({ plugin_name: plugin });
    this.#kbs.pluginSeconds.observe({ plugin_name: plugin }, seconds);
    if (status >= 400) this.#kbs.pluginErrors.inc({ plugin_name: plugin });
  }

  /** A policy that could not decide. */
  policyFailed(): void {
    this.#kbs.policyEvaluations.inc();
    this.#kbs.policyErrors.inc();
  }

  /** What stands in the audit log now. */
  recorded(event: AuditEvent): void {
    const { type } = event;
    this.#own.events.inc({ type });
    const path = typeof event.resource === "string" ? this.#paths.label(event.resource) : "";
    switch (type) {
      case "resource.put":
        this.#kbs.writes.inc({ resource_path: path });
        break;
      case "resource.delete":
        this.#kbs.deletes.inc({ resource_path: path });
        break;
      case "attestation": {
        const labels = { tee_type: String(event.tee) };
        (event.verdict === "appraised" ? this.#kbs.attested : this.#kbs.refused).inc(labels);
        break;
      }
      default:
        if (type === "resource.release" || type === "plugin.use") this.#decided(event, path);
        else if (type.startsWith("policy.") || type.startsWith("veraison-policy."))
          this.#own.policyChanges.inc({ change: type });
    }
  }

  /** Of the database, in seconds. */
  stored(operation: string, seconds: number, ok: boolean): void {
    this.#own.store.observe({ operation, result: ok ? "ok" : "failed" }, seconds);
  }

  /** A value sealed or opened under a generation of the root keys. */
  rootKeyUsed(operation: "seal" | "open", generation: string): void {
    this.#own.rootKey.inc({ operation, generation });
  }

  #decided({ decision, reason, type }: AuditEvent, path: string): void {
    this.#kbs.policyEvaluations.inc();
    // A secret that is not there was refused by no policy.
    const approved = decision === "allow" || reason === "no such resource";
    (approved ? this.#kbs.policyApprovals : this.#kbs.policyViolations).inc();
    if (type === "resource.release" && decision === "allow") this.#kbs.reads.inc({ resource_path: path });
  }
}

function httpMetrics(registry: Registry) {
  const registers = [registry];
  const labelNames = ["method", "path", "status"];
  const sizes = { labelNames: ["method", "path"], buckets: BYTES, registers };
  return {
    requests: new Counter({
      name: "kbs_http_requests_total",
      help: "Requests answered",
      labelNames: [...labelNames, "tenant"],
      registers,
    }),
    seconds: new Histogram({
      name: "kbs_http_request_duration_seconds",
      help: "From the request's headers to the answer's",
      ...{ labelNames, buckets: SECONDS, registers },
    }),
    requestBytes: new Histogram({
      name: "kbs_http_request_size_bytes",
      help: "Bodies of requests",
      ...sizes,
    }),
    responseBytes: new Histogram({
      name: "kbs_http_response_size_bytes",
      help: "Bodies of answers",
      ...sizes,
    }),
    active: new Gauge({ name: "kbs_http_active_connections", help: "Requests being answered", registers }),
  };
}

function kbsMetrics(registry: Registry) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name: `kbs_${name}_total`, help, labelNames: [...labelNames], registers: [registry] });
  const path = ["resource_path"] as const;
  const tee = ["tee_type"] as const;
  const plugin = ["plugin_name"] as const;
  return {
    reads: counter("resource_reads", "Secrets released", path),
    writes: counter("resource_writes", "Secrets put", path),
    deletes: counter("resource_deletes", "Secrets deleted", path),
    policyEvaluations: counter("policy_evaluations", "Times that the resource policy was asked"),
    policyApprovals: counter("policy_approvals", "Times that it allowed"),
    policyViolations: counter("policy_violations", "Times that it refused"),
    policyErrors: counter("policy_errors", "Times that it could not decide"),
    attestationRequests: counter("attestation_requests", "Evidence sent in"),
    attested: counter("attestation_successes", "Evidence that is authentic and was appraised", tee),
    refused: counter("attestation_failures", "Evidence that was refused", tee),
    attestationErrors: counter("attestation_errors", "Evidence that could not be judged"),
    authRequests: counter("auth_requests", "Challenges asked for"),
    authSuccesses: counter("auth_successes", "Challenges given"),
    authErrors: counter("auth_errors", "Challenges refused"),
    pluginRequests: counter("plugin_requests", "Requests to a plugin", plugin),
    pluginErrors: counter("plugin_errors", "Requests that a plugin refused or failed at", plugin),
    pluginSeconds: new Histogram({
      name: "kbs_plugin_request_duration_seconds",
      help: "Requests to a plugin",
      labelNames: [...plugin],
      buckets: SECONDS,
      registers: [registry],
    }),
  };
}

function ownMetrics(registry: Registry) {
  const registers = [registry];
  return {
    events: new Counter({
      name: "adyton_audit_events_total",
      help: "Entries of the audit log",
      labelNames: ["type"],
      registers,
    }),
    policyChanges: new Counter({
      name: "adyton_policy_changes_total",
      help: "Policies set, removed or refused",
      labelNames: ["change"],
      registers,
    }),
    store: new Histogram({
      name: "adyton_store_duration_seconds",
      help: "Calls to the database",
      labelNames: ["operation", "result"],
      buckets: SECONDS,
      registers,
    }),
    rootKey: new Counter({
      name: "adyton_root_key_uses_total",
      help: "Values sealed and opened, by generation of the root keys",
      labelNames: ["operation", "generation"],
      registers,
    }),
  };
}
