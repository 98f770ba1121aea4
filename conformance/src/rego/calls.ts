// SPDX-License-Identifier: Apache-2.0
// The same calls of functions here and in one run of the reference implementation.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BuiltinContext, BuiltinFailure, standardBuiltins } from "@adyton/rego/builtins";
import { opaProgram } from "./opa.ts";

export interface Call {
  readonly name: string;
  /** JSON values. */
  readonly args: readonly unknown[];
}

/** Where a call has no value. */
const UNDEFINED = "undefined";

/** What each call gives there, as JSON text, or `UNDEFINED`. */
export function callThere(calls: readonly Call[]): readonly string[] {
  if (opaProgram === undefined) throw new Error("There is no OPA on this machine");
  const folder = mkdtempSync(join(tmpdir(), "adyton-calls-"));
  try {
    const byName: Record<string, Record<number, readonly unknown[]>> = {};
    for (const [i, { name, args }] of calls.entries()) {
      byName[name] ??= {};
      byName[name][i] = args;
    }
    const rules = Object.entries(byName).map(([name, list]) => {
      const args = (Object.values(list)[0] ?? []).map((_, i) => `args[${i}]`).join(", ");
      return `results[i] := ${name}(${args}) if some i, args in input["${name}"]`;
    });
    writeFileSync(join(folder, "calls.rego"), `package calls\n\n${rules.join("\n\n")}\n`);
    writeFileSync(join(folder, "input.json"), JSON.stringify(byName));
    const text = execFileSync(
      opaProgram,
      [
        "eval",
        "-f",
        "json",
        "-d",
        join(folder, "calls.rego"),
        "-i",
        join(folder, "input.json"),
        "data.calls.results",
      ],
      { encoding: "utf8", maxBuffer: 1 << 30 },
    );
    const results = JSON.parse(text).result?.[0]?.expressions[0].value ?? {};
    return calls.map((_, i) => (Object.hasOwn(results, i) ? JSON.stringify(results[i]) : UNDEFINED));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What each call gives here. */
export function callHere(calls: readonly Call[]): readonly string[] {
  const byName = new Map(standardBuiltins.map((builtin) => [builtin.name, builtin]));
  return calls.map(({ name, args }) => {
    const builtin = byName.get(name);
    if (builtin === undefined) throw new Error(`There is no function ${name}`);
    const call: (...args: never[]) => unknown = builtin.call;
    try {
      const value = call(...([...args, context()] as never[]));
      return value === undefined ? UNDEFINED : JSON.stringify(value);
    } catch (error) {
      if (error instanceof BuiltinFailure) return UNDEFINED;
      throw error;
    }
  });
}

/** Without limits. */
function context(): BuiltinContext {
  return { now: () => 0n, spend: () => {}, cached: (_key, make) => make(), note: () => {} };
}
