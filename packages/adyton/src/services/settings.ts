// SPDX-License-Identifier: Apache-2.0
// What the command line, the environment and a file say of the services' configuration.

import { resolve } from "node:path";
import { type ReadSettings, readSettings } from "@adyton/broker/config";
import type { JsonValue } from "@adyton/core/json";
import { misuse } from "../errors.ts";
import type { Invocation } from "../frame/command.ts";
import type { Io } from "../io.ts";
import { integerOf } from "../values.ts";

/** Options with a name of their own, and the settings that they are. */
const NAMED: Readonly<Record<string, string>> = {
  host: "server.host",
  "tls-cert": "server.tls.certificate",
  "tls-key": "server.tls.key",
  "metrics-listen": "metrics.listen",
  otlp: "traces.otlp_url",
  "log-level": "log.level",
  "log-format": "log.format",
};
const SET = /^([a-z0-9_]+(?:\.[a-z0-9_]+)*)=(.*)$/s;

/** Of `--config`, the environment and flags. Rejects with `CONFIG_INVALID` or `INVALID_VALUE`. */
export async function settingsFor(invocation: Invocation, io: Io): Promise<ReadSettings> {
  const flags: Record<string, JsonValue> = {};
  const texts: Record<string, string> = {};
  for (const text of invocation.values("set")) {
    const [, path, value] = SET.exec(text) ?? [];
    if (path === undefined || value === undefined)
      throw misuse(
        "INVALID_VALUE",
        `Cannot take ${JSON.stringify(text)} for --set: expected section.name=value`,
      );
    texts[path] = value;
  }
  for (const [option, path] of Object.entries(NAMED)) {
    const value = invocation.value(option);
    if (value !== undefined) flags[path] = value;
  }
  const port = invocation.value("port");
  if (port !== undefined) flags["server.port"] = integerOf("port", port, 0, 65_535);
  const workers = invocation.value("workers");
  if (workers !== undefined) flags["server.workers"] = integerOf("workers", workers, 1, 256);
  const file = configFile(invocation, io);
  return readSettings({ env: io.env, texts, flags, folder: io.cwd, ...(file === undefined ? {} : { file }) });
}

/** `--config`, or `ADYTON_CONFIG`. */
export function configFile(invocation: Invocation, io: Io): string | undefined {
  const named =
    invocation.value("config") ?? (io.env.ADYTON_CONFIG === "" ? undefined : io.env.ADYTON_CONFIG);
  return named === undefined ? undefined : resolve(io.cwd, named);
}
