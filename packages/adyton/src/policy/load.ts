// SPDX-License-Identifier: Apache-2.0
// Policies and data out of files and folders, laid out as `opa` reads them.

import { readdir, stat } from "node:fs/promises";
import { basename, extname, join, relative, resolve, sep } from "node:path";
import { unansweredQuery } from "@adyton/appraisal";
import { toUtf8 } from "@adyton/core/bytes";
import {
  type Builtin,
  type Diagnostic,
  type Module,
  parseModule,
  RegoError,
  type RegoVersion,
  renderDiagnostics,
} from "@adyton/rego";
import { cryptoBuiltins } from "@adyton/rego/crypto";
import { graphqlBuiltins } from "@adyton/rego/graphql";
import { schemaBuiltins } from "@adyton/rego/schema";
import type { Value } from "@adyton/rego/value";
import { yamlBuiltins } from "@adyton/rego/yaml";
import { parse as parseYaml } from "yaml";
import { CliError, misuse } from "../errors.ts";
import { exitCodeOf } from "../exit.ts";
import { readInput } from "../files.ts";
import type { Invocation, Run } from "../frame/command.ts";
import { styleOf } from "../frame/style.ts";
import type { Io, Output } from "../io.ts";
import { timeOf } from "../values.ts";

/** What stands in the files. */
export interface Loaded {
  readonly modules: readonly Module[];
  /** Below `data`; each file at the path of its folder within the folder that was named. */
  readonly data: Readonly<Record<string, Value>>;
  /** Texts of the modules, for messages. */
  readonly sources: Readonly<Record<string, string>>;
}

/** All functions there are; `query_reference_value` without reference values. */
export const BUILTINS: readonly Builtin[] = [
  ...cryptoBuiltins,
  ...graphqlBuiltins,
  ...schemaBuiltins,
  ...yamlBuiltins,
  unansweredQuery,
];

const MAX_FILES = 10_000;
const MAX_DEPTH = 32;
/** Of aliases in YAML, which can multiply what they stand for. */
const MAX_ALIASES = 100;

/** The language version that was asked for. */
export function versionOf(invocation: Invocation): RegoVersion {
  return invocation.flag("v0") ? "v0" : "v1";
}

/** The time that the policies see. */
export function nowOf(invocation: Invocation, io: Io): Date {
  const text = invocation.value("now");
  return text === undefined ? io.now() : timeOf("now", text);
}

/** A command that tells everything that is wrong with a policy, not only the first thing. */
export function tellingAll(run: Run): Run {
  return async (invocation, io) => {
    try {
      return await run(invocation, io);
    } catch (error) {
      if (!(error instanceof RegoError) || invocation.json) throw error;
      io.stderr.write(findingsText(error, io.stderr, io));
      return exitCodeOf(error.category);
    }
  };
}

/**
 * Reads every `.rego`, `.json`, `.yaml` and `.yml` file below `paths`. Throws a `RegoError` with what is wrong in any of the
 * policies.
 */
export async function load(paths: readonly string[], version: RegoVersion, io: Io): Promise<Loaded> {
  const sources: Record<string, string> = {};
  const modules: Module[] = [];
  const found: Diagnostic[] = [];
  let data: Readonly<Record<string, Value>> = {};
  for (const { path, folder } of await filesOf(paths, io)) {
    const text = await textOf(path, io);
    if (extname(path) !== ".rego") {
      data = merged(data, folder, documentIn(path, text), path);
      continue;
    }
    sources[path] = text;
    try {
      modules.push(parseModule(text, { file: path, version }));
    } catch (error) {
      if (!(error instanceof RegoError)) throw error;
      found.push(...error.diagnostics);
    }
  }
  const [first, ...more] = found;
  if (first !== undefined) throw withSources(new RegoError([first, ...more]), sources);
  return { modules, data, sources };
}

/** One JSON or YAML document out of a file, or stdin. */
export async function loadDocument(path: string, io: Io): Promise<Value> {
  return documentIn(path, await textOf(path, io));
}

