// SPDX-License-Identifier: Apache-2.0
// From a file, the environment and flags to settings. Each value knows where it came from; what is not known is refused.

import { promises as fs } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { BrokerError } from "../errors.ts";
import { settingsSchema } from "./schema.ts";
import type { Settings } from "./settings.ts";
import { keysAt, nearestName, schemaAt } from "./shape.ts";

/** Where settings come from; of two that say something about the same place the later counts. */
export interface SettingsSources {
  /** TOML, YAML or JSON, by its ending. */
  readonly file?: string;
  /** `ADYTON_BROKER__SERVER__PORT=9000` is `server.port`. Other variables are left alone. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** By dotted path, typed as the setting wants it: `{"server.port": "9000"}`. */
  readonly texts?: Readonly<Record<string, string>>;
  /** By dotted path: `server.port`. Paths of files are absolute, or relative to `folder`. */
  readonly flags?: Readonly<Record<string, JsonValue>>;
  /** What relative paths in the environment and in flags start from. Those in a file start from its folder. */
  readonly folder: string;
}

export interface ReadSettings {
  readonly settings: Settings;
  /** For each dotted path that was set: `file`, `env` or `flag`. */
  readonly origins: ReadonlyMap<string, string>;
}

export const ENV_PREFIX = "ADYTON_BROKER__";
const MAX_FILE = 1_048_576;
const MAX_DEPTH = 12;

type Path = readonly (string | number)[];

/** Rejects with `CONFIG_INVALID`, which names every place that is wrong. */
export async function readSettings(sources: SettingsSources): Promise<ReadSettings> {
  const { env = {}, file, flags = {}, folder, texts = {} } = sources;
  const origins = new Map<string, string>();
  let all: JsonObject = {};
  if (file !== undefined) {
    const path = resolve(folder, file);
    const read = absolute(await parsedFile(path), [], dirname(path));
    all = isJsonObject(read) ? read : {};
    noteOrigins(all, [], "file", origins);
  }
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !name.startsWith(ENV_PREFIX)) continue;
    const path = name.slice(ENV_PREFIX.length).toLowerCase().split("__");
    all = placed(all, path, absolute(variableOf(name, path, text), path, folder));
    origins.set(path.join("."), "env");
  }
  for (const [name, text] of Object.entries(texts)) {
    const path = name.split(".");
    all = placed(all, path, absolute(variableOf(name, path, text), path, folder));
    origins.set(name, "flag");
  }
  for (const [name, value] of Object.entries(flags)) {
    const path = name.split(".");
    all = placed(all, path, absolute(value, path, folder));
    origins.set(name, "flag");
  }
  return { settings: checked(all, file), origins };
}

/** Settings out of one value, as if it stood in a file. Throws `CONFIG_INVALID`. */
export function settingsOf(value: JsonValue): Settings {
  return checked(value, undefined);
}

/** A TOML, YAML or JSON file as one object. Rejects with `CONFIG_INVALID`. */
export async function parsedFile(path: string): Promise<JsonObject> {
  let value: unknown;
  try {
    const { size } = await fs.stat(path);
    if (size > MAX_FILE) throw new RangeError(`it has ${size} bytes, expected at most ${MAX_FILE}`);
    const text = toUtf8(await fs.readFile(path));
    value = parsedText(text, extname(path).toLowerCase());
  } catch (cause) {
    if (cause instanceof BrokerError) throw cause;
    throw unreadable(path, cause);
  }
  const json = asJson(value, 0);
  if (!isJsonObject(json)) throw unreadable(path, "expected sections and settings");
  return json;
}

function parsedText(text: string, ending: string): unknown {
  switch (ending) {
    case ".toml":
      return parseToml(text);
    case ".yaml":
    case ".yml":
      // Aliases could make much of little.
      return parseYaml(text, { maxAliasCount: 0, prettyErrors: true }) ?? {};
    case ".json":
      return parseJson(text);
    default:
      throw new RangeError("expected a name that ends in .toml, .yaml, .yml or .json");
  }
}

