// SPDX-License-Identifier: Apache-2.0
// The functions of yaml.*: pass them to `compile` where policies need them. Needs the package `yaml`.

import { type Builtin, type BuiltinContext, BuiltinFailure } from "./builtin.ts";
import { define, stringAt } from "./builtins/define.ts";
import { ANY, BOOLEAN, STRING } from "./types.ts";
import type { Value } from "./value.ts";
import { readYaml } from "./yaml/read.ts";
import { writeYaml } from "./yaml/write.ts";

export const yamlBuiltins: readonly Builtin[] = [
  define("yaml.marshal", [ANY], STRING, (value: Value, context: BuiltinContext) => writeYaml(value, context)),
  define("yaml.unmarshal", [STRING], ANY, (text: Value, context: BuiltinContext) =>
    readYaml(stringAt(text, 1), context),
  ),
  define("yaml.is_valid", [STRING], BOOLEAN, (text: Value, context: BuiltinContext): boolean => {
    if (typeof text !== "string") return false;
    try {
      readYaml(text, context);
      return true;
    } catch (error) {
      if (error instanceof BuiltinFailure) return false;
      throw error;
    }
  }),
];
