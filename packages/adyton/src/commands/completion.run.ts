// SPDX-License-Identifier: Apache-2.0

import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { completionScript, SHELLS } from "../frame/completion.ts";
import { writeJson } from "../frame/json.ts";
import type { Io } from "../io.ts";
import { ROOT } from "./tree.ts";

/** Prints the script; with --json as `{shell, script}`. */
export async function complete(invocation: Invocation, io: Io): Promise<ExitCode> {
  const shell = SHELLS.find((each) => each === invocation.arguments[0]);
  if (shell === undefined) throw new TypeError("the parser lets only known shells through");
  const script = completionScript(shell, ROOT);
  if (invocation.json) writeJson(io.stdout, { shell, script });
  else io.stdout.write(script);
  return EXIT.ok;
}
