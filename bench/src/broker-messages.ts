// SPDX-License-Identifier: Apache-2.0
// What the benchmark and its processes say to each other, and how one asks.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { GuestSeed } from "./broker-guest.ts";

/** For a server, as its first message. It answers `ServerReady`, and then each `"usage"` with a `ServerUsage`. */
export interface ServerOrder {
  /** State folder, with what the broker trusts in it. */
  readonly folder: string;
  /** Of PostgreSQL, in place of the folder's SQLite file. */
  readonly postgres?: string;
  readonly sessionSeconds: number;
}

export interface ServerReady {
  readonly url: string;
  readonly adminToken: string;
}

export interface ServerUsage {
  /** Of all threads since the start. */
  readonly cpuSeconds: number;
  /** After a collection. */
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** For a client: handshakes against one server. It answers with a `LoadResult`. */
export interface LoadOrder {
  readonly url: string;
  readonly seed: GuestSeed;
  /** So many at once, each beginning when one ends. */
  readonly concurrency: number;
  /** Or so many a second, whatever becomes of them: exponential intervals. */
  readonly rate?: number;
  /** Ends after this time… */
  readonly seconds?: number;
  /** …or this number. */
  readonly handshakes?: number;
}

export interface LoadResult {
  readonly seconds: number;
  /** Milliseconds of each handshake, from when it was due. */
  readonly latencies: Float64Array;
  /** What was refused, by what was said. */
  readonly failures: readonly string[];
}

/** A process of the benchmark's own. */
export interface Helper<Order, Answer> {
  ask(order: Order): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts a program beside this one. */
export function startHelper<Order, Answer>(
  name: "broker-server" | "broker-load",
  flags: readonly string[] = [],
): Helper<Order, Answer> {
  const child: ChildProcess = fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), [], {
    serialization: "advanced",
    execArgv: [...flags],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  return {
    ask: async (order) => {
      const answer = once(child, "message");
      child.send(order as object | string);
      const first = await Promise.race([answer, ended.then(() => undefined)]);
      if (first === undefined) throw new Error(`${name} ended before it answered`);
      return first[0] as Answer;
    },
    stop: async () => {
      if (child.connected) child.send("stop");
      await ended;
    },
  };
}
