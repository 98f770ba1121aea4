// SPDX-License-Identifier: Apache-2.0
// `adyton policy fmt`: policies in the one layout.

import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { formatModule } from "@adyton/rego/format";
import { CliError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import type { Io } from "../io.ts";
import { load, versionOf } from "./load.ts";

/** JSON: `{changed: [path]}`. */
export async function format(invocation: Invocation, io: Io): Promise<ExitCode> {
  const version = versionOf(invocation);
  const { sources } = await load(invocation.arguments, version, io);
  const formatted = Object.entries(sources).map(([path, text]) => ({
    path,
    text,
    done: formatModule(text, { file: path, version }),
  }));
  const changed = formatted.filter(({ text, done }) => text !== done);
  const [write, list] = [invocation.flag("write"), invocation.flag("check")];
  if (write) for (const { path, text, done } of changed) await replace(path, text, done, io);
  if (invocation.json) writeJson(io.stdout, { changed: changed.map(({ path }) => path) });
  else if (write || list) io.stdout.write(changed.map(({ path }) => `${path}\n`).join(""));
  else io.stdout.write(formatted.map(({ done }) => done).join(""));
  return list && changed.length > 0 ? EXIT.policy : EXIT.ok;
}

/** Writes a file anew, unless somebody else has since it was read. */
async function replace(path: string, before: string, after: string, io: Io): Promise<void> {
  const file = resolve(io.cwd, path);
  try {
    if ((await readFile(file, "utf8")) !== before) throw new Error("it was changed meanwhile");
    await writeFile(file, after);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("FILE_NOT_WRITABLE", "unavailable", `Cannot write ${path}: ${why}`, {
      cause,
      detail: { path },
    });
  }
}
