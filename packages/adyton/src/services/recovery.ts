// SPDX-License-Identifier: Apache-2.0
// `adyton recovery`: shares of the root keys in a state folder.

import { rootKeyProvider, withRecoveredRootKeys, withRootKeys } from "@adyton/broker";
import { toUtf8 } from "@adyton/core/bytes";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import type { Io } from "../io.ts";
import { integerOf } from "../values.ts";
import { kindOf } from "./root-access.ts";
import { statePlace } from "./state-place.ts";

/** One share a line on stdout; JSON: `{threshold, shares}`. */
export async function split(invocation: Invocation, io: Io): Promise<ExitCode> {
  const threshold = integerOf("threshold", invocation.value("threshold") ?? "3", 2, 255);
  const count = integerOf("shares", invocation.value("shares") ?? "5", 2, 255);
  const { folder, place, ...state } = await statePlace(invocation, io);
  const access = state.access();
  const options = { threshold, shares: count, keep: invocation.flag("keep") };
  const shares = await withRootKeys(
    folder,
    access,
    io.now(),
    (keys) => keys.split(options, rootKeyProvider(keys.facts().provider, folder, access), io.now()),
    place,
  );
  if (invocation.json) writeJson(io.stdout, { threshold, shares });
  else {
    io.stdout.write(shares.map((line) => `${line}\n`).join(""));
    io.stderr.write(`Any ${threshold} of these open the root keys. They are kept nowhere else.\n`);
  }
  return EXIT.ok;
}

/** JSON: `{provider}`. */
export async function open(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [kind = "", path = "-"] = invocation.arguments;
  const { folder, place, ...state } = await statePlace(invocation, io);
  const access = state.access(kindOf(kind));
  await withRecoveredRootKeys(
    folder,
    await sharesIn(path, io),
    (keys) => keys.move(rootKeyProvider(kind, folder, access)),
    place,
  );
  if (invocation.json) writeJson(io.stdout, { provider: kind });
  else io.stderr.write(`The root keys are open, and with ${kind} now\n`);
  return EXIT.ok;
}

/** The shares in a file, one on each line. */
export async function sharesIn(path: string, io: Io): Promise<readonly string[]> {
  const bytes = await readInput(path, io);
  try {
    return toUtf8(bytes)
      .split("\n")
      .filter((line) => line.trim() !== "");
  } catch {
    throw misuse("INVALID_VALUE", `Cannot read shares from ${path}: it is no text`);
  }
}
