// SPDX-License-Identifier: Apache-2.0
// Where a state keeps its values: in its folder, or in the PostgreSQL database that the options name.

import { resolve } from "node:path";
import type { RootKeyPlace } from "@adyton/broker";
import { toUtf8 } from "@adyton/core/bytes";
import { misuse } from "../errors.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import type { Io } from "../io.ts";

/** What `--postgres` and the options with it say. Rejects with `INVALID_VALUE`, or as `readInput`. */
export async function stateStore(invocation: Invocation, io: Io): Promise<RootKeyPlace> {
  const url = invocation.value("postgres") ?? (io.env.ADYTON_POSTGRES || undefined);
  if (url === undefined) return {};
  const schema = invocation.value("postgres-schema");
  const ca = invocation.value("postgres-ca");
  return {
    postgres: {
      url,
      ...(schema === undefined ? {} : { schema }),
      ...(ca === undefined ? {} : { tls: { ca: await textOf(resolve(io.cwd, ca), io) } }),
    },
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
