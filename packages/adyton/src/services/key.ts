// SPDX-License-Identifier: Apache-2.0
// `adyton key`: keys that never leave the trust services. Administrators make and encrypt, whoever attests decrypts.

import type { KeyFacts } from "@adyton/client";
import { toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { readInput, writePrivateFile } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { attestedClient, secretPlace, writeSecret } from "./attested.ts";
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

/** The plaintext's bytes on stdout or in a file; JSON says only `{name, bytes, out}`, so it needs --out. */
export async function decrypt(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = "", path = "-"] = invocation.arguments;
  const out = secretPlace(invocation, io);
  const ciphertext = ciphertextIn(await readInput(path, io), path);
  const { client, tee } = await attestedClient(invocation, io);
  const plaintext = await client.transit.decrypt(name, ciphertext);
  await writeSecret(out, plaintext, io);
  if (invocation.json) writeJson(io.stdout, { name, bytes: plaintext.length, out });
  else
    io.stderr.write(
      `Decrypted ${plaintext.length} bytes as ${tee}${out === undefined ? "" : `, in ${out}`}\n`,
    );
  plaintext.fill(0);
  return EXIT.ok;
}

/** JSON: `{name, bytes, out, ciphertext}`; never the key. */
export async function dataKey(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  const out = invocation.value("out");
  if (out === undefined)
    throw misuse("MISSING_VALUE", "Cannot make a data key: expected --out FILE, to write it to");
  const text = invocation.value("bits");
  const bits = text === "128" ? 128 : text === "512" ? 512 : 256;
  const { client, tee } = await attestedClient(invocation, io);
  const { plaintext, ciphertext } = await client.transit.dataKey(name, { bits });
  await writePrivateFile(out, plaintext, io);
  if (invocation.json) {
    writeJson(io.stdout, { name, bytes: plaintext.length, out, ciphertext });
  } else {
    io.stdout.write(`${printable(ciphertext)}\n`);
    io.stderr.write(`Got a key of ${bits} bits as ${tee}, in ${out}\n`);
  }
  plaintext.fill(0);
  return EXIT.ok;
}

/** One line, as `encrypt` prints it. */
function ciphertextIn(bytes: Uint8Array, path: string): string {
  let text = "";
  try {
    text = toUtf8(bytes).trim();
  } catch (error) {
    if (!(error instanceof AdytonError)) throw error;
  }
  if (/^vault:v[0-9]+:[A-Za-z0-9+/]+=*$/.test(text)) return text;
  throw misuse(
    "INVALID_VALUE",
    `Cannot decrypt ${path}: it is no ciphertext of such a key, expected vault:v1:…`,
  );
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
