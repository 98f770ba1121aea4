// SPDX-License-Identifier: Apache-2.0
// A broker in a process of its own, to be measured.

import { createBroker, openBrokerState, type ServedBroker, serveBroker } from "@adyton/broker";
import type { ServerOrder, ServerReady, ServerUsage } from "./broker-messages.ts";

let served: ServedBroker | undefined;

process.on("message", (message: ServerOrder | "usage" | "stop") => {
  if (message === "usage") process.send?.(usage());
  else if (message === "stop") void stop();
  else void start(message);
});
process.on("disconnect", () => process.exit(0));

async function start({ folder, postgres, sessionSeconds }: ServerOrder): Promise<void> {
  const state = await openBrokerState(folder, postgres === undefined ? {} : { postgres: { url: postgres } });
  const broker = createBroker({
    ...state,
    allowSimulated: true,
    rateLimit: false,
    sessionSeconds,
    maxSessions: 1_000_000,
  });
  served = await serveBroker(broker, { port: 0 });
  const ready: ServerReady = { url: served.url, adminToken: state.adminToken };
  process.send?.(ready);
}

async function stop(): Promise<void> {
  await served?.close();
  process.disconnect();
}

function usage(): ServerUsage {
  const { user, system } = process.cpuUsage();
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { cpuSeconds: (user + system) / 1e6, heapBytes: heapUsed, residentBytes: rss };
}
