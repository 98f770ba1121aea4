// SPDX-License-Identifier: Apache-2.0
// `adyton up`: the trust services until Ctrl-C.

import type { Logger } from "@adyton/broker";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, styleOf, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { integerOf } from "../values.ts";
import { stateFolder } from "./place.ts";
import { newRootKeyKind, rootKeyAccess } from "./root-access.ts";
import { startServices } from "./start.ts";

const DEFAULT_PORT = "8080";

/** JSON: one object when the services are up, `{url, dir, adminTokenFile, dev}`. */
export async function up(invocation: Invocation, io: Io): Promise<ExitCode> {
  const dev = invocation.flag("dev");
  const interrupted = io.interruption();
  const services = await startServices({
    dir: stateFolder(invocation, io),
    port: integerOf("port", invocation.value("port") ?? DEFAULT_PORT, 0, 65_535),
    dev,
    rootKey: rootKeyAccess(invocation, io, newRootKeyKind(invocation, io)),
    now: io.now,
    logger: loggerTo(io),
  });
  const { url, dir, adminTokenFile } = services;
  if (invocation.json) {
    writeJson(io.stdout, { url, dir, adminTokenFile, dev });
  } else {
    const style = styleOf(io.stdout, io.env);
    const mode = dev
      ? style.caution("development: simulated evidence is accepted")
      : "hardware evidence only";
    io.stdout.write(
      `${style.good("UP")}  ${url}\n\n${table([
        ["state", dir],
        ["admin token", adminTokenFile],
        ["mode", mode],
      ])}\n\n`,
    );
    io.stderr.write(`${nextCommands(dev)}\nCtrl-C stops.\n`);
  }
  try {
    await interrupted;
  } finally {
    await services.close();
  }
  io.stderr.write("Stopped.\n");
  return EXIT.ok;
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

/** One line each on stderr: time, event, facts. */
function loggerTo(io: Io): Logger {
  const line =
    (level: string) =>
    (event: string, facts: Readonly<Record<string, unknown>> = {}): void => {
      const told = Object.entries(facts).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
      io.stderr.write(printable(`${io.now().toISOString()} ${level} ${event}${told.join("")}`));
      io.stderr.write("\n");
    };
  return { info: line("info"), warn: line("warn"), error: line("error") };
}
