// SPDX-License-Identifier: Apache-2.0
// Request bodies as JSON of a known shape, and the one error of those that are not.

import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { z } from "zod";
import { BrokerError } from "./errors.ts";

// A text that was parsed as JSON: what is there is JSON, and is passed on as it stands.
export const anyJson: z.ZodType<JsonValue> = z.custom<JsonValue>(
  (value) => value !== undefined,
  "expected a JSON value",
);
export const jsonObject: z.ZodType<JsonObject> = z.custom<JsonObject>(isJsonObject, "expected a JSON object");

const MEMBER = /^[A-Za-z][A-Za-z_-]{0,31}$/;

/** A request body as a JSON object. Throws `INVALID_REQUEST`. */
export function jsonOf(text: string): JsonObject {
  let value: JsonValue;
  try {
    value = parseJson(text);
  } catch (error) {
    throw invalid(error instanceof AdytonError ? error.message : "it is no JSON");
  }
  if (!isJsonObject(value)) throw invalid("it is no JSON object");
  return value;
}

/** `value` in the shape of `schema`. Throws `INVALID_REQUEST` that names the member. */
export function matching<T>(schema: z.ZodType<T>, value: JsonValue): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "the body" : issue.path.join(".");
  throw invalid(`${where}: ${issue === undefined ? "unexpected" : toldOf(issue)}`);
}

/** Names of members stand in our log: what is no name, and may be a secret in the wrong place, does not. */
function toldOf({ code, message, ...more }: z.core.$ZodIssue): string {
  if (code !== "unrecognized_keys" || !("keys" in more)) return message;
  const names = more.keys.map((key) =>
    MEMBER.test(key) ? JSON.stringify(key) : "one with a name of another kind",
  );
  return `there is no such member: ${names.join(", ")}`;
}

export function invalid(why: string): BrokerError {
  const shown = why.length > 300 ? `${why.slice(0, 300)}…` : why;
  return new BrokerError("INVALID_REQUEST", "malformed", `Cannot read the request: ${shown}`);
}
