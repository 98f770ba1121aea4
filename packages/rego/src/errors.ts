// SPDX-License-Identifier: Apache-2.0
// What is wrong with a policy, or why it did not finish. Codes are stable API, listed in docs/error-codes.md.

import { AdytonError, type ErrorCategory } from "@adyton/core/errors";
import type { Location } from "./ast.ts";

/** Codes of `@adyton/rego`. In brackets what OPA calls the same thing. */
export type RegoErrorCode =
  /** The text is no Rego (rego_parse_error). */
  | "REGO_PARSE"
  /** Names, imports, conflicting rules, refused functions (rego_compile_error). */
  | "REGO_COMPILE"
  /** Types that can never fit (rego_type_error). */
  | "REGO_TYPE"
  /** A variable that nothing binds (rego_unsafe_var_error). */
  | "REGO_UNSAFE_VARIABLE"
  /** A rule that needs itself (rego_recursion_error). */
  | "REGO_RECURSION"
  /** Two values for one complete rule, one function call or one key (eval_conflict_error). */
  | "REGO_CONFLICT"
  /** In strict mode: a function got what it cannot use (eval_builtin_error). */
  | "REGO_BUILTIN"
  /** In strict mode: a function got an argument of a wrong type (eval_type_error). */
  | "REGO_BUILTIN_TYPE"
  /** Evaluation went over its steps, depth, memory or time. */
  | "REGO_LIMIT"
  /** The caller gave what evaluation cannot use: no time, input that is no JSON. */
  | "REGO_MISUSE";

/** One finding of the parser, the compiler or the checker, or the place where evaluation stopped. */
export interface Diagnostic {
  readonly code: RegoErrorCode;
  /** What is wrong, without the place: `var x is unsafe`. */
  readonly message: string;
  readonly location?: Location;
  /** The next thing to try, a sentence. */
  readonly hint?: string;
}

/** Thrown by `@adyton/rego`: `diagnostics` holds everything that was found, the first of which gives code and message. */
export class RegoError extends AdytonError<RegoErrorCode> {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly [Diagnostic, ...Diagnostic[]], category: ErrorCategory = "misuse") {
    const [first] = diagnostics;
    const more = diagnostics.length === 1 ? "" : ` (and ${diagnostics.length - 1} more)`;
    super(first.code, category, `${placeOf(first)}${first.message}${more}`, {
      detail: {
        diagnostics: diagnostics.map(({ code, message, location }) => ({ code, message, location })),
      },
      ...(first.hint === undefined ? {} : { hint: first.hint }),
    });
    this.diagnostics = diagnostics;
  }
}

function placeOf({ location }: Diagnostic): string {
  return location === undefined ? "" : `${location.file}:${location.row}:${location.column}: `;
}
