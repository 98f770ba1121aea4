// SPDX-License-Identifier: Apache-2.0
// Small modules and what they come to, as text; what is wrong with others, by code and message.

import { compile, type EvaluateOptions, RegoError } from "../src/index.ts";
import { showValue } from "../src/show.ts";

export const NOW = new Date("2026-01-01T00:00:00Z");

export interface RunOptions extends EvaluateOptions {
  readonly version?: "v0" | "v1";
  /** Further modules, with their packages. */
  readonly modules?: readonly string[];
}

/** The value of `query` after the rules of `package test`: `{1, 2}`, or "undefined"; or the code of the error. */
export function resultOf(rules: string, query = "data.test.p", options: RunOptions = {}): string {
  const { version = "v1", modules = [], ...rest } = options;
  try {
    const policy = compile({
      modules: Object.fromEntries(
        [`package test\n${rules}`, ...modules].map((text, i) => [`${i}.rego`, text]),
      ),
      version,
    });
    const value = policy.prepare(query).value({ now: NOW, ...rest });
    return value === undefined ? "undefined" : showValue(value);
  } catch (error) {
    if (error instanceof RegoError) return error.code;
    throw error;
  }
}

/** Everything that the compiler says of the rules of `package test`: `CODE row: message`. */
export function findingsIn(rules: string, options: RunOptions = {}): string[] {
  const { version = "v1", modules = [] } = options;
  try {
    compile({
      modules: Object.fromEntries(
        [`package test\n${rules}`, ...modules].map((text, i) => [`${i}.rego`, text]),
      ),
      version,
    });
    return [];
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    return error.diagnostics.map(({ code, message, location }) => `${code} ${location?.row}: ${message}`);
  }
}
