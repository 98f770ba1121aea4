// SPDX-License-Identifier: Apache-2.0
// `adyton secret`: the administrator puts, lists and deletes; whoever attests gets.

import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { attestedClient, secretPlace, writeSecret } from "./attested.ts";
import { adminOf } from "./place.ts";

/** JSON: `{name, bytes}`. */
export async function put(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = "", path = "-"] = invocation.arguments;
  const secret = await readInput(path, io);
  const admin = await adminOf(invocation, io);
  await admin.putResource(name, secret);
  if (invocation.json) writeJson(io.stdout, { name, bytes: secret.length });
  else io.stderr.write(`Stored ${secret.length} bytes as ${printable(name)}\n`);
  return EXIT.ok;
}

/** JSON: `{names}`. */
export async function list(invocation: Invocation, io: Io): Promise<ExitCode> {
  const names = await (await adminOf(invocation, io)).listResources();
  if (invocation.json) writeJson(io.stdout, { names });
  else io.stdout.write(names.map((name) => `${printable(name)}\n`).join(""));
  return EXIT.ok;
}

/** JSON: `{name, deleted}`. */
export async function remove(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  await (await adminOf(invocation, io)).deleteResource(name);
  if (invocation.json) writeJson(io.stdout, { name, deleted: true });
  else io.stderr.write(`Deleted ${printable(name)}\n`);
  return EXIT.ok;
}

/** JSON: what `Admin.resources.versions` answers. */
export async function versions(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  const facts = await (await adminOf(invocation, io)).resources.versions(name);
  if (invocation.json) {
    writeJson(io.stdout, facts);
    return EXIT.ok;
  }
  const rows = facts.versions.map(({ version, created, bytes }) => [
    String(version),
    printable(created ?? ""),
    bytes === undefined ? "" : `${bytes} bytes`,
  ]);
  io.stdout.write(`${table(rows, 0)}\n`);
  if (facts.deleted !== undefined) io.stderr.write(`Deleted ${printable(facts.deleted)}\n`);
  return EXIT.ok;
}

/** JSON: `{name, restored}`. */
export async function restore(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  await (await adminOf(invocation, io)).resources.restore(name);
  if (invocation.json) writeJson(io.stdout, { name, restored: true });
  else io.stderr.write(`Restored ${printable(name)}\n`);
  return EXIT.ok;
}

/** JSON: `{name, purged}`. */
export async function purge(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  await (await adminOf(invocation, io)).resources.purge(name);
  if (invocation.json) writeJson(io.stdout, { name, purged: true });
  else io.stderr.write(`Purged ${printable(name)}\n`);
  return EXIT.ok;
}

/** The secret's bytes on stdout or in a file; JSON says only `{name, bytes, out}`, so it needs --out. */
export async function get(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  const out = secretPlace(invocation, io);
  const version = invocation.value("version");
  if (version !== undefined && !/^[1-9][0-9]{0,9}$/.test(version))
    throw misuse(
      "INVALID_VALUE",
      `Cannot get version ${JSON.stringify(version)}: expected a number from 1 on`,
    );
  const { client, tee } = await attestedClient(invocation, io);
  const secret = await client.getResource(name, version === undefined ? {} : { version: Number(version) });
  await writeSecret(out, secret, io);
  if (invocation.json) writeJson(io.stdout, { name, bytes: secret.length, out });
  else io.stderr.write(`Got ${secret.length} bytes as ${tee}${out === undefined ? "" : `, in ${out}`}\n`);
  return EXIT.ok;
}
