// SPDX-License-Identifier: Apache-2.0
// The agent on a socket of the loopback interface.

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { concat } from "@adyton/core/bytes";
import { CliError } from "../errors.ts";
import type { AgentAnswer, AgentRequest } from "./agent.ts";

export interface ServedAgent {
  readonly url: string;
  close(): Promise<void>;
}

const MAX_BODY = 2 * 1024 * 1024;
const REQUEST_MS = 30_000;
const MAX_CONNECTIONS = 256;

/** Listens on 127.0.0.1; port 0 takes a free one. Rejects with `LISTEN_FAILED`. */
export async function serveAgent(
  agent: (request: AgentRequest) => Promise<AgentAnswer>,
  port: number,
): Promise<ServedAgent> {
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (incoming, outgoing) => {
      void answer(agent, incoming).then(({ status, type, body, allow }) => {
        outgoing.writeHead(status, {
          ...{ "content-type": type, "content-length": body.length },
          ...{ "cache-control": "no-store", "x-content-type-options": "nosniff" },
          ...(allow === undefined ? {} : { allow }),
        });
        outgoing.end(body);
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        new CliError(
          "LISTEN_FAILED",
          "unavailable",
          `Cannot listen on 127.0.0.1 port ${port}: ${cause.code ?? "it failed"}`,
          {
            cause,
            hint: "Choose another port with --port, or stop what uses it.",
          },
        ),
      ),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${taken}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Never rejects. */
async function answer(
  agent: (request: AgentRequest) => Promise<AgentAnswer>,
  incoming: IncomingMessage,
): Promise<AgentAnswer> {
  const { method = "", url = "", headers, socket } = incoming;
  const body = await bodyOf(incoming);
  const request = { method, target: url, host: headers.host ?? "", remoteAddress: socket.remoteAddress };
  if (body !== undefined) return agent({ ...request, body });
  return { status: 413, type: "application/json", body: Buffer.from('{"code":"REQUEST_TOO_LARGE"}') };
}

/** Undefined when it is longer than anything this API takes, or breaks off. */
async function bodyOf(incoming: IncomingMessage): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of incoming as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > MAX_BODY) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  return concat(...parts);
}
