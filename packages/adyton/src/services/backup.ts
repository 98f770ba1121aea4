// SPDX-License-Identifier: Apache-2.0
// `adyton backup`: streams from a state folder into a file and back; files may be larger than memory.

import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { resolve } from "node:path";
import {
  type BackupFacts,
  type BackupOpener,
  createBackup,
  openBrokerState,
  restoreBackup,
  verifyBackup,
  withRootKeys,
} from "@adyton/broker";
import { CliError, misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import type { Io } from "../io.ts";
import { sharesIn } from "./recovery.ts";
import { secretIn } from "./root-access.ts";
import { statePlace } from "./state-place.ts";

/** JSON: `{file, bytes}`. */
export async function create(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [file = ""] = invocation.arguments;
  const { access, folder, place } = await statePlace(invocation, io);
  const rootKey = access();
  const words = invocation.value("passphrase-file");
  const passphrase = words === undefined ? {} : { passphrase: await secretIn(words, io)() };
  // A state that is not there shall not be made.
  await withRootKeys(folder, rootKey, io.now(), async () => undefined, place);
  const state = await openBrokerState(folder, { rootKey, clock: { now: io.now }, ...place });
  let bytes: number;
  try {
    bytes = await write(
      resolve(io.cwd, file),
      createBackup(folder, state.store, state.rootKeys.keys, passphrase, io.now()),
    );
  } finally {
    await state.rootKeys.close();
    await state.store.close();
  }
  if (invocation.json) writeJson(io.stdout, { file, bytes });
  else io.stderr.write(`Wrote ${bytes} bytes to ${file}\n`);
  return EXIT.ok;
}

/** JSON: `{created, values, entries}`. */
export async function verify(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [file = ""] = invocation.arguments;
  tell("Whole", await verifyBackup(read(file, io), await openerOf(invocation, io)), invocation, io);
  return EXIT.ok;
}

/** JSON: `{created, values, entries}`. */
export async function restore(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [file = ""] = invocation.arguments;
  const opener = await openerOf(invocation, io);
  const { access, folder, place } = await statePlace(invocation, io);
  const facts = await restoreBackup(read(file, io), opener, folder, access(), place);
  tell("Restored", facts, invocation, io);
  return EXIT.ok;
}

function tell(what: string, facts: BackupFacts, invocation: Invocation, io: Io): void {
  if (invocation.json) writeJson(io.stdout, facts);
  else
    io.stderr.write(
      `${what}: ${facts.values} values and ${facts.entries} entries of the log, as of ${facts.created}\n`,
    );
}

async function openerOf(invocation: Invocation, io: Io): Promise<BackupOpener> {
  const words = invocation.value("passphrase-file");
  const shares = invocation.value("shares-file");
  if (words === undefined && shares === undefined && io.askSecret !== undefined)
    return { passphrase: await io.askSecret("Passphrase of the backup: ") };
  if ((words === undefined) === (shares === undefined))
    throw misuse("MISSING_VALUE", "Cannot open the backup: expected --passphrase-file or --shares-file");
  return words === undefined
    ? { shares: await sharesIn(shares ?? "-", io) }
    : { passphrase: await secretIn(words, io)() };
}

async function* read(file: string, io: Io): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(resolve(io.cwd, file));
  } catch (cause) {
    const { code = "it cannot be read" } = cause as NodeJS.ErrnoException;
    const missing = code === "ENOENT";
    throw new CliError(
      missing ? "FILE_NOT_FOUND" : "FILE_NOT_READABLE",
      missing ? "misuse" : "unavailable",
      `Cannot read ${file}: ${missing ? "it does not exist" : code}`,
      { cause, detail: { path: file } },
    );
  }
}

/** For its owner alone; a file that is not whole does not stay. */
async function write(file: string, parts: AsyncIterable<Uint8Array>): Promise<number> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, "wx", 0o600);
  } catch (cause) {
    throw notWritable(file, cause);
  }
  let bytes = 0;
  try {
    for await (const part of parts) {
      await handle.writeFile(part).catch((cause: unknown) => {
        throw notWritable(file, cause);
      });
      bytes += part.length;
    }
    await handle.sync();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return bytes;
}

function notWritable(path: string, cause: unknown): CliError {
  const { code = "it failed" } = cause as NodeJS.ErrnoException;
  return new CliError("FILE_NOT_WRITABLE", "unavailable", `Cannot write ${path}: ${code}`, {
    cause,
    detail: { path },
  });
}
