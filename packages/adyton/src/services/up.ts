// SPDX-License-Identifier: Apache-2.0
// `adyton up`: the trust services until Ctrl-C.

import cluster from "node:cluster";
import { createLogger, type Logger } from "@adyton/broker";
import type { Settings } from "@adyton/broker/config";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { styleOf, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { VERSION } from "../version.ts";
import { configuredFolder } from "./place.ts";
import { askedPassphrase, newRootKeyKind, rootKeyAccess } from "./root-access.ts";
import { settingsFor } from "./settings.ts";
import { type Services, startServices } from "./start.ts";
import { leaveParent, runWorkers, tellParent } from "./workers.ts";

/** JSON: one object when the services are up, `{url, dir, adminTokenFile, dev}`, and `metricsUrl`, `workers` where there are some. */
export async function up(invocation: Invocation, io: Io): Promise<ExitCode> {
  try {
    return await serveUntilStopped(invocation, io);
  } finally {
    leaveParent();
  }
}

async function serveUntilStopped(invocation: Invocation, io: Io): Promise<ExitCode> {
  const dev = invocation.flag("dev");
  const { settings } = await settingsFor(invocation, io);
  const logger = loggerOf(settings, io);
  const { workers } = settings.server;
  if (workers > 1 && cluster.isPrimary) {
    await runWorkers(settings, logger, io, (facts) => announce({ ...facts, dev, workers }, invocation, io));
    return EXIT.ok;
  }
  const { otlp_url: to, ratio } = settings.traces;
  const tracing =
    to === undefined
      ? undefined
      : (await import("@adyton/broker/tracing")).startTracing({ to, ratio, version: VERSION });
  const interrupted = io.interruption();
  const services = await startServices({
    dir: configuredFolder(settings.state_dir, invocation, io),
    dev,
    settings,
    worker: cluster.isWorker,
    rootKey: rootKeyAccess(invocation, io, newRootKeyKind(invocation, io)),
    // Several processes cannot ask one person.
    asked: cluster.isWorker ? {} : askedPassphrase(io),
    now: io.now,
    logger,
  });
  const hangup = (): void => void services.reload();
  process.on("SIGHUP", hangup);
  if (cluster.isWorker) tellParent(factsOf(services));
  else announce({ ...factsOf(services), dev }, invocation, io);
  try {
    await interrupted;
  } finally {
    process.off("SIGHUP", hangup);
    await services.close();
    await tracing?.stop();
  }
  if (!cluster.isWorker) io.stderr.write("Stopped.\n");
  return EXIT.ok;
}

export interface UpFacts {
  readonly url: string;
  readonly dir: string;
  readonly adminTokenFile: string;
  readonly metricsUrl?: string;
}

interface Announced extends UpFacts {
  readonly dev: boolean;
  readonly workers?: number;
}

function factsOf({ adminTokenFile, dir, metricsUrl, url }: Services): UpFacts {
  return { url, dir, adminTokenFile, ...(metricsUrl === undefined ? {} : { metricsUrl }) };
}

/** `--dir`, `$ADYTON_DIR`, `state_dir`, then .adyton. */
function announce(facts: Announced, invocation: Invocation, io: Io): void {
  const { adminTokenFile, dev, dir, metricsUrl, url, workers } = facts;
  if (invocation.json) {
    writeJson(io.stdout, { ...facts });
    return;
  }
  const style = styleOf(io.stdout, io.env);
  const mode = dev ? style.caution("development: simulated evidence is accepted") : "hardware evidence only";
  io.stdout.write(
    `${style.good("UP")}  ${url}\n\n${table([
      ["state", dir],
      ["admin token", adminTokenFile],
      ["mode", mode],
      ...(metricsUrl === undefined ? [] : [["metrics", metricsUrl]]),
      ...(workers === undefined ? [] : [["workers", String(workers)]]),
    ])}\n\n`,
  );
  io.stderr.write(`${nextCommands(dev)}\nCtrl-C stops.\n`);
}

function nextCommands(dev: boolean): string {
  const workload = dev
    ? [
        "  adyton reference set launch_digest $(adyton sample measure workload.mjs)",
        "  adyton sample run workload.mjs",
      ]
    : ["  adyton reference set ID VALUES"];
  return ["Next, in another terminal:", "  adyton secret put default/hello/secret FILE", ...workload].join(
    "\n",
  );
}

/** Lines on stderr. */
function loggerOf({ log }: Settings, io: Io): Logger {
  const format = log.format === "auto" ? (io.stderr.isTTY ? "pretty" : "json") : log.format;
  return createLogger({ level: log.level, format, now: io.now, write: (line) => io.stderr.write(line) });
}
