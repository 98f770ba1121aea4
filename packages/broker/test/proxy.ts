// SPDX-License-Identifier: Apache-2.0
// A way to a server that can be cut, blocked, or cut at a word.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Wire {
  readonly port: number;
  /** Ends all connections; new ones are let through. */
  cut(): void;
  /** From now on nothing gets through in either direction, and nobody is told. */
  block(): void;
  unblock(): void;
  /** Once a client has sent this text: let it through, and end that connection before an answer comes back. */
  cutAfter(text: string): void;
  close(): Promise<void>;
}

export async function startProxy(target: number): Promise<Wire> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let blocked = false;
  let trap: string | undefined;
  const server = createServer((client) => {
    const upstream = connect({ port: target, host: "127.0.0.1" });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    let silent = blocked;
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    client.on("data", (data) => {
      if (blocked || silent) return;
      const sprung = trap !== undefined && data.toString("latin1").includes(trap);
      if (!sprung) return void upstream.write(data);
      trap = undefined;
      silent = true;
      // The server answers what it was sent: then it has done it.
      upstream.once("data", end);
      upstream.write(data);
    });
    upstream.on("data", (data) => {
      if (!blocked && !silent) client.write(data);
    });
    for (const socket of pair) {
      socket.on("error", end);
      socket.on("close", end);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.destroy();
      upstream.destroy();
    }
    pairs.clear();
  };
  return {
    port: address.port,
    cut,
    block: () => {
      blocked = true;
    },
    unblock: () => {
      blocked = false;
    },
    cutAfter: (text) => {
      trap = text;
    },
    close: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
