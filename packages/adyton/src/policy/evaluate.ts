// SPDX-License-Identifier: Apache-2.0
// `adyton policy eval`: the answers to a query.

import { modulesBeside } from "@adyton/appraisal";
import { compile, LIMITS, RegoError, type TraceEvent, toJson } from "@adyton/rego";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { integerOf } from "../values.ts";
import { BUILTINS, load, loadDocument, nowOf, versionOf, withSources } from "./load.ts";
import { explain } from "./trace-text.ts";

/** Minutes of work. */
const MAX_STEPS = 100_000_000_000;

/** JSON: `{results: [{values, bindings}]}`. */
export async function evaluate(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [text = ""] = invocation.arguments;
  const { modules, data, sources } = await load(invocation.values("data"), versionOf(invocation), io);
  const all = [...modules, ...modulesBeside(modules)];
  const inputPath = invocation.value("input");
  const input = inputPath === undefined ? undefined : await loadDocument(inputPath, io);
  const events: string[] = [];
  const choice = invocation.value("explain");
  const steps = integerOf(
    "limit-steps",
    invocation.value("limit-steps") ?? String(LIMITS.steps),
    1,
    MAX_STEPS,
  );
  try {
    const query = compile({
      modules: all,
      builtins: BUILTINS,
      strictBuiltinErrors: invocation.flag("strict-errors"),
    }).prepare(text);
    const answers = query.evaluate({
      input,
      data,
      now: nowOf(invocation, io),
      limits: { steps },
      print: (message) => io.stderr.write(`${printable(message)}\n`),
      ...(choice === undefined
        ? {}
        : { trace: (event: TraceEvent) => events.push(...explain(event, choice, sources)) }),
    });
    const results = answers.map(({ values, bindings }) => ({
      values: values.map(toJson),
      bindings: Object.fromEntries(Object.entries(bindings).map(([name, value]) => [name, toJson(value)])),
    }));
    if (invocation.json) writeJson(io.stdout, { results });
    else io.stdout.write(results.map(answerText).join(""));
    if (events.length > 0) io.stderr.write(`${events.join("\n")}\n`);
    if (results.length === 0) io.stderr.write("undefined: no value makes the query true\n");
    return invocation.flag("fail") && !results.some(isGood) ? EXIT.policy : EXIT.ok;
  } catch (error) {
    throw error instanceof RegoError ? withSources(error, sources) : error;
  }
}

interface Result {
  readonly values: readonly unknown[];
  readonly bindings: Readonly<Record<string, unknown>>;
}

/** As an answer to a yes-or-no question: defined, and no expression false. */
function isGood({ values }: Result): boolean {
  return values.every((value) => value !== false);
}

function answerText({ values, bindings }: Result): string {
  const rows = Object.entries(bindings).map(([name, value]) => [name, JSON.stringify(value)]);
  if (rows.length > 0) return `${table(rows, 0)}\n`;
  return values.map((value) => `${JSON.stringify(value, null, 2)}\n`).join("");
}
