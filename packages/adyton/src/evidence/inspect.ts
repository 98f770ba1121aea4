// SPDX-License-Identifier: Apache-2.0
// `adyton evidence inspect`: claims as they stand.

import { inspectEvidence, schemeOf } from "@adyton/evidence";
import { EXIT, type ExitCode } from "../exit.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { styleOf, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { teeOption } from "../values.ts";
import { claimRows } from "./claims.ts";
import { readEvidence } from "./input.ts";

/** JSON: `{tee, verified: false, bytes, claims}`. */
export async function inspect(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [path = "-"] = invocation.arguments;
  const input = readEvidence(await readInput(path, io), teeOption(invocation));
  const claims = inspectEvidence(input.evidence, input.tee);
  if (invocation.json) {
    writeJson(io.stdout, { tee: input.tee, verified: false, bytes: input.evidence.length, claims });
    return EXIT.ok;
  }
  const style = styleOf(io.stdout, io.env);
  const title = `${schemeOf(input.tee).title}, ${input.evidence.length} bytes`;
  io.stdout.write(
    [
      `${style.caution("NOT VERIFIED")}  ${title}: these are claims, not facts`,
      "",
      table(claimRows(claims)),
      "",
    ].join("\n"),
  );
  io.stderr.write(
    `Next: \`adyton evidence verify ${path} --endorsements PATH\` says whether they are true.\n`,
  );
  return EXIT.ok;
}
