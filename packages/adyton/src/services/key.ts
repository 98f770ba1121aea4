// SPDX-License-Identifier: Apache-2.0
// `adyton key`: the administrator's part in keys that never leave the trust services.

import type { KeyFacts } from "@adyton/client";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { adminOf } from "./place.ts";

/** JSON: what `Admin.keys.create` answers. */
export async function create(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  const { keys } = await adminOf(invocation, io);
  tell(await keys.create(name, { derived: invocation.flag("derived") }), invocation, io);
  return EXIT.ok;
}

/** JSON: `{keys}`. */
export async function list(invocation: Invocation, io: Io): Promise<ExitCode> {
  const keys = await (await adminOf(invocation, io)).keys.list();
  if (invocation.json) writeJson(io.stdout, { keys });
  else io.stdout.write(keys.map((name) => `${printable(name)}\n`).join(""));
  return EXIT.ok;
}

/** JSON: what `Admin.keys.get` answers. */
export async function show(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  tell(await (await adminOf(invocation, io)).keys.get(name), invocation, io);
  return EXIT.ok;
}

/** JSON: as `show`. */
export async function rotate(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  const text = invocation.value("min-version");
  if (text !== undefined && !/^[1-9][0-9]{0,5}$/.test(text))
    throw misuse(
      "INVALID_VALUE",
      `Cannot use ${JSON.stringify(text)} as a version: expected a number from 1 on`,
    );
  const { keys } = await adminOf(invocation, io);
  await keys.rotate(name);
  if (text !== undefined) await keys.configure(name, { minDecryptionVersion: Number(text) });
  tell(await keys.get(name), invocation, io);
  return EXIT.ok;
}

/** JSON: `{name, deleted}`. */
export async function remove(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  if (!invocation.flag("force")) {
    throw misuse(
      "MISSING_VALUE",
      `Cannot delete key ${name}: everything it encrypted would be lost`,
      "Give --force if that is meant.",
    );
  }
  const { keys } = await adminOf(invocation, io);
  await keys.configure(name, { deletionAllowed: true });
  await keys.delete(name);
  if (invocation.json) writeJson(io.stdout, { name, deleted: true });
  else io.stderr.write(`Deleted ${printable(name)}\n`);
  return EXIT.ok;
}

/** JSON: `{name, ciphertext}`. */
export async function encrypt(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = "", path = "-"] = invocation.arguments;
  const plaintext = await readInput(path, io);
  const ciphertext = await (await adminOf(invocation, io)).keys.encrypt(name, plaintext);
  plaintext.fill(0);
  if (invocation.json) writeJson(io.stdout, { name, ciphertext });
  else io.stdout.write(`${printable(ciphertext)}\n`);
  return EXIT.ok;
}

function tell(facts: KeyFacts, invocation: Invocation, io: Io): void {
  if (invocation.json) {
    writeJson(io.stdout, facts);
    return;
  }
  const { name, latestVersion, minDecryptionVersion, derived } = facts;
  const row = [printable(name), `version ${latestVersion}`, `decrypts from ${minDecryptionVersion}`];
  io.stdout.write(`${table([[...row, derived ? "derived" : ""]], 0)}\n`);
}
