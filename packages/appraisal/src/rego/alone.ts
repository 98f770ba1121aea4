// SPDX-License-Identifier: Apache-2.0
// What policies need to be compiled by themselves, without evidence: for checks and tests.

import { ANY, type Builtin, type Module, parseModule, STRING, takes } from "@adyton/rego";
import { formOf, isPolicyPackage, PREAMBLE } from "./forms.ts";
import { VERAISON_PREAMBLE } from "./veraison.ts";

/**
 * `query_reference_value` where there are no reference values: undefined, until a test says
 * `with query_reference_value as …`.
 */
export const unansweredQuery: Builtin = {
  name: "query_reference_value",
  type: takes([STRING], ANY),
  call: () => undefined,
  nondeterministic: true,
};

/** What stands beside a policy of Veraison's form: its names for trust values and documents. Nothing for other forms. */
export function modulesBeside(modules: readonly Module[]): readonly Module[] {
  const has = modules.some(({ path }) => isPolicyPackage(path));
  return has && formOf(modules) === "veraison"
    ? [parseModule(VERAISON_PREAMBLE, { file: PREAMBLE, version: "v1" })]
    : [];
}
