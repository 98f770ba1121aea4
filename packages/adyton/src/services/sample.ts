// SPDX-License-Identifier: Apache-2.0
// `adyton sample`: measure and run programs in the software TEE.

import { mkdir } from "node:fs/promises";
import { constants } from "node:os";
import { resolve } from "node:path";
import { measureProgram, openSoftwareTee } from "@adyton/attester";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import type { Io } from "../io.ts";
import { softwareTeeFolder } from "./local-tee.ts";
import { servicesUrl, stateFolder } from "./place.ts";

/** Prints the launch digest; JSON: `{program, launchDigest}`. */
export async function measure(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [program = ""] = invocation.arguments;
  const launchDigest = await measureProgram(resolve(io.cwd, program));
  if (invocation.json) writeJson(io.stdout, { program, launchDigest });
  else io.stdout.write(`${launchDigest}\n`);
  return EXIT.ok;
}

/** Runs the program; its exit code is ours. JSON goes to stdout after it ended: `{launchDigest, code, signal}`. */
export async function runProgram(invocation: Invocation, io: Io): Promise<number> {
  const [program = "", ...args] = invocation.arguments;
  const dir = stateFolder(invocation, io);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const tee = await openSoftwareTee({ dir: softwareTeeFolder(dir), now: io.now });
  const interrupted = io.interruption();
  const launched = await tee.launch({
    program: resolve(io.cwd, program),
    args,
    cwd: io.cwd,
    env: { ADYTON_URL: await servicesUrl(invocation, io) },
  });
  void interrupted.then(() => launched.stop());
  const { code, signal } = await launched.exited;
  if (invocation.json) writeJson(io.stdout, { launchDigest: launched.launchDigest, code, signal });
  return signal === null ? (code ?? EXIT.internal) : 128 + constants.signals[signal];
}
