// SPDX-License-Identifier: Apache-2.0
// The broker on a socket: HTTP on the loopback interface, with limits on what a connection may take.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { Broker } from "./broker.ts";
import { BrokerError } from "./errors.ts";
import type { Connection } from "./http/parts.ts";

export interface ServeOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8080; 0 takes any free port. */
  readonly port?: number;
  /**
   * Serve plain HTTP on an interface that other machines reach. Secrets travel encrypted to the attested key, but the
   * administrator's token and what is put with it do not: only behind a TLS proxy.
   */
  readonly allowPlainHttpBeyondLoopback?: boolean;
}

export interface ServedBroker {
  /** For clients, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Ends open requests, then closes the broker. */
  close(): Promise<void>;
}

const LOOPBACK: readonly string[] = ["127.0.0.1", "::1", "localhost"];
// A token rides in a header, and a token holds all claims.
const MAX_HEADER_BYTES = 64 * 1024;
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const IDLE_MS = 10_000;
const MAX_CONNECTIONS = 2_000;
const CLOSE_MS = 5_000;

/** Listens. Rejects with `INSECURE_ADDRESS` or `LISTEN_FAILED`. */
export async function serveBroker(broker: Broker, options: ServeOptions = {}): Promise<ServedBroker> {
  const { host = "127.0.0.1", port = 8080, allowPlainHttpBeyondLoopback = false } = options;
  if (!LOOPBACK.includes(host) && !allowPlainHttpBeyondLoopback) {
    throw new BrokerError(
      "INSECURE_ADDRESS",
      "misuse",
      `Cannot serve on ${host}: plain HTTP is served on the loopback interface only`,
      { hint: "Serve on 127.0.0.1 behind a TLS proxy." },
    );
  }
  const listener = getRequestListener(
    (request, env) => broker.fetch(request, connectionOf(env as HttpBindings)),
    { overrideGlobalObjects: false },
  );
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: IDLE_MS,
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  server.maxConnections = MAX_CONNECTIONS;
  await listening(server, host, port);
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    close: async () => {
      await closing(server);
      await broker.close();
    },
  };
}

function connectionOf({ incoming }: HttpBindings): Connection {
  const { remoteAddress } = incoming.socket;
  return remoteAddress === undefined ? {} : { remoteAddress };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "EADDRINUSE" ? "the port is in use" : (cause.code ?? cause.message);
      reject(
        new BrokerError("LISTEN_FAILED", "unavailable", `Cannot listen on ${host} port ${port}: ${why}`, {
          cause,
          detail: { host, port },
          hint: "Choose another port, or stop what uses it.",
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}

function closing(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(patience);
      resolve();
    });
    server.closeIdleConnections();
  });
}
