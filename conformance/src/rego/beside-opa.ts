// SPDX-License-Identifier: Apache-2.0
// One program, evaluated by OPA and by `@adyton/rego`: its package's document as text, or the class of its error.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, RegoError, type Tracer, type Value } from "@adyton/rego";
import { opaProgram } from "./opa.ts";
import { jsonForm, textOf } from "./values.ts";

/** What OPA calls our error codes. */
const CODE_OF: Readonly<Record<string, string>> = {
  REGO_PARSE: "rego_parse_error",
  REGO_COMPILE: "rego_compile_error",
  REGO_TYPE: "rego_type_error",
  REGO_UNSAFE_VARIABLE: "rego_unsafe_var_error",
  REGO_RECURSION: "rego_recursion_error",
  REGO_CONFLICT: "eval_conflict_error",
  REGO_WITH: "eval_with_merge_error",
};

/** The package's document as text, or the name of an error. */
export type Outcome = string;

/** JSON with numbers of any size. */
const UNMARSHAL = compile({ modules: {} }).prepare("json.unmarshal(input)");

function read(text: string): unknown {
  return UNMARSHAL.value({ input: text });
}

function opa(...args: readonly string[]): {
  readonly result?: unknown;
  readonly errors?: readonly OpaError[];
} {
  try {
    const text = execFileSync(opaProgram ?? "opa", args, {
      encoding: "utf8",
      maxBuffer: 256 * 1024 * 1024,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return read(text) as { result?: unknown };
  } catch (error) {
    // It prints what was wrong, and leaves with a status that says so.
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
    return read(stdout || stderr || "{}") as { errors?: readonly OpaError[] };
  }
}

interface OpaError {
  readonly code: string;
  readonly message: string;
  readonly location?: { readonly file: string };
}

/** OPA's outcome for each module. One that fails is taken out, so that the others can be seen. */
export function theirs(
  modules: ReadonlyMap<string, string>,
  input: object,
  base: object,
): Map<string, Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "adyton-rego-"));
  try {
    return evaluated(folder, modules, input, base);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function evaluated(
  folder: string,
  modules: ReadonlyMap<string, string>,
  input: object,
  base: object,
): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  const [inputFile, dataFile] = [join(folder, "input.json"), join(folder, "data.json")];
  writeFileSync(inputFile, JSON.stringify(input));
  writeFileSync(dataFile, JSON.stringify({ base }));
  for (const [name, text] of modules) writeFileSync(join(folder, `${name}.rego`), text);
  for (;;) {
    const left = [...modules.keys()].filter((name) => !outcomes.has(name));
    const files = left.flatMap((name) => ["-d", join(folder, `${name}.rego`)]);
    const { result, errors = [] } = opa(
      "eval",
      "-f",
      "json",
      "-d",
      dataFile,
      "-i",
      inputFile,
      ...files,
      "data",
    );
    if (errors.length === 0) {
      const [answer] = result as readonly [{ expressions: readonly [{ value: Record<string, Value> }] }];
      for (const name of left)
        outcomes.set(name, textOf(jsonForm(answer.expressions[0].value[name] ?? null)));
      return outcomes;
    }
    const placed = errors.filter(({ location }) => location !== undefined);
    for (const { code, location } of placed.length > 0 ? placed : errors) {
      const name = /([a-z0-9]+)\.rego$/.exec(location?.file ?? "")?.[1];
      if (name === undefined || !modules.has(name)) throw new Error(`OPA fails: ${JSON.stringify(errors)}`);
      if (!outcomes.has(name)) outcomes.set(name, code);
    }
  }
}

export function ours(
  name: string,
  text: string,
  input: object,
  base: object,
  options: { readonly trace?: Tracer } = {},
): Outcome {
  try {
    const query = compile({ modules: { [`${name}.rego`]: text } }).prepare(`data.${name}`);
    const value = query.value({ input: input as Value, data: { base: base as Value }, ...options });
    return textOf(jsonForm(value ?? null));
  } catch (error) {
    if (error instanceof RegoError) return CODE_OF[error.code] ?? error.code;
    throw error;
  }
}
