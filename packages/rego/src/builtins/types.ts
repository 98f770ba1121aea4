// SPDX-License-Identifier: Apache-2.0
// What kind of value a value is.

import type { Builtin } from "../builtin.ts";
import { ANY, BOOLEAN, STRING } from "../types.ts";
import { type Kind, kindOf, type Value } from "../value.ts";
import { define } from "./define.ts";

const KINDS: readonly Kind[] = ["null", "boolean", "number", "string", "array", "object", "set"];

export const types: readonly Builtin[] = [
  ...KINDS.map((kind) => define(`is_${kind}`, [ANY], BOOLEAN, (value: Value) => kindOf(value) === kind)),
  define("type_name", [ANY], STRING, kindOf),
];
