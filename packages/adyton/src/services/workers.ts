// SPDX-License-Identifier: Apache-2.0
// Several processes that serve one port: the first opens the state, the others follow, and one that dies is replaced.

import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { clusterMetrics, type Logger, serveMetrics } from "@adyton/broker";
import type { Settings } from "@adyton/broker/config";
import { CliError, misuse } from "../errors.ts";
import type { Io } from "../io.ts";
import type { UpFacts } from "./up.ts";

const READY = "adyton:up";
/** One that dies sooner than this after its start is replaced no faster than this, ms. */
const REST_MS = 2_000;

/** Until the user asks to stop. `announce` is told once, when all are up. Rejects with `WORKERS_REFUSED` or `WORKER_FAILED`. */
export async function runWorkers(
  settings: Settings,
  logger: Logger,
  io: Io,
  announce: (facts: UpFacts) => void,
): Promise<void> {
  if (settings.store.kind !== "postgres") {
    throw misuse(
      "WORKERS_REFUSED",
      `Cannot run ${settings.server.workers} workers over SQLite: sessions and the audit log are one process's there`,
      'Set store.kind = "postgres", or server.workers = 1.',
    );
  }
  const interrupted = io.interruption();
  let stopping = false;
  const { listen } = settings.metrics;
  const metrics = listen === undefined ? undefined : await serveMetrics(clusterMetrics(), listen);
  const keep = (worker: Worker, begun: number): void => {
    worker.once("exit", (code, signal) => {
      if (stopping) return;
      logger.error("worker died", { worker: worker.id, code, signal });
      const wait = Math.max(0, REST_MS - (performance.now() - begun));
      setTimeout(() => {
        if (!stopping) keep(cluster.fork(), performance.now());
      }, wait).unref();
    });
  };
  const hangup = (): void => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill("SIGHUP");
  };
  try {
    // The first makes what is missing in the state folder; the others find it.
    const facts = await started(keep);
    for (let n = 1; n < settings.server.workers; n++) await started(keep);
    process.on("SIGHUP", hangup);
    announce({ ...facts, ...(metrics === undefined ? {} : { metricsUrl: metrics.url }) });
    await interrupted;
  } finally {
    stopping = true;
    process.off("SIGHUP", hangup);
    const left = Object.values(cluster.workers ?? {}).flatMap((worker) => worker ?? []);
    const gone = left.map((worker) => once(worker, "exit"));
    for (const worker of left) worker.process.kill("SIGTERM");
    await Promise.all(gone);
    await metrics?.close();
  }
  io.stderr.write("Stopped.\n");
}

/** In a worker: the services are up. */
export function tellParent(facts: UpFacts): void {
  process.send?.({ type: READY, facts });
}

/** In a worker that is done: the channel to the parent would keep it alive. */
export function leaveParent(): void {
  if (cluster.isWorker && process.connected) process.disconnect();
}

async function started(keep: (worker: Worker, begun: number) => void): Promise<UpFacts> {
  const begun = performance.now();
  const worker = cluster.fork();
  const facts = await new Promise<UpFacts>((resolve, reject) => {
    const ended = (code: number | null): void => {
      reject(
        new CliError("WORKER_FAILED", "unavailable", `Cannot start a worker: it ended with ${code}`, {
          hint: "Its reason stands above.",
        }),
      );
    };
    worker.once("exit", ended);
    worker.on("message", (message: unknown) => {
      if (!isReady(message)) return;
      worker.off("exit", ended);
      resolve(message.facts);
    });
  });
  keep(worker, begun);
  return facts;
}

function isReady(message: unknown): message is { readonly type: string; readonly facts: UpFacts } {
  return typeof message === "object" && message !== null && "type" in message && message.type === READY;
}