/** JSON schemas by the names that annotations know them by: of one file the empty name, of a folder their paths. */
export async function loadSchemas(path: string, io: Io): Promise<Readonly<Record<string, Value>>> {
  const schemas: [name: string, schema: Value][] = [];
  for (const { path: file, folder } of await filesOf([path], io)) {
    if (extname(file) === ".rego") continue;
    const name = file === path ? "" : [...folder, basename(file, extname(file))].join("/");
    schemas.push([name, await loadDocument(file, io)]);
  }
  return Object.fromEntries(schemas);
}

/** Policies whose refusals are told with their lines. */
const texts = new WeakMap<RegoError, Readonly<Record<string, string>>>();

/** The error, with the texts that its places are in. */
export function withSources(error: RegoError, sources: Readonly<Record<string, string>>): RegoError {
  texts.set(error, sources);
  return error;
}

/** What is wrong with a policy, each finding with its line and a caret. */
export function findingsText(error: RegoError, output: Output, io: Io): string {
  const color = styleOf(output, io.env).bold("") !== "";
  return renderDiagnostics(error.diagnostics, texts.get(error) ?? {}, { color });
}

async function textOf(path: string, io: Io): Promise<string> {
  return toUtf8(await readInput(path, io));
}

interface Found {
  readonly path: string;
  /** Names of the folders between the one that was named and the file. */
  readonly folder: readonly string[];
}

async function filesOf(paths: readonly string[], io: Io): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const path of paths) {
    const info = path === "-" ? undefined : await stat(resolve(io.cwd, path)).catch(() => undefined);
    if (info?.isDirectory() === true) await walk(path, path, found, io, 0);
    else found.push({ path, folder: [] });
  }
  return found;
}

async function walk(root: string, path: string, found: Found[], io: Io, depth: number): Promise<void> {
  if (depth > MAX_DEPTH) throw tooMuch(root, `more than ${MAX_DEPTH} folders within each other`);
  const entries = await readdir(resolve(io.cwd, path), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const below = join(path, entry.name);
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) await walk(root, below, found, io, depth + 1);
    if (!entry.isFile() || ![".rego", ".json", ".yaml", ".yml"].includes(extname(entry.name))) continue;
    const folder = relative(root, path).split(sep).filter(Boolean);
    found.push({ path: below, folder });
    if (found.length > MAX_FILES) throw tooMuch(root, `more than ${MAX_FILES} files`);
  }
}

function documentIn(path: string, text: string): Value {
  try {
    const yaml = [".yaml", ".yml"].includes(extname(path));
    return (yaml ? parseYaml(text, { maxAliasCount: MAX_ALIASES }) : JSON.parse(text)) as Value;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("INVALID_DOCUMENT", "malformed", `Cannot read ${path}: ${why}`, {
      cause,
      detail: { path },
    });
  }
}

/** `data` with a document below the folder's path. Two files must not say different things of one place. */
function merged(
  data: Readonly<Record<string, Value>>,
  folder: readonly string[],
  document: Value,
  path: string,
): Readonly<Record<string, Value>> {
  if (!isPlain(document)) {
    throw new CliError("INVALID_DOCUMENT", "malformed", `Cannot read ${path} as data: it is no object`, {
      detail: { path },
    });
  }
  return joined(
    data,
    folder.reduceRight<Value>((inner, name) => ({ [name]: inner }), document),
    path,
  ) as Readonly<Record<string, Value>>;
}

function joined(left: Value, right: Value, path: string): Value {
  if (!isPlain(left) || !isPlain(right)) {
    throw new CliError(
      "INVALID_DOCUMENT",
      "malformed",
      `Cannot read ${path} as data: another file says what it says`,
      {
        detail: { path },
      },
    );
  }
  const members = new Map<string, Value>(Object.entries(left));
  for (const [key, value] of Object.entries(right)) {
    const before = members.get(key);
    members.set(key, before === undefined ? value : joined(before, value, path));
  }
  return Object.fromEntries(members);
}

function isPlain(value: Value): value is Readonly<Record<string, Value>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function tooMuch(path: string, why: string): CliError {
  return misuse("INVALID_VALUE", `Cannot read ${path}: ${why}`, "Name the folder of the policies.");
}
