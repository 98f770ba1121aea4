// SPDX-License-Identifier: Apache-2.0
// `adyton reference group`: releases, switched and deleted as one.

import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { adminOf } from "./place.ts";

/** JSON: `{groups: [{name, values, enabled}]}`. */
export async function list(invocation: Invocation, io: Io): Promise<ExitCode> {
  const groups = await (await adminOf(invocation, io)).references.groups();
  if (invocation.json) {
    writeJson(io.stdout, { groups });
    return EXIT.ok;
  }
  const rows = groups.map(({ name, values, enabled }) => [
    printable(name),
    `${values} value${values === 1 ? "" : "s"}`,
    enabled ? "enabled" : "disabled",
  ]);
  if (rows.length > 0) io.stdout.write(`${table(rows, 0)}\n`);
  return EXIT.ok;
}

/** JSON: `{group, enabled}`. */
export async function enable(invocation: Invocation, io: Io): Promise<ExitCode> {
  return set(invocation, io, true);
}

/** JSON: `{group, enabled}`. */
export async function disable(invocation: Invocation, io: Io): Promise<ExitCode> {
  return set(invocation, io, false);
}

/** JSON: `{group, deleted}`. */
export async function remove(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [group = ""] = invocation.arguments;
  await (await adminOf(invocation, io)).references.deleteGroup(group);
  if (invocation.json) writeJson(io.stdout, { group, deleted: true });
  else io.stderr.write(`Deleted the values of ${printable(group)}\n`);
  return EXIT.ok;
}

async function set(invocation: Invocation, io: Io, enabled: boolean): Promise<ExitCode> {
  const [group = ""] = invocation.arguments;
  await (await adminOf(invocation, io)).references.setGroup(group, enabled);
  if (invocation.json) writeJson(io.stdout, { group, enabled });
  else io.stderr.write(`${enabled ? "Enabled" : "Disabled"} ${printable(group)}\n`);
  return EXIT.ok;
}
