// SPDX-License-Identifier: Apache-2.0
// The broker on a socket: HTTP on the loopback interface, or HTTPS, each HTTP/1.1 and HTTP/2 on one port, gRPC among them, with
// limits on what a connection may take.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server as NetServer,
  type Socket,
} from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { getRequestListener, type Http2Bindings, type HttpBindings } from "@hono/node-server";
import type { Broker } from "./broker.ts";
import { BrokerError } from "./errors.ts";
import { grpcHandler } from "./grpc/handler.ts";
import type { Connection } from "./http/parts.ts";
import { type Logger, silentLogger } from "./log.ts";
import { boundSessions, type ConnectionLimits, type Limits, limitsWith } from "./serve-limits.ts";
import {
  type PeerSocket,
  peerCertificateOf,
  type TlsOptions,
  TlsReloader,
  tlsMaterial,
} from "./serve-tls.ts";

export interface ServeOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8080; 0 takes any free port. */
  readonly port?: number;
  /** Default: plain HTTP. */
  readonly tls?: TlsOptions;
  /**
   * Serve plain HTTP on an interface that other machines reach. Secrets travel encrypted to the attested key, but the
   * administrator's token and what is put with it do not: only behind a TLS proxy.
   */
  readonly allowPlainHttpBeyondLoopback?: boolean;
  readonly limits?: ConnectionLimits;
  /** How long `close` says that it is not ready (`/readyz`) before it takes no more connections. Default 0. */
  readonly drainSeconds?: number;
  /** How long `close` waits for requests in flight. Default 5. */
  readonly closeSeconds?: number;
  readonly logger?: Logger;
}

export interface ServedBroker {
  /** For clients, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Takes certificate and key from their files, if they changed and fit. Answers whether it did. */
  reload(): Promise<boolean>;
  /** Is not ready any more, ends open requests, then closes the broker. */
  close(): Promise<void>;
}

interface Listener {
  readonly server: NetServer;
  readonly reloader?: TlsReloader;
  /** Cuts what is still open. */
  cut(): void;
  /** Ends connections that wait for their next request. */
  endIdle(): void;
}

const LOOPBACK: readonly string[] = ["127.0.0.1", "::1", "localhost"];
/** Where this machine reaches what listens everywhere. */
const EVERYWHERE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
const CLOSE_SECONDS = 5;
const IDLE_LOOK_MS = 50;
/** How HTTP/2 begins, and no request of HTTP/1.1 does. */
const PREFACE = Buffer.from("PRI");
/** Of one HTTP/2 connection. */
const MAX_SESSION_MB = 16;

type Handler = (
  incoming: IncomingMessage | Http2ServerRequest,
  outgoing: ServerResponse | Http2ServerResponse,
) => void;

/** Listens. Rejects with `INSECURE_ADDRESS`, `TLS_INVALID` or `LISTEN_FAILED`. */
export async function serveBroker(broker: Broker, options: ServeOptions = {}): Promise<ServedBroker> {
  const { closeSeconds = CLOSE_SECONDS, drainSeconds = 0, host = "127.0.0.1", port = 8080, tls } = options;
  checkAddress(host, tls !== undefined || options.allowPlainHttpBeyondLoopback === true);
  const limits = limitsWith(options.limits);
  const answer = getRequestListener((request, env) => broker.fetch(request, connectionOf(env)), {
    overrideGlobalObjects: false,
  });
  const handler: Handler = grpcHandler(
    broker,
    (incoming) => connectionOf({ incoming } as HttpBindings | Http2Bindings),
    (incoming, outgoing) => void answer(incoming, outgoing),
  );
  const { logger = silentLogger } = options;
  const listener =
    tls === undefined ? plainListener(handler, limits) : await secureListener(handler, limits, tls, logger);
  const { server } = listener;
  server.maxConnections = limits.connections;
  await listening(server, host, port);
  const address = server.address() as AddressInfo;
  const reached = EVERYWHERE[host] ?? host;
  const shown = reached.includes(":") ? `[${reached}]` : reached;
  let ending: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    broker.retire();
    if (drainSeconds > 0) await new Promise((resolve) => setTimeout(resolve, drainSeconds * 1000));
    listener.reloader?.stop();
    await closing(listener, closeSeconds * 1000);
    await broker.close();
  };
  return {
    url: `${tls === undefined ? "http" : "https"}://${shown}:${address.port}`,
    port: address.port,
    reload: async () => (await listener.reloader?.reload()) ?? false,
    close: () => {
      ending ??= end();
      return ending;
    },
  };
}

/** HTTP/1.1. */
function httpServer(handler: Handler, limits: Limits): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headerMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: limits.checkMs,
    },
    handler,
  );
  server.timeout = limits.stalledMs;
  return server;
}

