// SPDX-License-Identifier: Apache-2.0
// A state as commands find it that work on it themselves: its folder, its database, and what opens its root keys, by options,
// environment and the services' configuration.

import { resolve } from "node:path";
import { type RootKeyAccess, type RootKeyKind, type RootKeyPlace, silentLogger } from "@adyton/broker";
import { readSettings, stateOptionsOf } from "@adyton/broker/config";
import { toUtf8 } from "@adyton/core/bytes";
import { misuse } from "../errors.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import type { Io } from "../io.ts";
import { configuredFolder } from "./place.ts";
import { askedPassphrase, newRootKeyKind, rootKeyAccess, together } from "./root-access.ts";
import { configFile } from "./settings.ts";

export interface StatePlace {
  readonly folder: string;
  readonly place: RootKeyPlace;
  /** What opens the root keys, or where they are to go: `kind`, or what is said of the present ones. */
  access(kind?: RootKeyKind): RootKeyAccess;
}

/** Rejects with `INVALID_VALUE`, `CONFIG_INVALID`, or as `readInput`. */
export async function statePlace(invocation: Invocation, io: Io): Promise<StatePlace> {
  const file = configFile(invocation, io);
  const { settings } = await readSettings({
    ...{ env: io.env, folder: io.cwd },
    ...(file === undefined ? {} : { file }),
  });
  const { postgres, rootKey = {} } = await stateOptionsOf(settings, {
    clock: { now: io.now },
    logger: silentLogger,
  });
  const named = await namedDatabase(invocation, io);
  const place = named ?? postgres;
  return {
    folder: configuredFolder(settings.state_dir, invocation, io),
    place: place === undefined ? {} : { postgres: place },
    access: (kind = newRootKeyKind(invocation, io)) =>
      together(askedPassphrase(io), rootKey, rootKeyAccess(invocation, io, kind)),
  };
}

async function namedDatabase(invocation: Invocation, io: Io): Promise<RootKeyPlace["postgres"]> {
  const url = invocation.value("postgres") ?? (io.env.ADYTON_POSTGRES || undefined);
  if (url === undefined) return undefined;
  const schema = invocation.value("postgres-schema");
  const ca = invocation.value("postgres-ca");
  return {
    url,
    ...(schema === undefined ? {} : { schema }),
    ...(ca === undefined ? {} : { tls: { ca: await textOf(resolve(io.cwd, ca), io) } }),
  };
}

async function textOf(path: string, io: Io): Promise<string> {
  const bytes = await readInput(path, io);
  try {
    return toUtf8(bytes);
  } catch {
    throw misuse("INVALID_VALUE", `Cannot use ${path}: it is no text`);
  }
}
