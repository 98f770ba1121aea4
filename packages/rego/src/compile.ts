// SPDX-License-Identifier: Apache-2.0
// The compiler with all functions of the language that need nothing from outside.

import { standardBuiltins } from "./builtins/index.ts";
import { typeChecker } from "./check/check.ts";
import { type CompiledPolicy, type CompileOptions, compileWith } from "./policy.ts";

/** Compiles modules. Throws a `RegoError` that holds everything that was found. */
export function compile(options: CompileOptions): CompiledPolicy {
  return compileWith(standardBuiltins, options, typeChecker(options.schemas));
}