/** Libraries give dates and maps, too. */
function asJson(value: unknown, depth: number): JsonValue {
  if (depth > MAX_DEPTH)
    throw new BrokerError("CONFIG_INVALID", "malformed", "Cannot read the configuration: it is too deep");
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((each) => asJson(each, depth + 1));
  if (typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, asJson(each, depth + 1)]));
  return String(value);
}

/** The text of a variable as its place asks for it. */
function variableOf(name: string, path: Path, text: string): JsonValue {
  const { type } = schemaAt(path) ?? {};
  const trimmed = text.trim();
  if (type === "boolean" && /^(?:true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === "true";
  if ((type === "integer" || type === "number") && trimmed !== "" && Number.isFinite(Number(trimmed)))
    return Number(trimmed);
  if (type !== "array" && type !== "object") return text;
  if (type === "array" && !trimmed.startsWith("[")) {
    const words = trimmed === "" ? [] : trimmed.split(",").map((word) => word.trim());
    const { items } = schemaAt(path) ?? {};
    const numbers = isJsonObject(items) && (items.type === "integer" || items.type === "number");
    return numbers
      ? words.map((word) => (word !== "" && Number.isFinite(Number(word)) ? Number(word) : word))
      : words;
  }
  try {
    return parseJson(trimmed);
  } catch (cause) {
    throw new BrokerError(
      "CONFIG_INVALID",
      "malformed",
      `Cannot read ${name}: expected JSON for ${path.join(".")}`,
      { cause },
    );
  }
}

function placed(into: JsonObject, [first, ...rest]: readonly string[], value: JsonValue): JsonObject {
  if (first === undefined) return into;
  const there = Object.hasOwn(into, first) ? into[first] : undefined;
  const below = rest.length === 0 ? value : placed(isJsonObject(there) ? there : {}, rest, value);
  return Object.fromEntries([...Object.entries(into), [first, below]]);
}

/** Names of files, made absolute. */
function absolute(value: JsonValue, path: Path, folder: string): JsonValue {
  if (typeof value === "string")
    return value !== "" && schemaAt(path)?.format === "path" ? resolve(folder, value) : value;
  if (Array.isArray(value)) return value.map((each, n) => absolute(each, [...path, n], folder));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, absolute(each, [...path, name], folder)]),
  );
}

function noteOrigins(
  value: JsonValue,
  path: readonly string[],
  origin: string,
  into: Map<string, string>,
): void {
  if (!isJsonObject(value)) {
    into.set(path.join("."), origin);
    return;
  }
  for (const [name, each] of Object.entries(value)) noteOrigins(each, [...path, name], origin, into);
}

function checked(value: JsonValue, file: string | undefined): Settings {
  const result = settingsSchema.safeParse(value);
  if (result.success) return result.data;
  const told = result.error.issues.flatMap(problemsIn).slice(0, 20);
  throw new BrokerError(
    "CONFIG_INVALID",
    "misuse",
    `Cannot use the configuration: ${told.map(({ place, why }) => `${place}: ${why}`).join("; ")}`,
    {
      detail: {
        problems: told.map(({ place, why }) => ({ place, why })),
        ...(file === undefined ? {} : { file }),
      },
      hint: "docs/configuration.md lists every setting; `adyton config check FILE` checks a file.",
    },
  );
}

interface Issue {
  readonly code?: string | undefined;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
}

interface Problem {
  readonly place: string;
  readonly why: string;
}

function problemsIn(issue: Issue): readonly Problem[] {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  if (issue.code !== "unrecognized_keys") return [{ place: nameOf(path), why: issue.message }];
  return (issue.keys ?? []).map((key) => {
    const near = nearestName(key, keysAt(path));
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    return { place: nameOf([...path, key.slice(0, 80)]), why: `there is no such setting${hint}` };
  });
}

function nameOf(path: Path): string {
  return path.length === 0 ? "the whole" : path.join(".");
}

function unreadable(path: string, cause: unknown): BrokerError {
  const why = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
  return new BrokerError("CONFIG_INVALID", "malformed", `Cannot read the configuration ${path}: ${why}`, {
    ...(cause instanceof Error ? { cause } : {}),
    detail: { path },
  });
}
