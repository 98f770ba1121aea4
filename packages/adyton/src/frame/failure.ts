// SPDX-License-Identifier: Apache-2.0
// How a refusal is told: what was tried, what was found, what was expected, what to try next.

import { AdytonError } from "@adyton/core/errors";
import { EXIT, type ExitCode, exitCodeOf } from "../exit.ts";
import type { Io } from "../io.ts";
import { writeJson } from "./json.ts";
import { printable, styleOf } from "./style.ts";

/** Tells `error` on stderr, and with `json` also as an object on stdout. Returns the exit code. */
export function reportFailure(error: unknown, json: boolean, io: Io): ExitCode {
  if (!(error instanceof AdytonError)) return reportDefect(error, json, io);
  if (json) writeJson(io.stdout, { error: errorObject(error) });
  else io.stderr.write(failureText(error, io));
  return exitCodeOf(error.category);
}

/** The stable JSON form of an error. */
export function errorObject(error: AdytonError): object {
  return {
    code: error.code,
    category: error.category,
    message: error.message,
    detail: error.detail,
    hint: error.hint ?? null,
  };
}

/** Several lines: message, found and expected where the error knows them, and the next thing to try. */
function failureText(error: AdytonError, io: Io): string {
  const style = styleOf(io.stderr, io.env);
  // A server's own next step stands at the end of its words.
  const [message = "", said] =
    error.hint === undefined ? error.message.split(/ Next: (.*)/s) : [error.message];
  const hint = error.hint ?? said;
  const lines = [`${style.bad("adyton:")} ${printable(message)} ${style.dim(`[${error.code}]`)}`];
  for (const fact of ["field", "offset", "found", "expected"]) {
    const value = error.detail[fact];
    if (typeof value === "string" || typeof value === "number") {
      lines.push(`  ${fact}: ${printable(String(value))}`);
    }
  }
  if (hint !== undefined) lines.push(`Next: ${printable(hint)}`);
  return `${lines.join("\n")}\n`;
}

function reportDefect(error: unknown, json: boolean, io: Io): ExitCode {
  const message = error instanceof Error ? error.message : String(error);
  const hint =
    "This is a defect in adyton, not in your input. Please report it as an issue of its repository, with the command and the lines above; leave secrets out.";
  if (json) {
    const shown = { code: "INTERNAL", category: "internal", message, detail: {}, hint };
    writeJson(io.stdout, { error: shown });
  }
  const trace = error instanceof Error && error.stack !== undefined ? error.stack : message;
  io.stderr.write(`adyton: Unexpected failure\n${printable(trace)}\nNext: ${hint}\n`);
  return EXIT.internal;
}