/** One server in front of two, as with TLS; here the first bytes tell which (RFC 9113 section 3.4). */
function plainListener(handler: Handler, limits: Limits): Listener {
  const server = createNetServer();
  const behind = httpServers(handler, limits);
  const sockets = socketsOf(server);
  server.on("connection", (socket: Socket) => {
    const late = setTimeout(() => socket.destroy(), limits.headerMs);
    const waiting = (error?: Error): void => {
      if (error !== undefined) socket.destroy();
      clearTimeout(late);
      behind.waiting.delete(socket);
    };
    behind.waiting.add(socket);
    // A client that leaves before it says anything is nobody's error.
    socket.once("error", waiting);
    socket.once("close", waiting);
    let begun: Buffer = Buffer.alloc(0);
    const look = (): void => {
      const bytes: Buffer | null = socket.read();
      if (bytes !== null) begun = Buffer.concat([begun, bytes]);
      const start = begun.subarray(0, PREFACE.length);
      if (start.length < PREFACE.length && start.equals(PREFACE.subarray(0, start.length))) {
        // Too few to tell.
        socket.once("readable", look);
        return;
      }
      waiting();
      socket.removeListener("error", waiting);
      socket.removeListener("close", waiting);
      socket.unshift(begun);
      (start.equals(PREFACE) ? behind.http2 : behind.http1).emit("connection", socket);
    };
    socket.once("readable", look);
  });
  server.once("close", behind.close);
  return { server, cut: () => cutAll(sockets), endIdle: behind.endIdle };
}

interface HttpServers {
  readonly http1: Server;
  readonly http2: Http2Server;
  /** Connections that have said nothing. */
  readonly waiting: Set<Socket>;
  endIdle(): void;
  close(): void;
}

/** Two servers that are handed connections: Node bounds the time of HTTP/1.1 only in a server that speaks nothing else. */
function httpServers(handler: Handler, limits: Limits): HttpServers {
  const http1 = httpServer(handler, limits);
  const http2 = createHttp2Server(
    {
      settings: { maxConcurrentStreams: limits.streams, maxHeaderListSize: limits.headerBytes },
      maxSessionMemory: MAX_SESSION_MB,
    },
    handler,
  );
  const bound = boundSessions(http2, limits);
  const waiting = new Set<Socket>();
  // Node begins to look at the time of connections when it listens.
  http1.emit("listening");
  return {
    http1,
    http2,
    waiting,
    endIdle: () => {
      cutAll(waiting);
      http1.closeIdleConnections();
      bound.endIdle();
    },
    close: () => http1.close(),
  };
}

function socketsOf(server: NetServer): Set<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}

function cutAll(sockets: ReadonlySet<Socket>): void {
  for (const socket of sockets) socket.destroy();
}

/** One TLS server in front of two. */
async function secureListener(
  handler: Handler,
  limits: Limits,
  tls: TlsOptions,
  logger: Logger,
): Promise<Listener> {
  const { clientCertificates = "none" } = tls;
  const material = await tlsMaterial(tls);
  const behind = httpServers(handler, limits);
  const server = createTlsServer({
    ...material.context,
    ALPNProtocols: ["h2", "http/1.1"],
    requestCert: clientCertificates !== "none",
    rejectUnauthorized: clientCertificates === "required",
    handshakeTimeout: limits.headerMs,
  });
  const sockets = socketsOf(server);
  server.on("secureConnection", (socket) => {
    (socket.alpnProtocol === "h2" ? behind.http2 : behind.http1).emit("connection", socket);
  });
  // A client that leaves in the middle of a handshake is nobody's error.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.once("close", behind.close);
  return {
    server,
    reloader: new TlsReloader(tls, material, (context) => server.setSecureContext(context), logger),
    cut: () => cutAll(sockets),
    endIdle: behind.endIdle,
  };
}

function checkAddress(host: string, safe: boolean): void {
  if (safe || LOOPBACK.includes(host)) return;
  throw new BrokerError(
    "INSECURE_ADDRESS",
    "misuse",
    `Cannot serve on ${host}: plain HTTP is served on the loopback interface only`,
    { hint: "Give a certificate and its key, or serve on 127.0.0.1 behind a TLS proxy." },
  );
}

function connectionOf({ incoming }: HttpBindings | Http2Bindings): Connection {
  const socket = "stream" in incoming ? incoming.stream.session?.socket : incoming.socket;
  if (socket === undefined) return {};
  const { remoteAddress } = socket;
  const peerCertificate = peerCertificateOf(socket as PeerSocket);
  return {
    ...(remoteAddress === undefined ? {} : { remoteAddress }),
    ...(peerCertificate === undefined ? {} : { peerCertificate }),
  };
}

function listening(server: Listener["server"], host: string, port: number): Promise<void> {
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

function closing({ cut, endIdle, server }: Listener, patienceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(cut, patienceMs);
    // Those that are answered now are idle afterwards.
    const again = setInterval(endIdle, IDLE_LOOK_MS);
    server.close(() => {
      clearTimeout(patience);
      clearInterval(again);
      resolve();
    });
    endIdle();
  });
}
