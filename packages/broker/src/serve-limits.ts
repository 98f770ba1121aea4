// SPDX-License-Identifier: Apache-2.0
// What a connection may take: bytes, time, and how many there may be. HTTP/1.1 has it from Node; for HTTP/2 it is here.

import { constants, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";

export interface ConnectionLimits {
  /** Of a request's headers. Default 64 KiB: a token rides in a header, and a token holds all claims. */
  readonly headerBytes?: number;
  /** For headers, and the TLS handshake, to arrive. Default 10. */
  readonly headerSeconds?: number;
  /** For a whole request to arrive. Default 30. */
  readonly requestSeconds?: number;
  /** That a connection is kept without a request. Default 10. */
  readonly idleSeconds?: number;
  /** At the same time; more are closed as they come. Default 2,000. */
  readonly connections?: number;
}

/** All of them, in ms. */
export interface Limits {
  readonly headerBytes: number;
  readonly headerMs: number;
  readonly requestMs: number;
  readonly idleMs: number;
  readonly connections: number;
  /** Requests of one HTTP/2 connection at the same time. */
  readonly streams: number;
  /** How often HTTP/1.1 connections are looked at. */
  readonly checkMs: number;
  /** Neither side moves: who does not read its answer holds a socket no longer than this. */
  readonly stalledMs: number;
}

export interface BoundSessions {
  /** Ends connections without an open request. */
  endIdle(): void;
  cut(): void;
}

const STREAMS = 100;

export function limitsWith(options: ConnectionLimits = {}): Limits {
  const { connections = 2_000, headerBytes = 64 * 1024 } = options;
  const { headerSeconds = 10, idleSeconds = 10, requestSeconds = 30 } = options;
  const ms = (seconds: number): number => Math.max(1, Math.round(seconds * 1000));
  const requestMs = ms(Math.max(requestSeconds, headerSeconds));
  return {
    headerBytes,
    headerMs: ms(headerSeconds),
    requestMs,
    idleMs: ms(idleSeconds),
    connections,
    streams: STREAMS,
    checkMs: Math.min(1000, Math.max(20, ms(headerSeconds / 4))),
    stalledMs: requestMs * 2,
  };
}

/** Gives each session and each of its requests their time. */
export function boundSessions(server: Http2Server, limits: Limits): BoundSessions {
  const sessions = new Map<ServerHttp2Session, () => number>();
  server.on("session", (session) => {
    let open = 0;
    let due = setTimeout(() => session.destroy(), limits.headerMs);
    sessions.set(session, () => open);
    session.on("stream", (stream) => {
      clearTimeout(due);
      open += 1;
      boundStream(stream, limits);
      stream.once("close", () => {
        open -= 1;
        // Only time without requests counts: PING frames prolong nothing.
        if (open === 0 && !session.destroyed) due = setTimeout(() => session.destroy(), limits.idleMs);
      });
    });
    session.once("close", () => {
      clearTimeout(due);
      sessions.delete(session);
    });
    session.on("error", () => session.destroy());
  });
  return {
    endIdle: () => {
      // Those with open requests end after them.
      for (const session of sessions.keys()) session.close();
    },
    cut: () => {
      for (const session of sessions.keys()) session.destroy();
    },
  };
}

function boundStream(stream: ServerHttp2Stream, { requestMs, stalledMs }: Limits): void {
  const cut = (): void => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  const arrival = setTimeout(cut, requestMs);
  const whole = setTimeout(cut, stalledMs);
  stream.once("end", () => clearTimeout(arrival));
  stream.once("close", () => {
    clearTimeout(arrival);
    clearTimeout(whole);
  });
}
