// SPDX-License-Identifier: Apache-2.0
// `adyton token inspect`: what a token says, with the warning that nothing was verified.

import { readEarUnverified } from "@adyton/appraisal";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, styleOf } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { readToken } from "./input.ts";
import { tokenSections } from "./print.ts";

/** JSON: `{verified: false, form, header, claims}`. */
export async function inspect(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [path = "-"] = invocation.arguments;
  const { form, header, claims } = readEarUnverified(await readToken(path, io));
  if (invocation.json) {
    writeJson(io.stdout, { verified: false, form, header, claims });
    return EXIT.ok;
  }
  const style = styleOf(io.stdout, io.env);
  const sections = [
    style.caution("UNVERIFIED: anyone can write a token that says this."),
    ...tokenSections(form, header, claims, style, Math.min(110, io.stdout.columns)),
    ...(invocation.flag("claims") ? [printable(JSON.stringify(claims, null, 2))] : []),
  ];
  io.stdout.write(`${sections.join("\n\n")}\n`);
  io.stderr.write("Next: `adyton token verify FILE --jwks WHERE` says whether it is true.\n");
  return EXIT.ok;
}
