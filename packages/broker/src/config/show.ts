// SPDX-License-Identifier: Apache-2.0
// Settings to look at: what counts and why, without what is secret.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import type { ReadSettings } from "./read.ts";

export interface ShownSetting {
  readonly name: string;
  readonly value: JsonValue;
  /** `flag`, `env`, `file` or `default`. */
  readonly from: string;
}

/** One for each setting that has a value. The password of a database's URL is left out. */
export function shownSettings({ origins, settings }: ReadSettings): readonly ShownSetting[] {
  const found: ShownSetting[] = [];
  const walk = (value: JsonValue, path: readonly string[]): void => {
    if (isJsonObject(value) && Object.keys(value).length > 0) {
      for (const [name, each] of Object.entries(value)) walk(each, [...path, name]);
      return;
    }
    const name = path.join(".");
    found.push({
      name,
      value: name === "store.url" ? withoutPassword(value) : value,
      from: originOf(name, origins),
    });
  };
  walk(JSON.parse(JSON.stringify(settings)) as JsonObject, []);
  return found;
}

/** A table that was set as one in the environment is the origin of what is in it. */
function originOf(name: string, origins: ReadonlyMap<string, string>): string {
  for (let path = name; path !== ""; path = path.slice(0, Math.max(0, path.lastIndexOf(".")))) {
    const origin = origins.get(path);
    if (origin !== undefined) return origin;
  }
  return "default";
}

function withoutPassword(value: JsonValue): JsonValue {
  if (typeof value !== "string") return value;
  if (!URL.canParse(value)) return "[hidden]";
  const url = new URL(value);
  if (url.password !== "") url.password = "hidden";
  return url.href;
}
