// SPDX-License-Identifier: Apache-2.0
// Metrics on a listener of their own: whoever reaches it may read them, so it stays away from clients.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AggregatorRegistry } from "prom-client";
import { BrokerError } from "./errors.ts";

export interface ServedMetrics {
  readonly url: string;
  close(): Promise<void>;
}

/** What is told, in Prometheus' text format. */
export interface MetricsText {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** In the parent of several processes: what they count, together. */
export function clusterMetrics(): MetricsText {
  const all = new AggregatorRegistry();
  return { contentType: all.contentType, metrics: () => all.clusterMetrics() };
}

/** `listen` is `host:port`. Rejects with `LISTEN_FAILED`. */
export async function serveMetrics(text: MetricsText, listen: string): Promise<ServedMetrics> {
  const colon = listen.lastIndexOf(":");
  const host = listen.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000 }, (request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    text.metrics().then(
      (body) => response.writeHead(200, { "content-type": text.contentType }).end(body),
      () => response.writeHead(503).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new BrokerError("LISTEN_FAILED", "unavailable", `Cannot listen on ${listen} for metrics`, {
          cause,
          hint: "Choose another address for metrics.listen.",
        }),
      ),
    );
    server.listen(Number(listen.slice(colon + 1)), host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
