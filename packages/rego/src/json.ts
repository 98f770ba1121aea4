// SPDX-License-Identifier: Apache-2.0
// Values as JSON has them.

import type { JsonValue } from "@adyton/core/json";
import { Decimal } from "./decimal.ts";
import { RegoError } from "./errors.ts";
import { jsonOf } from "./json-text.ts";
import { entriesOf, isObject, RegoSet, setMember, type Value } from "./value.ts";

/** Values share their parts, and JSON does not: a small value may be a huge text. */
const MAX_MEMBERS = 10_000_000;

/**
 * A value without what JSON cannot say: sets become sorted arrays, keys that are no strings their JSON text, and numbers
 * that no double holds the nearest double. Throws `REGO_LIMIT` for more than ten million members.
 */
export function toJson(value: Value): JsonValue {
  let left = MAX_MEMBERS;
  const list = (items: readonly Value[]): JsonValue[] => {
    left -= items.length;
    if (left < 0) throw tooLarge();
    return items.map(convert);
  };
  const convert = (part: Value): JsonValue => {
    if (typeof part === "bigint") return Number(part);
    if (typeof part !== "object" || part === null) return part;
    if (part instanceof Decimal) return Number(part.toString());
    if (part instanceof RegoSet) return list(part.sorted());
    if (Array.isArray(part)) return list(part);
    if (!isObject(part)) return null;
    const entries = entriesOf(part);
    const members = list(entries.map(([, member]) => member));
    const object: Record<string, JsonValue> = {};
    for (const [i, [key]] of entries.entries()) {
      setMember(object, typeof key === "string" ? key : jsonOf(key), members[i] as Value);
    }
    return object;
  };
  return convert(value);
}

function tooLarge(): RegoError {
  return new RegoError(
    [
      {
        code: "REGO_LIMIT",
        message: `Cannot write the value as JSON: found more than ${MAX_MEMBERS} members, expected fewer`,
        hint: "ask for the part that is needed",
      },
    ],
    "policy",
  );
}
