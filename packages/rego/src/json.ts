// SPDX-License-Identifier: Apache-2.0
// Values as JSON has them.

import type { JsonValue } from "@adyton/core/json";
import { Decimal } from "./decimal.ts";
import { jsonOf } from "./json-text.ts";
import { entriesOf, isObject, RegoSet, setMember, type Value } from "./value.ts";

/**
 * A value without what JSON cannot say: sets become sorted arrays, keys that are no strings their JSON text, and numbers
 * that no double holds the nearest double. Write the text with `jsonOf` where every digit counts.
 */
export function toJson(value: Value): JsonValue {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Decimal) return Number(value.toString());
  if (value instanceof RegoSet) return value.sorted().map(toJson);
  if (Array.isArray(value)) return value.map(toJson);
  if (!isObject(value)) return null;
  const object: Record<string, JsonValue> = {};
  for (const [key, member] of entriesOf(value)) {
    setMember(object, typeof key === "string" ? key : jsonOf(key), toJson(member));
  }
  return object;
}
