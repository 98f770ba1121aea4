// SPDX-License-Identifier: Apache-2.0
// `adyton policy check`: everything that is wrong with policies, with line, column, caret and hint.

import { compile, RegoError } from "@adyton/rego";
import { schemaTypes } from "@adyton/rego/schema";
import { EXIT, type ExitCode, exitCodeOf } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import type { Io } from "../io.ts";
import { BUILTINS, findingsText, load, loadSchemas, versionOf, withSources } from "./load.ts";
import { unitsOf } from "./units.ts";

/** JSON: `{ok, modules, diagnostics: [{code, message, location, hint}]}`. */
export async function check(invocation: Invocation, io: Io): Promise<ExitCode> {
  try {
    const loaded = await load(invocation.arguments, versionOf(invocation), io);
    try {
      const path = invocation.value("schema");
      const schemas = schemaTypes(path === undefined ? undefined : await loadSchemas(path, io));
      for (const { modules } of unitsOf(loaded)) compile({ modules, builtins: BUILTINS, schemas });
    } catch (error) {
      throw error instanceof RegoError ? withSources(error, loaded.sources) : error;
    }
    const count = loaded.modules.length;
    if (invocation.json) writeJson(io.stdout, { ok: true, modules: count, diagnostics: [] });
    else io.stderr.write(`${count} ${count === 1 ? "policy is" : "policies are"} sound.\n`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    const { diagnostics } = error;
    if (invocation.json) writeJson(io.stdout, { ok: false, diagnostics });
    else io.stdout.write(findingsText(error, io.stdout, io));
    return exitCodeOf(error.category);
  }
}
