// SPDX-License-Identifier: Apache-2.0
// `adyton tenant`: the tenants of running trust services.

import type { TenantAdmin, TenantFacts, TenantQuota } from "@adyton/client";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { integerOf } from "../values.ts";
import { houseAdminOf } from "./place.ts";

const LIMITS = {
  "max-secrets": "maxResources",
  "max-bytes": "maxBytes",
  "max-sessions": "maxSessions",
  "max-requests": "requestsPerSecond",
} as const;

/** JSON: `{tenants: [{name, state, quota, usage, created}]}`. */
export async function list(invocation: Invocation, io: Io): Promise<ExitCode> {
  const tenants = await (await tenantsOf(invocation, io)).list();
  if (invocation.json) {
    writeJson(io.stdout, { tenants });
    return EXIT.ok;
  }
  const rows = tenants.map(({ name, state, usage }) =>
    [name, state, `${usage.resources} secrets`, `${usage.bytes} bytes`].map(printable),
  );
  if (rows.length > 0) io.stdout.write(`${table(rows, 0)}\n`);
  return EXIT.ok;
}

/** JSON: the tenant. */
export async function create(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  return told(
    "Made",
    await (await tenantsOf(invocation, io)).create(name, quotaOf(invocation)),
    invocation,
    io,
  );
}

/** JSON: the tenant. */
export async function change(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  const quota = quotaOf(invocation);
  const state = invocation.value("state");
  if (state === undefined && quota === undefined)
    throw misuse("MISSING_VALUE", "Cannot change the tenant: expected --state or a limit");
  const changed = await (await tenantsOf(invocation, io)).change(name, {
    ...(state === "active" || state === "disabled" ? { state } : {}),
    ...(quota === undefined ? {} : { quota }),
  });
  return told("Changed", changed, invocation, io);
}

/** JSON: `{name, deleted}`. */
export async function remove(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  if (!invocation.flag("force")) {
    throw misuse(
      "MISSING_VALUE",
      `Cannot delete tenant ${JSON.stringify(name)} just so: all of its secrets go with it`,
      "Give --force when that is meant; `adyton tenant change --state disabled` only switches it off.",
    );
  }
  await (await tenantsOf(invocation, io)).delete(name);
  if (invocation.json) writeJson(io.stdout, { name, deleted: true });
  else io.stderr.write(`Deleted tenant ${printable(name)}\n`);
  return EXIT.ok;
}

async function tenantsOf(invocation: Invocation, io: Io): Promise<TenantAdmin> {
  return (await houseAdminOf(invocation, io)).tenants;
}

function quotaOf(invocation: Invocation): TenantQuota | undefined {
  const limits = Object.entries(LIMITS).flatMap(([option, name]) => {
    const text = invocation.value(option);
    return text === undefined ? [] : [[name, integerOf(option, text, 1, Number.MAX_SAFE_INTEGER)] as const];
  });
  return limits.length === 0 ? undefined : Object.fromEntries(limits);
}

function told(what: string, facts: TenantFacts, invocation: Invocation, io: Io): ExitCode {
  if (invocation.json) writeJson(io.stdout, facts);
  else io.stderr.write(`${what} tenant ${printable(facts.name)} (${facts.state})\n`);
  return EXIT.ok;
}
