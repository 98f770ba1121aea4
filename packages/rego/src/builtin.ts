// SPDX-License-Identifier: Apache-2.0
// The seam to functions that are not written in Rego: the language's own, and those that a host adds.

import type { FunctionType } from "./types.ts";
import type { Value } from "./value.ts";

/** What a function may use besides its arguments: nothing of the machine, so that evaluation is deterministic. */
export interface BuiltinContext {
  /** Nanoseconds since 1970 for `time.now_ns`: one value for a whole evaluation. Throws when the caller named no time. */
  now(): bigint;
  /** Counts work against the limits of the evaluation: one step is about one visited value or sixteen characters. Throws `REGO_LIMIT`. */
  spend(steps: number): void;
  /** A value kept for the whole evaluation, made at its first use: compiled patterns, random seeds. */
  cached<T>(key: string, make: () => T): T;
  /** Where `print` and `trace` write. */
  note(message: string): void;
}

/**
 * A function. `call` gets as many arguments as `type` names, then the context, and gives a value, or undefined when it
 * has none. An argument of a wrong type, or one that makes no sense, is a `BuiltinFailure`: the expression is then
 * undefined, or in strict mode an error.
 */
export interface Builtin {
  readonly name: string;
  readonly type: FunctionType;
  /** Absent where the language has the function only to be refused at compile time. */
  readonly call: (...args: never[]) => Value | undefined;
  /** The calls to it need not give one answer for one input: never remembered. */
  readonly nondeterministic?: true;
  /** For a relation such as `walk`: gives every result, and the caller visits each. `call` is then not used. */
  readonly each?: (argument: Value, context: BuiltinContext) => Iterable<Value>;
}

/** Why a function gave no value. */
export class BuiltinFailure extends Error {
  /** `type`: an argument of a wrong type (OPA's eval_type_error); `builtin`: any other reason (eval_builtin_error). */
  readonly kind: "type" | "builtin";

  constructor(kind: "type" | "builtin", message: string) {
    super(message);
    this.name = "BuiltinFailure";
    this.kind = kind;
  }
}
