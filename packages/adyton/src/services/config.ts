// SPDX-License-Identifier: Apache-2.0
// `adyton config`: check, show, describe and import configurations.

import { resolve } from "node:path";
import {
  importTrustee,
  parsedFile,
  readSettings,
  settingsJsonSchema,
  settingsMarkdown,
  shownSettings,
} from "@adyton/broker/config";
import { stringify } from "smol-toml";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, styleOf, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { settingsFor } from "./settings.ts";

/** JSON: `{file, ok: true}`. */
export async function check(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [file = ""] = invocation.arguments;
  await readSettings({ file: resolve(io.cwd, file), folder: io.cwd });
  if (invocation.json) writeJson(io.stdout, { file, ok: true });
  else io.stdout.write(`${styleOf(io.stdout, io.env).good("OK")}  ${printable(file)}\n`);
  return EXIT.ok;
}

/** JSON: `[{name, value, from}]`. */
export async function show(invocation: Invocation, io: Io): Promise<ExitCode> {
  const all = shownSettings(await settingsFor(invocation, io));
  const shown = invocation.flag("changed") ? all.filter(({ from }) => from !== "default") : all;
  if (invocation.json) writeJson(io.stdout, shown);
  else {
    const rows = shown.map(({ from, name, value }) => [name, printable(JSON.stringify(value)), from]);
    io.stdout.write(rows.length === 0 ? "" : `${table(rows, 0)}\n`);
  }
  return EXIT.ok;
}

/** JSON: the schema, as without. */
export async function schema(invocation: Invocation, io: Io): Promise<ExitCode> {
  if (invocation.flag("markdown") && !invocation.json) io.stdout.write(settingsMarkdown());
  else io.stdout.write(`${JSON.stringify(settingsJsonSchema(), null, 2)}\n`);
  return EXIT.ok;
}

/** JSON: `{settings, ignored, notes}`. */
export async function importConfig(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [file = ""] = invocation.arguments;
  const imported = importTrustee(await parsedFile(resolve(io.cwd, file)));
  const { ignored, notes, settings } = imported;
  if (invocation.json) {
    writeJson(io.stdout, imported);
    return EXIT.ok;
  }
  io.stdout.write(`${stringify(settings)}\n`);
  for (const { place, why } of ignored)
    io.stderr.write(`Not taken over: ${printable(place)}: ${printable(why)}\n`);
  for (const note of notes) io.stderr.write(`${printable(note)}\n`);
  return EXIT.ok;
}
