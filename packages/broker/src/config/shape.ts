// SPDX-License-Identifier: Apache-2.0
// The configuration's JSON schema, and walking along it: which keys there are, what a value has to be.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { z } from "zod";
import { settingsSchema } from "./schema.ts";

let made: JsonObject | undefined;

/** JSON Schema (2020-12) of a configuration file, for editors and other tools. */
export function settingsJsonSchema(): JsonObject {
  if (made === undefined) {
    const schema = z.toJSONSchema(settingsSchema, { io: "input" });
    const json = JSON.parse(JSON.stringify(schema)) as JsonValue;
    made = isJsonObject(json) ? { ...json, title: "Adyton broker" } : {};
  }
  return made;
}

/** What the schema says of a place; undefined where it knows none. */
export function schemaAt(path: readonly (string | number)[]): JsonObject | undefined {
  let schema: JsonObject | undefined = settingsJsonSchema();
  for (const step of path) schema = schema === undefined ? undefined : below(schema, step);
  return schema;
}

/** The names that a section knows. */
export function keysAt(path: readonly (string | number)[]): readonly string[] {
  const { properties } = schemaAt(path) ?? {};
  return isJsonObject(properties) ? Object.keys(properties) : [];
}

function below(schema: JsonObject, step: string | number): JsonObject | undefined {
  const { properties, items, additionalProperties } = schema;
  if (typeof step === "number") return isJsonObject(items) ? items : undefined;
  const known = isJsonObject(properties) && Object.hasOwn(properties, step) ? properties[step] : undefined;
  if (isJsonObject(known)) return known;
  return isJsonObject(additionalProperties) ? additionalProperties : undefined;
}

/** The known name that is nearest to a misspelt one, when it is near enough to be meant. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, distance: editDistance(word.toLowerCase(), name) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(2, Math.floor(word.length / 3))
    ? best.name
    : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++) {
      const [left = 0, above = 0, before = 0] = [next[j - 1], row[j], row[j - 1]];
      next.push(Math.min(left + 1, above + 1, before + (letter === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
