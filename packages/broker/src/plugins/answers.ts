// SPDX-License-Identifier: Apache-2.0
// What plugins share: reading bodies, writing answers, refusing paths.

import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import type { JsonValue } from "@adyton/core/json";
import type { z } from "zod";
import { BrokerError } from "../errors.ts";
import { invalid, jsonOf, matching } from "../protocol.ts";
import type { PluginCall, PluginResponse } from "./types.ts";

/** A JSON answer. */
export function jsonAnswer(value: JsonValue, more: Omit<PluginResponse, "body"> = {}): PluginResponse {
  return { body: fromUtf8(JSON.stringify(value)), contentType: "application/json", ...more };
}

/** The body as JSON that fits `schema`; no body is an empty object. Throws `INVALID_REQUEST`. */
export function bodyOf<T>(schema: z.ZodType<T>, { body }: PluginCall): T {
  let text: string;
  try {
    text = toUtf8(body);
  } catch {
    throw invalid("the body is no UTF-8");
  }
  return matching(schema, text === "" ? {} : jsonOf(text));
}

/** `INVALID_PATH` for what a plugin does not answer. */
export function noSuchCall(plugin: string, { method, path }: PluginCall): BrokerError {
  const shown = [plugin, ...path].join("/").slice(0, 200);
  return new BrokerError("INVALID_PATH", "misuse", `Cannot answer ${method} ${shown}: there is no such path`);
}
